//! The notebook's `curl` lines, run by the real `curl` and compared with what the notebook printed.

use std::{collections::BTreeMap, process::Command};

use serde_json::{Deserializer, Value, json};

use crate::{
    python::notebook,
    server::Server,
    tools::has_tool,
    transcript::{CELL_5, CELL_6, CELL_7, CELL_8, CELL_9, CELL_10, CELL_11, CELL_12, CELL_13, CELL_14},
};

/// Each cell's lines and what they printed.
const CELLS: [(&str, &str); 10] = [
    (
        r#"
curl -X POST -H "Content-Type: application/json" -d '{"nodes": ["http://localhost:5001", "http://localhost:5002"]}' "http://localhost:5000/nodes/register"
curl -X POST -H "Content-Type: application/json" -d '{"nodes": ["http://localhost:5000", "http://localhost:5002"]}' "http://localhost:5001/nodes/register"
curl -X POST -H "Content-Type: application/json" -d '{"nodes": ["http://localhost:5000", "http://localhost:5001"]}' "http://localhost:5002/nodes/register"
"#,
        CELL_5,
    ),
    (
        r#"
curl -X POST -H "Content-Type: application/json" -d '{ "sender": "d4ee26eee15148ee92c6cd394edd974e","recipient": "someone-other-address", "amount": 5}' "http://localhost:5000/transactions/new"
"#,
        CELL_6,
    ),
    ("curl http://localhost:5000/chain", CELL_7),
    (RESOLVE_ALL, CELL_8),
    ("curl http://localhost:5000/mine", CELL_9),
    ("curl http://localhost:5000/chain", CELL_10),
    ("curl http://localhost:5001/mine\nRESOLVE_ALL", CELL_11),
    ("curl http://localhost:5001/chain", CELL_12),
    ("curl http://localhost:5002/mine\nRESOLVE_ALL", CELL_13),
    ("curl http://localhost:5002/chain", CELL_14),
];

const RESOLVE_ALL: &str = "curl http://localhost:5000/nodes/resolve
curl http://localhost:5001/nodes/resolve
curl http://localhost:5002/nodes/resolve";

/// The cells' lines.
fn lines() -> impl Iterator<Item = Vec<String>> {
    CELLS.iter().map(|(lines, _)| {
        let lines = lines.replace("RESOLVE_ALL", RESOLVE_ALL);
        lines.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
    })
}

#[test]
fn the_lines_are_the_notebook_s() {
    let Some(notebook) = notebook() else { return };
    let theirs = notebook.lines().filter_map(|line| line.strip_prefix('!'));
    assert_eq!(lines().flatten().collect::<Vec<_>>(), theirs.collect::<Vec<_>>());
}

#[test]
fn the_notebook_s_lines_print_what_they_printed() {
    if !has_tool("curl", Command::new("curl").arg("--version")) {
        return;
    }
    let server = Server::start(3);
    let (mut ours, mut theirs) = (Names::default(), Names::default());
    let mut outputs = Vec::new();
    for (lines, (_, printed)) in lines().zip(CELLS) {
        let output: String = lines.iter().map(|line| run(&server, line)).collect();
        let documents = documents(&output);
        // The notebook indents its answers, and sorts their keys.
        let pretty = documents.iter().map(|document| serde_json::to_string_pretty(document).unwrap() + "\n");
        assert_eq!(output, pretty.collect::<String>());

        let mut expected = self::documents(printed);
        if printed == CELL_14 {
            // The third node had two peers with equally long chains. The notebook asked them in the order of a set, which
            // is chance, and took the second's chain. Ours asks in the order of registration.
            let of_first = &self::documents(CELL_10)[0]["chain"];
            expected[0]["chain"][0] = of_first[0].clone();
            expected[0]["chain"][1] = of_first[1].clone();
        }
        let renamed = |names: &mut Names, documents: &[Value]| -> Vec<_> {
            documents.iter().take(expected.len()).map(|document| names.rename(document.clone())).collect()
        };
        assert_eq!(renamed(&mut ours, &documents), renamed(&mut theirs, &expected), "{lines:?}");
        outputs.push(documents);
    }
    // What the notebook cut off.
    let messages = |cell: usize| outputs[cell].iter().map(|document| document["message"].as_str().unwrap());
    let (kept, replaced) = ("Our chain is authoritative", "Our chain was replaced");
    assert!(messages(6).eq(["New Block Forged", kept, kept, replaced]));
    assert!(messages(8).eq(["New Block Forged", replaced, replaced, kept]));
    assert_eq!(outputs[8][1]["new_chain"], outputs[9][0]["chain"]);
    assert!(server.end("TERM").success(), "the notebook's clean-up sends this signal");
}

/// Runs a line, with the server's ports in place of the notebook's and back again.
fn run(server: &Server, line: &str) -> String {
    let ports = (5000..)
        .zip(&server.ports)
        .map(|(theirs, ours)| (format!("localhost:{theirs}"), format!("localhost:{ours}")));
    let ports: Vec<_> = ports.collect();
    let line = ports.iter().fold(line.to_owned(), |line, (theirs, ours)| line.replace(theirs, ours));
    let mut command = Command::new("sh");
    command.args(["-c", &line]).env("no_proxy", "*");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{line}: {output:?}");
    let output = String::from_utf8(output.stdout).unwrap();
    ports.iter().fold(output, |output, (theirs, ours)| output.replace(ours, theirs))
}

/// The documents of a print, as far as they are whole.
fn documents(output: &str) -> Vec<Value> {
    Deserializer::from_str(output).into_iter().map_while(Result::ok).collect()
}

/// Names for what no two runs have in common: hashes, times and the nodes' addresses, numbered as they first come up.
#[derive(Default)]
struct Names(BTreeMap<String, String>);

impl Names {
    fn rename(&mut self, mut document: Value) -> Value {
        self.rename_in(&mut document);
        document
    }

    fn rename_in(&mut self, value: &mut Value) {
        let is_reward = value.get("sender") == Some(&json!("0"));
        match value {
            Value::Array(values) => values.iter_mut().for_each(|value| self.rename_in(value)),
            Value::Object(fields) => {
                for (key, value) in fields {
                    match &**key {
                        "timestamp" => assert!(value.is_f64(), "{value}"),
                        "previous_hash" if *value != 1 => assert_eq!(value.as_str().unwrap().len(), 64),
                        "recipient" if is_reward => assert!(value.as_str().unwrap().len() >= 36, "{value}"),
                        // Python keeps them as a set.
                        "total_nodes" => value.as_array_mut().unwrap().sort_by_key(Value::to_string),
                        _ => {
                            self.rename_in(value);
                            continue;
                        }
                    }
                    if key != "total_nodes" {
                        let number = self.0.len();
                        let name =
                            self.0.entry(value.to_string()).or_insert_with(|| format!("{key} {number}"));
                        *value = json!(name);
                    }
                }
            }
            _ => {}
        }
    }
}
