//! Whatever a client sends gets an error, changes nothing, and holds nobody else up.

use std::{
    io::{Read, Write},
    net::TcpStream,
    process::Command,
    thread,
};

use serde_json::{Value, json};

use crate::server::{Server, answer, ask, connect, get, post};

/// How many clients come at once.
const CROWD: usize = 1000;

#[test]
fn what_is_wrong_is_an_error_and_changes_nothing() {
    let server = Server::start(1);
    let [node] = server.ports[..] else { unreachable!("one was started") };
    let before = get(node, "/chain");
    let missing = (400, "Missing values".to_owned());
    let no_nodes = (400, "Error: Please supply a valid list of nodes".to_owned());
    let deep = |times: usize| "[".repeat(times) + &"]".repeat(times);

    let submit = |text: &str| post(node, "/transactions/new", text);
    assert_eq!(submit("{}"), missing);
    assert_eq!(submit(r#"{"sender": "a", "recipient": "b"}"#), missing);
    assert_eq!(submit("[]"), missing);
    assert_eq!(submit("null"), missing);
    assert_eq!(submit(&deep(400_000)), missing, "what is no object has no values");
    for document in [
        "",
        "{",
        "nonsense",
        "{}{}",
        r#"{"sender": "a", "recipient": "b", "amount": 0.5}"#,
        r#"{"sender": "a", "recipient": "b", "amount": -1}"#,
        r#"{"sender": "a", "recipient": "b", "amount": 18446744073709551616}"#,
        r#"{"sender": "a", "recipient": "b", "amount": "5"}"#,
        r#"{"sender": null, "recipient": "b", "amount": 5}"#,
        r#"{"sender": "\ud800", "recipient": "b", "amount": 5}"#,
        r#"{"sender": "0", "recipient": "b", "amount": 5}"#,
        &format!(r#"{{"sender": "a", "recipient": "b", "amount": {}}}"#, deep(400_000)),
        &"[".repeat(1 << 20),
    ] {
        let (status, text) = submit(document);
        let document: String = document.chars().take(80).collect();
        assert_eq!((status, text.is_empty()), (400, false), "{document}: {text}");
    }
    for document in
        ["{}", "[]", "3", r#"{"nodes": null}"#, r#"{"nodes": "http://localhost:1"}"#, r#"{"nodes": [1]}"#]
    {
        assert_eq!(post(node, "/nodes/register", document), no_nodes, "{document}");
    }
    let long = format!("http://{}/", "a".repeat(100_000));
    for address in
        ["http://[::1]5001", "http://[::1]x:5001", "http://localhost:+80", "http://localhost:0", &long]
    {
        let (status, text) = post(node, "/nodes/register", &json!({ "nodes": [address] }).to_string());
        assert_eq!(status, 400, "{text}");
        assert!(text.contains("is not http://host:port") && text.len() < 200, "{text}");
    }
    for document in ["{}", "[]", r#"{"chain": [], "length": 0}"#, &deep(400_000)] {
        assert_eq!(post(node, "/chain/valid", document).0, 400, "{:.80}", document);
    }

    let fine = br#"{"sender": "a", "recipient": "b", "amount": 5}"#;
    let with_type = |media_type: &str| {
        let header = format!("Content-Type: {media_type}\r\n");
        ask(node, "POST", "/transactions/new", &header, fine).0
    };
    assert_eq!(with_type("text/plain"), 415);
    assert_eq!(with_type("application/x-www-form-urlencoded"), 415);
    assert_eq!(ask(node, "POST", "/transactions/new", "", fine).0, 415);
    let json_type = "Content-Type: application/json\r\n";
    assert_eq!(ask(node, "POST", "/transactions/new", json_type, b"\"\xff\"").0, 400);
    assert_eq!(post(node, "/transactions/new", &" ".repeat((1 << 20) + 1)).0, 413);
    assert_eq!(post(node, "/transactions/new", &"[".repeat(8 << 20)).0, 413);
    assert_eq!(ask(node, "GET", "/nothing", "", b"").0, 404);
    assert_eq!(ask(node, "POST", "/mine", "", b"").0, 405);
    assert_eq!(ask(node, "GET", "/transactions/new", "", b"").0, 405);
    for head in
        ["nonsense\r\n\r\n", "GET /chain HTTP/9.9\r\n\r\n", "GET /chain\r\n\r\n\r\n", "\0\0\0\0\r\n\r\n"]
    {
        let mut stream = connect(node);
        stream.write_all(head.as_bytes()).unwrap();
        assert_eq!(answer(&mut stream).0, 400, "{head:?}");
    }

    assert_eq!(get(node, "/chain"), before);
    // None of all these was taken in, and what the notebook takes in with more beside it is.
    assert_eq!(with_type("Application/JSON; charset=utf-8"), 201);
    assert_eq!(submit(r#"{"sender": "a", "recipient": "b", "amount": 6, "nonce": 1, "more": [{}]}"#).0, 201);
    let forged = get(node, "/mine");
    let amounts: Vec<_> =
        forged["transactions"].as_array().unwrap().iter().map(|each| &each["amount"]).collect();
    assert_eq!(amounts, [5, 6, 1]);
    assert!(server.end("INT").success());
}

#[test]
fn pages_of_others_get_no_answer_to_read() {
    let server = Server::start(2);
    let [node, other] = server.ports[..] else { unreachable!("two were started") };
    let may_read = |origin: &str| {
        let mut stream = connect(node);
        let head = format!("GET /chain HTTP/1.1\r\nHost: localhost\r\nOrigin: {origin}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.to_lowercase().contains(&format!("access-control-allow-origin: {origin}"))
    };
    assert!(may_read(&format!("http://localhost:{other}")));
    assert!(may_read(&format!("http://127.0.0.1:{other}")));
    assert!(may_read(&format!("http://[::1]:{other}")));
    assert!(!may_read("http://example.com"));
    assert!(!may_read(&format!("http://localhost.example.com:{other}")));
}

#[test]
fn a_thousand_clients_are_served_beside_a_thousand_slow_ones() {
    allow_open_files();
    let server = Server::start(2);
    let [node, other] = server.ports[..] else { unreachable!("two were started") };
    // They say a part of what they want, or nothing, and no more; some have said all and do not listen.
    let starts = [
        "",
        "GET /cha",
        "POST /chain/valid HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
    ];
    let slow: Vec<TcpStream> = (0..CROWD)
        .map(|number| {
            let mut client = connect(node);
            client.write_all(starts[number % starts.len()].as_bytes()).unwrap();
            client
        })
        .collect();
    // The other node's listener is free all the time.
    get(other, "/mine");

    // These are let in as the slow ones are shown out.
    let statuses: Vec<(u64, u16)> = thread::scope(|scope| {
        let clients = (0..8).map(|part| {
            let submit = move |amount: u64| {
                let transaction = json!({"sender": "a", "recipient": "b", "amount": amount});
                (amount, post(node, "/transactions/new", &transaction.to_string()).0)
            };
            let amounts = (1..=CROWD as u64).filter(move |amount| amount % 8 == part);
            thread::Builder::new()
                .spawn_scoped(scope, move || amounts.map(submit).collect::<Vec<_>>())
                .unwrap()
        });
        let clients: Vec<_> = clients.collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    assert!(statuses.iter().all(|(_, status)| *status == 201));
    let forged = get(node, "/mine");
    let mut amounts: Vec<_> = forged["transactions"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|each| each["amount"].as_u64())
        .collect();
    assert_eq!(amounts.pop(), Some(1), "the reward is the last");
    amounts.sort_unstable();
    assert!(amounts.into_iter().eq(1..=CROWD as u64), "a transaction was lost, or is there twice");
    drop(slow);
    assert!(server.end("INT").success());
}

#[test]
fn a_thousand_connections_at_once_are_all_answered() {
    allow_open_files();
    let server = Server::start(1);
    let [node] = server.ports[..] else { unreachable!("one was started") };
    let clients: Vec<TcpStream> = (0..CROWD)
        .map(|_| {
            let mut client = connect(node);
            client.write_all(b"GET /chain HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
            client
        })
        .collect();
    let expected = get(node, "/chain");
    for mut client in clients {
        let (status, text) = answer(&mut client);
        assert_eq!((status, serde_json::from_str::<Value>(&text).unwrap()), (200, expected.clone()));
    }
    assert!(server.end("INT").success());
}

#[test]
fn it_ends_with_clients_in_the_middle_of_something() {
    let server = Server::start(2);
    let node = server.ports[0];
    let mut half = connect(node);
    half.write_all(b"POST /chain/valid HTTP/1.1\r\nContent-Length: 9\r\n\r\n{").unwrap();
    let idle = connect(node);
    // This one has been let in, so those before it have.
    get(node, "/chain");
    assert!(server.end("INT").success());
    drop((half, idle));
}

#[test]
fn a_port_that_is_taken_is_named() {
    let server = Server::start(1);
    let port = server.ports[0].to_string();
    let output = Command::new(crate::server::example()).args(["--ports", &port]).output().unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains(&port) && text.contains("--ports"), "{text}");
}

/// Lets this process open as many files as a crowd takes, where it may; a thousand are often the most.
fn allow_open_files() {
    let id = std::process::id().to_string();
    // Where there is no such program, the limit is another one, or none.
    let _ = Command::new("prlimit").args(["--pid", &id, "--nofile=8192:"]).status();
}
