//! The notebook's transcript, replayed with its names, addresses and times: every answer is what was printed.

mod transcript;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use chainlab::{
    Network, NodeId, Rules, Time, Transaction,
    network::{Clock, Config, Identity},
};
use serde::Serialize;
use serde_json::{Deserializer, Value};
use transcript::{CELL_5, CELL_6, CELL_7, CELL_8, CELL_9, CELL_10, CELL_11, CELL_12, CELL_13, CELL_14};

/// The notebook's three servers, and a clock that is set by hand.
struct Notebook {
    network: Network,
    nanos: Arc<AtomicU64>,
    nodes: Vec<NodeId>,
}

impl Notebook {
    fn start() -> Self {
        let nanos = Arc::new(AtomicU64::new(0));
        let hand = Arc::clone(&nanos);
        let clock = Clock::given(move |_| Time::from_nanos(hand.load(Ordering::SeqCst)));
        let network = Network::with_config(Rules::notebook(), Config { clock, ..Config::default() });
        Self { network, nanos, nodes: Vec::new() }
    }

    /// Sets the clock, in units of 100 ns since the Unix epoch: so many digits were printed.
    fn at(&self, tenths_of_micros: u64) -> &Self {
        self.nanos.store(tenths_of_micros * 100, Ordering::SeqCst);
        self
    }

    fn spawn(&mut self, name: &str, address: &str) {
        let identity = Identity { name: Some(name.into()), address: Some(address.into()) };
        self.nodes.push(self.network.spawn_as(identity).unwrap());
    }

    /// The node on a port.
    fn node(&self, port: usize) -> NodeId {
        self.nodes[port - 5000]
    }

    fn register(&self, port: usize, peers: [usize; 2]) -> String {
        printed(&self.network.register(self.node(port), peers.map(|peer| self.node(peer))).unwrap())
    }

    fn chain(&self, port: usize) -> String {
        printed(&self.network.chain(self.node(port)).unwrap())
    }

    fn mine(&self, port: usize) -> String {
        printed(&self.network.mine(self.node(port)).unwrap())
    }

    fn resolve_all(&self) -> String {
        (5000..5003).map(|port| printed(&self.network.resolve(self.node(port)).unwrap())).collect()
    }
}

/// An answer as the notebook prints it: keys in order, indented by two, without the blanks at the ends of lines.
fn printed(answer: &impl Serialize) -> String {
    let value = serde_json::to_value(answer).unwrap();
    serde_json::to_string_pretty(&value).unwrap() + "\n"
}

/// The documents in a cell's output, what Python keeps as a set in one order.
fn documents(output: &str) -> Vec<Value> {
    let documents = Deserializer::from_str(output).into_iter::<Value>();
    let mut documents: Vec<_> = documents.collect::<Result<_, _>>().unwrap();
    for document in &mut documents {
        if let Some(Value::Array(names)) = document.get_mut("total_nodes") {
            names.sort_by_key(Value::to_string);
        }
    }
    documents
}

#[track_caller]
fn assert_printed(output: &str, expected: &str) {
    assert_eq!(documents(output), documents(expected));
}

/// Compares with a print that was cut off.
#[track_caller]
fn assert_begins(output: &str, expected: &str) {
    let expected = expected.trim();
    assert_eq!(output.get(..expected.len()), Some(expected));
}

#[test]
fn the_transcript_comes_out_as_printed() {
    let mut notebook = Notebook::start();
    notebook.at(15_078_249_517_695_177);
    notebook.spawn("localhost:5000", "11120ceb2131427f99dda3fc2623ae9b5000");
    notebook.at(15_078_249_517_689_593);
    notebook.spawn("localhost:5001", "e993927e7cd342f5a05d70493ccbe0ef5001");
    notebook.at(15_078_249_517_821_326);
    notebook.spawn("localhost:5002", "6066e6f7d27c49129330b4af118a73725002");

    // The last of them goes through its peers in the other order, as its answer shows: Python's set has its own.
    let mut output = notebook.register(5000, [5001, 5002]);
    output += &notebook.register(5001, [5000, 5002]);
    output += &notebook.register(5002, [5001, 5000]);
    assert_printed(&output, CELL_5);

    let transaction = Transaction::new("d4ee26eee15148ee92c6cd394edd974e", "someone-other-address", 5);
    let submitted = notebook.network.submit(notebook.node(5000), transaction).unwrap();
    assert_printed(&printed(&submitted), CELL_6);
    assert_printed(&notebook.chain(5000), CELL_7);
    assert_printed(&notebook.resolve_all(), CELL_8);

    assert_printed(&notebook.at(15_078_249_566_968_665).mine(5000), CELL_9);
    assert_printed(&notebook.chain(5000), CELL_10);

    let mined = notebook.at(15_078_249_574_151_168).mine(5001);
    assert_begins(&(mined + &notebook.resolve_all()), CELL_11);
    assert_printed(&notebook.chain(5001), CELL_12);

    let mined = notebook.at(15_078_249_592_312_186).mine(5002);
    assert_begins(&(mined + &notebook.resolve_all()), CELL_13);
    assert_printed(&notebook.chain(5002), CELL_14);
    // What was cut off: all have the chain of the last.
    assert_printed(&notebook.chain(5000), CELL_14);
    assert_printed(&notebook.chain(5001), CELL_14);

    // The notebook has lost the transaction of 5 here; chainlab's first node has it pending again.
    let pending = notebook.network.pending(notebook.node(5000)).unwrap();
    assert_eq!(pending.iter().map(Transaction::amount).collect::<Vec<_>>(), [5]);
    notebook.network.shutdown().unwrap();
}
