//! A run as a page to look at: what happened, played again as often as one likes.

mod encode;
mod lanes;
mod records;
mod thin;

use std::{
    borrow::Borrow,
    collections::BTreeSet,
    io::{self, BufRead, Write},
};

use serde::Serialize;
use sha2::{Digest, Sha256};

use self::records::{Records, What};
use super::names::cut;
use crate::{
    event::{Event, EventReader, ReadEventError},
    message::NodeId,
    time::Time,
};

/// The page, with a mark in braces where each part belongs.
const PAGE: &str = include_str!("replay/page.html");
const STYLE: &str = include_str!("replay/page.css");
/// The script, in the order in which its parts use each other.
const SCRIPT: &[&str] = &[
    include_str!("replay/data.js"),
    include_str!("replay/moment.js"),
    include_str!("replay/view.js"),
    include_str!("replay/network.js"),
    include_str!("replay/tree.js"),
    include_str!("replay/page.js"),
];

/// More links than this are not drawn.
const LINKS_MAX: usize = 20_000;
/// How many characters of a region's name are shown.
const REGION_LONGEST: usize = 32;

/// A run as one HTML page that plays it: the nodes and their links, blocks on their way, the tree of blocks as it grows,
/// and the events beside. The page asks nobody for anything; it can be sent to somebody, or opened from a disk.
///
/// It plays forwards at speeds from 0.001 to 10,000, and goes to any moment, event, fork or reorganisation; its keys are
/// named on it. The moment, the speed and what is selected are in its address after the `#`, so that a moment can be
/// linked to.
///
/// Blocks travel from when they are sent until they arrive where messages were
/// [traced](crate::NetworkOf::set_tracing); otherwise from when their sender had them.
///
/// A page tells nanoseconds apart until 2^53 of them, 104 days, after the start of the run. Later times are rounded to a
/// few nanoseconds, and a pause of more than 104 days between two events is shown as one of 104.
///
/// ```
/// use std::time::Duration;
/// use chainlab::{Rules, Simulation, picture::Replay, wire::{Latency, Link}};
///
/// let simulation = Simulation::new(Rules::sealed(), 7);
/// let events = simulation.events();
/// simulation.set_tracing(true);
/// simulation.set_default_link(Link::default().with_latency(Latency::fixed(Duration::from_millis(40))));
/// let (alice, bob) = (simulation.spawn_named("alice")?, simulation.spawn_named("bob")?);
/// simulation.connect(alice, bob)?;
/// simulation.mine(alice)?;
/// simulation.mine(bob)?;
///
/// let replay = Replay::from_events(events);
/// let mut file = Vec::new();
/// replay.write_to(&mut file)?;
/// assert!(file.starts_with(b"<!DOCTYPE html>"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Replay {
    records: Records,
    /// When the run started, at the latest when the first event happened, in nanoseconds since the epoch.
    start: u64,
    /// Links by the places of their ends; of none that were given, those by which something came.
    links: Option<BTreeSet<(u32, u32)>>,
    /// How many events there were before some were left out, and what that was.
    whole: usize,
    left_out: Vec<String>,
}

/// What a page is told beside its events and blocks.
#[derive(Debug, Serialize)]
struct Tables<'a> {
    events: usize,
    blocks: usize,
    /// How many events there were before some were left out, and what that was.
    whole: usize,
    left_out: &'a [String],
    /// Whether messages tell how blocks travel.
    is_traced: bool,
    numbers: Vec<NodeId>,
    names: Vec<&'a str>,
    hidden: Vec<usize>,
    regions: Vec<Option<&'a str>>,
    /// Each link's two ends, one after the other.
    links: Vec<u32>,
    has_all_links: bool,
    texts: &'a [String],
    messages: Vec<String>,
    losses: Vec<String>,
}

impl Replay {
    /// How many events a page may have: more of them take longer to load than one likes to wait.
    pub const EVENTS_MAX: usize = 1 << 20;

    /// Makes the replay of events. Those of one node come in order; others may come as they like.
    pub fn from_events<E: Borrow<Event>>(events: impl IntoIterator<Item = E>) -> Self {
        let mut records = Records::default();
        events.into_iter().for_each(|event| records.observe(event.borrow()));
        Self::of(records, None)
    }

    /// Makes the replay of the events that lines tell of, as an [`EventWriter`](crate::EventWriter) has written them.
    ///
    /// # Errors
    ///
    /// The first line that cannot be read, and why.
    ///
    /// ```
    /// use chainlab::{Rules, Simulation, picture::Replay};
    ///
    /// let simulation = Simulation::new(Rules::sealed(), 7);
    /// let alice = simulation.spawn()?;
    /// let events = simulation.events();
    /// simulation.mine(alice)?;
    /// let mut lines = Vec::new();
    /// events.write_to(&mut lines)?;
    /// assert_eq!(Replay::read(&*lines)?.events(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read(lines: impl BufRead) -> Result<Self, ReadEventError> {
        let mut events = EventReader::new(lines)?;
        let (start, mut records) = (events.start(), Records::default());
        events.try_for_each(|event| event.map(|event| records.observe(&event)))?;
        Ok(Self::of(records, Some(start)))
    }

    fn of(mut records: Records, start: Option<Time>) -> Self {
        records.put_in_order();
        let whole = records.all.len();
        let first = records.all.first().map_or(0, |record| record.time);
        let start = start.map_or(first, |start| start.as_nanos().min(first));
        Self { records, start, links: None, whole, left_out: Vec::new() }
    }

    /// Returns how many events there are.
    pub fn events(&self) -> usize {
        self.records.all.len()
    }

    /// Has these links drawn, either way. Without them, those are by which anything came.
    ///
    /// Ends to which nothing has happened are left out.
    #[must_use]
    pub fn with_links(self, links: impl IntoIterator<Item = (NodeId, NodeId)>) -> Self {
        let place = |node| self.records.known_node(node);
        let links = links.into_iter().filter_map(|(one, other)| pair(place(one)?, place(other)?)).collect();
        Self { links: Some(links), ..self }
    }

    /// Has the nodes drawn by their regions, which are told by name.
    ///
    /// ```
    /// use chainlab::{Rules, Simulation, picture::Replay, wire::Regions};
    ///
    /// let simulation = Simulation::new(Rules::sealed(), 7);
    /// simulation.set_regions(Some(Regions::of_2019()));
    /// let events = simulation.events();
    /// let alice = simulation.spawn()?;
    /// let region = simulation.region(alice)?.expect("there are regions");
    /// let replay = Replay::from_events(events).with_regions([(alice, &region.name)]);
    /// assert!(replay.to_html()?.contains(&*region.name));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_regions<T: AsRef<str>>(mut self, regions: impl IntoIterator<Item = (NodeId, T)>) -> Self {
        for (node, region) in regions {
            if let Some(place) = self.records.known_node(node) {
                let region = cut(region.as_ref(), REGION_LONGEST);
                self.records.nodes[place as usize].region = Some(region);
            }
        }
        self
    }

    /// Leaves out as much as a page has no room for, which says so: first the messages that are about no block, then all
    /// messages, then nodes, and in the end what comes last. What fits is left as it is.
    #[must_use]
    pub fn thinned(self) -> Self {
        self.thinned_to(Self::EVENTS_MAX)
    }

    /// As [`Replay::thinned`], for a page of at most so many events, which loads the faster.
    #[must_use]
    pub fn thinned_to(mut self, most: usize) -> Self {
        self.left_out.extend(thin::thin(&mut self.records, most));
        self
    }

    /// Writes the page.
    ///
    /// # Errors
    ///
    /// There are more events than a page may have; or what is written to says why it cannot be.
    pub fn write_to(&self, mut out: impl Write) -> Result<(), ReplayError> {
        if self.events() > Self::EVENTS_MAX {
            return Err(ReplayError::TooMany { events: self.events(), most: Self::EVENTS_MAX });
        }
        let script = format!("\"use strict\";\n(() => {{\n{}}})();\n", SCRIPT.concat());
        // The bytes that `to_writer` gives are UTF-8, and a `<` stands in its texts alone.
        let tables = serde_json::to_string(&self.tables()).map_err(io::Error::from)?.replace('<', "\\u003c");
        let mut rest = PAGE;
        for (mark, part) in [
            ("{script-hash}", &*hash(&script)),
            ("{style-hash}", &*hash(STYLE)),
            ("{style}", STYLE),
            ("{tables}", &*tables),
            ("{blocks}", &*encode::base64(&encode::blocks(&self.records))),
            ("{events}", &*encode::base64(&encode::events(&self.records, self.start))),
            ("{script}", &*script),
        ] {
            let (before, after) = rest.split_once(mark).expect("the page has every mark once, in this order");
            out.write_all(before.as_bytes())?;
            out.write_all(part.as_bytes())?;
            rest = after;
        }
        out.write_all(rest.as_bytes())?;
        out.flush()?;
        Ok(())
    }

    /// Returns the page.
    ///
    /// # Errors
    ///
    /// There are more events than a page may have.
    pub fn to_html(&self) -> Result<String, ReplayError> {
        let mut page = Vec::new();
        self.write_to(&mut page)?;
        Ok(String::from_utf8(page).expect("all its parts are texts"))
    }

    fn tables(&self) -> Tables<'_> {
        let Records { all, nodes, blocks, texts, .. } = &self.records;
        let links: BTreeSet<_> = match &self.links {
            Some(links) => links.iter().copied().filter(|link| self.is_drawn(*link)).collect(),
            None => self.links_used(),
        };
        let has_all_links = links.len() <= LINKS_MAX;
        let links = if has_all_links { links } else { BTreeSet::new() };
        Tables {
            events: all.len(),
            blocks: blocks.len(),
            whole: self.whole,
            left_out: &self.left_out,
            is_traced: self.records.are_blocks_traced(),
            numbers: nodes.iter().map(|node| node.id).collect(),
            names: nodes.iter().map(|node| &*node.name).collect(),
            hidden: (0..nodes.len()).filter(|place| nodes[*place].is_hidden).collect(),
            regions: nodes.iter().map(|node| node.region.as_deref()).collect(),
            links: links.into_iter().flat_map(|(one, other)| [one, other]).collect(),
            has_all_links,
            texts,
            messages: records::message_names(),
            losses: records::loss_causes(),
        }
    }

    /// Tells whether both ends of a link are drawn.
    fn is_drawn(&self, (one, other): (u32, u32)) -> bool {
        [one, other].iter().all(|end| !self.records.nodes[*end as usize].is_hidden)
    }

    /// The links by which anything came to where it is seen.
    fn links_used(&self) -> BTreeSet<(u32, u32)> {
        let mut links = BTreeSet::new();
        let mut last = None;
        for record in &self.records.all {
            let (What::Accepted { from, .. } | What::Message { from, .. }) = record.what else { continue };
            let link = pair(from, record.node);
            if link != last && link.is_some_and(|link| self.is_drawn(link)) && links.len() <= LINKS_MAX {
                links.extend(link);
            }
            last = link;
        }
        links
    }
}

/// The two ends of a link, the lower first; of none to itself.
fn pair(one: u32, other: u32) -> Option<(u32, u32)> {
    (one != other).then(|| (one.min(other), one.max(other)))
}

/// The hash of a script or style, by which the page allows it and no other.
fn hash(text: &str) -> String {
    encode::base64(&Sha256::digest(text))
}

/// Why a replay is not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// There are more events than a page may have.
    #[error(
        "a replay of {events} events is too large for a page, which has room for {most}: have it thinned"
    )]
    TooMany {
        /// How many there are.
        events: usize,
        /// The most there may be.
        most: usize,
    },
    /// It cannot be written.
    #[error(transparent)]
    Io(#[from] io::Error),
}
