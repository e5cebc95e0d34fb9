//! What the page is made of.

use chainlab::{
    BlockHash, Event, Happening, MessageName, NodeId, Passage, Time,
    picture::{Replay, ReplayError},
};
use proptest::prelude::*;

use super::{any::event, model::run};

/// What stands in an element of the page.
fn element<'a>(page: &'a str, id: &str) -> &'a str {
    let (_, after) = page.split_once(&format!("id=\"{id}\">")).unwrap();
    after.split_once("</script>").unwrap().0
}

proptest! {
    /// Whatever has happened, in whatever order: the page holds it, and nothing of it is markup.
    #[test]
    fn nothing_breaks_out_of_the_page(events in prop::collection::vec(event(), 0..40)) {
        let replay = Replay::from_events(&events);
        let page = replay.to_html().unwrap();
        prop_assert_eq!(page.matches("<script").count(), 4);
        prop_assert_eq!(page.matches("</script").count(), 4);
        let tables: serde_json::Value = serde_json::from_str(element(&page, "tables")).unwrap();
        prop_assert_eq!(&tables["events"], events.len());
        prop_assert!(!element(&page, "tables").contains('<'));
        prop_assert_eq!(Replay::from_events(events).to_html().unwrap(), page, "the same input gives the same bytes");
    }

    #[test]
    fn what_is_thinned_has_room(events in prop::collection::vec(event(), 0..60), most in 0..60_usize) {
        let replay = Replay::from_events(&events).thinned_to(most);
        prop_assert!(replay.events() <= most);
        if events.len() <= most {
            prop_assert_eq!(replay.to_html().unwrap(), Replay::from_events(&events).to_html().unwrap());
        }
    }
}

#[test]
fn the_page_asks_nobody() {
    let page = Replay::from_events(run(5, 30)).to_html().unwrap();
    for from_elsewhere in
        ["http:", "https:", "src=", "@import", "url(", "fetch(", "XMLHttpRequest", "import("]
    {
        assert!(!page.contains(from_elsewhere), "{from_elsewhere}");
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn a_name_is_shortened_and_cannot_hide() {
    let name = "x".repeat(10_000).into();
    let joined = Event { time: Time::UNIX_EPOCH, node: NodeId::new(0), what: Happening::Joined { name } };
    let name = "a\u{202e}b\n<".into();
    let other = Event { time: Time::UNIX_EPOCH, node: NodeId::new(1), what: Happening::Joined { name } };
    let page = Replay::from_events([joined, other]).to_html().unwrap();
    let tables: serde_json::Value = serde_json::from_str(element(&page, "tables")).unwrap();
    assert_eq!(tables["names"][0], format!("{}…", "x".repeat(31)));
    assert_eq!(tables["names"][1], "a\u{fffd}b\u{fffd}<");
}

/// Events of different nodes come as they like: a message may come before what its block's miner tells.
#[test]
fn a_page_is_the_same_in_whatever_order_its_events_come() {
    let (block, parent) = (BlockHash::of(b"block"), BlockHash::of(b"genesis"));
    let from = NodeId::new(0);
    let mined =
        Event { time: Time::from_secs(1), node: from, what: Happening::Mined { block, position: 2, parent } };
    let passage = Passage {
        from,
        sent: mined.time,
        kind: MessageName::NewBlock,
        block: Some(block),
        transactions: Vec::new(),
        lost: None,
    };
    let message = Event { time: Time::from_secs(2), node: NodeId::new(1), what: Happening::Message(passage) };
    let page = Replay::from_events([&mined, &message]).to_html().unwrap();
    assert_eq!(Replay::from_events([&message, &mined]).to_html().unwrap(), page);
    let unknown = Replay::from_events([&message]).to_html().unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(element(&unknown, "tables")).unwrap()["blocks"], 0);
}

/// What is left out takes no time away.
#[test]
fn a_thinned_page_starts_when_the_run_did() {
    let at = |seconds, what| Event { time: Time::from_secs(seconds), node: NodeId::new(0), what };
    let passage = Passage {
        from: NodeId::new(1),
        sent: Time::from_secs(5),
        kind: MessageName::InventoryRequest,
        block: None,
        transactions: Vec::new(),
        lost: None,
    };
    let events = [at(5, Happening::Message(passage)), at(7, Happening::Paused)];
    let thinned = Replay::from_events(&events).thinned_to(1).to_html().unwrap();
    // Paused, two seconds after the start, at the first node.
    assert_eq!(element(&thinned, "events"), "B4Co1rkHAA==", "07, 80 a8 d6 b9 07 and 00");
}

#[test]
fn too_many_events_are_refused_and_thinned() {
    let paused = |number: u64| Event {
        time: Time::from_nanos(number),
        node: NodeId::new((number % 8) as u32),
        what: if number % 16 < 8 { Happening::Paused } else { Happening::Resumed },
    };
    let replay = Replay::from_events((0..3 * Replay::EVENTS_MAX as u64).map(paused));
    let error = replay.to_html().unwrap_err();
    assert!(
        matches!(error, ReplayError::TooMany { events, .. } if events == 3 * Replay::EVENTS_MAX),
        "{error}"
    );
    assert!(error.to_string().ends_with("which has room for 1048576: have it thinned"), "{error}");
    let thinned = replay.thinned();
    assert_eq!(thinned.events(), 3 * Replay::EVENTS_MAX / 4);
    let page = thinned.to_html().unwrap();
    let tables: serde_json::Value = serde_json::from_str(element(&page, "tables")).unwrap();
    assert_eq!(tables["left_out"], serde_json::json!(["all nodes but one in 4"]));
    assert_eq!(
        (&tables["whole"], &tables["hidden"]),
        (&(3 * Replay::EVENTS_MAX).into(), &serde_json::json!([1, 2, 3, 5, 6, 7]))
    );
}

/// From the first moment that there is to the last.
#[test]
fn what_takes_all_time_is_encoded() {
    let [block, parent] = ["block", "genesis"].map(|text| BlockHash::of(text.as_bytes()));
    let (alice, bob) = (NodeId::new(0), NodeId::new(1));
    let events = [
        Event { time: Time::UNIX_EPOCH, node: alice, what: Happening::Mined { block, position: 2, parent } },
        Event { time: Time::MAX, node: bob, what: Happening::Accepted { block, position: 2, from: alice } },
    ];
    assert!(Replay::from_events(&events).to_html().is_ok());
}
