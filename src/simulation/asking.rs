//! Telling of blocks by their hashes, asking for them, and sending and taking them in: what nodes and links do with
//! [downloads](super::downloads).

use std::sync::Arc;

use super::{
    carry::Surroundings,
    downloads::{Download, Downloads, Stage, Unheard, answer},
    flood::{ASKED, FLOOD, SENT},
    floods::{OWN_BYTES_MAX, OneByOne},
    lanes::Lane,
    queue::Arrival,
    world::World,
};
use crate::{
    blockchain::Blockchain,
    message::{Message, NodeId, request_bytes},
    node::{Input, Node, TELLINGS_MAX},
    report::Volume,
    rules::Relay,
    time::Time,
    wire::{Load, is_packet},
};

impl Surroundings {
    /// Has a node announce the tip of its chain to all peers but one.
    #[inline(never)]
    pub(super) fn announce(&mut self, node: NodeId, except: Option<NodeId>, tip: &Blockchain) {
        let message = Message::news(tip, Relay::Announce);
        if !self.is_steady() || !self.downloads.are_on {
            return self.relay(node, except, &message);
        }
        let (start, lanes) = self.floods.lanes.of(node.index() as u32);
        let soonest = self.now.after_nanos(start.nanos);
        let told_at = |lane: &Lane| soonest.after_nanos(u64::from(lane.more_nanos));
        let apart = self.behind_others((node, except), soonest, lanes, told_at);
        let count = &mut self.sent[node.index()];
        let ways = (self.hint, apart.as_slice());
        match self.floods.relay(self.now, (node, except), tip, ways, &mut self.queue, count) {
            Ok(Volume { messages, bytes }) => {
                self.unqueued.messages += messages;
                self.unqueued.bytes += bytes;
                apart.into_iter().for_each(|to| self.send(node, NodeId::new(to), message.clone()));
            }
            // Announcements take next to no room on a link: those of other blocks need not be spelled out.
            Err(OneByOne::NoRoom | OneByOne::ToldBefore) => self.relay(node, except, &message),
        }
    }

    /// Has a node ask who told it first of the block of a flood; tells whether it does, without being told.
    fn ask(&mut self, flood: u32, (asker, from): (NodeId, NodeId), block: &Blockchain, node: &Node) -> bool {
        let (to, now) = (asker.index() as u32, self.now);
        let lanes = &self.floods.lanes;
        let nanos = lanes.nanos(to, from.index() as u32).expect("all links go both ways");
        let due = now.after_nanos(nanos);
        // What comes at the moment when it would ask another comes before that, and makes it do so.
        let is_told_by = Time::from_nanos((now + node.asks_alone_for()).as_nanos().saturating_sub(1));
        let request_bytes = request_bytes(self.downloads.locator(node.chain()).len());
        // Who asks for a block in turn has told of its own before, which came after any that was sent there.
        debug_assert!(self.downloads.on_link(asker, from).is_none());
        let is_known = self.is_free((asker, from), due)
            && lanes.of(to).1.len() < TELLINGS_MAX as usize
            && is_packet(request_bytes)
            && now < is_told_by;
        if !is_known {
            return false;
        }
        let count = self.next_count(asker);
        self.downloads.of[asker.index()] = Some(Download {
            flood,
            from,
            since: now,
            request: node.next_request(),
            aside: (!block.is_child_of(node.chain())).then(|| node.chain().clone()),
            after: 0,
            is_looked_at: false,
            stage: Stage::Asked,
            due,
            count,
        });
        self.downloads.count += 1;
        let arrival =
            Arrival { at: due, to: from.index() as u32, from: to, count, slot: flood | FLOOD | ASKED };
        self.floods.push(flood, arrival, &mut self.queue);
        self.count_unqueued(request_bytes);
        if let Some(recording) = &mut self.replays.recording {
            recording.note_request();
        }
        self.set_wake(asker, Some(is_told_by));
        true
    }

    /// Has a node send a block to one who has asked for it; tells whether it does: links may have no room for many blocks, and
    /// something else may be on its way that it must not overtake.
    fn send_block(&mut self, (asked, asker): (NodeId, NodeId), block: &Blockchain) -> bool {
        let [from, to] = [asked, asker].map(|node| node.index() as u32);
        let nanos = self.floods.lanes.nanos(from, to).expect("it has told the asker");
        if !self.is_free((asked, asker), self.now.after_nanos(nanos)) {
            return false;
        }
        let download = self.downloads.of[asker.index()].as_ref().expect("it has asked");
        let after = match download.aside.clone() {
            None => block.len() - 1,
            Some(chain) => Node::last_in_common(block, self.downloads.locator(&chain)),
        };
        let Load { bytes, own_bytes, validation_nanos, .. } =
            self.downloads.load(block, after, &self.traffic);
        if own_bytes > OWN_BYTES_MAX {
            return false;
        }
        let due = self.traffic.sent_at(self.now, asked, bytes).after_nanos(nanos);
        let count = self.next_count(asked);
        let sends_until = &mut self.downloads.sends_until[asked.index()];
        *sends_until = due.max(*sends_until);
        let download = self.downloads.of[asker.index()].as_mut().expect("it has asked");
        (download.stage, download.due, download.count) = (Stage::Sent, due, count);
        (download.after, download.is_looked_at) = (after, validation_nanos > 0);
        let arrival = Arrival { at: due, to, from, count, slot: download.flood | FLOOD | SENT };
        self.floods.push(download.flood, arrival, &mut self.queue);
        self.count_unqueued(bytes);
        true
    }

    /// Has a node take in a block that has come to it; tells whether it has, and need not go on with that.
    fn take_in(&mut self, node: NodeId, arrival: Arrival, block: &Blockchain) -> bool {
        let Some(&mut Download { from, stage, after, .. }) = self.downloads.at(node, &arrival) else {
            return false;
        };
        let mut read = self.now;
        if stage == Stage::Sent {
            let load = self.downloads.load(block, after, &self.traffic);
            read = self.traffic.read_at(self.now, (from, node), load);
        }
        let download = self.downloads.of[node.index()].as_mut().expect("it was there before");
        (download.stage, download.due) = (Stage::Read, read);
        if read > self.now {
            let (flood, arrival) = (download.flood, Arrival { at: read, ..arrival });
            self.floods.push(flood, arrival, &mut self.queue);
        }
        read == self.now
    }

    /// Returns what a node has yet to hear of its download, which goes on as a message, and has it hear all that comes.
    pub(super) fn take_unheard(&mut self, node: NodeId) -> Unheard {
        let Some(download) = self.downloads.end(node) else {
            return self.downloads.unheard.remove(&node).expect("whoever asks knows of it");
        };
        let flood = download.flood;
        let unheard = self.have_go_on(node, download);
        self.floods.matters_to(flood, node, self.turn, &mut self.queue);
        unheard
    }

    /// Has a node's download go on as a message, and returns what the node has yet to hear.
    fn have_go_on(&mut self, node: NodeId, download: Download) -> Unheard {
        let Download { flood, from, since, request, aside, after, stage, due, count, .. } = download;
        let block = self.floods.block(flood).clone();
        let (hash, position) = (block.tip_hash(), block.len());
        let told = self.floods.told(flood, node, since, self.turn);
        let message = match stage {
            Stage::Asked => {
                let chain = aside.or_else(|| block.parent()).expect("nobody asks for a genesis");
                let locator = Arc::clone(self.downloads.locator(&chain));
                let message = Message::BlocksRequest { request, wanted: hash, locator };
                self.traffic.put_back((node, from), (due, due), message, false)
            }
            Stage::Sent => {
                self.downloads.keep_busy(from, due);
                self.traffic.put_back((from, node), (due, due), answer(request, after, &block), false)
            }
            Stage::Read => {
                let message = answer(request, after, &block);
                self.traffic.put_back((from, node), (Time::UNIX_EPOCH, due), message, true)
            }
        };
        self.brought_back += 1;
        self.bring(message, count);
        Unheard { block: hash, position, told }
    }

    /// From now on all that is under way is a message.
    pub(super) fn end_downloads(&mut self) {
        self.downloads.are_on = false;
        if self.downloads.count > 0 {
            for node in (0..self.downloads.of.len() as u32).map(NodeId::new) {
                if let Some(download) = self.downloads.end(node) {
                    let unheard = self.have_go_on(node, download);
                    self.downloads.unheard.insert(node, unheard);
                }
            }
        }
        self.downloads.busy_until.clear();
        self.downloads.sends_until.clear();
    }

    /// Has a node hear each that tells it of a block, of those that it has heard of, if it makes anything of that since its
    /// last input.
    #[inline]
    pub(super) fn look_at_what_it_heard(&mut self, node: &Node) {
        if !self.downloads.are_on {
            return;
        }
        let (id, now) = (node.id(), self.now);
        while let Some(flood) = self.floods.heard_of(now, id, |block| !node.knows(block)) {
            self.floods.matters_to(flood, id, self.turn, &mut self.queue);
        }
    }

    /// Tells whether nothing that was sent as a message comes over a link after a moment, so that what comes then overtakes
    /// none; blocks that come without one, and what has to wait behind them, are looked for apart.
    #[inline]
    fn is_free(&self, (from, to): (NodeId, NodeId), by: Time) -> bool {
        self.downloads.busy_until[from.index()] <= by || self.traffic.links().last_arrival(from, to) <= by
    }

    /// Of those that a node tells of a block, but one, those that are told over a link by which something that takes longer
    /// is still to come then.
    fn behind_others(
        &self,
        (from, except): (NodeId, Option<NodeId>),
        soonest: Time,
        lanes: &[Lane],
        told_at: impl Fn(&Lane) -> Time,
    ) -> Vec<u32> {
        let Downloads { busy_until, sends_until, .. } = &self.downloads;
        if busy_until[from.index()].max(sends_until[from.index()]) <= soonest {
            return Vec::new();
        }
        let is_behind = |lane: &&Lane| {
            let (to, at) = (NodeId::new(lane.to), told_at(lane));
            except != Some(to)
                && (!self.is_free((from, to), at)
                    || self.downloads.on_link(from, to).is_some_and(|block_at| at < block_at))
        };
        lanes.iter().filter(is_behind).map(|lane| lane.to).collect()
    }

    fn count_unqueued(&mut self, bytes: u64) {
        self.unqueued.messages += 1;
        self.unqueued.bytes += bytes;
    }
}

impl World {
    /// A node is told of the block of a flood by its hash, the first time or as it makes something of that; tells whether no
    /// more comes of it than a question, or that somebody is remembered.
    #[inline(never)]
    pub(super) fn is_told(&mut self, flood: u32, (from, to): (NodeId, NodeId), block: &Blockchain) -> bool {
        let Self { nodes, around, .. } = self;
        // The cases are those of `Node::handle`, but for who downloads a block.
        let download = around.downloads.of[to.index()].as_ref();
        if download.is_some_and(|download| download.flood == flood) {
            return true;
        }
        let (hash, position) = (block.tip_hash(), block.len());
        if download.is_none() {
            let now = around.now;
            let node = nodes.at(around, to).expect("blocks flow while all nodes are live");
            if node.asks_for(block) {
                if around.ask(flood, (to, from), block, node) {
                    nodes.add_busy();
                    return true;
                }
            } else if node.knows(block) {
                around.floods.matters_no_more(flood, to, now);
                return true;
            } else if node.is_hearsay(now, from, hash, position) {
                node.hear(now, from, hash, position);
                around.look_at_what_it_heard(node);
                return true;
            }
        }
        self.handle(to, Input::Message(from, Message::Announce { block: hash, position }));
        false
    }

    /// A node is asked for a block that it has told of; tells whether it sends that, and no more comes of it.
    #[inline(never)]
    pub(super) fn is_asked(&mut self, arrival: Arrival, block: &Blockchain) -> bool {
        let Self { nodes, around, .. } = self;
        let [asker, asked] = [arrival.from, arrival.to].map(NodeId::new);
        if around.downloads.at(asker, &arrival).is_none() {
            return true;
        }
        let now = around.now;
        let node = nodes.before_download(around, asked);
        let answers = node.only_answers(now, asker)
            && node.chain().is_same_copy(block)
            && around.send_block((asked, asker), block);
        if answers {
            return true;
        }
        // The asker's question becomes a message, whose turn it is now.
        nodes.at(around, asker);
        false
    }

    /// A block has come to a node that has asked for it, or was taken in by it; tells whether the node takes it on, and no
    /// more comes of it.
    #[inline(never)]
    pub(super) fn is_sent(&mut self, flood: u32, arrival: Arrival, block: Blockchain) -> bool {
        let Self { nodes, around, .. } = self;
        let [from, to] = [arrival.from, arrival.to].map(NodeId::new);
        if !around.take_in(to, arrival, &block) {
            return true;
        }
        if !nodes.before_download(around, to).takes_on(around.now, &block) {
            // It becomes a message, whose turn it is now.
            nodes.at(around, to);
            return false;
        }
        around.downloads.end(to);
        around.floods.has_come(flood, to, around.now);
        around.hint = Some((flood, from));
        nodes.take_on_asked(around, to, from, block);
        around.hint = None;
        around.set_wake(to, None);
        true
    }
}
