//! A network whose hash rate doubles comes back to its spacing.
//!
//! After a window of n blocks the target is scaled by the time from the window's first block to its last, n - 1
//! intervals, over n times the wanted spacing. Searches take exponentially distributed times, so that this time is
//! gamma distributed: whatever the target was, and whatever the rate, the mean spacing in the next window is the wanted
//! one times n / G, G gamma distributed with the shape n - 1. Its mean is n / (n - 2), as the mean of 1 / G is
//! 1 / (n - 2), and its relative standard deviation 1 / √(n - 3). So a doubled rate halves the spacing until the
//! window's end, and a whole window later all is as before but the target.

#[path = "storms/random.rs"]
mod random;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use chainlab::{
    Blockchain, Command, Difficulty, Effect, Effects, Genesis, Happening, Input, Message, Network, Node,
    NodeId, Retarget, Rules, SearchId, Template, Ticket, Time,
    network::HashRate,
    pow::{Search, Target},
};
use random::Random;

const WINDOW: u32 = 64;
const START: Time = Time::from_secs(1_500_000_000);

fn rules(expected_hashes: u128, spacing: Duration) -> Rules {
    let retarget = Retarget::new(Target::from_expected_hashes(expected_hashes), WINDOW, spacing).unwrap();
    let retarget = retarget.with_easiest_target(Target::from_expected_hashes(16)).unwrap();
    Rules {
        difficulty: Difficulty::Retargeted(retarget.with_back_max(spacing)),
        genesis: Genesis::Shared { time: Some(START), allocations: BTreeMap::new() },
        ..Rules::sealed()
    }
}

/// Nodes that hear each other at once, and a clock that jumps to the next proof. A search takes an exponentially
/// distributed time; the proof itself is a real one.
struct Lab {
    nodes: Vec<Node>,
    now: Time,
    /// Each node's search, and when it ends.
    searches: Vec<Option<(SearchId, Template, Time)>>,
    /// Messages under way: to whom, from whom.
    messages: VecDeque<(NodeId, NodeId, Message)>,
    /// Attempts a second of each node that mines.
    rate: f64,
    random: Random,
}

impl Lab {
    fn new(rules: Rules, count: u32, rate: f64, seed: u64) -> Self {
        let rules = Arc::new(rules);
        let node = |id| Node::new(NodeId::new(id), Arc::clone(&rules), format!("miner-{id}"), START).unwrap();
        let mut lab = Self {
            nodes: (0..count).map(node).collect(),
            now: START,
            searches: vec![None; count as usize],
            messages: VecDeque::new(),
            rate,
            random: Random::new(seed),
        };
        for at in 0..count as usize {
            lab.command(at, Command::Register((0..count).map(NodeId::new).collect()));
        }
        lab
    }

    fn command(&mut self, at: usize, command: Command) {
        self.tell(at, Input::Command(Ticket(0), command));
    }

    fn tell(&mut self, at: usize, input: Input) {
        let mut effects = Effects::default();
        self.nodes[at].handle(self.now, input, &mut effects);
        let id = NodeId::new(at as u32);
        for what in effects.happened {
            assert!(!matches!(what, Happening::Rejected { .. }), "{what:?}");
        }
        for effect in effects.to_do {
            match effect {
                Effect::Send(to, message) => self.messages.push_back((to, id, message)),
                Effect::Relay { except, message } => {
                    for &to in self.nodes[at].peers().iter().filter(|peer| Some(**peer) != except) {
                        self.messages.push_back((to, id, message.clone()));
                    }
                }
                Effect::Search(search, _) => {
                    let template = self.nodes[at].template(self.now, search).expect("it has just begun");
                    let mean = template.target.expected_hashes() as f64 / self.rate;
                    let due = self.now + Duration::from_secs_f64(mean * self.random.exponential());
                    self.searches[at] = Some((search, template, due));
                }
                Effect::StopSearch => self.searches[at] = None,
                Effect::Answer(..) | Effect::WakeAt(_) => {}
            }
        }
    }

    /// Lets the next proof be found, and all hear of it.
    fn step(&mut self) {
        let next = (0..self.searches.len()).filter_map(|at| self.searches[at].map(|(.., due)| (due, at)));
        let (due, at) = next.min().expect("somebody mines");
        let (search, template, _) = self.searches[at].take().expect("the node searches");
        self.now = due;
        let proof = Search::new(template.challenge, template.target).run(u64::MAX).expect("it is easy");
        self.tell(at, Input::Found(search, proof.expect("the search runs to its end")));
        while let Some((to, from, message)) = self.messages.pop_front() {
            self.tell(to.index(), Input::Message(from, message));
        }
    }

    fn grow_to(&mut self, len: u64) {
        while self.nodes[0].chain().len() < len {
            self.step();
        }
        for node in &self.nodes {
            assert_eq!(node.chain(), self.nodes[0].chain(), "who hears all at once agrees");
        }
    }
}

/// The seconds that a chain's windows took from block to block on average, and the hashes that their blocks ask for.
/// The window from the block at `first` on is the first.
fn windows(chain: &Blockchain, first: u64, count: u64) -> Vec<(f64, f64)> {
    let window = u64::from(WINDOW);
    let at = |position| chain.block(position).unwrap().timestamp().seconds();
    let each = |number| {
        let begin = first + number * window;
        let spacing = (at(begin + window) - at(begin)) / WINDOW as f64;
        (spacing, chain.at(begin).unwrap().target().expected_hashes() as f64)
    };
    (0..count).map(each).collect()
}

fn mean(values: impl Iterator<Item = f64>, count: u64) -> f64 {
    values.sum::<f64>() / count as f64
}

/// Means of 16 windows are held to four of their standard deviations; the seeds are fixed.
#[test]
fn a_network_whose_power_doubles_comes_back_to_its_spacing() {
    const WINDOWS: u64 = 16;
    let (n, count) = (f64::from(WINDOW), WINDOWS as f64);
    // A window's spacing: that of its target, and 64 draws of it.
    let deviation = (1.0 / (n - 3.0) + 1.0 / n).sqrt();
    let expected = n / (n - 2.0);
    for seed in 0..8 {
        // Two miners of 128 attempts a second make 256 a block: the spacing is right from the start.
        let mut lab = Lab::new(rules(256, Duration::from_secs(1)), 4, 128.0, seed);
        (0..2).for_each(|at| lab.command(at, Command::StartMining));
        let window = u64::from(WINDOW);
        // The first window has the first target, and each later one a target of its own.
        let before = 1 + window;
        let doubled = before + WINDOWS * window;
        lab.grow_to(doubled - 1);
        // Two more join them at the end of a window.
        (2..4).for_each(|at| lab.command(at, Command::StartMining));
        let after = doubled + window;
        lab.grow_to(after + WINDOWS * window + 1);

        let chain = lab.nodes[0].chain();
        let [old, new] = [before, after].map(|first| windows(chain, first, WINDOWS));
        let (fast, _) = windows(chain, doubled, 1)[0];
        let spacing = |windows: &[(f64, f64)]| mean(windows.iter().map(|(spacing, _)| *spacing), WINDOWS);
        let hashes = |windows: &[(f64, f64)]| mean(windows.iter().map(|(_, hashes)| *hashes), WINDOWS);
        println!(
            "seed {seed}: {:.3} s, then {fast:.3} s, then {:.3} s; {:.0} hashes, then {:.0}",
            spacing(&old),
            spacing(&new),
            hashes(&old),
            hashes(&new)
        );
        for spacing in [spacing(&old), spacing(&new)] {
            assert!((spacing - expected).abs() < 4.0 * expected * deviation / count.sqrt(), "{spacing}");
        }
        assert!((fast - expected / 2.0).abs() < 4.0 * expected / 2.0 * deviation, "{fast}");
        let ratio = hashes(&new) / hashes(&old);
        let tolerance = 4.0 * 2.0 * (2.0 / (n - 3.0) / count).sqrt();
        assert!((ratio - 2.0).abs() < tolerance, "the difficulty became {ratio} times as much");
        // From the first target of its own on: no window is out of its distribution.
        for (spacing, _) in old.iter().chain(&new) {
            assert!((spacing - expected).abs() < 5.0 * expected * deviation, "{spacing}");
        }
    }
}

/// The same with threads and real searches: a smoke test, as the machine's other load is part of it. The median of five
/// windows lies within a factor of 2.5, after as before.
#[test]
fn threads_whose_power_doubles_come_back_to_their_spacing() {
    const SPACING: Duration = Duration::from_millis(8);
    const WINDOWS: u64 = 5;
    let slow = Rules {
        genesis: Genesis::Shared { time: None, allocations: BTreeMap::new() },
        ..rules(160, SPACING)
    };
    let network = Network::new(slow);
    let nodes: Vec<_> = (0..4).map(|_| network.spawn().unwrap()).collect();
    network.join(&chainlab::wire::Topology::Complete).unwrap();
    let events = network.events();
    let window = u64::from(WINDOW);
    let mut mined = 1;
    let mut grow_to = |len| {
        while mined < len {
            let event = events.next_timeout(Duration::from_secs(60)).expect("nothing happens");
            if let Happening::Mined { position, .. } = event.what {
                mined = mined.max(position);
            }
        }
    };
    let mut begin = 1;
    for miners in [&nodes[..2], &nodes[2..]] {
        // Twenty attempts a millisecond are a thousandth of what a core does.
        for &node in miners {
            network.start_mining(node, HashRate::per_second(20e3).unwrap()).unwrap();
        }
        // Two windows to come to it, then those that are measured.
        let first = begin + 2 * window;
        begin = first + WINDOWS * window;
        grow_to(begin + 1);
        let chains: Vec<_> = nodes.iter().map(|node| network.chain(*node).unwrap()).collect();
        let chain = chains.iter().max_by_key(|chain| chain.len()).unwrap();
        let mut spacings: Vec<_> =
            windows(chain, first, WINDOWS).into_iter().map(|(spacing, _)| spacing).collect();
        spacings.sort_by(f64::total_cmp);
        let ratio = spacings[spacings.len() / 2] / SPACING.as_secs_f64();
        println!("{miners:?}: {spacings:?}, {ratio:.2} of what is wanted");
        assert!((0.4..2.5).contains(&ratio), "{spacings:?}");
    }
    network.shutdown().unwrap();
}
