//! What memory the library takes, by an allocator that counts: documents in proportion to their text, and chains of a
//! million blocks built, shared and freed without recursion or leak.

use std::{
    sync::{Arc, Barrier},
    thread,
    time::Duration,
};

use chainlab::{
    Block, Blockchain, Command, Difficulty, Effect, Effects, Genesis, Input, Message, Node, NodeId,
    PreviousHash, Rules, Simulation, Ticket, Time, Timestamp, Told, Transaction,
    network::HashRate,
    pow::Target,
    wire::{Latency, Link, Topology},
};
use parking_lot::{Mutex, MutexGuard};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Whoever counts is alone: the tests of a binary run on several threads.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock()
}

/// Runs on a thread with a stack of 64 KiB, on which a recursion over blocks or brackets would not get far.
fn on_small_stack<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    thread::Builder::new().stack_size(64 * 1024).spawn(run).unwrap().join().unwrap()
}

/// Returns the most memory that was taken while running, beyond what was taken before, in bytes.
fn peak_of<T>(run: impl FnOnce() -> T) -> (T, usize) {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let result = run();
    (result, ALLOCATOR.peak_usage().saturating_sub(before))
}

const MEGABYTE: usize = 1_000_000;

/// Chains of one block with a JSON text in each place, one after the other.
fn documents_with(json: &str) -> impl Iterator<Item = (&'static str, String)> {
    let genesis = r#"{"chain": [{"index": 1, "previous_hash": "1", "proof": 100, "timestamp": 0.5, "transactions":
        [{"amount": 5, "recipient": "bob", "sender": "alice"}]}], "length": 1}"#;
    [
        ("a string", "\"alice\""),
        ("a number", "100"),
        ("a timestamp", "0.5"),
        ("a previous hash", "\"1\""),
        ("an array", "[{\"amount\": 5, \"recipient\": \"bob\", \"sender\": \"alice\"}]"),
        ("a field's name", "\"proof\""),
        ("the whole", genesis),
    ]
    .into_iter()
    .map(move |(place, value)| (place, genesis.replacen(value, json, 1)))
}

#[test]
fn a_string_of_a_hundred_megabytes_takes_memory_in_proportion() {
    let _alone = alone();
    let plain = format!("\"{}\"", "x".repeat(100 * MEGABYTE));
    for (place, text) in documents_with(&plain) {
        let length = text.len();
        let ((), peak) = peak_of(|| {
            on_small_stack(move || {
                let result = Blockchain::from_json(&text, &Rules::notebook());
                assert_eq!(result.is_ok(), place == "a string", "{place}");
                if let Err(error) = result {
                    assert!(error.to_string().len() < 300, "the error holds a part of {place} only");
                }
            });
        });
        assert!(peak <= 4 * length, "{place}: {peak} bytes for a text of {length}");
    }
}

#[test]
fn many_small_things_take_memory_in_proportion() {
    let _alone = alone();
    let rules = Rules::notebook();
    let many = |json: &str| json.repeat(2 * MEGABYTE / json.len());
    let escapes = format!("\"{}\"", many(r"\n"));
    let deep = many("[");
    let numbers = format!("[{}0]", many("0,"));
    let objects = format!("[{}0]", many("{},"));
    let names =
        format!("{{{}\"\":0}}", (0..MEGABYTE / 5).map(|name| format!("\"{name}\":0,")).collect::<String>());
    for json in [escapes, deep, numbers, objects, names] {
        for (place, text) in documents_with(&json) {
            let (_result, peak) = peak_of(|| Blockchain::from_json(&text, &rules));
            assert!(peak <= 4 * text.len(), "{place}: {peak} bytes for {} of {:.20}", text.len(), json);
        }
    }
}

/// Rules under which any proof will do, so that a long chain costs no search.
fn free_of_work() -> Rules {
    Rules::notebook().with_first_target(Target::leading_zero_bits(0))
}

/// Appends blocks whose rewards all hold the one text: the text's count of references is that of the blocks.
fn grow(chain: &Blockchain, rules: &Rules, blocks: u64, miner: &Arc<str>) -> Blockchain {
    (0..blocks).fold(chain.clone(), |chain, _| {
        let index = chain.len() + 1;
        let reward = [Transaction::reward(Arc::clone(miner), 1)];
        let previous_hash = PreviousHash::Hash(chain.tip_hash());
        let block = Block::new(index, Timestamp::integer(index as i64), reward, index, previous_hash);
        chain.append(block, rules).unwrap()
    })
}

/// Drops chains at the same time, each on a thread of its own with a small stack.
fn drop_at_once(chains: Vec<Blockchain>) {
    let start = Barrier::new(chains.len());
    thread::scope(|scope| {
        for chain in chains {
            let start = &start;
            let drop_it = move || {
                start.wait();
                drop(chain);
            };
            thread::Builder::new().stack_size(64 * 1024).spawn_scoped(scope, drop_it).unwrap();
        }
    });
}

#[test]
fn a_million_blocks_and_two_forks_are_freed_without_recursion_or_leak() {
    let _alone = alone();
    const BLOCKS: u64 = 1_000_000;
    let before = ALLOCATOR.current_usage();
    on_small_stack(|| {
        let rules = free_of_work();
        let [miner, one, other] = ["miner", "one", "other"].map(Arc::from);
        let trunk = grow(&Blockchain::start(&rules, Time::UNIX_EPOCH).unwrap(), &rules, BLOCKS - 1, &miner);
        assert_eq!(trunk.len(), BLOCKS);
        assert_eq!(Arc::strong_count(&miner) as u64, BLOCKS, "one here, and one in each block but the first");

        let (clones, peak) = peak_of(|| vec![trunk.clone(); 1000]);
        assert!(peak < 100_000, "a clone shares its blocks: {peak} bytes for a thousand");
        drop(clones);

        let (indices, peak) = peak_of(|| trunk.iter().zip(1..).all(|(block, index)| block.index() == index));
        assert!(indices);
        assert!(peak < 100_000, "iterating holds a stretch of pointers: {peak} bytes");
        assert!(trunk.iter().rev().zip((1..=BLOCKS).rev()).all(|(block, index)| block.index() == index));

        // Two forks of different lengths; the trunk is theirs alone when they are let go.
        let forks = vec![grow(&trunk, &rules, 10, &one), grow(&trunk, &rules, 1000, &other)];
        assert_eq!(forks[0].common_ancestor(&forks[1]).unwrap(), trunk);
        drop(trunk);
        assert_eq!(Arc::strong_count(&miner) as u64, BLOCKS);
        drop_at_once(forks);
        assert_eq!([miner, one, other].map(|text| Arc::strong_count(&text)), [1; 3], "blocks are left");
    });
    // The harness keeps some thousand bytes of its own; the trunk took some hundred million.
    let left = ALLOCATOR.current_usage().saturating_sub(before);
    assert!(left < MEGABYTE, "{left} bytes were not freed");
}

/// The race for the last reference, again and again: exactly one of the threads frees the trunk, wherever they fork.
#[test]
fn forks_dropped_at_once_on_many_threads_free_their_trunk() {
    let _alone = alone();
    let rules = free_of_work();
    let miner = Arc::from("miner");
    let genesis = Blockchain::start(&rules, Time::UNIX_EPOCH).unwrap();
    for round in 0..300 {
        let trunk = grow(&genesis, &rules, 100 + round % 7, &miner);
        let forks = (1..=4).map(|fork| {
            let base = trunk.at(trunk.len() - fork * round % 40).unwrap();
            grow(&base, &rules, fork, &Arc::from(format!("miner {fork}")))
        });
        let forks = forks.collect();
        drop(trunk);
        drop_at_once(forks);
        assert_eq!(Arc::strong_count(&miner), 1, "round {round}: blocks are left");
    }
}

#[test]
fn a_document_of_many_blocks_takes_memory_in_proportion() {
    let _alone = alone();
    let rules = free_of_work();
    let chain =
        grow(&Blockchain::start(&rules, Time::UNIX_EPOCH).unwrap(), &rules, 20_000, &Arc::from("miner"));
    let (text, peak) = peak_of(|| chain.to_json());
    assert!(peak <= 4 * text.len(), "{peak} bytes to write {}", text.len());
    let (read, peak) = peak_of(|| Blockchain::from_json(&text, &rules));
    assert_eq!(read.unwrap(), chain);
    assert!(peak <= 6 * text.len(), "{peak} bytes to read {}", text.len());
}

/// Each of 20 nodes is handed the same chain as a document, and verifies a copy of its own. As they tell each other of
/// their tips one copy is left.
#[test]
fn of_chains_that_came_as_documents_one_copy_is_left() {
    let _alone = alone();
    const NODES: u32 = 20;
    let rules = Rules {
        difficulty: Difficulty::Fixed(Target::leading_zero_bits(0)),
        genesis: Genesis::Shared { time: Some(Time::UNIX_EPOCH), allocations: [].into() },
        ..Rules::sealed()
    };
    let miner: Arc<str> = "miner".into();
    let chain = (1..=1000).fold(Blockchain::start(&rules, Time::UNIX_EPOCH).unwrap(), |chain, index| {
        let reward = [Transaction::reward(Arc::clone(&miner), rules.reward)];
        let previous_hash = PreviousHash::Hash(chain.tip_hash());
        let block = Block::new(index + 1, Timestamp::from_micros(index), reward, index, previous_hash);
        chain.append(block, &rules).unwrap()
    });
    let (tip, text): (_, Arc<str>) = (chain.last_block().clone(), chain.to_json().into());
    drop(chain);

    let before = ALLOCATOR.current_usage();
    let rules = Arc::new(rules);
    let ids: Vec<_> = (0..NODES).map(NodeId::new).collect();
    let (now, outsider) = (Time::from_secs(1), NodeId::new(NODES));
    let mut nodes: Vec<_> =
        ids.iter().map(|&id| Node::new(id, Arc::clone(&rules), "miner", Time::UNIX_EPOCH).unwrap()).collect();
    let (mut said, mut effects) = (Vec::new(), Effects::default());
    for (&id, node) in ids.iter().zip(&mut nodes) {
        let peers = ids.iter().copied().filter(|peer| *peer != id).collect();
        node.handle(now, Input::Command(Ticket(0), Command::Register(peers)), &mut effects);
        node.handle(now, Input::Message(outsider, Message::NewBlock(tip.clone().into())), &mut effects);
        let request = effects.to_do.drain(..).find_map(|effect| match effect {
            Effect::Send(_, Message::BlocksRequest { request, .. }) => Some(request),
            _ => None,
        });
        let request = request.expect("it asks for the blocks before");
        let answer = Message::Blocks { request, after: 1, blocks: Told::Document(Arc::clone(&text)) };
        node.handle(now, Input::Message(outsider, answer), &mut effects);
        // So long an answer is read in pieces.
        for _ in 0..3 {
            node.handle(now, Input::Wake, &mut effects);
        }
        assert_eq!(node.chain().len(), 1001);
        said.extend(effects.to_do.drain(..).map(|effect| (id, effect)));
    }
    let copies = ALLOCATOR.current_usage() - before;
    assert!(copies > 1000 * 200 * NODES as usize, "each has its own: {copies} bytes");

    while let Some((from, effect)) = said.pop() {
        let (to, message): (Vec<_>, _) = match effect {
            Effect::Relay { except, message } => {
                let others = ids.iter().copied().filter(|to| ![Some(from), except].contains(&Some(*to)));
                (others.collect(), message)
            }
            Effect::Send(to, message) if to != outsider => (vec![to], message),
            _ => continue,
        };
        for to in to {
            nodes[to.index()].handle(now, Input::Message(from, message.clone()), &mut effects);
            said.extend(effects.to_do.drain(..).map(|effect| (to, effect)));
        }
    }
    let left = ALLOCATOR.current_usage() - before;
    assert!(left < copies / 10, "{left} bytes are left of {copies}");
    assert!(nodes.iter().all(|node| node.chain() == nodes[0].chain()));
}

/// Nine miners that fork now and then: what a run takes once blocks are let go of does not grow with it.
#[test]
fn a_run_with_a_finality_takes_memory_for_its_nodes_and_not_for_its_blocks() {
    let _alone = alone();
    let run = |finality: Option<u64>| {
        let simulation = Simulation::new(Rules::sealed().paced_for(9e6), 42);
        finality.into_iter().for_each(|depth| simulation.set_finality(depth));
        simulation.set_default_link(Link::default().with_latency(Latency::fixed(Duration::from_millis(20))));
        for _ in 0..9 {
            let node = simulation.spawn().unwrap();
            simulation.start_mining(node, HashRate::per_second(1e6).unwrap()).unwrap();
        }
        simulation.join(&Topology::Complete).unwrap();
        assert!(simulation.run_blocks(5_000));
        let before = ALLOCATOR.current_usage();
        ALLOCATOR.reset_peak_usage();
        assert!(simulation.run_blocks(40_000));
        let peak = ALLOCATOR.peak_usage().saturating_sub(before);
        let kept = ALLOCATOR.current_usage().saturating_sub(before);
        let tip = simulation.chain(NodeId::new(0)).unwrap().tip_hash();
        (peak, tip, simulation.report(), kept)
    };
    let (letting, keeping) = (run(Some(100)), run(None));
    assert!(letting.0 < 2 * MEGABYTE, "{} bytes for 40,000 blocks", letting.0);
    assert!(keeping.0 > 10 * letting.0, "{} bytes for 40,000 blocks", keeping.0);
    // What the library's first page tells.
    let a_block = keeping.3 / 40_000;
    assert!((300..=500).contains(&a_block), "{a_block} bytes a block");
    assert!(keeping.2.stale > 100, "{}", keeping.2.stale);
    // To the byte of all messages, as no fork is as deep as that.
    assert_eq!((letting.1, letting.2), (keeping.1, keeping.2));
}
