//! The least that a block's way through a network can cost: the earliest arrival at each node, and nothing else.
//!
//! No node, no chain, no report: links in flat arrays, a ring of buckets, and for each node the time at which it hears.

/// A bucket is 2^18 nanoseconds wide, and the ring reaches 268 milliseconds ahead.
const WIDTH_BITS: u32 = 18;
const BUCKETS: usize = 1024;

/// A network of links with fixed latencies.
pub(crate) struct Bare {
    /// Of each node its links: to whom, and the nanoseconds.
    links: Vec<Vec<(u32, u64)>>,
    first: Vec<u64>,
    ring: Vec<Vec<(u64, u32)>>,
}

impl Bare {
    /// Makes it of edges, each with its latency in nanoseconds, which no ring's length is below.
    pub(crate) fn new(nodes: usize, edges: impl IntoIterator<Item = (usize, usize, u64)>) -> Self {
        let mut links = vec![Vec::new(); nodes];
        for (one, other, nanos) in edges {
            assert!(nanos >> WIDTH_BITS < BUCKETS as u64 - 1, "{nanos} ns are beyond the ring");
            links[one].push((other as u32, nanos));
            links[other].push((one as u32, nanos));
        }
        Self { links, first: vec![u64::MAX; nodes], ring: vec![Vec::new(); BUCKETS] }
    }

    /// Lets a block begin at a node, and returns the sum of the times at which all have it.
    pub(crate) fn flood(&mut self, miner: usize) -> u64 {
        self.first.fill(u64::MAX);
        self.first[miner] = 0;
        self.ring[0].push((0, miner as u32));
        let (mut under_way, mut sum, mut bucket) = (1_usize, 0, 0);
        let mut due = Vec::new();
        while under_way > 0 {
            std::mem::swap(&mut due, &mut self.ring[bucket % BUCKETS]);
            due.sort_unstable();
            under_way -= due.len();
            for (now, node) in due.drain(..) {
                if self.first[node as usize] != now {
                    continue;
                }
                sum += now;
                for &(peer, nanos) in &self.links[node as usize] {
                    let at = now + nanos;
                    if at < self.first[peer as usize] {
                        self.first[peer as usize] = at;
                        self.ring[(at >> WIDTH_BITS) as usize % BUCKETS].push((at, peer));
                        under_way += 1;
                    }
                }
            }
            bucket += 1;
        }
        sum
    }
}
