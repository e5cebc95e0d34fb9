//! The notebook from start to clean-up: three nodes register with each other, take a transaction, mine, and settle their
//! conflicts. Each node is a thread where the notebook has a web server; each call stands for one of its requests.
//!
//! `cargo run --release --example three_nodes`; with `-- --help` it tells what can be changed. Ctrl-C ends it early, with
//! a report of what happened by then.

#[path = "shared/end.rs"]
mod end;
#[path = "shared/interrupt.rs"]
mod interrupt;

use std::{
    error::Error,
    io::{self, Stdout, Write},
    process::ExitCode,
    sync::Arc,
};

use chainlab::{Network, NodeId, Rules, Transaction, pow::Target};
use clap::{Parser, value_parser};
use interrupt::Interrupt;
use serde::Serialize;

/// Goes through the notebook on three nodes, and prints each request and its answer.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many coins the notebook's one transaction is about.
    #[arg(long, default_value_t = 5)]
    amount: u64,
    /// How many hexadecimal zeros the hash of a proof begins with: each makes a block take 16 times as long.
    #[arg(long, default_value_t = 4, value_parser = value_parser!(u32).range(..=32))]
    zeros: u32,
}

fn main() -> ExitCode {
    end::with(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let target = Target::leading_hex_zeros(arguments.zeros);
    let network = Arc::new(Network::new(Rules::notebook().with_first_target(target)));
    let interrupt = {
        let network = Arc::clone(&network);
        // Whoever waits for a node then waits no longer, and the report remains.
        Interrupt::listen(move || drop(network.shutdown()))?
    };
    let mut story = Story { network: &network, out: io::stdout() };
    let told = story.tell(arguments.amount);
    if interrupt.came() {
        writeln!(story.out, "\nInterrupted. So far:\n{}", network.report())?;
        return Ok(());
    }
    told?;
    network.shutdown()?;
    Ok(())
}

struct Story<'a> {
    network: &'a Network,
    out: Stdout,
}

impl Story<'_> {
    fn tell(&mut self, amount: u64) -> Result<(), Box<dyn Error>> {
        let network = self.network;
        let a = network.spawn_named("localhost:5000")?;
        let b = network.spawn_named("localhost:5001")?;
        let c = network.spawn_named("localhost:5002")?;

        writeln!(self.out, "# Register the other nodes\n")?;
        self.show("POST localhost:5000/nodes/register", network.register(a, [b, c])?)?;
        self.show("POST localhost:5001/nodes/register", network.register(b, [a, c])?)?;
        // Of equally long chains that of the peer registered first wins: c prefers b's, as it did when the notebook ran.
        self.show("POST localhost:5002/nodes/register", network.register(c, [b, a])?)?;

        writeln!(self.out, "# Make a simple transaction: it is pending, and in no chain yet\n")?;
        let payment = Transaction::new("d4ee26eee15148ee92c6cd394edd974e", "someone-other-address", amount);
        self.show("POST localhost:5000/transactions/new", network.submit(a, payment.clone())?)?;
        self.show("GET localhost:5000/chain", network.chain(a)?)?;
        self.resolve_all()?;

        writeln!(self.out, "# Mine on the first node: its block takes the transaction up\n")?;
        let forged = network.mine(a)?;
        self.show("GET localhost:5000/mine", &forged)?;
        self.show("GET localhost:5000/chain", network.chain(a)?)?;

        writeln!(self.out, "# Mine on the second: two chains of the same length stand side by side\n")?;
        self.show("GET localhost:5001/mine", network.mine(b)?)?;
        self.resolve_all()?;
        self.show("GET localhost:5001/chain", network.chain(b)?)?;

        writeln!(self.out, "# Mine on the third: its chain is the longest, and all take it\n")?;
        self.show("GET localhost:5002/mine", network.mine(c)?)?;
        self.resolve_all()?;
        self.show("GET localhost:5002/chain", network.chain(c)?)?;

        let taken_up = if forged.transactions.contains(&payment) { "held" } else { "did not hold" };
        writeln!(
            self.out,
            "Block {} of localhost:5000 {taken_up} the transaction of {amount}.",
            forged.position
        )?;
        self.show_whereabouts(&payment)
    }

    fn resolve_all(&mut self) -> Result<(), Box<dyn Error>> {
        for node in self.network.nodes() {
            let request = format!("GET {}/nodes/resolve", self.network.name(node)?);
            self.show(&request, self.network.resolve(node)?)?;
        }
        Ok(())
    }

    /// Prints the request that the notebook sends, and the answer.
    fn show(&mut self, request: &str, answer: impl Serialize) -> Result<(), Box<dyn Error>> {
        writeln!(self.out, "{request}\n{}\n", serde_json::to_string_pretty(&answer)?)?;
        Ok(())
    }

    fn show_whereabouts(&mut self, transaction: &Transaction) -> Result<(), Box<dyn Error>> {
        let (mut mined, mut pending) = (Vec::new(), Vec::new());
        for node in self.network.nodes() {
            if self.network.chain(node)?.find(transaction).is_some() {
                mined.push(node);
            }
            if self.network.pending(node)?.contains(transaction) {
                pending.push(node);
            }
        }
        let (mined, pending) = (self.names(&mined)?, self.names(&pending)?);
        writeln!(self.out, "In the end it is in the chain of {mined}, and pending at {pending}.")?;
        Ok(())
    }

    fn names(&self, nodes: &[NodeId]) -> Result<String, Box<dyn Error>> {
        let names = nodes.iter().map(|node| self.network.name(*node)).collect::<Result<Vec<_>, _>>()?;
        Ok(if names.is_empty() { "no node".to_owned() } else { names.join(", ") })
    }
}
