//! Each key does to a real network what it says.

use std::time::Duration;

use chainlab::{NodeId, network::NodeError};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::{
    dashboard::{ATTEMPTS, Dashboard, Setting},
    keys::Act,
    model::{Condition, Model, Shown},
    text,
    tools::PATIENCE,
};

/// Blocks that come often, and travel at once.
const QUICK: Setting = Setting { nodes: 4, interval: Duration::from_millis(100), latency: Duration::ZERO };

fn start(nodes: u32) -> Dashboard {
    Dashboard::start(Setting { nodes, ..QUICK }).unwrap()
}

fn node(number: u32) -> NodeId {
    NodeId::new(number)
}

fn press(dashboard: &mut Dashboard, keys: &[KeyCode]) {
    for key in keys {
        dashboard.act(Act::of(KeyEvent::from(*key)).expect("the key does something"));
    }
}

fn key(sign: char) -> KeyCode {
    KeyCode::Char(sign)
}

/// Advances until something holds.
#[track_caller]
fn wait_until(dashboard: &mut Dashboard, holds: impl Fn(&Model) -> bool) {
    let mut waits = 0;
    while !holds(dashboard.model()) {
        let wait = Duration::from_millis(20);
        dashboard.wait(wait);
        waits += 1;
        assert!(wait * waits < PATIENCE, "{}", text::drawn(dashboard.model(), (80, 24)));
    }
}

/// Waits until a node's chain is so long.
fn wait_for_length(dashboard: &Dashboard, number: u32, length: u64) {
    let chain = dashboard.network.wait_until(node(number), PATIENCE, |chain| chain.len() >= length).unwrap();
    assert!(chain.len() >= length);
}

/// The keys as the screen shows them, two spaces between them.
fn shown_keys(dashboard: &Dashboard) -> String {
    text::drawn(dashboard.model(), (200, 24)).lines().last().unwrap().to_owned()
}

#[test]
fn keys_are_what_they_are_on_a_keyboard() {
    let acts = [
        (KeyCode::Up, Act::Up),
        (key('k'), Act::Up),
        (KeyCode::Down, Act::Down),
        (key('j'), Act::Down),
        (key('p'), Act::Partition),
        (key('h'), Act::Hold),
        (key('c'), Act::Crash),
        (key('+'), Act::Faster),
        (key('='), Act::Faster),
        (key('-'), Act::Slower),
        (key(' '), Act::Pause),
        (key('q'), Act::Quit),
        (KeyCode::Esc, Act::Quit),
    ];
    for (code, act) in acts {
        assert_eq!(Act::of(KeyEvent::from(code)), Some(act), "{code:?}");
        let released = KeyEvent { kind: KeyEventKind::Release, ..KeyEvent::from(code) };
        assert_eq!(Act::of(released), None, "{code:?}");
    }
    assert_eq!(Act::of(KeyEvent::from(key('x'))), None);
    // Ctrl-C ends it and crashes nobody.
    assert_eq!(Act::of(KeyEvent::new(key('c'), KeyModifiers::CONTROL)), Some(Act::Quit));
    assert_eq!(Act::of(KeyEvent::new(key('p'), KeyModifiers::CONTROL)), None);
    assert_eq!(Act::of(KeyEvent::new(key('c'), KeyModifiers::ALT)), None);
}

#[test]
fn up_and_down_choose_a_node() {
    let mut dashboard = start(3);
    let chosen = [(KeyCode::Up, 0), (KeyCode::Down, 1), (key('j'), 2), (key('j'), 2), (key('k'), 1)];
    for (code, number) in chosen {
        press(&mut dashboard, &[code]);
        assert_eq!(dashboard.model().chosen, number);
        assert!(text::drawn(dashboard.model(), (80, 24)).contains(&format!(">node-{number}")));
    }
}

#[test]
fn all_nodes_mine_pay_and_are_seen_to() {
    let mut dashboard = start(4);
    wait_until(&mut dashboard, |model| {
        let is_seen = |node: &Shown| {
            node.height > 3 && node.mined > 0 && node.peers.len() == 2 && node.attempts.total() > 0
        };
        model.nodes.iter().all(is_seen) && model.nodes.iter().any(|node| node.pending > 0)
    });
    let model = dashboard.model();
    assert!(model.messages.total() > 0 && model.forks.highest() > 3);
    assert!(model.log.iter().any(|line| line.contains(": mined block ")));
    let report = dashboard.end().unwrap();
    assert!(report.mined > 3 && report.panics == 0);
}

#[test]
fn p_cuts_the_network_below_the_chosen_node_and_heals_it() {
    let mut dashboard = start(4);
    press(&mut dashboard, &[KeyCode::Down, key('p')]);
    assert_eq!(dashboard.model().cut, Some(1));
    assert!(shown_keys(&dashboard).contains("p heal"));
    let page = text::drawn(dashboard.model(), (80, 24));
    assert!(page.contains("cut 1 | 2") && page.contains("between node 1 and node 2"), "{page}");
    assert!(page.contains("0 cut, 2") || page.contains("0, 2 cut"), "{page}");

    // Both halves go on alone, so that nothing but a branch stands on each side.
    let network = &dashboard.network;
    for (mine, other) in [(0, 2), (3, 1)] {
        let length = network.chain(node(mine)).unwrap().len();
        wait_for_length(&dashboard, mine, length + 2);
        let [mine, other] = [mine, other].map(|number| network.chain(node(number)).unwrap());
        assert_ne!(mine.tip_hash(), other.tip_hash());
    }
    wait_until(&mut dashboard, |model| model.standing().len() > 1);

    press(&mut dashboard, &[key('p')]);
    assert_eq!(dashboard.model().cut, None);
    assert!(shown_keys(&dashboard).contains("p partition"));
    // Told of, and counted a moment later.
    wait_until(&mut dashboard, |model| model.log.iter().any(|line| line.contains("gave up")));
    wait_until(&mut dashboard, |model| model.reorganisations.total() > 0);

    // There is always somebody below.
    press(&mut dashboard, &[KeyCode::Down, KeyCode::Down, KeyCode::Down, key('p')]);
    assert_eq!((dashboard.model().chosen, dashboard.model().cut), (3, Some(2)));
}

#[test]
fn h_holds_the_link_to_the_next_node_and_releases_it() {
    let mut dashboard = start(3);
    press(&mut dashboard, &[KeyCode::Down, KeyCode::Down, key('h')]);
    assert_eq!(dashboard.model().held, [2].into());
    assert!(shown_keys(&dashboard).contains("h release link"));
    let page = text::drawn(dashboard.model(), (80, 24));
    assert!(page.contains("held 2 - 0") && page.contains("2 held"), "{page}");

    // The last node's other link is held, too: then it hears of nobody.
    press(&mut dashboard, &[KeyCode::Up, key('h')]);
    assert_eq!(dashboard.model().held, [1, 2].into());
    let network = &dashboard.network;
    network.stop_mining(node(2)).unwrap();
    let alone = network.chain(node(2)).unwrap();
    let length = alone.len();
    wait_for_length(&dashboard, 0, length + 4);
    assert_eq!(network.chain(node(2)).unwrap(), alone);

    press(&mut dashboard, &[key('h')]);
    assert_eq!(dashboard.model().held, [2].into());
    assert!(shown_keys(&dashboard).contains("h hold link"));
    wait_for_length(&dashboard, 2, length + 4);
}

#[test]
fn two_nodes_have_one_link_to_hold_and_one_has_none() {
    let mut dashboard = start(2);
    press(&mut dashboard, &[key('h'), KeyCode::Down]);
    assert!(dashboard.model().is_held());
    press(&mut dashboard, &[key('h')]);
    assert!(!dashboard.model().is_held() && dashboard.model().held.is_empty());

    let mut dashboard = start(1);
    press(&mut dashboard, &[key('h')]);
    assert_eq!(dashboard.model().notice, "one node alone has no link to hold");
    press(&mut dashboard, &[key('p')]);
    assert_eq!(dashboard.model().notice, "one node alone cannot be cut in two");
    assert_eq!((dashboard.model().cut, dashboard.model().held.len()), (None, 0));
}

#[test]
fn c_crashes_the_chosen_node_and_restarts_it() {
    let mut dashboard = start(3);
    wait_until(&mut dashboard, |model| model.nodes[1].height > 2);
    press(&mut dashboard, &[KeyCode::Down, key('c')]);
    let error = dashboard.network.chain(node(1)).unwrap_err();
    assert_eq!(error.to_string(), "node 1 is down: it was crashed");
    assert_eq!(dashboard.model().nodes[1].condition, Condition::Crashed);
    assert!(shown_keys(&dashboard).contains("c restart"));
    assert!(text::drawn(dashboard.model(), (80, 24)).contains("down"));
    let length = dashboard.model().nodes[1].height;

    press(&mut dashboard, &[key('+')]);
    assert_eq!(dashboard.model().notice, "node 1 is down: it was crashed");

    press(&mut dashboard, &[key('c')]);
    assert_eq!(dashboard.model().nodes[1].condition, Condition::Up);
    assert!(dashboard.network.chain(node(1)).unwrap().len() >= length);
    let mined = dashboard.network.report().nodes[1].mined;
    wait_until(&mut dashboard, |model| model.nodes[1].mined > mined);
}

#[test]
fn plus_and_minus_change_the_chosen_node_s_hash_rate() {
    let mut dashboard = start(2);
    press(&mut dashboard, &[KeyCode::Down, key('+'), key('+'), key('+')]);
    assert_eq!(dashboard.model().notice, "node 1 is to make 524288 attempts a second");
    let wanted = dashboard.model().nodes.iter().map(|node| node.wanted);
    assert_eq!(wanted.collect::<Vec<_>>(), [ATTEMPTS, 8.0 * ATTEMPTS]);
    let attempts = |dashboard: &Dashboard| {
        let report = dashboard.network.report();
        [0, 1].map(|number: usize| report.nodes[number].attempts)
    };
    wait_until(&mut dashboard, |model| model.nodes.iter().all(|node| node.attempts.total() > 0));
    let before = attempts(&dashboard);
    wait_until(&mut dashboard, |model| {
        let grown =
            [0, 1].map(|number: usize| model.nodes[number].attempts.total().saturating_sub(before[number]));
        grown[1] > 500_000 && grown[1] > 4 * grown[0]
    });

    press(&mut dashboard, &[key('-'); 30]);
    assert_eq!(dashboard.model().nodes[1].wanted, ATTEMPTS / 1024.0);
    press(&mut dashboard, &[key('+'); 40]);
    assert_eq!(dashboard.model().nodes[1].wanted, ATTEMPTS * 256.0);
    press(&mut dashboard, &[key('-'); 8]);
    assert_eq!(dashboard.model().nodes[1].wanted, ATTEMPTS);
}

#[test]
fn space_pauses_all_nodes_and_resumes_them() {
    let mut dashboard = start(3);
    press(&mut dashboard, &[key(' ')]);
    let is_paused = |model: &Model| model.nodes.iter().all(|node| node.condition == Condition::Paused);
    assert!(dashboard.model().is_paused && is_paused(dashboard.model()));
    for number in 0..3 {
        let error = NodeError::Paused { node: node(number) };
        assert_eq!(dashboard.network.pending(node(number)).unwrap_err(), error);
    }
    assert!(shown_keys(&dashboard).contains("space resume"));
    let page = text::drawn(dashboard.model(), (80, 24));
    assert_eq!(page.matches("paused").count(), 6, "the title, three nodes, the notice and the event: {page}");

    // One that is crashed meanwhile comes back paused.
    press(&mut dashboard, &[key('c'), key('c')]);
    assert!(is_paused(dashboard.model()));

    press(&mut dashboard, &[key(' ')]);
    assert!(!dashboard.model().is_paused);
    assert!(dashboard.model().nodes.iter().all(|node| node.condition == Condition::Up));
    let length = dashboard.network.chain(node(0)).unwrap().len();
    wait_for_length(&dashboard, 0, length + 3);
}

/// Pages are whole whatever happens, and whatever their size is.
#[test]
fn every_size_is_drawn() {
    let mut dashboard = start(12);
    let keys = [KeyCode::Down, key('h'), key('c'), key('p'), key(' '), key('+')];
    for code in keys {
        press(&mut dashboard, &[code]);
        for width in (0..210).step_by(13) {
            for height in (0..62).step_by(3) {
                let page = text::drawn(dashboard.model(), (width, height));
                assert_eq!(page.lines().count(), if width == 0 { 0 } else { height.into() });
            }
        }
    }
}
