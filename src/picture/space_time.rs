//! Who told whom, and when: what of the events of a run is in a space-time diagram.

use std::{borrow::Borrow, collections::BTreeMap};

use super::names::shown;
use crate::{
    event::{Event, Happening, LossCause, MessageName, Passage},
    hash::BlockHash,
    message::NodeId,
    time::Time,
};

/// How many nodes there is room for.
const NODES_MAX: usize = 200;
/// How many lines, dots and blocks can be told apart.
const MARKS_MAX: usize = 5000;

/// A stretch of time, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// When it begins.
    pub from: Time,
    /// When it ends.
    pub to: Time,
}

impl Span {
    fn contains(self, time: Time) -> bool {
        (self.from..=self.to).contains(&time)
    }
}

/// What some nodes told each other for some time.
///
/// Each node has a line, and time goes to the right. A message is a slanted line from its sender, when it was sent, to its
/// receiver, when it arrived; one that was lost ends with a cross. A block stands where it was mined, and a dot where it
/// was accepted, both in the colour of its miner. While a node was down, paused or cut off by a partition, its line lies
/// in a shade.
///
/// Messages are known where they are [traced](crate::NetworkOf::set_tracing). Where none was, lines lead from who had a
/// block to who accepted it of them, dashed: how long the message was under way is then unknown, and the line begins when
/// its sender took the block on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct SpaceTime {
    pub(super) span: Span,
    /// The nodes' names, in the order in which they were asked for.
    pub(super) names: Vec<String>,
    pub(super) messages: Vec<Sent>,
    pub(super) is_traced: bool,
    pub(super) blocks: Vec<Taken>,
    pub(super) accepted: Vec<Taken>,
    pub(super) shades: Vec<Shade>,
}

/// A message; nodes are places in the list of those that were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) sent: Time,
    pub(super) came: Time,
    pub(super) kind: MessageName,
    pub(super) block: Option<BlockHash>,
    pub(super) lost: Option<LossCause>,
}

/// A block that a node mined or accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) node: usize,
    pub(super) time: Time,
    pub(super) position: u64,
    pub(super) block: BlockHash,
    /// The number of the block's miner, if that is known.
    pub(super) miner: Option<usize>,
}

/// For how long a node was not as nodes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shade {
    pub(super) node: usize,
    pub(super) span: Span,
    pub(super) kind: ShadeKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ShadeKind {
    Down,
    Paused,
    CutOff { group: u32 },
}

impl SpaceTime {
    /// Makes the diagram of some nodes in a stretch of time, the nodes from above in the order in which they are given.
    ///
    /// Hand over the events from the start of the run: of what went on when the stretch began, they tell when it had
    /// begun. It costs O(n log n) for n events.
    ///
    /// # Errors
    ///
    /// The stretch is empty, there are no nodes or too many of them, or there are more messages, blocks and acceptances
    /// between them than can be told apart.
    ///
    /// ```
    /// use chainlab::{
    ///     BlockHash, Event, Happening, NodeId, Time,
    ///     picture::{SpaceTime, Span},
    /// };
    ///
    /// let (alice, bob) = (NodeId::new(0), NodeId::new(1));
    /// let [block, parent] = ["block", "genesis"].map(|text| BlockHash::of(text.as_bytes()));
    /// let at = |seconds, node, what| Event { time: Time::from_secs(seconds), node, what };
    /// let events = [
    ///     at(1, alice, Happening::Mined { block, position: 2, parent }),
    ///     at(3, bob, Happening::Accepted { block, position: 2, from: alice }),
    /// ];
    /// let span = Span { from: Time::UNIX_EPOCH, to: Time::from_secs(5) };
    /// let svg = SpaceTime::from_events(&events, span, [alice, bob])?.to_svg();
    /// assert!(svg.contains("node 1 accepted block 2"));
    ///
    /// let error = SpaceTime::from_events(&events, span, []).unwrap_err();
    /// assert_eq!(error.to_string(), "there are no nodes to draw: name one or more");
    /// # Ok::<(), chainlab::picture::SpaceTimeError>(())
    /// ```
    pub fn from_events<E: Borrow<Event>>(
        events: impl IntoIterator<Item = E>,
        span: Span,
        nodes: impl IntoIterator<Item = NodeId>,
    ) -> Result<Self, SpaceTimeError> {
        let Span { from, to } = span;
        if from >= to {
            return Err(SpaceTimeError::EmptySpan { from, to });
        }
        let mut watch = Watch::new(span, nodes)?;
        events.into_iter().for_each(|event| watch.observe(event.borrow()));
        watch.finish()
    }
}

/// A diagram under way.
struct Watch {
    span: Span,
    places: BTreeMap<NodeId, usize>,
    names: Vec<String>,
    /// The messages that were traced, and those that acceptances tell of.
    traced: Kept<Sent>,
    guessed: Kept<Sent>,
    is_traced: bool,
    blocks: Kept<Taken>,
    accepted: Kept<Taken>,
    shades: Vec<Shade>,
    /// What goes on at each node, and since when.
    under_way: BTreeMap<(usize, Cause), (Time, ShadeKind)>,
    /// When each node took on a block.
    taken: BTreeMap<(usize, BlockHash), Time>,
    /// Miners, numbered in the order of their first blocks, as in a tree of blocks.
    miners: BTreeMap<NodeId, usize>,
    miner_of: BTreeMap<BlockHash, usize>,
}

/// What brings about a shade: at a node no two of one cause go on at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    End,
    Pause,
    Partition,
}

/// A list that is counted on when it is full.
struct Kept<T> {
    list: Vec<T>,
    count: usize,
}

impl<T> Kept<T> {
    fn new() -> Self {
        Self { list: Vec::new(), count: 0 }
    }

    fn push(&mut self, value: T) {
        self.count += 1;
        if self.count <= MARKS_MAX {
            self.list.push(value);
        }
    }
}

impl Watch {
    fn new(span: Span, nodes: impl IntoIterator<Item = NodeId>) -> Result<Self, SpaceTimeError> {
        let mut places = BTreeMap::new();
        let mut names = Vec::new();
        for node in nodes {
            places.entry(node).or_insert_with(|| {
                names.push(shown(&node.to_string()));
                names.len() - 1
            });
        }
        match names.len() {
            0 => return Err(SpaceTimeError::NoNodes),
            found if found > NODES_MAX => return Err(SpaceTimeError::TooManyNodes { found }),
            _ => {}
        }
        Ok(Self {
            span,
            places,
            names,
            traced: Kept::new(),
            guessed: Kept::new(),
            is_traced: false,
            blocks: Kept::new(),
            accepted: Kept::new(),
            shades: Vec::new(),
            under_way: BTreeMap::new(),
            taken: BTreeMap::new(),
            miners: BTreeMap::new(),
            miner_of: BTreeMap::new(),
        })
    }

    fn observe(&mut self, event: &Event) {
        let Event { time, node, ref what } = *event;
        if let Happening::Mined { block, .. } = what {
            let next = self.miners.len();
            let miner = *self.miners.entry(node).or_insert(next);
            self.miner_of.entry(*block).or_insert(miner);
        }
        if let Happening::Message(_) = what {
            self.is_traced = true;
        }
        let Some(&place) = self.places.get(&node) else {
            return;
        };
        match what {
            Happening::Joined { name } => self.names[place] = shown(name),
            Happening::Mined { block, position, .. } => {
                let taken = self.takes(place, time, *position, *block);
                if self.span.contains(time) {
                    self.blocks.push(taken);
                }
            }
            Happening::Accepted { block, position, from } => {
                self.accepts(place, time, *position, *block, *from)
            }
            Happening::Message(passage) => self.passes(place, time, passage),
            Happening::Crashed | Happening::Panicked { .. } => {
                // What comes back is a new node, which nobody has paused.
                self.ends(place, Cause::Pause, time);
                self.begins(place, Cause::End, time, ShadeKind::Down)
            }
            Happening::Restarted => self.ends(place, Cause::End, time),
            Happening::Paused => self.begins(place, Cause::Pause, time, ShadeKind::Paused),
            Happening::Resumed => self.ends(place, Cause::Pause, time),
            Happening::Partitioned { group } => {
                self.ends(place, Cause::Partition, time);
                self.begins(place, Cause::Partition, time, ShadeKind::CutOff { group: *group });
            }
            Happening::Healed => self.ends(place, Cause::Partition, time),
            _ => {}
        }
    }

    fn takes(&mut self, node: usize, time: Time, position: u64, block: BlockHash) -> Taken {
        self.taken.entry((node, block)).or_insert(time);
        Taken { node, time, position, block, miner: self.miner_of.get(&block).copied() }
    }

    fn accepts(&mut self, to: usize, time: Time, position: u64, block: BlockHash, from: NodeId) {
        let taken = self.takes(to, time, position, block);
        if !self.span.contains(time) {
            return;
        }
        self.accepted.push(taken);
        if let Some(&from) = self.places.get(&from) {
            let sent = self.taken.get(&(from, block)).map_or(time, |taken| time.min(*taken));
            let kind = MessageName::NewBlock;
            self.guessed.push(Sent { from, to, sent, came: time, kind, block: Some(block), lost: None });
        }
    }

    fn passes(&mut self, to: usize, came: Time, passage: &Passage) {
        let &Passage { from, sent, kind, block, lost, .. } = passage;
        // A clock may be wrong, but nothing arrives before it was sent.
        let sent = sent.min(came);
        if let Some(&from) = self.places.get(&from)
            && sent <= self.span.to
            && came >= self.span.from
        {
            self.traced.push(Sent { from, to, sent, came, kind, block, lost });
        }
    }

    fn begins(&mut self, node: usize, cause: Cause, time: Time, kind: ShadeKind) {
        self.under_way.entry((node, cause)).or_insert((time, kind));
    }

    fn ends(&mut self, node: usize, cause: Cause, time: Time) {
        if let Some((from, kind)) = self.under_way.remove(&(node, cause)) {
            self.shade(node, Span { from, to: time }, kind);
        }
    }

    /// Keeps as much of a shade as lies in the stretch that is drawn.
    fn shade(&mut self, node: usize, Span { from, to }: Span, kind: ShadeKind) {
        let span = Span { from: from.max(self.span.from), to: to.min(self.span.to) };
        if span.from < span.to {
            self.shades.push(Shade { node, span, kind });
        }
    }

    fn finish(mut self) -> Result<SpaceTime, SpaceTimeError> {
        for ((node, _), (from, kind)) in std::mem::take(&mut self.under_way) {
            self.shade(node, Span { from, to: self.span.to }, kind);
        }
        let messages = if self.is_traced { self.traced } else { self.guessed };
        let found = messages.count + self.blocks.count + self.accepted.count + self.shades.len();
        if found > MARKS_MAX {
            return Err(SpaceTimeError::TooManyLines { found });
        }
        let Self { span, names, is_traced, mut shades, .. } = self;
        shades.sort_by_key(|shade| (shade.node, shade.span.from, shade.kind));
        let (messages, blocks, accepted) = (messages.list, self.blocks.list, self.accepted.list);
        Ok(SpaceTime { span, names, messages, is_traced, blocks, accepted, shades })
    }
}

/// Why no diagram can be drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpaceTimeError {
    /// The stretch of time ends before it has begun, or then.
    #[error("no time lies between {from} s and {to} s: the end has to be after the beginning")]
    EmptySpan {
        /// When it begins.
        from: Time,
        /// When it ends.
        to: Time,
    },
    /// No node was named.
    #[error("there are no nodes to draw: name one or more")]
    NoNodes,
    /// There is no room for so many nodes.
    #[error("{found} nodes are more than there is room for, {NODES_MAX}: choose some of them")]
    TooManyNodes {
        /// How many were asked for.
        found: usize,
    },
    /// So many lines and marks cannot be told apart.
    #[error(
        "{found} messages, blocks and shades are more than can be told apart, {MARKS_MAX}: choose a shorter span or fewer nodes"
    )]
    TooManyLines {
        /// How many there would be.
        found: usize,
    },
}
