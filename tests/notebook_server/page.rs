//! The page, in a browser: what it does and shows is what the endpoints say.

use serde_json::{Value, json};

use crate::{
    chromium::Chromium,
    server::{Server, ask, get},
};

const DESKTOP: [u64; 2] = [1280, 800];
const PHONE: [u64; 2] = [390, 844];

#[test]
fn a_person_registers_submits_mines_resolves_and_tampers() {
    let Some(mut chromium) = Chromium::start() else { return };
    let server = Server::start(3);
    let [a, b, c] = server.ports[..] else { unreachable!("three were started") };
    chromium.open(&format!("http://localhost:{a}/"), DESKTOP);
    shows_what_the_endpoints_say(&mut chromium, &server);

    let peers = |own: u16| {
        let others = server.ports.iter().filter(|port| **port != own).map(|port| format!("localhost:{port}"));
        others.collect::<Vec<_>>().join(", ")
    };
    for port in [a, b, c] {
        chromium.evaluate(&format!("{}.requestSubmit()", at(port, ".register form")));
        says(&mut chromium, port, &format!("New nodes have been added: {}", peers(port)));
    }
    let amount = at(b, "[name=amount]");
    chromium.evaluate(&format!("{amount}.value = '0.5'; {}.requestSubmit()", at(b, ".submit form")));
    chromium.wait_for(&format!("{}.className === 'bad'", at(b, "output")));
    let refusal = text(&mut chromium, &at(b, "output"));
    assert!(refusal.contains("expected a whole number"), "{refusal}");
    chromium.evaluate(&format!("{amount}.value = '7'; {}.requestSubmit()", at(b, ".submit form")));
    says(&mut chromium, b, "Transaction will be added to Block 2");
    for index in [2, 3, 4] {
        click(&mut chromium, &at(b, "[name=mine]"));
        chromium.wait_for(&format!("{}.textContent === '{index} blocks'", at(b, ".length")));
    }
    click(&mut chromium, &at(c, "[name=mine]"));
    says(&mut chromium, c, "New Block Forged");
    shows_what_the_endpoints_say(&mut chromium, &server);
    assert_eq!([a, b, c].map(|port| get(port, "/chain")["length"].clone()), [1, 4, 2].map(Value::from));
    chromium.keep_picture("fork.png");

    for port in [a, c] {
        click(&mut chromium, &at(port, "[name=resolve]"));
        says(&mut chromium, port, "Our chain was replaced");
    }
    shows_what_the_endpoints_say(&mut chromium, &server);
    assert_eq!(get(a, "/chain"), get(b, "/chain"));
    let stripes = format!(
        "JSON.stringify([{a}, {b}, {c}].map((port) => [...document.querySelectorAll(`[data-port='${{port}}'] .block`)]
            .map((card) => card.style.getPropertyValue('--stripe'))))"
    );
    let stripes: Vec<Vec<String>> =
        serde_json::from_str(chromium.evaluate(&stripes).as_str().unwrap()).unwrap();
    assert!(stripes[0] == stripes[1] && stripes[1] == stripes[2] && stripes[0].len() == 4, "{stripes:?}");

    // What is done elsewhere shows too.
    get(c, "/mine");
    chromium.wait_for(&format!("{}.textContent === '5 blocks'", at(c, ".length")));
    shows_what_the_endpoints_say(&mut chromium, &server);
    let curls = text(&mut chromium, "document.querySelector('#log')");
    assert!(curls.contains(&format!("curl http://localhost:{a}/nodes/resolve")), "{curls}");

    tampers(&mut chromium, b);
    chromium.keep_picture("tampered.png");
    chromium.open(&format!("http://127.0.0.1:{c}/"), PHONE);
    shows_what_the_endpoints_say(&mut chromium, &server);
    let is_too_wide = chromium.evaluate("document.documentElement.scrollWidth > innerWidth");
    assert_eq!(is_too_wide, json!(false), "the page must not scroll sideways");
    chromium.keep_picture("phone.png");
    assert!(server.end("INT").success());

    assert_eq!(chromium.thrown(), [] as [Value; 0]);
    let own = ["http://localhost:", "http://127.0.0.1:", "data:", "about:"];
    let is_own = |url: &String| own.iter().any(|own| url.starts_with(own));
    let requested = chromium.requested();
    assert!(requested.iter().all(is_own), "{requested:?}");
}

/// Changes values of a copy of a node's chain of four blocks.
fn tampers(chromium: &mut Chromium, port: u16) {
    let before = get(port, "/chain");
    click(chromium, &at(port, "[name=tamper]"));
    let verdict = "document.querySelector('#verdict').textContent";
    chromium.wait_for(&format!("{verdict} === 'The chain is valid'"));
    assert_eq!(invalid(chromium), json!([]));

    change(chromium, 4, "amount", "1000");
    chromium.wait_for("document.querySelectorAll('#tamper .changed').length === 1");
    // Whether it has been judged anew shows only where the verdict is another; so this is made invalid, and valid again.
    change(chromium, 2, "amount", "70");
    chromium.wait_for(&format!(
        "{verdict}.startsWith('Invalid from block 3 on: wrong previous hash: expected ')"
    ));
    assert_eq!(invalid(chromium), json!([3, 4]));
    change(chromium, 2, "amount", "7");
    chromium.wait_for(&format!("{verdict} === 'The chain is valid'"));
    assert_eq!(invalid(chromium), json!([]), "the notebook's proof does not cover the last block");

    change(chromium, 2, "proof", "35294");
    chromium.wait_for(&format!("{verdict}.startsWith('Invalid from block 2 on: proof 35294 is not met')"));
    assert_eq!(invalid(chromium), json!([2, 3, 4]));
    change(chromium, 2, "proof", "half");
    chromium.wait_for(&format!("{verdict}.startsWith('No chain at all: ')"));
    change(chromium, 2, "proof", "35293");
    chromium.wait_for(&format!("{verdict} === 'The chain is valid'"));
    change(chromium, 1, "timestamp", "1.0");
    chromium.wait_for(&format!("{verdict}.startsWith('Invalid from block 2 on: wrong previous hash')"));

    assert_eq!(get(port, "/chain"), before, "it was a copy");
}

/// Types a value into the first field of a name in a block of the copy.
fn change(chromium: &mut Chromium, block: usize, field: &str, value: &str) {
    chromium.evaluate(&format!(
        "{{
            const pre = document.querySelectorAll('#tamper pre')[{block} - 1];
            const key = [...pre.childNodes].findIndex((node) => node.textContent === '\"{field}\"');
            const span = [...pre.childNodes].slice(key).find((node) => node.contentEditable === 'true');
            span.textContent = '{value}';
            span.dispatchEvent(new InputEvent('input', {{ bubbles: true }}));
        }}"
    ));
}

/// The positions of the blocks that are shown as invalid.
fn invalid(chromium: &mut Chromium) -> Value {
    chromium.evaluate(
        "[...document.querySelectorAll('#tamper .block')]
            .flatMap((card, at) => card.classList.contains('invalid') ? [at + 1] : [])",
    )
}

/// Compares the columns with the answers to `GET /chain`, to the letter.
fn shows_what_the_endpoints_say(chromium: &mut Chromium, server: &Server) {
    for &port in &server.ports {
        let document = get(port, "/chain");
        let blocks = document["chain"].as_array().unwrap();
        chromium.wait_for(&format!(
            "document.querySelectorAll(`[data-port='{port}'] .block`).length === {}",
            blocks.len()
        ));
        let shown = chromium.evaluate(&format!(
            "[...document.querySelectorAll(`[data-port='{port}'] .block pre`)].map((pre) => pre.textContent)"
        ));
        let shown: Vec<&str> = shown.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
        let (_, answer) = ask(port, "GET", "/chain", "", b"");
        // The newest stands first, and the indentation of a chain is gone.
        for (text, block) in shown.iter().zip(blocks.iter().rev()) {
            assert_eq!(serde_json::from_str::<Value>(text).unwrap(), *block);
            assert!(answer.contains(&text.replace('\n', "\n    ")), "{text}");
        }
        let index = format!("{}.textContent", at(port, ".block b"));
        assert_eq!(chromium.evaluate(&index), json!(format!("Block {}", blocks.len())));
    }
}

/// The element of a node that a selector finds.
fn at(port: u16, selector: &str) -> String {
    format!("document.querySelector(`[data-port='{port}'] {selector}`)")
}

/// Clicks a button once it can be.
fn click(chromium: &mut Chromium, button: &str) {
    chromium.wait_for(&format!("!{button}.disabled"));
    chromium.evaluate(&format!("{button}.click()"));
}

fn says(chromium: &mut Chromium, port: u16, message: &str) {
    chromium.wait_for(&format!("{}.textContent === {}", at(port, "output"), json!(message)));
}

fn text(chromium: &mut Chromium, element: &str) -> String {
    chromium.evaluate(&format!("{element}.textContent")).as_str().unwrap().to_owned()
}
