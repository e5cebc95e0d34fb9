//! The server as a process, and a plain client.

use std::{
    cell::RefCell,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        OnceLock,
        mpsc::{Receiver, channel},
    },
    thread,
};

use serde_json::Value;

use crate::{built, tools::PATIENCE};

/// The example, running.
pub(crate) struct Server {
    child: Child,
    pub(crate) ports: Vec<u16>,
    /// What it says on its standard error.
    errors: Receiver<String>,
    waiting: RefCell<Vec<String>>,
}

impl Server {
    /// Starts so many nodes on free ports.
    pub(crate) fn start(nodes: usize) -> Self {
        Self::start_with(nodes, &[])
    }

    /// Starts so many nodes on free ports, with further arguments.
    pub(crate) fn start_with(nodes: usize, arguments: &[&str]) -> Self {
        let ports = vec!["0"; nodes].join(",");
        let mut command = Command::new(example());
        command.args(["--ports", &ports]).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut ports = Vec::new();
        while ports.len() < nodes {
            let line = lines.next().expect("it says where it serves").unwrap();
            if let Some(port) = line.trim().strip_prefix("http://localhost:") {
                ports.push(port.trim_end_matches('/').parse().unwrap());
            }
        }
        let errors = lines_of(child.stderr.take().unwrap());
        thread::Builder::new().spawn(move || lines.for_each(drop)).unwrap();
        Self { child, ports, errors, waiting: RefCell::default() }
    }

    /// Waits for a line on its standard error that names a thing. Lines that name others wait for whoever asks for them.
    pub(crate) fn wait_for_error(&self, name: &str) -> String {
        let mut waiting = self.waiting.borrow_mut();
        loop {
            if let Some(at) = waiting.iter().position(|line| line.contains(name)) {
                return waiting.remove(at);
            }
            waiting.push(self.errors.recv_timeout(PATIENCE).expect("it says so"));
        }
    }

    /// Sends a signal, and waits until the process has ended.
    pub(crate) fn end(mut self, signal: &str) -> ExitStatus {
        // Every shell can do it; a program for it is not everywhere.
        let kill = format!("kill -s {signal} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        self.child.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Builds the example, once.
pub(crate) fn example() -> &'static str {
    static EXAMPLE: OnceLock<String> = OnceLock::new();
    const NAME: &str = "notebook_server";
    EXAMPLE.get_or_init(|| built::build(&["--example", NAME]).remove(NAME).expect("it was built"))
}

/// Reads lines in a thread, so that whoever writes them never waits.
pub(crate) fn lines_of(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    let read = move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            // Whoever no longer listens wants nothing.
            let _ = sender.send(line);
        }
    };
    thread::Builder::new().spawn(read).unwrap();
    receiver
}

pub(crate) fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends a request, and returns the status and the body of the answer.
pub(crate) fn ask(port: u16, method: &str, path: &str, headers: &str, body: &[u8]) -> (u16, String) {
    let mut stream = connect(port);
    let length = body.len();
    let head =
        format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    answer(&mut stream)
}

/// Reads the answer to a request.
pub(crate) fn answer(stream: &mut TcpStream) -> (u16, String) {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").expect("an answer has a head and a body");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

pub(crate) fn get(port: u16, path: &str) -> Value {
    let (status, body) = ask(port, "GET", path, "", b"");
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

/// Posts a document, and returns the status and the text of the answer.
pub(crate) fn post(port: u16, path: &str, document: &str) -> (u16, String) {
    ask(port, "POST", path, "Content-Type: application/json\r\n", document.as_bytes())
}

/// Registers peers with a node.
pub(crate) fn register(port: u16, peers: &[u16]) -> Value {
    let nodes: Vec<_> = peers.iter().map(|peer| format!("http://localhost:{peer}")).collect();
    let (status, text) = post(port, "/nodes/register", &serde_json::json!({ "nodes": nodes }).to_string());
    assert_eq!(status, 201, "{text}");
    serde_json::from_str(&text).unwrap()
}
