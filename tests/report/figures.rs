//! Each figure by its definition, on events made by hand; and the text and the document.

use std::{collections::BTreeMap, time::Duration};

use chainlab::{
    BlockHash, Event, Happening, IgnoreReason, LossReason, MessageKind, NodeId, Report, Time,
    report::{Messages, Propagation, Spread, Volume},
    wire,
};

use super::{
    CHAINS, START, accepted, assert_spread, at, bin, block, counted, millis, mined, node, observe_all,
    recorder, report,
};

#[test]
fn a_block_that_is_not_in_the_chain_is_stale() {
    let mut recorder = recorder(3);
    let events = [
        (0, 0, mined(block(0, 6))),
        (1, 1, mined(block(1, 6))),
        (2, 1, mined(block(1, 7))),
        (3, 2, mined(block(0, 7))),
        (4, 0, mined(block(0, 8))),
    ];
    observe_all(&mut recorder, events);
    let by_first = report(&recorder);
    assert_eq!((by_first.mined, by_first.in_chain, by_first.stale), (5, 3, 2));
    assert_eq!(by_first.stale_rate, 0.4);
    let counts = |report: &Report| -> Vec<_> {
        report.nodes.iter().map(|node| (node.mined, node.in_chain, node.chain_share)).collect()
    };
    assert_eq!(counts(&by_first), [(2, 2, 2.0 / 3.0), (2, 0, 0.0), (1, 1, 1.0 / 3.0)]);
    // The same blocks by the other chain.
    let by_second = recorder.report(at(5), &CHAINS[1], |_| 0, Messages::default());
    assert_eq!((by_second.in_chain, by_second.stale_rate), (2, 0.6));
    assert_eq!(counts(&by_second), [(2, 0, 0.0), (2, 2, 1.0), (1, 0, 0.0)]);
    assert_eq!(by_second.duration, Duration::from_millis(5));
    // What was not mined while it recorded does not count: the chain has nine blocks.
    assert_eq!(by_first.in_chain + 6, CHAINS[0].len());
}

#[test]
fn a_block_mined_again_is_its_first_miners() {
    let mut recorder = recorder(2);
    observe_all(&mut recorder, [(0, 0, mined(block(0, 2))), (7, 1, mined(block(0, 2)))]);
    let report = report(&recorder);
    assert_eq!((report.mined, report.nodes[0].mined, report.nodes[1].mined), (1, 1, 0));
    assert_spread(&report.propagation.to_each, millis([7]));
}

#[test]
fn nothing_happened_and_no_share_is_a_number_that_is_none() {
    let report = report(&recorder(2));
    assert_eq!(
        (report.stale_rate, report.nodes[0].chain_share, report.nodes[0].attempts_share),
        (0.0, 0.0, 0.0)
    );
    assert_eq!(report.propagation.to_all, Spread::default());
    let before = recorder(0).report(Time::UNIX_EPOCH, &CHAINS[0], |_| 0, Messages::default());
    assert_eq!(before.duration, Duration::ZERO, "a clock that went back");
}

#[test]
fn shares_of_attempts_are_of_all_attempts() {
    let attempts = |node: NodeId| [u64::MAX, u64::MAX, 0][node.index()];
    let report = recorder(3).report(START, &CHAINS[0], attempts, Messages::default());
    let shares = report.nodes.iter().map(|node| (node.attempts, node.attempts_share));
    assert!(shares.eq([(u64::MAX, 0.5), (u64::MAX, 0.5), (0, 0.0)]));
}

#[test]
fn a_block_propagates_from_its_mining_to_each_half_nine_tenths_and_all() {
    // Ten nodes: half are five, the miner counted; 90 % are nine.
    let mut recorder = recorder(10);
    observe_all(&mut recorder, [(100, 3, mined(block(0, 2)))]);
    let others = [0, 1, 2, 4, 5, 6, 7, 8, 9];
    for (place, number) in (1..).zip(others) {
        observe_all(&mut recorder, [(100 + 10 * place, number, accepted(block(0, 2)))]);
        let Propagation { pairs, to_each, to_half, to_90_percent, to_all } = report(&recorder).propagation;
        assert_eq!(pairs, 9);
        let counts = [to_each, to_half, to_90_percent, to_all].map(|spread| spread.count);
        let reached = |nodes: u64| u64::from(1 + place >= nodes);
        assert_eq!(counts, [place, reached(5), reached(9), reached(10)]);
    }
    let propagation = report(&recorder).propagation;
    assert_spread(&propagation.to_each, millis([10, 20, 30, 40, 50, 60, 70, 80, 90]));
    assert_spread(&propagation.to_half, millis([40]));
    assert_spread(&propagation.to_90_percent, millis([80]));
    assert_spread(&propagation.to_all, millis([90]));
    let shares = propagation.curve().into_iter().map(|(_, share)| share);
    assert!(shares.eq((1..10).map(|nodes| f64::from(nodes) / 9.0)), "{:?}", propagation.curve());
    assert_eq!(propagation.curve()[8].0, bin(Duration::from_millis(90)).to);
    // Taken on again after a reorganisation: no news.
    observe_all(&mut recorder, [(900, 5, accepted(block(0, 2)))]);
    assert_eq!(report(&recorder).propagation, propagation);
}

#[test]
fn whoever_catches_up_has_all_blocks_at_that_moment() {
    let mut recorder = recorder(2);
    let events = [
        (0, 0, mined(block(0, 2))),
        (10, 0, mined(block(0, 3))),
        (12, 1, accepted(block(0, 3))),
        (20, 0, mined(block(0, 4))),
        (30, 0, mined(block(0, 5))),
        (40, 0, mined(block(0, 6))),
        // By way of the other branch.
        (50, 1, mined(block(1, 6))),
        (60, 1, accepted(block(0, 6))),
    ];
    observe_all(&mut recorder, events);
    // 12 and 2 ms; then, when it mined on them, 30 and 20; then 20.
    assert_spread(&report(&recorder).propagation.to_each, millis([12, 2, 30, 20, 20]));
}

#[test]
fn a_node_counts_for_the_blocks_mined_since_it_joined() {
    let mut recorder = recorder(2);
    observe_all(&mut recorder, [(0, 0, mined(block(0, 2))), (10, 0, mined(block(0, 3)))]);
    recorder.add_node(node(2), "late");
    observe_all(&mut recorder, [(20, 0, mined(block(0, 4))), (50, 2, accepted(block(0, 4)))]);
    let propagation = report(&recorder).propagation;
    assert_spread(&propagation.to_each, millis([30]));
    assert_eq!(propagation.to_all.count, 0);
    observe_all(&mut recorder, [(60, 1, accepted(block(0, 4)))]);
    assert_eq!(report(&recorder).propagation.to_all.count, 3);
}

#[test]
fn blocks_that_nobody_was_seen_to_mine_are_left_out() {
    let mut recorder = recorder(2);
    let events = [
        (0, 0, mined(block(0, 2))),
        (5, 1, accepted(block(0, 3))),
        (6, 1, accepted(block(0, 2))),
        (7, 0, mined(block(0, 4))),
        (9, 1, accepted(block(0, 4))),
    ];
    observe_all(&mut recorder, events);
    let report = report(&recorder);
    assert_eq!((report.mined, report.in_chain), (2, 2));
    assert_spread(&report.propagation.to_each, millis([2, 6]));
}

#[test]
fn the_latest_4096_blocks_are_followed_that_some_node_lacks() {
    let mut recorder = recorder(2);
    let hash = |number: u64| BlockHash::of(&number.to_be_bytes());
    let block = |number| (hash(number), number + 1, hash(number - 1));
    observe_all(&mut recorder, (1..=5000).map(|number| (number, 0, mined(block(number)))));
    observe_all(&mut recorder, [(5000, 1, accepted(block(5000)))]);
    let report = report(&recorder);
    assert_eq!((report.mined, report.stale_rate), (5000, 1.0));
    assert_eq!((report.propagation.to_each.count, report.propagation.to_all.count), (4096, 4096));
    assert_eq!(report.propagation.to_each.max, Duration::from_millis(4095));
}

#[test]
fn times_too_long_or_negative_are_told_as_far_as_they_can_be() {
    let mut recorder = recorder(2);
    let mine = |block| Event { time: START, node: node(0), what: mined(block) };
    recorder.observe(&mine(block(0, 2)));
    recorder.observe(&mine(block(0, 3)));
    recorder.observe(&Event { time: Time::UNIX_EPOCH, node: node(1), what: accepted(block(0, 2)) });
    recorder.observe(&Event { time: Time::MAX, node: node(1), what: accepted(block(0, 3)) });
    let Spread { count, median, percentile_90, max, .. } = report(&recorder).propagation.to_each;
    assert_eq!((count, median, max), (2, Duration::ZERO, Time::MAX - START));
    assert!(percentile_90 > Duration::from_secs(145 * 365 * 86_400));
}

#[test]
fn everything_else_is_counted_by_its_kind() {
    let mut recorder = recorder(1);
    observe_all(&mut recorder, counted().into_iter().map(|what| (0, 0, what)));
    let report = report(&recorder);
    assert_eq!(report.reorganisations, BTreeMap::from([(1, 2), (3, 1)]));
    assert_eq!(report.rejections, BTreeMap::from([("overdraft", 2), ("reward_missing", 1)]));
    assert_eq!(report.ignored, BTreeMap::from([(IgnoreReason::Late, 1), (IgnoreReason::Unwanted, 2)]));
    assert_eq!(
        report.transactions_lost,
        BTreeMap::from([(LossReason::Crashed, 2), (LossReason::Evicted, 1)])
    );
    assert_eq!((report.rejected_documents, report.banned), (1, 1));
    assert_eq!((report.crashes, report.restarts, report.panics), (1, 1, 1));
}

/// A report of every kind of figure.
fn full_report() -> Report {
    let mut recorder = recorder(3);
    recorder.add_node(node(7), "a node of Ålesund");
    recorder.add_node(node(8), "idle");
    let events = [
        (0, 0, mined(block(0, 6))),
        (1, 1, mined(block(1, 6))),
        (20, 2, accepted(block(0, 6))),
        (250, 2, mined(block(0, 7))),
        (2_000, 0, accepted(block(0, 7))),
        (3_000, 1, accepted(block(0, 7))),
        (3_001, 7, accepted(block(0, 7))),
    ];
    observe_all(&mut recorder, events);
    observe_all(&mut recorder, counted().into_iter().map(|what| (0, 0, what)));
    let lost = BTreeMap::from([(wire::MessageLoss::Loss, 12), (wire::MessageLoss::Partition, 3)]);
    let volume = |messages, bytes| Volume { messages, bytes };
    let kinds =
        [(MessageKind::Blocks, volume(1000, 345_678)), (MessageKind::Transactions, volume(234, 9876))].into();
    let messages = Messages { sent: 1234, kinds, delivered: 1200, dropped: 2, missed: 1, lost };
    let attempts =
        |node: NodeId| [40_000, 20_000, 39_999, 0, 0, 0, 0, 1].get(node.index()).copied().unwrap_or(0);
    recorder.report(at(60_000), &CHAINS[0], attempts, messages)
}

#[test]
fn a_report_reads_as_a_table() {
    let expected = "\
5 nodes in 60.0s
3 blocks mined, 2 in the chain, 1 stale (33.33 %)

miner                 mined  in chain  share of chain          attempts  share of attempts
miner 0                   1         1         50.00 %             40000            40.00 %
miner 1                   1         0          0.00 %             20000            20.00 %
miner 2                   1         1         50.00 %             39999            40.00 %
a node of Ålesund         0         0          0.00 %                 1             0.00 %
and 1 node that did not mine

time                         count      mean    median      90 %      95 %      99 %       max
  from block to block            1  250.00ms  250.00ms  250.00ms  250.00ms  250.00ms  250.00ms
  to each node                   6     2.21s     2.75s     3.00s     3.00s     3.00s     3.00s
  to half of the nodes           2     2.88s     2.75s     3.00s     3.00s     3.00s     3.00s
  to 90 % of the nodes           0         -         -         -         -         -         -
  to all nodes                   0         -         -         -         -         -         -

reorganisations: 2 × 1 block, 1 × 3 blocks
messages: 1234 sent, 1200 delivered, 2 dropped at full inboxes, 1 missed by nodes that were down, \
12 lost by chance, 3 lost to a partition
of those sent: 1000 about blocks (345678 bytes), 234 about transactions (9876 bytes)
rejected: 2 × overdraft, 1 × reward_missing
ignored: 1 × late answer, 2 × unwanted transaction
transactions lost: 2 × in a crash, 1 × from a full mempool
double spends: 3 tried, 1 won; 4 blocks in vain, a cost of 214
documents rejected: 1
peers banned: 1
crashes: 1
restarts: 1
panics: 1
";
    assert_eq!(full_report().to_string(), expected);
    assert_eq!(
        report(&recorder(2)).to_string(),
        "2 nodes in 60.0s\n0 blocks mined, 0 in the chain, 0 stale (0.00 %)\n"
    );
}

#[test]
fn a_report_is_a_document() {
    let document = serde_json::to_value(full_report()).unwrap();
    assert_eq!(document["duration_seconds"], 60.0);
    assert_eq!(document["nodes"][0]["name"], "miner 0");
    assert_eq!(document["reorganisations"]["3"], 1);
    assert_eq!(document["ignored"]["unwanted"], 2);
    assert_eq!(document["transactions_lost"]["crashed"], 2);
    assert_eq!(document["messages"]["lost"]["partition"], 3);
    assert_eq!(document["messages"]["kinds"]["transactions"]["bytes"], 9876);
    assert_eq!(document["rejections"]["overdraft"], 2);
    assert_eq!(document["propagation"]["to_each"]["count"], 6);
    assert_eq!(document["propagation"]["to_each"]["max_seconds"], 3.001);
}

#[test]
fn n_blocks_have_one_interval_less() {
    let mut recorder = recorder(2);
    let at_millis = [(2, 100), (3, 130), (4, 210), (5, 205), (7, 300), (8, 340)];
    observe_all(&mut recorder, at_millis.map(|(position, millis)| (millis, 0, mined(block(0, position)))));
    // Those of a branch that lost have none, nor has the one at position 6, which nobody was seen to mine.
    observe_all(&mut recorder, [(350, 1, mined(block(1, 6))), (390, 1, mined(block(1, 7)))]);
    assert_spread(&report(&recorder).block_intervals, millis([30, 80, 0, 40]));
}

#[test]
fn stale_blocks_are_told_by_their_numbers() {
    let mut recorder = recorder(2);
    let blocks = [block(0, 5), block(1, 6), block(0, 6), block(1, 7), block(0, 7)];
    observe_all(&mut recorder, (1..).zip(blocks).map(|(millis, block)| (millis, 0, mined(block))));
    let report = report(&recorder);
    assert_eq!(report.stale_blocks, [2, 4]);
    let rates = [0, 1, 2, 3, 4, 5, 6, u64::MAX].map(|count| report.stale_rate_of_last(count));
    assert_eq!(rates, [0.0, 0.0, 0.5, 1.0 / 3.0, 0.5, 0.4, 0.4, 0.4]);
}

#[test]
fn what_happens_in_the_warm_up_is_left_out_and_a_fork_is_cut() {
    let mut recorder = recorder(2).counting_from(at(100));
    let events = [
        (10, 0, mined(block(0, 6))),
        (20, 1, mined(block(1, 6))),
        (30, 1, mined(block(1, 7))),
        (99, 0, Happening::Crashed),
        (99, 2, Happening::Paused),
        (100, 0, Happening::Restarted),
        (110, 0, mined(block(0, 7))),
        (120, 1, mined(block(1, 8))),
        (130, 0, mined(block(0, 8))),
        (160, 1, accepted(block(0, 8))),
        (160, 1, Happening::Reorganised { abandoned: 3, adopted: 3, old_tip: block(1, 8).0 }),
    ];
    observe_all(&mut recorder, events);
    let report = report(&recorder);
    assert_eq!((report.mined, report.in_chain, report.stale_blocks), (3, 2, vec![2]));
    assert_eq!((report.crashes, report.restarts, report.nodes.len()), (0, 1, 3));
    assert_eq!(report.reorganisations, BTreeMap::from([(3, 1)]), "with what was mined before");
    assert_eq!(report.duration, Duration::from_millis(59_900));
    assert_spread(&report.block_intervals, millis([20]));
    assert_spread(&report.propagation.to_each, millis([50, 30]));
    assert_eq!(report.propagation.pairs, 6, "a third node joined in the warm-up");
}

#[test]
fn final_blocks_leave_counts_alone() {
    let mut recorder = recorder(2);
    let blocks = [block(0, 5), block(1, 6), block(0, 6), block(1, 7), block(0, 7), block(0, 8)];
    let events = (1..).zip(blocks).map(|(millis, block)| (millis, block.1 as u32 % 2, mined(block)));
    observe_all(&mut recorder, events);
    let before = report(&recorder);
    for position in 1..=9 {
        recorder.finalise(&CHAINS[0].at(position).unwrap());
        assert_eq!(report(&recorder), before);
    }
    // What is final stays as it was judged.
    let by_other = recorder.report(at(60_000), &CHAINS[1], |_| 0, Messages::default());
    assert_eq!(by_other, before);
}

/// It is another then, and the first is followed no longer once all have it.
#[test]
fn a_final_block_that_is_mined_again_goes_with_the_last() {
    let mut recorder = recorder(3);
    observe_all(&mut recorder, [(0, 0, mined(block(0, 2)))]);
    recorder.finalise(&CHAINS[0].at(2).unwrap());
    let again = [
        (10, 1, mined(block(0, 2))),
        (15, 0, accepted(block(0, 2))),
        (15, 2, accepted(block(0, 2))),
        (20, 0, mined(block(0, 3))),
        (30, 1, accepted(block(0, 2))),
    ];
    observe_all(&mut recorder, again);
    assert_spread(&report(&recorder).propagation.to_each, millis([5, 5]));
}

#[test]
fn a_number_that_somebody_made_up_costs_nothing() {
    let mut recorder = recorder(1);
    observe_all(&mut recorder, [(0, u32::MAX, mined(block(0, 2))), (5, 0, accepted(block(0, 2)))]);
    observe_all(&mut recorder, [(7, 1 << 20, mined(block(0, 3))), (8, (1 << 20) - 1, Happening::Crashed)]);
    let report = report(&recorder);
    let mined: Vec<_> = report.nodes.iter().map(|node| (node.node, node.mined)).collect();
    assert_eq!(mined, [(node(0), 0), (node((1 << 20) - 1), 0), (node(1 << 20), 1), (node(u32::MAX), 1)]);
    assert_spread(&report.propagation.to_each, millis([5]));
}
