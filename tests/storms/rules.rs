//! The rules of the storms' networks, and who pays whom there.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chainlab::{Difficulty, Genesis, Limits, Relay, Retarget, Rules, pow::Target};

use crate::{liar, random::Random};

/// What a sender has from the start; it never spends half of it.
const COINS: u64 = 1_000_000;
pub(crate) const SENDERS: usize = 12;

pub(crate) fn address(sender: usize) -> String {
    format!("sender-{sender}")
}

/// The rules of a seed's sealed network: a target that follows every 8 blocks, and blocks that are told of in every way.
pub(crate) fn sealed_rules(tick: Duration, seed: u64) -> Rules {
    let allocations = (0..SENDERS).map(|sender| (address(sender).into(), COINS));
    let mut allocations: BTreeMap<Arc<str>, u64> = allocations.collect();
    allocations.insert(liar::ADDRESS.into(), 1000);
    let spacing = 2 * tick;
    let retarget = Retarget::new(Target::from_expected_hashes(300), 8, spacing).unwrap();
    Rules {
        relay: match seed % 5 {
            3 => Relay::Announce,
            4 => Relay::Compact { fallback_percent: 20 },
            _ => Relay::Push,
        },
        difficulty: Difficulty::Retargeted(retarget.with_back_max(spacing)),
        genesis: Genesis::Shared { time: None, allocations },
        payments_max: 19,
        block_bytes_max: 1000,
        ahead_max: 5 * tick,
        ..Rules::sealed()
    }
}

pub(crate) fn notebook_rules() -> Rules {
    let target = Target::leading_hex_zeros(2);
    Rules::notebook().with_first_target(target)
}

/// How long the nodes of a storm wait and how much they keep: little, in some storms.
pub(crate) fn limits(random: &mut Random, tick: Duration) -> Limits {
    Limits {
        resolve_timeout: 20 * tick,
        mempool: if random.percent(20) { 30 } else { 10_000 },
        orphans: if random.percent(20) { 3 } else { 64 },
        kept_bytes: if random.percent(20) { 1000 } else { 4_000_000 },
        side_branches: if random.percent(20) { 1 } else { 16 },
        bad_blocks: 20,
        announce_again: 20 * tick,
        announce_again_max: 500 * tick,
    }
}
