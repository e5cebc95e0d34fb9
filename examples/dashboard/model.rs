//! What the dashboard knows: fed with events, reports and looks at nodes, and read by what draws it.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use chainlab::{BlockHash, Event, Happening, NodeId, Report, Snapshot, Time};

use crate::{forks::Forks, rates::Rate};

/// How many lines of what happened are kept: more than a terminal shows.
const LINES: usize = 200;

/// All that is shown.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) nodes: Vec<Shown>,
    /// The node that keys are about.
    pub(crate) chosen: usize,
    /// The last node above the cut, if the network is cut in two.
    pub(crate) cut: Option<usize>,
    /// The links that are held, each from a node to the next.
    pub(crate) held: BTreeSet<usize>,
    /// Whether all nodes are paused.
    pub(crate) is_paused: bool,
    pub(crate) forks: Forks,
    pub(crate) messages: Rate,
    pub(crate) reorganisations: Rate,
    /// What happened, the latest last.
    pub(crate) log: VecDeque<String>,
    /// What the last key did.
    pub(crate) notice: String,
    /// How long the network has run.
    pub(crate) elapsed: Duration,
    start: Time,
    /// When the last report was made.
    reported: Duration,
}

/// A node, as it was last seen.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) name: Arc<str>,
    pub(crate) condition: Condition,
    /// The position and the hash of the block on which it stands.
    pub(crate) height: u64,
    pub(crate) tip: BlockHash,
    /// How many transactions are pending there.
    pub(crate) pending: usize,
    /// Those that it has for peers.
    pub(crate) peers: Vec<NodeId>,
    /// The attempts at proofs that it made.
    pub(crate) attempts: Rate,
    /// How many attempts a second it was last told to make.
    pub(crate) wanted: f64,
    /// How many blocks it has mined.
    pub(crate) mined: u64,
}

/// Whether a node takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    Up,
    Paused,
    Crashed,
    Panicked,
}

impl Shown {
    /// Tells whether it is down.
    pub(crate) fn is_down(&self) -> bool {
        matches!(self.condition, Condition::Crashed | Condition::Panicked)
    }
}

impl Model {
    /// Makes the model of a network that starts now: its nodes have names, all have the same first block, and they mine
    /// at a rate.
    pub(crate) fn new(start: Time, genesis: BlockHash, names: Vec<Arc<str>>, wanted: f64) -> Self {
        let shown = |name| Shown {
            name,
            condition: Condition::Up,
            height: 1,
            tip: genesis,
            pending: 0,
            peers: Vec::new(),
            attempts: Rate::default(),
            wanted,
            mined: 0,
        };
        Self {
            nodes: names.into_iter().map(shown).collect(),
            chosen: 0,
            cut: None,
            held: BTreeSet::new(),
            is_paused: false,
            forks: Forks::new(genesis),
            messages: Rate::default(),
            reorganisations: Rate::default(),
            log: VecDeque::new(),
            notice: String::new(),
            elapsed: Duration::ZERO,
            start,
            reported: Duration::ZERO,
        }
    }

    /// Returns the chosen node.
    pub(crate) fn chosen(&self) -> &Shown {
        &self.nodes[self.chosen]
    }

    /// Returns the chosen node.
    pub(crate) fn chosen_mut(&mut self) -> &mut Shown {
        &mut self.nodes[self.chosen]
    }

    /// Tells whether the link from the chosen node to the next one is held.
    pub(crate) fn is_held(&self) -> bool {
        self.held.contains(&self.link())
    }

    /// Returns the number of the link from the chosen node to the next one: that node's, or where two nodes are each
    /// other's next the first one's.
    pub(crate) fn link(&self) -> usize {
        if self.nodes.len() == 2 { 0 } else { self.chosen }
    }

    /// Returns the number of the node after one; after the last comes the first.
    pub(crate) fn after(&self, node: usize) -> usize {
        (node + 1) % self.nodes.len()
    }

    /// Chooses another node, so many further down.
    pub(crate) fn choose(&mut self, further: isize) {
        self.chosen = self.chosen.saturating_add_signed(further).min(self.nodes.len() - 1);
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, now: Time) {
        self.elapsed = if now > self.start { now - self.start } else { Duration::ZERO };
    }

    /// Takes an event into account.
    pub(crate) fn observe(&mut self, event: &Event) {
        self.forks.observe(event);
        let Some(node) = self.nodes.get_mut(event.node.index()) else { return };
        match event.what {
            Happening::Crashed => node.condition = Condition::Crashed,
            Happening::Panicked { .. } => node.condition = Condition::Panicked,
            Happening::Restarted | Happening::Resumed => node.condition = Condition::Up,
            Happening::Paused => node.condition = Condition::Paused,
            Happening::Mined { block, position, .. } | Happening::Accepted { block, position, .. } => {
                (node.height, node.tip) = (position, block);
            }
            _ => {}
        }
        if is_worth_a_line(&event.what) {
            self.add_line(event.display_since(self.start).to_string());
        }
    }

    /// Takes into account what a node is now.
    pub(crate) fn look(&mut self, node: usize, snapshot: &Snapshot) {
        let shown = &mut self.nodes[node];
        shown.height = snapshot.chain.len();
        shown.tip = snapshot.chain.tip_hash();
        shown.pending = snapshot.pending.len();
        shown.peers.clone_from(&snapshot.peers);
    }

    /// Takes a report into account: what grew since the last one did so in the time since then.
    pub(crate) fn report(&mut self, report: &Report) {
        let took = self.elapsed.saturating_sub(self.reported);
        self.reported = self.elapsed;
        self.messages.note(report.messages.sent, took);
        self.reorganisations.note(report.reorganisations.values().sum(), took);
        for (node, reported) in self.nodes.iter_mut().zip(&report.nodes) {
            node.attempts.note(reported.attempts, took);
            node.mined = reported.mined;
        }
    }

    /// Says what a key did.
    pub(crate) fn say(&mut self, what: String) {
        self.add_line(format!("+{:.3} s  {what}", self.elapsed.as_secs_f64()));
        self.notice = what;
    }

    /// Returns who stands on which block; one that is down stands where it will begin again.
    pub(crate) fn standing(&self) -> BTreeMap<BlockHash, Vec<usize>> {
        let mut standing = BTreeMap::<_, Vec<_>>::new();
        for (number, node) in self.nodes.iter().enumerate() {
            standing.entry(node.tip).or_default().push(number);
        }
        standing
    }

    fn add_line(&mut self, line: String) {
        if self.log.len() == LINES {
            self.log.pop_front();
        }
        self.log.push_back(line);
    }
}

/// Tells whether an event has a line of its own: a block's acceptance is seen in the tree, a message that is of no use is
/// nothing unusual, and what keys do is said by them.
fn is_worth_a_line(what: &Happening) -> bool {
    !matches!(
        what,
        Happening::Accepted { .. }
            | Happening::Ignored { .. }
            | Happening::Crashed
            | Happening::Restarted
            | Happening::Paused
            | Happening::Resumed
            | Happening::Partitioned { .. }
            | Happening::Healed
    )
}
