//! The bytes that a page holds: each number in as few as it needs, seven bits in each, the lowest first.

use std::collections::VecDeque;

use super::{
    lanes::lanes,
    records::{Records, What},
};

/// How many of a node's last tips are looked through for when it had a block that it told another of.
const TIPS: usize = 8;
/// How many bytes of a hash are kept: 16 digits.
const HASH_BYTES: usize = 8;
/// The largest whole number that JavaScript tells from the next.
const SAFE_MAX: u64 = (1 << 53) - 1;

/// Encodes the blocks: of each the first bytes of its hash, its position, its parent and its miner, counted from 1 as 0
/// is none, and its lane.
pub(super) fn blocks(records: &Records) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(records.blocks.len() * (HASH_BYTES + 8));
    for (block, lane) in records.blocks.iter().zip(lanes(&records.blocks)) {
        bytes.extend_from_slice(&block.hash.as_bytes()[..HASH_BYTES]);
        put(&mut bytes, block.position);
        put(&mut bytes, from_one(block.parent));
        put(&mut bytes, from_one(block.miner));
        put(&mut bytes, lane.into());
    }
    bytes
}

/// Encodes the events, which are in order: of each what happened, how long after the event before, where, and what it is
/// about.
///
/// An acceptance tells how long before it its sender had the block, counted from 1, as 0 is that this is not known; or
/// that it is told by the traces of messages.
pub(super) fn events(records: &Records, start: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(records.all.len() * 10);
    let is_traced = records.are_blocks_traced();
    let mut tips = Tips(vec![VecDeque::new(); if is_traced { 0 } else { records.nodes.len() }]);
    let mut before = start;
    for record in &records.all {
        let (node, time) = (record.node, record.time);
        let mut event = |kind: u8, about: &[u64]| {
            bytes.push(kind);
            put(&mut bytes, time.saturating_sub(before));
            put(&mut bytes, node.into());
            about.iter().for_each(|number| put(&mut bytes, *number));
        };
        match record.what {
            What::Joined => event(0, &[]),
            What::Mined { block } => {
                event(1, &[block.into()]);
                tips.take(node, block, time);
            }
            What::Accepted { block, from } => {
                let since = tips.since(from, block).map_or(0, |since| (time - since).saturating_add(1));
                event(2, &[block.into(), from.into(), since]);
                tips.take(node, block, time);
            }
            What::Reorganised { abandoned, adopted } => event(3, &[abandoned, adopted]),
            What::Message { from, sent, kind, lost, block, transactions } => {
                let kinds = u64::from(kind) + 16 * u64::from(lost);
                let took = time.saturating_sub(sent);
                event(4, &[from_one(block), from.into(), took, kinds, transactions.into()]);
            }
            What::Crashed => event(5, &[]),
            What::Restarted => event(6, &[]),
            What::Paused => event(7, &[]),
            What::Resumed => event(8, &[]),
            What::Partitioned { group } => event(9, &[group.into()]),
            What::Healed => event(10, &[]),
            What::Panicked { text } => event(11, &[text.into()]),
            What::Other { text } => event(12, &[text.into()]),
        }
        before = time;
    }
    bytes
}

/// The last tips of each node, and since when it had them; of none if nobody is to look.
struct Tips(Vec<VecDeque<(u32, u64)>>);

impl Tips {
    fn take(&mut self, node: u32, block: u32, time: u64) {
        if let Some(tips) = self.0.get_mut(node as usize) {
            tips.truncate(TIPS - 1);
            tips.push_front((block, time));
        }
    }

    fn since(&self, node: u32, block: u32) -> Option<u64> {
        let tip = self.0.get(node as usize)?.iter().find(|(tip, _)| *tip == block);
        tip.map(|(_, since)| *since)
    }
}

fn from_one(place: Option<u32>) -> u64 {
    place.map_or(0, |place| u64::from(place) + 1)
}

fn put(bytes: &mut Vec<u8>, number: u64) {
    let mut left = number.min(SAFE_MAX);
    while left >= 0x80 {
        bytes.push(left as u8 | 0x80);
        left >>= 7;
    }
    bytes.push(left as u8);
}

/// Returns bytes as base64, which is safe wherever a page holds text.
pub(super) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |place: usize| u32::from(group.get(place).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let is_there = digit <= group.len();
            let place = (bits >> (18 - 6 * digit) & 63) as usize;
            text.push(if is_there { char::from(DIGITS[place]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (plain, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
            ("~~~", "fn5+"),
        ] {
            assert_eq!(base64(plain.as_bytes()), expected);
        }
    }

    #[test]
    fn numbers_take_as_many_bytes_as_they_need() {
        for (number, expected) in [
            (0, &[0][..]),
            (127, &[127]),
            (128, &[0x80, 1]),
            (300, &[0xac, 2]),
            (u64::MAX, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]),
        ] {
            let mut bytes = Vec::new();
            put(&mut bytes, number);
            assert_eq!(bytes, expected, "{number}");
        }
    }
}
