//! A node in Python as a peer of two of chainlab's, in both directions: the notebook's own classes, taken from the
//! notebook when the test runs, and a short node of the same protocol that needs nothing installed.

use std::{
    fs,
    io::Write,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use chainlab::{Blockchain, Rules};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    server::{Server, ask, get, post, register},
    tools::{PATIENCE, has_tool, say_skipped, skip},
};

/// What the notebook imports, at versions that are known to work together.
const PACKAGES: [&str; 2] = ["flask==3.1.2", "requests==2.32.5"];

const NODE: &str = include_str!("node.py");

/// How it is started; the notebook has it in a cell that forks.
const START: &str = "
import os, sys
if __name__ == '__main__':
    create_blockchain_process(int(sys.argv[1]))
";

/// The notebook's text, if it lies beside the repository.
pub(crate) fn notebook() -> Option<String> {
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    folders
        .map(|folder| folder.join("shared/seed/notebook.txt"))
        .find_map(|path| fs::read_to_string(path).ok())
}

#[test]
fn the_notebook_s_own_python_is_a_peer() {
    let Some(notebook) = notebook() else {
        return say_skipped("the notebook does not lie beside the repository; the other node does for it");
    };
    let Some(python) = python_with_packages() else { return };
    let code: String = (1..=3).map(|number| cell(&notebook, number)).collect();
    let everywhere = "host='0.0.0.0'";
    assert!(code.contains(everywhere), "it serves the whole network, which a test must not");
    is_a_peer(&python, &(code.replace(everywhere, "host='127.0.0.1'") + START));
}

#[test]
fn a_short_node_of_python_s_is_a_peer() {
    if has_tool("python3", Command::new("python3").arg("--version")) {
        is_a_peer(Path::new("python3"), NODE);
    }
}

/// The code of a cell: what stands after its number, up to the next cell or heading.
fn cell(notebook: &str, number: usize) -> String {
    let (_, after) = notebook.split_once(&format!("\nIn [{number}]:\n")).expect("the notebook has the cell");
    let lines = after.lines().take_while(|line| !line.starts_with("# ") && !line.starts_with("In ["));
    lines.map(|line| line.to_owned() + "\n").collect()
}

/// A Python that has what the notebook imports: made once, from the registry of packages.
fn python_with_packages() -> Option<PathBuf> {
    if !has_tool("python3 with venv", Command::new("python3").args(["-c", "import venv, ensurepip"])) {
        return None;
    }
    // The packages are part of the name: others are another environment.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("python-{}", PACKAGES.join("-")));
    let (python, complete) = (folder.join("bin/python"), folder.join("complete"));
    if !complete.exists() {
        let _ = fs::remove_dir_all(&folder);
        let made = Command::new("python3").args(["-m", "venv"]).arg(&folder).status().unwrap();
        assert!(made.success(), "the environment could not be made");
        let mut install = Command::new(&python);
        install.args(["-m", "pip", "install", "--quiet"]).args(PACKAGES);
        if !install.status().unwrap().success() {
            skip("the registry of Python packages cannot be reached");
            return None;
        }
        fs::write(complete, "").unwrap();
    }
    Some(python)
}

/// A node in Python, running.
struct PythonNode {
    child: Child,
    port: u16,
    python: PathBuf,
    folder: TempDir,
}

impl PythonNode {
    fn start(python: &Path, code: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("node.py"), code).unwrap();
        // Free a moment ago, and nobody on this machine is given the same one again so soon.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new(python);
        command.current_dir(&folder).args(["node.py", &port.to_string()]).env("no_proxy", "*");
        let log = fs::File::create(folder.path().join("log")).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let node = Self { child: command.spawn().unwrap(), port, python: python.into(), folder };
        let step = Duration::from_millis(50);
        for _ in 0..PATIENCE.as_millis() / step.as_millis() {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return node;
            }
            thread::park_timeout(step);
        }
        panic!("the node does not answer: {}", fs::read_to_string(node.folder.path().join("log")).unwrap());
    }

    /// What the Python's own `valid_chain` says of a chain.
    fn finds_valid(&self, document: &Value) -> bool {
        let check = "import json, sys; from node import Blockchain; \
                     sys.stderr.write(str(Blockchain().valid_chain(json.load(sys.stdin)['chain'])))";
        let mut command = Command::new(&self.python);
        command.current_dir(&self.folder).args(["-c", check]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(document.to_string().as_bytes()).unwrap();
        let verdict = String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap();
        match verdict.as_str() {
            "True" => true,
            "False" => false,
            other => panic!("no verdict: {other}"),
        }
    }
}

impl Drop for PythonNode {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One node in Python and two of chainlab's register with each other, submit, mine and resolve, until all agree.
fn is_a_peer(python: &Path, code: &str) {
    let server = Server::start(2);
    let [a, b] = server.ports[..] else { unreachable!("two were started") };
    let node = PythonNode::start(python, code);
    let p = node.port;
    for (one, others) in [(a, [b, p]), (b, [a, p]), (p, [a, b])] {
        let total = register(one, &others)["total_nodes"].clone();
        let mut names: Vec<_> = total.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        names.sort_unstable();
        let mut expected = others.map(|port| format!("localhost:{port}"));
        expected.sort_unstable();
        assert_eq!(names, expected);
    }

    // Python's chain is the longest, and chainlab's nodes take it.
    let transfer =
        |amount: u64| json!({"sender": "söndér", "recipient": "\u{1f600}", "amount": amount}).to_string();
    let (status, text) = post(p, "/transactions/new", &transfer(u64::MAX));
    assert_eq!(status, 201, "{text}");
    for _ in 0..2 {
        assert_eq!(get(p, "/mine")["message"], "New Block Forged");
    }
    let of_python = get(p, "/chain");
    for port in [a, b] {
        let resolution = get(port, "/nodes/resolve");
        assert_eq!(resolution["message"], "Our chain was replaced");
        assert_eq!(resolution["new_chain"], of_python["chain"]);
        assert_eq!(get(port, "/chain"), of_python);
    }
    let (_, document) = ask(p, "GET", "/chain", "", b"");
    let read = Blockchain::from_json(&document, &Rules::notebook()).expect("Python's chain is valid");
    assert_eq!(read.block(2).unwrap().transactions()[0].amount(), u64::MAX);

    // One of chainlab's gets ahead, and Python takes its chain.
    let (status, text) = post(a, "/transactions/new", &transfer(7));
    assert_eq!((status, text.contains("Transaction will be added to Block 4")), (201, true), "{text}");
    get(a, "/mine");
    let of_chainlab = get(a, "/chain");
    assert!(node.finds_valid(&of_chainlab));
    let resolution = get(p, "/nodes/resolve");
    assert_eq!(resolution["message"], "Our chain was replaced");
    assert_eq!(resolution["new_chain"], of_chainlab["chain"]);
    assert_eq!(get(b, "/nodes/resolve")["message"], "Our chain was replaced");
    assert_eq!([a, b, p].map(|port| get(port, "/chain")), [(); 3].map(|()| of_chainlab.clone()));
    for port in [a, b, p] {
        assert_eq!(get(port, "/nodes/resolve")["message"], "Our chain is authoritative");
    }

    // Both refuse a chain in which a transaction was changed.
    let mut tampered = of_chainlab;
    tampered["chain"][1]["transactions"][0]["amount"] = json!(1);
    assert!(!node.finds_valid(&tampered));
    let (status, verdict) = post(a, "/chain/valid", &tampered.to_string());
    let verdict: Value = serde_json::from_str(&verdict).unwrap();
    assert_eq!((status, &verdict["valid"], &verdict["block"]), (200, &json!(false), &json!(3)));
}
