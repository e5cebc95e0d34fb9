//! The notebook's three servers, answered by chainlab: its `curl` lines, its Python and a browser find what they know.
//!
//! `cargo run --release --example notebook_server` serves three nodes on ports 5000 to 5002 until Ctrl-C. The nodes talk
//! over channels as ever; HTTP is another way to the handle. A peer that is none of them, the notebook's own Python say, can
//! be registered too, and is asked for its chain over HTTP.

mod address;
#[path = "../shared/end.rs"]
mod end;
mod endpoints;
mod listener;
mod peers;

use std::{
    error::Error,
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
    thread,
    time::Duration,
};

use chainlab::{
    Happening, Limits, Network, Rules,
    network::{Config, Events, Identity},
};
use clap::Parser;
use tokio::{runtime, sync::watch};
use uuid::Uuid;

use crate::{endpoints::Served, listener::Listener, peers::Peers};

/// How long a node that resolves waits for its peers: a bit more than twice the time that a foreign peer has for an
/// answer, as another's question may have to be answered first.
const RESOLVE_TIMEOUT: Duration =
    peers::FETCH_TIMEOUT.saturating_mul(2).saturating_add(Duration::from_millis(500));

/// The notebook's servers, answered by chainlab.
#[derive(Debug, Parser)]
struct Arguments {
    /// The ports on which the nodes are served, on this machine alone; 0 takes one that is free.
    #[arg(long, value_delimiter = ',', default_values_t = [5000, 5001, 5002])]
    ports: Vec<u16>,
    /// Lets peers be registered that are not on this machine.
    #[arg(long)]
    allow_remote: bool,
}

fn main() -> ExitCode {
    end::with(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let mut runtime = runtime::Builder::new_multi_thread();
    // Whoever waits for a node blocks a thread; those at one listener must not use up the others'.
    runtime.max_blocking_threads(listener::CLIENTS_MAX * arguments.ports.len().max(1)).enable_all();
    let limits = Limits { resolve_timeout: RESOLVE_TIMEOUT, ..Limits::default() };
    let network = Arc::new(Network::with_config(Rules::notebook(), Config { limits, ..Config::default() }));
    let events = network.events();
    let refusals = {
        let network = Arc::clone(&network);
        thread::Builder::new().name("refusals".into()).spawn(move || print_refusals(&network, events))?
    };
    let served = runtime.build()?.block_on(serve(arguments, &network));
    network.shutdown()?;
    // The events have ended with the network.
    refusals.join().map_err(|_| "the thread that prints refusals panicked")?;
    served
}

/// Serves the nodes until the process is told to end.
async fn serve(arguments: &Arguments, network: &Arc<Network>) -> Result<(), Box<dyn Error>> {
    let mut end = listener::EndSignals::listen()?;
    let (mut listeners, mut own) = (Vec::new(), Vec::new());
    for &port in &arguments.ports {
        let listener = Listener::open(port).await?;
        let port = listener.port();
        let name = format!("localhost:{port}");
        let identity =
            Identity { name: Some(name), address: Some(random_address(port)), ..Identity::default() };
        own.push((port, network.spawn_as(identity)?));
        listeners.push(listener);
    }
    let ports: Vec<_> = own.iter().map(|(port, _)| *port).collect();

    let peers = Arc::new(Peers::new(Arc::clone(network), &own, arguments.allow_remote));
    let (ending, is_ending) = watch::channel(());
    let mut served = Vec::new();
    for (listener, (_, node)) in listeners.into_iter().zip(own) {
        let node = Served::new(Arc::clone(network), node, Arc::clone(&peers));
        served.push(tokio::spawn(listener.serve(endpoints::router(node, &ports), is_ending.clone())));
    }
    let mut out = io::stdout();
    print_welcome(&ports, &mut out)?;

    end.wait().await;
    // Whoever has started it may listen no longer.
    let _ = writeln!(out, "\nEnding.");
    drop(ending);
    for task in served {
        task.await?;
    }
    Ok(())
}

/// An address as the notebook makes them: 32 hexadecimal digits of a random UUID, and the port.
#[expect(clippy::disallowed_methods, reason = "a server's address is its own to draw")]
fn random_address(port: u16) -> String {
    format!("{}{port:04}", Uuid::new_v4().simple())
}

fn print_welcome(ports: &[u16], out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "The notebook's nodes, answered by chainlab:")?;
    for port in ports {
        writeln!(out, "  http://localhost:{port}/")?;
    }
    writeln!(
        out,
        "Open one in a browser, or go through the notebook from \"Register the other Nodes\" on, say with"
    )?;
    writeln!(out, "  curl http://localhost:{}/mine", ports.first().copied().unwrap_or_default())?;
    writeln!(
        out,
        "Ctrl-C ends it, and so does the notebook's clean-up after `out_pids = [{}]`.",
        std::process::id()
    )
}

/// Tells whoever reads the terminal which chains were refused: the notebook's answers have no place for that.
fn print_refusals(network: &Network, events: Events) {
    for event in events {
        let (from, why) = match &event.what {
            Happening::Rejected { from, invalid } => (*from, invalid.to_string()),
            Happening::RejectedDocument { from, error } => (*from, error.to_string()),
            _ => continue,
        };
        if let (Ok(node), Ok(from)) = (network.name(event.node), network.name(from)) {
            // Whoever has started it may listen no longer.
            let _ = writeln!(io::stderr(), "{node} refuses the chain of {from}: {why}");
        }
    }
}
