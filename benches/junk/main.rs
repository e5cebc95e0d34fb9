//! What a liar costs: for every kind of message that is of no use, what an honest node spends on it, a message and a
//! byte, and what it keeps.
//!
//! `cargo bench --bench junk`; recorded results are in `README.md` beside this file. Each line is the median of its
//! messages in the best of several rounds, and stands beside SHA-256 of as many bytes, taken in turns with it: the ratio
//! is held to a bound, and so is what is kept.

#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]

mod lab;
mod messages;

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use chainlab::{BlockHash, Limits, Message};
use peak_alloc::PeakAlloc;

use crate::lab::Lab;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// A message of at least so many bytes costs at most so many times what hashing it with SHA-256 does, which is some
/// eleven nanoseconds a byte. A short message costs what any input does.
const RATIO_MAX: f64 = 20.0;
const LONG: u64 = 1_000;
/// How many times the bytes that may be kept of a sender the node may take for them: links, hashes and names take memory,
/// too.
const MEMORY_MAX: u64 = 2;

/// The time that SHA-256 takes for so many bytes.
fn hashing(bytes: u64) -> Duration {
    let text = vec![b'x'; bytes as usize];
    let start = Instant::now();
    black_box(BlockHash::of(black_box(&text)));
    start.elapsed()
}

fn main() {
    // `cargo test` runs benches too, to see that they run.
    let rounds = if std::env::args().any(|argument| argument == "--bench") { 7 } else { 1 };
    let lab = Lab::new();
    println!("| junk | bytes | ns a message | ns a byte | times SHA-256 | bytes kept |");
    println!("| --- | --- | --- | --- | --- | --- |");
    let (mut slow, mut fat) = (Vec::new(), Vec::new());
    for (name, asked, messages) in lab.junk() {
        let bytes = messages.iter().map(Message::size).sum::<u64>() / messages.len() as u64;
        let (mut taken, mut hashed) = (Duration::MAX, Duration::MAX);
        for _ in 0..rounds {
            taken = taken.min(lab.time(asked, messages.clone()));
            hashed = hashed.min(hashing(bytes));
        }
        let kept = lab.kept(asked, messages);
        let nanos = taken.as_nanos() as f64;
        let (a_byte, ratio) = (nanos / bytes as f64, nanos / hashed.as_nanos() as f64);
        println!("| {name} | {bytes} | {nanos} | {a_byte:.1} | {ratio:.1} | {kept} |");
        if bytes >= LONG && ratio > RATIO_MAX {
            slow.push(name.clone());
        }
        if kept as u64 > MEMORY_MAX * Limits::default().kept_bytes {
            fat.push(name);
        }
    }
    assert!(rounds == 1 || slow.is_empty(), "far more than SHA-256 takes: {slow:?}");
    assert!(fat.is_empty(), "more is kept than a sender's share: {fat:?}");
}
