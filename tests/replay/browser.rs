//! What a person sees and does.

use std::path::Path;

use chainlab::{BlockHash, Event, Happening, NodeId, picture::Replay};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    any::every_happening,
    chromium::Chromium,
    model::{nodes, run},
};

const DESKTOP: [u64; 2] = [1280, 800];
const PHONE: [u64; 2] = [390, 844];

/// A page on the disk, and a browser.
struct Opened {
    chromium: Chromium,
    directory: TempDir,
    events: Vec<Event>,
}

impl Opened {
    fn new(events: Vec<Event>) -> Option<Self> {
        Self::of(Replay::from_events(&events), events)
    }

    fn of(replay: Replay, events: Vec<Event>) -> Option<Self> {
        let chromium = Chromium::start()?;
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("replay.html"), replay.to_html().unwrap()).unwrap();
        Some(Self { chromium, directory, events })
    }

    fn path(&self) -> String {
        Path::display(&self.directory.path().join("replay.html")).to_string()
    }

    fn open(&mut self, fragment: &str, size: [u64; 2]) -> Value {
        let url = format!("file://{}#{fragment}", self.path());
        self.chromium.open(&url, size);
        self.state()
    }

    /// What the page says of itself once it has drawn.
    fn state(&mut self) -> Value {
        self.chromium
            .evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
        self.chromium.evaluate("window.replay.state()")
    }

    /// Presses a key as a person does.
    fn press(&mut self, key: &str) -> Value {
        let text = if key.chars().count() == 1 { json!(key) } else { Value::Null };
        for kind in ["keyDown", "keyUp"] {
            let mut parameters = json!({"type": kind, "key": key});
            if kind == "keyDown" && !text.is_null() {
                parameters["text"] = text.clone();
            }
            self.chromium.command("Input.dispatchKeyEvent", parameters);
        }
        self.state()
    }

    fn click(&mut self, x: f64, y: f64) -> Value {
        for kind in ["mousePressed", "mouseReleased"] {
            let parameters = json!({"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1});
            self.chromium.command("Input.dispatchMouseEvent", parameters);
        }
        self.state()
    }

    fn prefer(&mut self, scheme: &str) {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.chromium.command("Emulation.setEmulatedMedia", features);
    }

    /// The page is as the plain model says after so many events.
    fn is_after(&self, state: &Value, count: usize) {
        assert_eq!(state["event"], count);
        assert_eq!(state["nodes"], nodes(&self.events, count), "after {count} events");
        let first = self.events[0].time;
        let time = count.checked_sub(1).map_or(0, |last| (self.events[last].time - first).as_nanos() as u64);
        assert_eq!(state["time_ns"], time);
        // What is sent by then and has not arrived.
        let time = first + std::time::Duration::from_nanos(time);
        let under_way =
            |event: &&Event| matches!(&event.what, Happening::Message(passage) if passage.sent <= time);
        assert_eq!(state["under_way"], self.events[count..].iter().filter(under_way).count());
    }

    /// Nothing went wrong, and nothing was asked for but the page.
    fn has_kept_to_itself(&self) {
        assert_eq!(self.chromium.thrown(), [] as [Value; 0]);
        let page = format!("file://{}", self.path());
        let is_own =
            |url: &String| url.starts_with(&page) || url.starts_with("data:") || url.starts_with("about:");
        let requested = self.chromium.requested();
        assert!(!requested.is_empty() && requested.iter().all(is_own), "{requested:?}");
    }
}

/// The places of the events at which the tree forks or a node gives up blocks.
fn turns(events: &[Event]) -> Vec<usize> {
    let mut parents = std::collections::BTreeSet::new();
    let is_turn = |event: &Event| match &event.what {
        Happening::Mined { parent, .. } => !parents.insert(*parent),
        Happening::Reorganised { .. } => true,
        _ => false,
    };
    events.iter().map(is_turn).enumerate().filter_map(|(place, is_turn)| is_turn.then_some(place)).collect()
}

#[test]
fn keys_and_addresses_go_where_they_say() {
    let Some(mut page) = Opened::new(run(6, 120)) else { return };
    let (count, turns) = (page.events.len(), turns(&page.events));
    assert!(count > 500 && turns.len() > 4, "{count} events, {} turns", turns.len());
    let state = page.open("", DESKTOP);
    assert_eq!((&state["events"], &state["is_playing"]), (&json!(count), &json!(false)));
    for place in [0, 1, count / 3, count / 2, count - 1, count] {
        let state = page.open(&format!("event={place}"), DESKTOP);
        page.is_after(&state, place);
    }

    // From end to end, and to each fork and reorganisation, there and back.
    let state = page.press("Home");
    page.is_after(&state, 0);
    for &turn in &turns {
        let state = page.press("f");
        page.is_after(&state, turn + 1);
    }
    for &turn in turns.iter().rev().skip(1) {
        let state = page.press("F");
        page.is_after(&state, turn + 1);
    }
    let state = page.press("End");
    page.is_after(&state, count);

    // Event by event, without messages and with them.
    let is_message = |event: &Event| matches!(event.what, Happening::Message(_));
    let others: Vec<_> = (0..count).filter(|place| !is_message(&page.events[*place])).collect();
    page.press("Home");
    for place in others.iter().take(20) {
        let state = page.press("ArrowRight");
        page.is_after(&state, place + 1);
    }
    for place in others.iter().take(19).rev() {
        let state = page.press("ArrowLeft");
        page.is_after(&state, place + 1);
    }
    let from = others[0] + 1;
    assert_eq!(page.press("m")["with_messages"], true);
    for place in from..from + 10 {
        let state = page.press("ArrowRight");
        page.is_after(&state, place + 1);
    }

    // A twentieth of the time at once; what has happened by then has happened.
    page.press("End");
    let state = page.press("PageUp");
    let time = state["time_ns"].as_f64().unwrap();
    let since = |event: &&Event| (event.time - page.events[0].time).as_nanos() as f64 <= time;
    assert_eq!(state["event"], page.events.iter().filter(since).count());

    // Speed, selection, regions and zoom.
    let speed = state["speed"].as_f64().unwrap();
    assert_eq!(page.press(".")["speed"].as_f64(), Some(2.0 * speed));
    assert_eq!(page.press(",")["speed"].as_f64(), Some(speed));
    for (key, most) in [(".", 10_000.0), (",", 0.001)] {
        let last = (0..25).map(|_| page.press(key)).last().unwrap();
        assert_eq!(last["speed"].as_f64(), Some(most));
    }
    assert_eq!(page.press("n")["selected"], json!({"node": 0}));
    assert_eq!(page.press("N")["selected"], json!({"node": 5}));
    assert!(page.press("b")["selected"]["block"].is_number());
    assert!(page.press("+")["zoom"]["network"].as_f64().unwrap() > 1.0);
    assert!(
        page.press("t")["zoom"]["tree"] == 1.0 && page.press("-")["zoom"]["tree"].as_f64().unwrap() < 1.0
    );
    assert_eq!(page.press("0")["zoom"]["tree"], 1.0);

    // What is selected by a key or a link is brought into sight, wherever the tree was dragged.
    let is_in_sight = |state: &Value| {
        let in_sight = state["blocks_in_sight"].as_array().unwrap();
        in_sight.contains(&state["selected"]["block"])
    };
    assert!(!is_in_sight(&(0..60).map(|_| page.press("a")).last().unwrap()));
    assert!(is_in_sight(&page.press("b")));
    assert!(!is_in_sight(&(0..60).map(|_| page.press("s")).last().unwrap()));
    assert!(is_in_sight(&page.press("b")));
    let state = page.press("r");
    assert_eq!(state["by_region"], true);

    // A moment can be linked to.
    let address = state["address"].as_str().unwrap().to_owned();
    let mut again = page.open(&address, DESKTOP);
    let mut before = state;
    assert!(is_in_sight(&again));
    for state in [&mut again, &mut before] {
        (state["zoom"], state["blocks_in_sight"]) = (Value::Null, Value::Null);
    }
    assert_eq!(again, before);
    assert_eq!(page.press("Escape")["selected"], Value::Null);
    page.has_kept_to_itself();
}

#[test]
fn it_plays_pauses_and_is_clicked_on() {
    let Some(mut page) = Opened::new(run(6, 60)) else { return };
    page.open("event=100&speed=100", DESKTOP);
    assert_eq!(page.press(" ")["is_playing"], true);
    page.chromium.wait_for("window.replay.state().event > 120");
    let state = page.press(" ");
    assert_eq!(state["is_playing"], false);
    let after = page.state();
    assert_eq!(after["time_ns"], state["time_ns"], "it stands still");
    assert_eq!(after["nodes"], nodes(&page.events, after["event"].as_u64().unwrap() as usize));
    page.open("event=100&speed=10000", DESKTOP);
    page.press(" ");
    page.chromium.wait_for("!window.replay.state().is_playing");
    let state = page.state();
    page.is_after(&state, page.events.len());

    // The first node is straight above the middle.
    let bounds = page.chromium.evaluate("(() => { const box = document.querySelector('#network').getBoundingClientRect(); return [box.x + box.width / 2, box.y, box.height]; })()");
    let [x, top, height] = [0, 1, 2].map(|place| bounds[place].as_f64().unwrap());
    let hit = (0..(height / 12.0) as u32)
        .find(|step| page.click(x, top + 6.0 * f64::from(*step))["selected"] == json!({"node": 0}));
    assert!(hit.is_some(), "the first node can be clicked on");
    let details = page.chromium.evaluate("document.querySelector('#details').innerText");
    assert!(details.as_str().unwrap().starts_with("alice"), "{details}");
    page.chromium.evaluate("document.querySelector('#list li').click()");
    let state = page.state();
    let chosen = page.chromium.evaluate("Number(document.querySelector('#list li.now').dataset.event)");
    assert_eq!(state["event"], chosen.as_u64().unwrap() + 1);
    page.has_kept_to_itself();
}

/// Browsers ignore a page that changes its address too often; the last place is in it all the same.
#[test]
fn its_address_follows_but_not_at_every_step() {
    let Some(mut page) = Opened::new(run(6, 60)) else { return };
    page.open("event=100", DESKTOP);
    page.chromium.evaluate(
        "(() => {
            window.changed = [];
            const replace = history.replaceState.bind(history);
            history.replaceState = (...all) => {
                window.changed.push(document.timeline.currentTime);
                replace(...all);
            };
        })()",
    );
    (0..30).for_each(|_| _ = page.press("ArrowRight"));
    page.chromium.wait_for("location.hash === `#${window.replay.state().address}`");
    let changed = page.chromium.evaluate("window.changed");
    let times: Vec<_> = changed.as_array().unwrap().iter().map(|time| time.as_f64().unwrap()).collect();
    assert!(!times.is_empty() && times.windows(2).all(|pair| pair[1] - pair[0] > 499.0), "{times:?}");
    page.has_kept_to_itself();
}

/// The wheel goes to the first and the last event that are listed, and stays there.
#[test]
fn the_list_ends_at_its_ends() {
    let Some(mut page) = Opened::new(run(6, 60)) else { return };
    let count = page.events.len();
    let last = page.events.iter().rposition(|event| !matches!(event.what, Happening::Message(_))).unwrap();
    let mut turned = |from: usize, by: i32| {
        page.open(&format!("event={from}"), DESKTOP);
        let wheel = format!(
            "document.querySelector('#list').dispatchEvent(new WheelEvent('wheel', {{ deltaY: {by}, cancelable: true }}))"
        );
        page.chromium.evaluate(&wheel);
        page.state()["event"].as_u64().unwrap() as usize
    };
    assert_eq!([last, last + 1, count].map(|from| turned(from, 1)), [last + 1, last + 1, count]);
    assert_eq!((turned(2, -1), turned(2, 0)), (0, 2));
}

#[test]
fn names_are_texts_and_all_sizes_and_schemes_are_drawn() {
    let Some(mut page) = Opened::new(run(6, 60)) else { return };
    // Four seconds after a block was mined, which takes eight to the next node.
    let half = page.events.len() / 2;
    let is_mined = |event: &&Event| matches!(event.what, Happening::Mined { .. });
    let mined = page.events[half..].iter().find(is_mined).unwrap().time;
    let time = (mined - page.events[0].time).as_secs() + 4;
    for (name, size) in [("desktop", DESKTOP), ("phone", PHONE)] {
        assert!(
            page.open(&format!("t={time}&select=node-1&messages=1"), size)["under_way"].as_u64() > Some(0)
        );
        for scheme in ["light", "dark"] {
            page.prefer(scheme);
            page.state();
            page.chromium.keep_picture(&format!("replay-{name}-{scheme}.png"));
            let back = page.chromium.evaluate("getComputedStyle(document.body).backgroundColor");
            assert_eq!(back == "rgb(255, 255, 255)", scheme == "light", "{back}");
        }
        let heading = page.chromium.evaluate("document.querySelector('#details h2').textContent");
        assert_eq!(heading, "</script><script>alert()");
        let is_wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth";
        assert_eq!(page.chromium.evaluate(is_wide), false, "nothing lies beside the page");
    }
    page.has_kept_to_itself();
}

#[test]
fn regions_and_what_is_left_out_are_told() {
    let events = run(12, 60);
    let regions = (0..12).map(|node| (NodeId::new(node), ["north", "south", "<west>"][node as usize % 3]));
    let replay = Replay::from_events(&events).with_regions(regions).thinned_to(events.len() / 12);
    let Some(mut page) = Opened::of(replay, events) else { return };
    let state = page.open("select=node-4", DESKTOP);
    assert_eq!((&state["by_region"], &state["selected"]), (&json!(true), &json!({"node": 4})));
    let numbers: Vec<_> =
        state["nodes"].as_array().unwrap().iter().map(|node| node["number"].clone()).collect();
    let notice = page.chromium.evaluate("document.querySelector('#notice').innerText");
    let notice = notice.as_str().unwrap();
    assert!(
        notice.starts_with("Thinned: ") && notice.contains("all messages, all nodes but one in "),
        "{notice}"
    );
    assert!(numbers.len() < 12 && numbers[0] == 0, "{numbers:?}");
    page.press("End");
    page.chromium.keep_picture("replay-regions.png");
    page.has_kept_to_itself();
}

/// A block that nobody is told to have mined, as a puppet's, hangs on nothing: nor is known what becomes of those before it.
#[test]
fn what_hangs_on_nothing_is_not_called_stale() {
    let block = |position: u64| BlockHash::of(&position.to_le_bytes());
    let mined = |position| Happening::Mined { block: block(position), position, parent: block(position - 1) };
    let puppets = Happening::Accepted { block: block(4), position: 4, from: NodeId::new(1) };
    let happenings = [mined(2), mined(3), puppets, mined(5), mined(6)];
    let events = (0..).zip(happenings).map(|(number, what)| Event {
        time: chainlab::Time::from_secs(number),
        node: NodeId::new(0),
        what,
    });
    let Some(mut page) = Opened::new(events.collect()) else { return };
    for (position, expected) in
        [(2, "not known"), (3, "not known"), (4, "in the highest chain"), (6, "in the highest chain")]
    {
        page.open(&format!("event=5&select={}", &block(position).to_string()[..16]), DESKTOP);
        let told = page.chromium.evaluate("document.querySelector('#details dl').innerText");
        let told = told.as_str().unwrap();
        assert!(told.ends_with(expected), "block {position}: {told}");
    }
    // The pictures are drawn in the room that they have, at the first time, too.
    let is_sharp = "[...document.querySelectorAll('canvas')].every((canvas) =>
        canvas.height === Math.round(canvas.getBoundingClientRect().height * devicePixelRatio))";
    assert_eq!(page.chromium.evaluate(is_sharp), json!(true));
    page.has_kept_to_itself();
}

/// Events of no meaning do it no harm.
#[test]
fn anything_that_can_happen_is_shown() {
    let events = (0..).zip(every_happening()).map(|(number, what)| Event {
        time: chainlab::Time::from_nanos(1_000_000 * number),
        node: NodeId::new(number as u32 % 7),
        what,
    });
    let Some(mut page) = Opened::new(events.collect()) else { return };
    for count in 0..=page.events.len() {
        let state = page.open(&format!("event={count}&messages=1"), DESKTOP);
        assert_eq!((&state["event"], &state["nodes"]), (&json!(count), &nodes(&page.events, count)));
        if count == 3 {
            break;
        }
    }
    for _ in 3..page.events.len() {
        page.press("ArrowRight");
    }
    let state = page.state();
    assert_eq!(state["nodes"], nodes(&page.events, page.events.len()));
    let Some(mut empty) = Opened::new(Vec::new()) else { return };
    assert_eq!(empty.open("event=5&t=7&select=node-3&speed=x", DESKTOP)["event"], 0);
    for key in ["ArrowRight", "ArrowLeft", "f", "F", "End", " ", "n", "b", "PageDown"] {
        empty.press(key);
    }
    page.has_kept_to_itself();
    empty.has_kept_to_itself();
}

/// How long the thread of a page has worked.
fn seconds_of_thread(chromium: &mut Chromium) -> f64 {
    let metrics = chromium.command("Performance.getMetrics", json!({}));
    let mut metrics = metrics["metrics"].as_array().unwrap().iter();
    metrics.find(|metric| metric["name"] == "TaskDuration").unwrap()["value"].as_f64().unwrap()
}

/// A million events: what it says is right, and how long it takes is printed.
#[test]
#[ignore = "it takes a minute or two"]
fn a_million_events() {
    let mut events = run(100, 60 * 24 * 5);
    assert!(events.len() > 1_000_000, "{}", events.len());
    events.truncate(1_000_000);
    let Some(mut page) = Opened::new(events) else { return };
    println!("{} bytes", std::fs::metadata(page.path()).unwrap().len());
    page.chromium.open("about:blank", DESKTOP);
    // What the page's own thread takes, however busy the machine is.
    page.chromium.command("Performance.enable", json!({"timeDomain": "threadTicks"}));
    let url = format!("file://{}", page.path());
    page.chromium.command("Page.navigate", json!({ "url": url }));
    page.chromium.wait_for("document.readyState === 'complete' && window.replay !== undefined");
    println!("open after {} ms at most", page.chromium.evaluate("Math.round(performance.now())"));
    let loaded = seconds_of_thread(&mut page.chromium);
    println!("loaded in {loaded:.3} s of its thread");
    for place in [999_999, 1, 500_000, 250_001, 750_000] {
        page.chromium.evaluate(&format!("location.hash = 'event={place}'"));
        page.chromium.wait_for(&format!("window.replay.state().event === {place}"));
        let state = page.state();
        page.is_after(&state, place);
    }
    let seeks = "(async () => {
        const slider = document.querySelector('#seek');
        const took = [];
        for (const part of [0.9, 0.1, 0.55, 0.35, 0.999, 0.001]) {
            const start = performance.now();
            slider.value = part;
            slider.dispatchEvent(new Event('input'));
            await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
            took.push(Math.round(performance.now() - start));
        }
        return took;
    })()";
    let before = seconds_of_thread(&mut page.chromium);
    println!("sought and drawn, after two frames, in {} ms", page.chromium.evaluate(seeks));
    println!("each in {:.3} s of its thread", (seconds_of_thread(&mut page.chromium) - before) / 6.0);
    page.chromium.keep_picture("replay-million.png");
    page.has_kept_to_itself();
}
