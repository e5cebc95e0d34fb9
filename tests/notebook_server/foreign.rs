//! Foreign peers that are dead, slow, wrong or liars, played by the test.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Sender, channel},
    },
    thread,
    time::Duration,
};

use serde_json::json;

use crate::{
    server::{Server, ask, connect, get, post, register},
    tools::PATIENCE,
};

/// Serves each client in a thread, as `serve` says, for as long as the test runs. Returns the port and counts clients.
fn peer(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (serve, count) = (Arc::new(serve), Arc::new(AtomicUsize::new(0)));
    let counter = Arc::clone(&count);
    let accept = move || {
        for client in listener.incoming().map_while(Result::ok) {
            counter.fetch_add(1, Ordering::SeqCst);
            let serve = Arc::clone(&serve);
            thread::Builder::new().spawn(move || serve(client)).unwrap();
        }
    };
    thread::Builder::new().spawn(accept).unwrap();
    (port, count)
}

/// A peer that answers every request with the same.
fn says(status: &str, headers: &str, body: String) -> (u16, Arc<AtomicUsize>) {
    let answer = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len());
    peer(move |mut client| {
        read_head(&client);
        // It may hang up when it has had enough.
        let _ = client.write_all(answer.as_bytes());
    })
}

fn read_head(client: &TcpStream) {
    BufReader::new(client).lines().map_while(Result::ok).find(String::is_empty);
}

/// Holds a client for ever.
fn hold(keep: &Sender<TcpStream>, client: TcpStream) {
    keep.send(client).unwrap();
}

#[test]
fn whoever_gives_no_valid_chain_is_named_and_changes_nothing() {
    let ahead = Server::start(1);
    for _ in 0..3 {
        get(ahead.ports[0], "/mine");
    }
    let valid = get(ahead.ports[0], "/chain");
    let mut lie = valid.clone();
    lie["chain"][1]["transactions"][0]["amount"] = json!(1_000_000);
    let mut fraction = valid.clone();
    fraction["chain"][1]["transactions"][0]["amount"] = json!(0.5);
    let json_type = "Content-Type: application/json\r\n";

    let (honest, _) = says("200 OK", json_type, valid.to_string());
    let redirect = format!("Location: http://localhost:{honest}/chain\r\n");
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (keep, _kept) = channel();
    let drip = |mut client: TcpStream| {
        read_head(&client);
        let _ = client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
        while client.write_all(b" ").is_ok() {
            thread::park_timeout(Duration::from_millis(20));
        }
    };
    let peers = [
        (dead, "gives no chain"),
        (peer(move |client| hold(&keep, client)).0, "gives no chain: timeout"),
        (peer(drip).0, "gives no chain: timeout"),
        (says("302 Found", &redirect, String::new()).0, "gives no chain: http status: 302"),
        (says("404 Not Found", json_type, valid.to_string()).0, "gives no chain: http status: 404"),
        (says("200 OK", json_type, " ".repeat((8 << 20) + 1) + &valid.to_string()).0, "gives no chain"),
        (says("200 OK", json_type, "[".repeat(1 << 20)).0, "not JSON"),
        (says("200 OK", json_type, "<html>".into()).0, "not JSON"),
        (says("200 OK", json_type, lie.to_string()).0, "block 3: wrong previous hash"),
        (says("200 OK", json_type, fraction.to_string()).0, "block 2, transaction 1: field \"amount\""),
    ];
    // Each has a node to itself.
    let server = Server::start(peers.len());
    let said = thread::scope(|scope| {
        for (&node, (port, _)) in server.ports.iter().zip(&peers) {
            let resolve = move || {
                let before = get(node, "/chain");
                register(node, &[*port]);
                let resolution = get(node, "/nodes/resolve");
                assert_eq!(resolution["message"], "Our chain is authoritative");
                assert_eq!(resolution["chain"], before["chain"]);
            };
            thread::Builder::new().spawn_scoped(scope, resolve).unwrap();
        }
        peers.each_ref().map(|(port, _)| server.wait_for_error(&format!("localhost:{port}")))
    });
    for (line, (_, why)) in said.iter().zip(&peers) {
        assert!(line.contains(why), "{why}: {line}");
    }
    // An honest one beside it is heard all the same.
    let node = server.ports[0];
    register(node, &[honest]);
    assert_eq!(get(node, "/nodes/resolve")["new_chain"], valid["chain"]);
    assert!(server.end("INT").success());
}

#[test]
fn a_silent_peer_costs_nobody_else_any_time() {
    let server = Server::start(2);
    let [node, other] = server.ports[..] else { unreachable!("two were started") };
    // It takes the question, and says so, and never answers.
    let (asked, was_asked) = channel();
    let (silent, _) = peer(move |client| hold(&asked, client));
    register(node, &[silent, other]);
    register(other, &[node]);
    let others_are_first = || {
        thread::scope(|scope| {
            let resolving =
                thread::Builder::new().spawn_scoped(scope, || get(node, "/nodes/resolve")).unwrap();
            let _client = was_asked.recv_timeout(PATIENCE).unwrap();
            // While one node waits, both serve: it answers for its chain, and mines.
            get(other, "/mine");
            get(other, "/nodes/resolve");
            get(node, "/mine");
            get(node, "/chain");
            let is_waiting = !resolving.is_finished();
            resolving.join().unwrap();
            is_waiting
        })
    };
    // On a busy machine four answers may take as long as the wait, but not always; if they waited for it they always would.
    assert!((0..10).any(|_| others_are_first()));
}

/// Whoever hangs up gives its place to another, and what it asked for goes on: that must take no place of other nodes'.
#[test]
fn clients_that_leave_cost_no_other_node_any_time() {
    let others_are_first = || {
        let server = Server::start(2);
        let [node, other] = server.ports[..] else { unreachable!("two were started") };
        let (asked, was_asked) = channel();
        let (silent, _) = peer(move |client| hold(&asked, client));
        register(node, &[silent]);
        thread::scope(|scope| {
            let resolving =
                thread::Builder::new().spawn_scoped(scope, || get(node, "/nodes/resolve")).unwrap();
            let _client = was_asked.recv_timeout(PATIENCE).unwrap();
            // More than there are places at all nodes together; each stays until its question has surely been read.
            let mut clients = VecDeque::new();
            for _ in 0..700 {
                let mut client = connect(node);
                client.write_all(b"GET /nodes/resolve HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
                clients.push_back(client);
                if clients.len() > 200 {
                    clients.pop_front();
                }
            }
            drop(clients);
            // Whoever comes after them is let in after them.
            assert_eq!(ask(node, "GET", "/", "", b"").0, 200);
            get(other, "/mine");
            let is_waiting = !resolving.is_finished();
            resolving.join().unwrap();
            is_waiting
        })
    };
    // On a busy machine it may take as long until all of them were let in, but not always.
    assert!((0..5).any(|_| others_are_first()));
}

#[test]
fn a_peer_is_asked_one_question_at_a_time() {
    let server = Server::start(1);
    let [node] = server.ports[..] else { unreachable!("one was started") };
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let highest = Arc::clone(&most);
    let (port, fetches) = peer(move |mut client| {
        highest.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        read_head(&client);
        // Long enough for others to ask meanwhile.
        thread::park_timeout(Duration::from_millis(100));
        now.fetch_sub(1, Ordering::SeqCst);
        let _ = client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    });
    register(node, &[port]);
    thread::scope(|scope| {
        for _ in 0..40 {
            thread::Builder::new().spawn_scoped(scope, || get(node, "/nodes/resolve")).unwrap();
        }
    });
    assert!(fetches.load(Ordering::SeqCst) > 0);
    assert_eq!(most.load(Ordering::SeqCst), 1);
}

#[test]
fn any_spelling_that_the_notebook_takes() {
    let server = Server::start(2);
    let [node, other] = server.ports[..] else { unreachable!("two were started") };
    let register = |address: &str| {
        post(
            node,
            "/nodes/register",
            &json!({ "nodes": [address.replace("PORT", &other.to_string())] }).to_string(),
        )
    };
    for address in [
        "http://localhost:PORT",
        "http://localhost:PORT/",
        "http://localhost:PORT/chain?a=b#c",
        "HTTP://LocalHost:PORT",
        "https://localhost:PORT",
        "//localhost:PORT",
        "http://127.0.0.1:PORT",
        "http://0.0.0.0:PORT/",
        "http://[::1]:PORT",
        "http://user:secret@localhost:PORT",
        " http://localhost:PORT\n",
    ] {
        let (status, text) = register(address);
        assert_eq!(status, 201, "{address}: {text}");
        let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer["total_nodes"], json!([format!("localhost:{other}")]), "{address}");
    }
    // Itself is no peer, and no error either.
    assert_eq!(register(&format!("http://localhost:{node}")).0, 201);

    for address in [
        "",
        "localhost:PORT",
        "http:localhost:PORT",
        "http://",
        "http://:PORT",
        "http://localhost:0",
        "http://localhost:65536",
        "http://localhost:x",
        "http://local host:PORT",
        "no scheme//localhost:PORT",
        "http://[::1:PORT",
    ] {
        let (status, text) = register(address);
        assert_eq!(status, 400, "{address}: {text}");
        assert!(text.starts_with("Error: Please supply a valid list of nodes: "), "{text}");
    }
    let generous = Server::start_with(1, &["--allow-remote"]);
    for remote in ["http://example.com:PORT", "http://192.0.2.1:5000", "http://[2001:db8::1]:PORT"] {
        let (status, text) = register(remote);
        assert_eq!((status, text.contains("--allow-remote")), (400, true), "{remote}: {text}");
        // It is asked only when the node resolves.
        let nodes = json!({ "nodes": [remote.replace("PORT", "80")] }).to_string();
        assert_eq!(post(generous.ports[0], "/nodes/register", &nodes).0, 201, "{remote}");
    }
    // All or none: the first of these could have been had.
    let nodes = json!({"nodes": ["http://localhost:9", "http://example.com:80"]}).to_string();
    assert_eq!(post(node, "/nodes/register", &nodes).0, 400);
    let too_many: Vec<_> = (1..=65).map(|port| format!("http://localhost:{port}")).collect();
    assert_eq!(post(node, "/nodes/register", &json!({ "nodes": too_many }).to_string()).0, 400);
    let (_, text) =
        ask(node, "POST", "/nodes/register", "Content-Type: application/json\r\n", br#"{"nodes": []}"#);
    let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer["total_nodes"], json!([format!("localhost:{other}")]));
}
