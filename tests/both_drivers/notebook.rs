//! The notebook's transcript, replayed under both drivers: every answer is what was printed.

use chainlab::{Driver, NodeId, Rules, Time, Transaction, network::Identity};
use serde::Serialize;
use serde_json::{Deserializer, Value};

use crate::{
    lab::{Lab, assert_same},
    transcript::{CELL_5, CELL_6, CELL_7, CELL_8, CELL_9, CELL_10, CELL_11, CELL_12, CELL_13, CELL_14},
};

/// A moment in units of 100 ns since the Unix epoch: so many digits were printed.
fn moment(tenths_of_micros: u64) -> Time {
    Time::from_nanos(tenths_of_micros * 100)
}

/// The node on a port. That on 5001 was started first.
fn node(port: u32) -> NodeId {
    NodeId::new([1, 0, 2][port as usize - 5000])
}

fn spawn<D: Driver>(lab: &Lab<D>, time: Time, port: u32, address: &str) {
    let identity = Identity {
        name: Some(format!("localhost:{port}")),
        address: Some(address.into()),
        ..Identity::default()
    };
    assert_eq!(lab.at(time).spawn_as(identity).unwrap(), node(port));
}

fn register<D: Driver>(lab: &Lab<D>, port: u32, peers: [u32; 2]) -> String {
    printed(&lab.network.register(node(port), peers.map(node)).unwrap())
}

fn chain<D: Driver>(lab: &Lab<D>, port: u32) -> String {
    printed(&lab.network.chain(node(port)).unwrap())
}

/// Mines a block, which the notebook stamps when it is found: its first attempt is the proof 0.
fn mine<D: Driver>(lab: &Lab<D>, found: Time, proof: u32, port: u32) -> String {
    printed(&lab.found_at(found, proof + 1).mine(node(port)).unwrap())
}

fn resolve_all<D: Driver>(lab: &Lab<D>) -> String {
    (5000..5003).map(|port| printed(&lab.network.resolve(node(port)).unwrap())).collect()
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

fn replay<D: Driver>(lab: &Lab<D>) -> Vec<String> {
    spawn(lab, moment(15_078_249_517_689_593), 5001, "e993927e7cd342f5a05d70493ccbe0ef5001");
    spawn(lab, moment(15_078_249_517_695_177), 5000, "11120ceb2131427f99dda3fc2623ae9b5000");
    spawn(lab, moment(15_078_249_517_821_326), 5002, "6066e6f7d27c49129330b4af118a73725002");

    // The last of them goes through its peers in the other order, as its answer shows: Python's set has its own.
    let mut output = register(lab, 5000, [5001, 5002]);
    output += &register(lab, 5001, [5000, 5002]);
    output += &register(lab, 5002, [5001, 5000]);
    assert_printed(&output, CELL_5);

    let transaction = Transaction::new("d4ee26eee15148ee92c6cd394edd974e", "someone-other-address", 5);
    assert_printed(&printed(&lab.network.submit(node(5000), transaction).unwrap()), CELL_6);
    assert_printed(&chain(lab, 5000), CELL_7);
    assert_printed(&resolve_all(lab), CELL_8);

    assert_printed(&mine(lab, moment(15_078_249_566_968_665), 35293, 5000), CELL_9);
    assert_printed(&chain(lab, 5000), CELL_10);

    let mined = mine(lab, moment(15_078_249_574_151_168), 35293, 5001);
    assert_begins(&(mined + &resolve_all(lab)), CELL_11);
    assert_printed(&chain(lab, 5001), CELL_12);

    let mined = mine(lab, moment(15_078_249_592_312_186), 35089, 5002);
    assert_begins(&(mined + &resolve_all(lab)), CELL_13);
    assert_printed(&chain(lab, 5002), CELL_14);
    // What was cut off: all have the chain of the last.
    assert_printed(&chain(lab, 5000), CELL_14);
    assert_printed(&chain(lab, 5001), CELL_14);

    // The notebook has lost the transaction of 5 here; chainlab's first node has it pending again.
    let pending = lab.network.pending(node(5000)).unwrap();
    assert_eq!(pending.iter().map(Transaction::amount).collect::<Vec<_>>(), [5]);
    (5000..5003).map(|port| chain(lab, port)).collect()
}

#[test]
fn the_transcript_comes_out_as_printed() {
    assert_same!(replay, Rules::notebook());
}
