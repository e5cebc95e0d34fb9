//! Each panel, drawn of a model that was fed by hand.

use std::time::Duration;

use chainlab::{
    BlockHash, Blockchain, Event, Happening, NodeId, Rules, Time,
    report::{Messages, Recorder},
};

use crate::{
    model::{Condition, Model},
    text,
};

fn hash(text: &str) -> BlockHash {
    BlockHash::of(text.as_bytes())
}

/// A network of three nodes, after a fork from which node 2 has just come back.
fn model() -> Model {
    let start = Time::from_secs(1_000);
    let names = ["alice", "bob", "carol"].map(Into::into).to_vec();
    let mut model = Model::new(start, hash("genesis"), names, 65_536.0);
    let mut recorder = Recorder::new(start);
    let mut time = start;
    let mut happen = |model: &mut Model, node, what| {
        time += Duration::from_millis(1_250);
        let event = Event { time, node: NodeId::new(node), what };
        recorder.observe(&event);
        model.pass(time);
        model.observe(&event);
    };
    let mined = |block: &str, position, parent: &str| Happening::Mined {
        block: hash(block),
        position,
        parent: hash(parent),
    };
    let accepted = |block: &str, position, from| Happening::Accepted {
        block: hash(block),
        position,
        from: NodeId::new(from),
    };
    happen(&mut model, 0, mined("a", 2, "genesis"));
    happen(&mut model, 1, accepted("a", 2, 0));
    happen(&mut model, 2, mined("c", 2, "genesis"));
    happen(&mut model, 1, mined("b", 3, "a"));
    happen(&mut model, 0, accepted("b", 3, 1));
    happen(&mut model, 2, accepted("b", 3, 1));
    happen(&mut model, 2, Happening::Reorganised { abandoned: 1, adopted: 2, old_tip: hash("c") });

    let chain = Blockchain::start(&Rules::notebook(), start).unwrap();
    let messages = Messages { sent: 105, ..Messages::default() };
    let report = recorder.report(time, &chain, |node| 70_000 * (1 + node.index() as u64), messages);
    model.report(&report);
    for (number, shown) in model.nodes.iter_mut().enumerate() {
        shown.pending = 3 * number;
        shown.peers = (0..3).filter(|peer| *peer != number as u32).map(NodeId::new).collect();
    }
    model
}

fn page(model: &Model, size: (u16, u16)) -> String {
    let page = text::drawn(model, size);
    assert_eq!(page.lines().count(), usize::from(size.1));
    assert!(page.lines().all(|line| line.chars().count() <= usize::from(size.0)), "{page}");
    page
}

#[test]
fn of_80_by_24() {
    let expected = [
        "chainlab  3 nodes, 8 s",
        " nodes ─────────────────────────────────────────────────────────────────────────",
        " node         height  tip         hash/s  pending   mined  peers",
        ">alice             3  3e23e816    8.00 k        0       1  1, 2",
        " bob               3  3e23e816    16.0 k        3       1  0, 2",
        " carol             3  3e23e816    24.0 k        6       1  0, 1",
        " the last heights ──────────────────────────────────────────────────────────────",
        "  1   2   3",
        "  ·─┬─0───1(all)",
        "    ╰─2",
        "",
        "",
        "",
        "",
        " events ────────────────────────────────────────────────────────────────────────",
        "+3.750 s  node 2: mined block 2 2e7d2c03 on aeebad4a",
        "+5.000 s  node 1: mined block 3 3e23e816 on ca978112",
        "+8.750 s  node 2: gave up 1 block for 2; its tip was 2e7d2c03",
        " rates ─────────────────────────────────────────────────────────────────────────",
        "messages 12.0 a second, 105 in all              █",
        "reorganisations 6.9 a minute, 1 in all          █",
        "",
        "↑↓ node  p partition  h hold link  c crash  + faster  - slower",
        "space pause  q quit",
    ];
    assert_eq!(page(&model(), (80, 24)).lines().collect::<Vec<_>>(), expected);
}

#[test]
fn of_40_by_12() {
    let expected = [
        "chainlab  3 nodes, 8 s",
        " node    height tip       hash/s pending",
        ">alice        3 3e23e81   8.00 k       0",
        " bob          3 3e23e81   16.0 k       3",
        " carol        3 3e23e81   24.0 k       6",
        "  1   2   3",
        "  ·─┬─0───1(all)",
        "    ╰─2",
        "",
        "↑↓ node  p partition  h hold link",
        "c crash  + faster  - slower",
        "space pause  q quit",
    ];
    assert_eq!(page(&model(), (40, 12)).lines().collect::<Vec<_>>(), expected);
}

/// There is room for all, and the keys are on one line.
#[test]
fn of_200_by_60() {
    let page = page(&model(), (200, 60));
    let lines: Vec<_> = page.lines().collect();
    for title in [" nodes ", " the last heights ", " events ", " rates "] {
        assert!(lines.iter().any(|line| line.contains(title)), "{title}: {page}");
    }
    assert_eq!(
        lines[59],
        "↑↓ node  p partition  h hold link  c crash  + faster  - slower  space pause  q quit"
    );
}

#[test]
fn what_is_wrong_is_told() {
    let mut model = model();
    model.cut = Some(0);
    model.held = [1].into();
    model.is_paused = true;
    model.nodes[0].condition = Condition::Paused;
    model.nodes[1].condition = Condition::Crashed;
    model.nodes[2].condition = Condition::Panicked;
    model.chosen = 1;
    model.say("something was done".into());
    let page = page(&model, (80, 24));
    let lines: Vec<_> = page.lines().collect();
    assert_eq!(lines[0], "chainlab  3 nodes, 8 s  paused  cut 0 | 1  held 1 - 2");
    let expected = [
        ("alice", "paused", "1 cut, 2 cut"),
        (">bob", "down", "0 cut, 2 held"),
        ("carol", "panicked", "0 cut, 1 held"),
    ];
    for (line, (name, condition, peers)) in lines[3..].iter().zip(expected) {
        assert!(line.trim_start().starts_with(name) && line.ends_with(peers), "{line}");
        assert!(line.contains(&format!(" {condition} ")), "{line}");
    }
    assert_eq!(lines[21], "something was done");
    assert_eq!(
        lines[22..].join(" "),
        "↑↓ node  p heal  h release link  c restart  + faster  - slower space resume  q quit"
    );
    assert!(page.contains("+8.750 s  something was done"), "{page}");
}

/// What does not fit in the table is scrolled to.
#[test]
fn the_chosen_node_is_in_sight() {
    let names = (0..30).map(|number| format!("node-{number}").into()).collect();
    let mut model = Model::new(Time::UNIX_EPOCH, hash("genesis"), names, 1.0);
    for chosen in [0, 17, 29] {
        model.choose(-100);
        model.choose(chosen);
        for size in [(80, 24), (40, 12), (200, 60)] {
            assert!(page(&model, size).contains(&format!(">node-{chosen}")), "{size:?}");
        }
    }
}

#[test]
fn rates_are_of_the_last_samples() {
    let mut model = model();
    let before = page(&model, (80, 24));
    assert!(before.contains("messages 12.0 a second, 105 in all"), "{before}");
    assert!(before.contains("reorganisations 6.9 a minute, 1 in all"), "{before}");
    // In a second 30 messages more, and nothing else.
    model.messages.note(135, Duration::from_secs(1));
    assert_eq!((model.messages.per_second(1), model.messages.total()), (Some(30.0), 135));
    assert_eq!(model.messages.last(9), [105, 30]);
    assert_eq!(model.messages.last(1), [30]);
}

#[test]
fn what_keys_say_is_not_told_twice() {
    let mut model = model();
    let lines = model.log.len();
    for what in [Happening::Crashed, Happening::Restarted, Happening::Paused, Happening::Healed] {
        model.observe(&Event { time: Time::from_secs(1_010), node: NodeId::new(0), what });
    }
    assert_eq!((model.log.len(), model.nodes[0].condition), (lines, Condition::Paused));
    let what = Happening::Panicked { message: "no more".into() };
    model.observe(&Event { time: Time::from_secs(1_010), node: NodeId::new(0), what });
    assert_eq!(model.nodes[0].condition, Condition::Panicked);
    assert_eq!(model.log.back().unwrap(), "+10.000 s  node 0: panicked: no more");
    // Nodes that are not shown, as puppets, tell of nothing.
    model.observe(&Event { time: Time::UNIX_EPOCH, node: NodeId::new(9), what: Happening::Crashed });
}
