//! The recorder against an obvious model, on random events.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chainlab::{
    Block, BlockHash, Blockchain, Event, Happening, NodeId, Report, Time,
    report::{DoubleSpends, Messages, NodeReport, Propagation, Recorder, Spread},
};
use proptest::prelude::*;

use super::{CHAINS, START, accepted, assert_spread, block, counted, mined, node, spread};

/// A step of a random run. Blocks and nodes are chosen by numbers, taken modulo what there is.
#[derive(Debug, Clone)]
enum Step {
    Join,
    Wait(u64),
    /// A block of the two chains, whoever mines it.
    Mine(u32, usize, u64),
    /// A block that is in neither, on top of one of any kind.
    MineAside(u32, usize),
    /// A block that was mined, or one of the chains that perhaps was not.
    Accept(u32, usize),
    AcceptOfChain(u32, usize, u64),
    Count(u32, usize),
    /// The first blocks of the best chain become final.
    Finalise(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let (number, position) = (0..8_u32, 2..=8_u64);
    prop_oneof![
        1 => Just(Step::Join),
        4 => (0..500_u64).prop_map(Step::Wait),
        4 => (number.clone(), 0..2_usize, position.clone()).prop_map(|(n, c, p)| Step::Mine(n, c, p)),
        4 => (number.clone(), any::<usize>()).prop_map(|(n, b)| Step::MineAside(n, b)),
        12 => (number.clone(), any::<usize>()).prop_map(|(n, b)| Step::Accept(n, b)),
        2 => (number.clone(), 0..2_usize, position).prop_map(|(n, c, p)| Step::AcceptOfChain(n, c, p)),
        3 => (number, any::<usize>()).prop_map(|(n, h)| Step::Count(n, h)),
        1 => (1..=9_u64).prop_map(Step::Finalise),
    ]
}

/// The obvious way: it keeps everything, and works the figures out at the end.
#[derive(Default)]
struct Model {
    /// What happened before is left out.
    counted_from: Time,
    nodes: Vec<NodeId>,
    mined: Vec<ModelBlock>,
    counted: Vec<Happening>,
}

struct ModelBlock {
    hash: BlockHash,
    parent: BlockHash,
    position: u64,
    miner: NodeId,
    time: Time,
    /// The nodes that count for it.
    nodes: Vec<NodeId>,
    /// When each of them had it.
    had: BTreeMap<NodeId, Time>,
}

impl Model {
    fn join(&mut self, node: NodeId) {
        if !self.nodes.contains(&node) {
            self.nodes.push(node);
        }
    }

    fn observe(&mut self, Event { time, node, what }: Event) {
        if let Happening::Dropped { .. } = what {
            // It may be a puppet that had no room for it.
            return;
        }
        self.join(node);
        if time < self.counted_from {
            return;
        }
        match what {
            Happening::Mined { block, position, parent } => {
                if !self.mined.iter().any(|mined| mined.hash == block) {
                    let nodes = self.nodes.clone();
                    let had = BTreeMap::new();
                    self.mined.push(ModelBlock {
                        hash: block,
                        parent,
                        position,
                        miner: node,
                        time,
                        nodes,
                        had,
                    });
                }
                self.had_with_all_before(node, time, block);
            }
            Happening::Accepted { block, .. } => self.had_with_all_before(node, time, block),
            other => self.counted.push(other),
        }
    }

    /// A block's parent was mined before it, or was not seen to be.
    fn had_with_all_before(&mut self, node: NodeId, time: Time, block: BlockHash) {
        let mut wanted = block;
        for mined in self.mined.iter_mut().rev() {
            if mined.hash == wanted {
                if mined.nodes.contains(&node) {
                    mined.had.entry(node).or_insert(time);
                }
                wanted = mined.parent;
            }
        }
    }

    fn to_each(&self) -> Spread {
        let others = self.mined.iter().flat_map(|mined| {
            mined.had.iter().filter(|(node, _)| **node != mined.miner).map(|(_, time)| *time - mined.time)
        });
        spread(others.collect())
    }

    /// The time until so many in ten of the nodes had it.
    fn to_tenths(&self, tenths: usize) -> Spread {
        let times = self.mined.iter().filter_map(|mined| {
            let mut times: Vec<_> = mined.had.values().map(|time| *time - mined.time).collect();
            times.sort();
            let wanted = (0..=mined.nodes.len()).find(|count| 10 * count >= tenths * mined.nodes.len())?;
            times.get(wanted - 1).copied()
        });
        spread(times.collect())
    }

    /// The times between those blocks of the chain that follow each other and were mined.
    fn intervals(&self, best: &Blockchain) -> Spread {
        let times: Vec<_> = best
            .iter()
            .map(|block| self.mined.iter().find(|mined| mined.hash == block.hash()).map(|mined| mined.time))
            .collect();
        spread(times.windows(2).filter_map(|times| Some(times[1]? - times[0]?)).collect())
    }

    /// The model's report, but for what is spread: that is told apart from its percentiles, and copied.
    fn report(&self, now: Time, best: &Blockchain, spreads: &Report) -> Report {
        let hashes: BTreeSet<_> = best.iter().map(Block::hash).collect();
        let mined_by = |node: NodeId| self.mined.iter().filter(move |mined| mined.miner == node);
        let in_chain = self.mined.iter().filter(|mined| hashes.contains(&mined.hash)).count() as u64;
        let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        let mut nodes = self.nodes.clone();
        nodes.sort();
        let all_attempts = nodes.iter().copied().map(attempts).sum();
        let nodes = nodes.into_iter().map(|node| {
            let own = mined_by(node).filter(|mined| hashes.contains(&mined.hash)).count() as u64;
            NodeReport {
                node,
                name: node.to_string().into(),
                mined: mined_by(node).count() as u64,
                in_chain: own,
                chain_share: share(own, in_chain),
                attempts: attempts(node),
                attempts_share: share(attempts(node), all_attempts),
            }
        });
        let count = |is_wanted: fn(&Happening) -> bool| {
            self.counted.iter().filter(|happening| is_wanted(happening)).count() as u64
        };
        let stale = self.mined.len() as u64 - in_chain;
        Report {
            duration: now - START.max(self.counted_from),
            nodes: nodes.collect(),
            replayed: 0,
            mined: self.mined.len() as u64,
            in_chain,
            stale,
            stale_rate: share(stale, self.mined.len() as u64),
            stale_blocks: (1..)
                .zip(&self.mined)
                .filter(|(_, mined)| !hashes.contains(&mined.hash))
                .map(|(number, _)| number)
                .collect(),
            block_intervals: spreads.block_intervals.clone(),
            reorganisations: self.tally(|happening| match happening {
                Happening::Reorganised { abandoned, .. } => Some(*abandoned),
                _ => None,
            }),
            rejections: self.tally(|happening| match happening {
                Happening::Rejected { invalid, .. } => Some(invalid.violation.name()),
                _ => None,
            }),
            rejected_documents: count(|what| matches!(what, Happening::RejectedDocument { .. })),
            ignored: self.tally(|happening| match happening {
                Happening::Ignored { reason, .. } => Some(*reason),
                _ => None,
            }),
            banned: count(|what| matches!(what, Happening::Banned { .. })),
            transactions_lost: self.tally(|happening| match happening {
                Happening::Lost { reason, .. } => Some(*reason),
                _ => None,
            }),
            crashes: count(|what| matches!(what, Happening::Crashed)),
            restarts: count(|what| matches!(what, Happening::Restarted)),
            panics: count(|what| matches!(what, Happening::Panicked { .. })),
            double_spends: self.double_spends(),
            propagation: spreads.propagation.clone(),
            messages: Messages::default(),
        }
    }

    fn double_spends(&self) -> DoubleSpends {
        let ended = self.counted.iter().filter_map(|happening| match happening {
            Happening::DoubleSpent { won, stale, cost, .. } => Some((*won, *stale, *cost)),
            _ => None,
        });
        let ended: Vec<_> = ended.collect();
        DoubleSpends {
            tried: ended.len() as u64,
            won: ended.iter().filter(|(won, ..)| *won).count() as u64,
            stale: ended.iter().map(|(_, stale, _)| stale).sum(),
            cost: ended.iter().map(|(.., cost)| cost).sum(),
        }
    }

    fn tally<K: Ord>(&self, key: impl Fn(&Happening) -> Option<K>) -> BTreeMap<K, u64> {
        let mut tally = BTreeMap::new();
        for key in self.counted.iter().filter_map(key) {
            *tally.entry(key).or_default() += 1;
        }
        tally
    }
}

fn attempts(node: NodeId) -> u64 {
    1000 * node.index() as u64
}

proptest! {
    #[test]
    fn a_report_is_that_of_the_model(
        steps in prop::collection::vec(step(), 0..150),
        chain in 0..2_usize,
        warm_up in prop_oneof![Just(0), 0..5_000_u64],
    ) {
        let best = &CHAINS[chain];
        let counted_from = if warm_up == 0 { Time::UNIX_EPOCH } else { START + Duration::from_millis(warm_up) };
        let mut recorder = Recorder::new(START).counting_from(counted_from);
        let mut forgetful = recorder.clone();
        let (mut final_until, mut is_orderly) = (0, true);
        let mut model = Model { counted_from, ..Model::default() };
        let mut now = START;
        for (number, step) in (0_u64..).zip(steps) {
            let known = model.mined.iter().map(|mined| mined.hash).collect::<Vec<_>>();
            let (by, what) = match step {
                Step::Join => {
                    let next = node(model.nodes.len() as u32);
                    recorder.add_node(next, next.to_string());
                    forgetful.add_node(next, next.to_string());
                    model.join(next);
                    continue;
                }
                Step::Wait(millis) => {
                    now += Duration::from_millis(millis);
                    continue;
                }
                Step::Finalise(position) => {
                    let position = position.min(best.len());
                    forgetful.finalise(&best.at(position).unwrap());
                    final_until = final_until.max(position);
                    continue;
                }
                Step::Mine(by, chain, position) => (by, mined(block(chain, position))),
                Step::MineAside(by, parent) => {
                    let unknown = BlockHash::of(b"a block that nobody mined");
                    let parent = *known.get(parent % (known.len() + 1)).unwrap_or(&unknown);
                    (by, mined((BlockHash::of(&number.to_be_bytes()), 3, parent)))
                }
                Step::Accept(by, block) => match known.get(block % known.len().max(1)) {
                    Some(&hash) => (by, accepted((hash, 3, hash))),
                    None => continue,
                },
                Step::AcceptOfChain(by, chain, position) => (by, accepted(block(chain, position))),
                Step::Count(by, which) => {
                    let all = counted();
                    (by, all[which % all.len()].clone())
                }
            };
            let event = Event { time: now, node: node(by), what };
            recorder.observe(&event);
            // One that takes its place among final blocks later has no interval there.
            is_orderly &= !matches!(event.what, Happening::Mined { position, .. } if position <= final_until);
            // A final block that is mined again is another, and in no model.
            if !matches!(event.what, Happening::Mined { block, .. } if known.contains(&block)) {
                forgetful.observe(&event);
            } else if let Happening::Mined { block, position, .. } = event.what {
                let from = event.node;
                forgetful.observe(&Event { what: Happening::Accepted { block, position, from }, ..event.clone() });
            }
            model.observe(event);
        }
        let report = recorder.report(now, best, attempts, Messages::default());
        let Propagation { pairs, to_each, to_half, to_90_percent, to_all } = &report.propagation;
        prop_assert_eq!(*pairs, model.mined.iter().map(|mined| mined.nodes.len() as u64 - 1).sum::<u64>());
        assert_spread(to_each, model.to_each());
        assert_spread(to_half, model.to_tenths(5));
        assert_spread(to_90_percent, model.to_tenths(9));
        assert_spread(to_all, model.to_tenths(10));
        assert_spread(&report.block_intervals, model.intervals(best));
        prop_assert_eq!(&report, &model.report(now, best, &report));
        let mut by_forgetful = forgetful.report(now, best, attempts, Messages::default());
        if !is_orderly {
            by_forgetful.block_intervals = report.block_intervals.clone();
        }
        prop_assert_eq!(&report, &by_forgetful);
        for count in 0..8 {
            let last: Vec<_> = model.mined.iter().rev().take(count).collect();
            let stale = last.iter().filter(|mined| !best.holds(mined.hash, mined.position)).count();
            let expected = if last.is_empty() { 0.0 } else { stale as f64 / last.len() as f64 };
            prop_assert_eq!(report.stale_rate_of_last(count as u64), expected);
        }
    }
}
