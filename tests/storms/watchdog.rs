//! What must come to an end, and tells how far it came if it does not.

use std::{fmt::Display, sync::Arc, sync::mpsc, thread, time::Duration};

use chainlab::Network;
use parking_lot::Mutex;

/// How long a storm may take, on whatever machine: some hundred times what it takes on a quiet one.
const DEADLINE: Duration = Duration::from_secs(300);

/// What a storm did so far, for whoever has to find out why it failed.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Entries>>);

#[derive(Default)]
struct Entries {
    lines: Vec<String>,
    network: Option<Arc<Network>>,
}

impl Log {
    pub(crate) fn watch(&self, network: &Arc<Network>) {
        self.0.lock().network = Some(Arc::clone(network));
    }

    pub(crate) fn note(&self, what: impl Display) {
        self.0.lock().lines.push(what.to_string());
    }

    fn print(&self) {
        let entries = self.0.lock();
        for (number, line) in entries.lines.iter().enumerate() {
            eprintln!("{number:4}: {line}");
        }
        // Where everybody stands, unless the network itself hangs.
        if let Some(network) = entries.network.clone() {
            let (sender, receiver) = mpsc::channel();
            let stands = move || {
                let answer = network.settle(Duration::ZERO);
                // Nobody listens any longer if it took too long.
                let _ = sender.send(match answer {
                    Ok(settled) => format!("all agree in {} groups", settled.groups.len()),
                    Err(unsettled) => unsettled.to_string(),
                });
            };
            if thread::Builder::new().spawn(stands).is_ok() {
                let stands = receiver.recv_timeout(Duration::from_secs(10));
                eprintln!("{}", stands.unwrap_or_else(|_| "the network does not answer".into()));
            }
        }
    }
}

/// Runs a storm; if it fails or hangs, says which seed it was, what it did and where everybody stands.
pub(crate) fn finishes(name: &str, seed: u64, storm: impl FnOnce(u64, &Log) + Send + 'static) {
    println!("{name}, seed {seed}");
    let log = Log::default();
    let (sender, receiver) = mpsc::channel();
    let inside = log.clone();
    let run = move || {
        storm(seed, &inside);
        // The network ends before this thread says so.
        inside.0.lock().network = None;
        let _ = sender.send(());
    };
    let thread = thread::Builder::new().name(format!("{name}-{seed}")).spawn(run).unwrap();
    match receiver.recv_timeout(DEADLINE) {
        Ok(()) => thread.join().unwrap(),
        Err(error) => {
            eprintln!("{name}: seed {seed} failed; to replay its actions: CHAINLAB_SEED={seed}");
            log.print();
            match error {
                mpsc::RecvTimeoutError::Timeout => panic!("{name}, seed {seed}: it hangs"),
                mpsc::RecvTimeoutError::Disconnected => std::panic::resume_unwind(thread.join().unwrap_err()),
            }
        }
    }
}
