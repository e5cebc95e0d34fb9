//! The network of threads: many hands on it at once, nodes that panic, and its end.
//!
//! Nothing here sleeps or measures time. What must not hang runs under [`finishes`].

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Barrier,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use chainlab::{
    Blockchain, Limits, Network, NodeId, Outcome, Rules, SubmitError, Time, Transaction,
    network::{
        CallError, Clock, Config, DownCause, Identity, NodeError, Panicked, RegisterError, SpawnError,
    },
    pow::Target,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The notebook's rules with two hexadecimal zeros: 256 attempts a block.
fn quick() -> Rules {
    with_target(Target::leading_hex_zeros(2))
}

/// The notebook's rules at a target that no search meets.
fn hopeless() -> Rules {
    with_target(Target::leading_zero_bits(120))
}

fn with_target(target: Target) -> Rules {
    Rules { first_target: target, easiest_target: target, ..Rules::notebook() }
}

/// Peers have all the time that they need on a loaded machine.
fn patient() -> Config {
    let limits = Limits { resolve_timeout: Duration::from_secs(600), ..Limits::default() };
    Config { limits, ..Config::default() }
}

/// Starts nodes whose threads are named after a prefix, so that they can be counted.
fn spawn(network: &Network, prefix: &str, count: usize) -> Vec<NodeId> {
    let identity = |number| Identity { name: Some(format!("{prefix}-{number}")), address: None };
    (0..count).map(|number| network.spawn_as(identity(number)).unwrap()).collect()
}

fn register_all_with_all(network: &Network, nodes: &[NodeId]) {
    for &node in nodes {
        network.register(node, nodes.iter().copied().filter(|peer| *peer != node)).unwrap();
    }
}

/// Runs what must come to an end, and fails instead of waiting for ever.
fn finishes<T: Send + 'static>(what: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    let run = thread::Builder::new().spawn(move || sender.send(what()).unwrap()).unwrap();
    match receiver.recv_timeout(Duration::from_secs(120)) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("it hangs"),
        Err(mpsc::RecvTimeoutError::Disconnected) => std::panic::resume_unwind(run.join().unwrap_err()),
    }
}

/// The threads of this process whose names begin with a prefix, as their directories below `/proc`.
#[cfg(target_os = "linux")]
fn threads(prefix: &str) -> Vec<std::path::PathBuf> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap().path());
    // A thread may end while it is looked at.
    let name = |task: &std::path::Path| std::fs::read_to_string(task.join("comm")).unwrap_or_default();
    tasks.filter(|task| name(task).starts_with(prefix)).collect()
}

/// A joined thread stays listed for a moment, until the kernel has cleared up after it.
#[cfg(target_os = "linux")]
fn assert_no_thread_is_left(prefix: &str) {
    let left = (0..100_000).map(|_| {
        thread::yield_now();
        threads(prefix).len()
    });
    assert!(left.into_iter().any(|left| left == 0), "{} threads are left", threads(prefix).len());
}

#[cfg(not(target_os = "linux"))]
fn assert_no_thread_is_left(_prefix: &str) {}

/// A small generator, so that a seed tells what each thread did: splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }
}

/// The notebook's `valid_chain`, on a chain's document; two hexadecimal zeros.
fn is_valid(chain: &Blockchain) -> bool {
    let sha256 = |text: String| hex::encode(Sha256::digest(text));
    let document: Value = serde_json::from_str(&chain.to_json()).unwrap();
    let blocks = document["chain"].as_array().unwrap();
    assert_eq!(document["length"], blocks.len());
    blocks.windows(2).all(|pair| {
        let (last, block) = (&pair[0], &pair[1]);
        // The keys are in order, and no string holds a comma or a colon.
        let text = last.to_string().replace(',', ", ").replace(':', ": ");
        let guess = format!("{}{}", last["proof"], block["proof"]);
        block["previous_hash"] == sha256(text) && sha256(guess).starts_with("00")
    })
}

/// How often a chain holds each transaction that is no reward.
fn held(chain: &Blockchain) -> BTreeMap<Transaction, usize> {
    let mut counts = BTreeMap::new();
    for transaction in chain.iter().flat_map(|block| block.transactions()) {
        if !transaction.is_reward() {
            *counts.entry(transaction.clone()).or_insert(0) += 1;
        }
    }
    counts
}

#[test]
fn fifty_nodes_agree_and_lose_nothing_after_a_storm() {
    for seed in 0..16 {
        println!("seed {seed}");
        finishes(move || storm(seed));
    }
}

fn storm(seed: u64) {
    const NODES: usize = 50;
    const THREADS: u64 = 8;
    const STEPS: u64 = 80;
    let prefix = format!("storm{seed}");
    let network = Network::with_config(quick(), patient());
    let nodes = spawn(&network, &prefix, NODES);

    let submitted: BTreeSet<Transaction> = thread::scope(|scope| {
        let (network, nodes) = (&network, &nodes);
        let work = move |number: u64| {
            let mut random = Random(seed << 32 | number);
            let mut submitted = Vec::new();
            for step in 0..STEPS {
                let node = nodes[random.below(NODES)];
                match random.below(4) {
                    0 => {
                        let transaction = Transaction::new(format!("sender-{number}"), "recipient", step);
                        let index = network.submit(node, transaction.clone()).unwrap().index;
                        assert!(index >= 2);
                        submitted.push(transaction);
                    }
                    1 => {
                        let forged = network.mine(node).unwrap();
                        assert!(forged.transactions.last().unwrap().is_reward());
                    }
                    2 => {
                        let before = network.chain(node).unwrap();
                        let resolution = network.resolve(node).unwrap();
                        assert_eq!(resolution.silent, []);
                        assert!(resolution.chain.len() >= before.len(), "a chain never gets shorter");
                    }
                    _ => {
                        let peer = nodes[random.below(NODES)];
                        match network.register(node, [peer]) {
                            Ok(registration) => assert!(!registration.total_nodes.is_empty()),
                            Err(error) => assert_eq!(error, RegisterError::Itself { node: peer }),
                        }
                    }
                }
            }
            submitted
        };
        let hands: Vec<_> = (0..THREADS).map(|number| scope.spawn(move || work(number))).collect();
        hands.into_iter().flat_map(|hand| hand.join().unwrap()).collect()
    });
    assert!(!submitted.is_empty());

    let longest = nodes.iter().map(|node| network.chain(*node).unwrap().len()).max().unwrap();
    // Every node has answered by now, and each is a thread of its name.
    #[cfg(target_os = "linux")]
    assert_eq!(threads(&prefix).len(), NODES);
    let ahead = nodes[seed as usize % NODES];
    while network.chain(ahead).unwrap().len() <= longest {
        network.mine(ahead).unwrap();
    }
    let agreed = network.chain(ahead).unwrap();
    for &node in nodes.iter().filter(|node| **node != ahead) {
        network.register(node, [ahead]).unwrap();
        assert_eq!(network.resolve(node).unwrap().outcome, Outcome::Replaced);
    }
    assert!(is_valid(&agreed));
    let mined = held(&agreed);
    assert!(mined.values().all(|count| *count == 1), "a transaction is in the chain twice");
    let mut kept: BTreeSet<_> = mined.keys().cloned().collect();
    for &node in &nodes {
        assert_eq!(network.chain(node).unwrap(), agreed);
        let pending = network.pending(node).unwrap();
        let distinct: BTreeSet<_> = pending.iter().cloned().collect();
        assert_eq!(distinct.len(), pending.len(), "a transaction is pending twice");
        assert!(distinct.iter().all(|transaction| !mined.contains_key(transaction)));
        kept.extend(distinct);
    }
    assert_eq!(kept, submitted, "none is lost, and none came from nowhere");
    network.shutdown().unwrap();
    assert_no_thread_is_left(&prefix);
}

/// This is where the notebook's servers wait for each other for ever.
#[test]
fn all_nodes_resolve_at_once_and_finish() {
    finishes(|| {
        let network = Network::with_config(quick(), patient());
        let nodes = spawn(&network, "all", 40);
        register_all_with_all(&network, &nodes);
        network.mine(nodes[7]).unwrap();
        let start = Barrier::new(nodes.len());
        thread::scope(|scope| {
            for &node in &nodes {
                let (network, start) = (&network, &start);
                scope.spawn(move || {
                    for _ in 0..5 {
                        start.wait();
                        assert_eq!(network.resolve(node).unwrap().silent, []);
                    }
                });
            }
        });
        let agreed = network.chain(nodes[7]).unwrap();
        assert!(nodes.iter().all(|node| network.chain(*node).unwrap() == agreed));
    });
}

#[test]
fn calls_to_mine_at_once_give_a_block_each() {
    finishes(|| {
        let network = Network::new(quick());
        let node = network.spawn().unwrap();
        let start = Barrier::new(2);
        let mine = || {
            start.wait();
            network.mine(node).unwrap().index
        };
        let mut indices = thread::scope(|scope| {
            let (one, other) = (scope.spawn(mine), scope.spawn(mine));
            [one.join().unwrap(), other.join().unwrap()]
        });
        indices.sort_unstable();
        assert_eq!(indices, [2, 3]);
        assert_eq!(network.chain(node).unwrap().len(), 3);
    });
}

#[test]
fn a_node_answers_and_ends_while_it_searches_in_vain() {
    finishes(|| {
        // The clock tells when the node has begun to handle an input.
        let (sender, inputs) = mpsc::channel();
        let clock = Clock::given(move |_| {
            let _ = sender.send(());
            Time::from_secs(1)
        });
        let network = Network::with_config(hopeless(), Config { clock, ..Config::default() });
        let node = network.spawn().unwrap();
        let other = network.spawn().unwrap();
        network.register(node, [other]).unwrap();
        while inputs.try_recv().is_ok() {}
        thread::scope(|scope| {
            let mined = [scope.spawn(|| network.mine(node)), scope.spawn(|| network.mine(node))];
            // Both are being mined for.
            inputs.recv().unwrap();
            inputs.recv().unwrap();
            assert_eq!(network.chain(node).unwrap().len(), 1);
            network.submit(node, Transaction::new("alice", "bob", 5)).unwrap();
            assert_eq!(network.pending(node).unwrap().len(), 1);
            assert_eq!(network.resolve(node).unwrap().silent, []);
            assert_eq!(network.resolve(other).unwrap().outcome, Outcome::Authoritative);
            network.shutdown().unwrap();
            let down = CallError::Node(NodeError::Down { node, cause: DownCause::ShutDown });
            for mined in mined {
                assert_eq!(mined.join().unwrap(), Err(down.clone()));
            }
        });
    });
}

/// A network whose nodes panic when they next look at the clock, if they are told to.
fn fragile(rules: Rules, limits: Limits) -> (Network, Arc<AtomicU32>) {
    let victim = Arc::new(AtomicU32::new(u32::MAX));
    let told = Arc::clone(&victim);
    let clock = Clock::given(move |node| {
        assert_ne!(node, NodeId::new(told.load(Ordering::SeqCst)), "the clock broke");
        Time::from_secs(1)
    });
    let config = Config { clock, limits, ..Config::default() };
    (Network::with_config(rules, config), victim)
}

#[track_caller]
fn assert_panicked(error: &NodeError, expected: NodeId) {
    match error {
        NodeError::Down { node, cause: DownCause::Panicked(message) } => {
            assert_eq!(*node, expected);
            assert!(message.contains("the clock broke"), "{message}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_panic_takes_down_that_node_alone() {
    finishes(|| {
        let limits = Limits { resolve_timeout: Duration::from_millis(50), ..Limits::default() };
        let (network, victim) = fragile(quick(), limits);
        let nodes = spawn(&network, "fragile", 3);
        register_all_with_all(&network, &nodes);
        let [alice, bob, carol] = nodes[..] else { unreachable!() };
        network.mine(carol).unwrap();
        victim.store(1, Ordering::SeqCst);
        // Who is waiting when it happens is told, and so is whoever comes later.
        assert_panicked(&network.chain(bob).unwrap_err(), bob);
        assert_panicked(&network.resolve(bob).unwrap_err(), bob);
        let Err(CallError::Node(error)) = network.mine(bob) else { panic!("nobody mines there") };
        assert_panicked(&error, bob);
        let text = error.to_string();
        assert!(text.starts_with("node 1 is down: it panicked: "), "{text}");

        // The others go on; the silent one costs the time-out, and is named.
        let resolution = network.resolve(alice).unwrap();
        assert_eq!((resolution.outcome, resolution.silent), (Outcome::Replaced, vec![bob]));
        assert_eq!(network.mine(alice).unwrap().index, 3);
        assert_eq!(network.resolve(carol).unwrap().silent, [bob]);
        assert_eq!(network.nodes(), nodes);
        assert_eq!(&*network.name(bob).unwrap(), "fragile-1");

        for _ in 0..2 {
            let Panicked { nodes } = network.shutdown().unwrap_err();
            let [(node, message)] = &nodes[..] else { panic!("one has panicked, not {nodes:?}") };
            assert!(*node == bob && message.contains("the clock broke"));
        }
        // Why it went down is not forgotten.
        assert_panicked(&network.chain(bob).unwrap_err(), bob);
        assert_no_thread_is_left("fragile");
    });
}

#[test]
fn those_who_wait_for_a_node_that_panics_are_told() {
    finishes(|| {
        let (network, victim) = fragile(hopeless(), Limits::default());
        let node = network.spawn().unwrap();
        thread::scope(|scope| {
            let mined = [scope.spawn(|| network.mine(node)), scope.spawn(|| network.mine(node))];
            network.chain(node).unwrap();
            victim.store(0, Ordering::SeqCst);
            assert_panicked(&network.pending(node).unwrap_err(), node);
            for mined in mined {
                let Err(CallError::Node(error)) = mined.join().unwrap() else { panic!("nobody mines") };
                assert_panicked(&error, node);
            }
        });
        drop(network);
    });
}

#[test]
fn a_dropped_network_leaves_no_thread() {
    finishes(|| {
        let network = Network::new(hopeless());
        let nodes = spawn(&network, "dropped", 20);
        register_all_with_all(&network, &nodes);
        network.resolve(nodes[3]).unwrap();
        drop(network);
        assert_no_thread_is_left("dropped");
    });
}

#[test]
fn a_shutdown_ends_every_call() {
    finishes(|| {
        let network = Network::new(hopeless());
        let nodes = spawn(&network, "ending", 8);
        register_all_with_all(&network, &nodes);
        let shut_down =
            |error: NodeError| matches!(error, NodeError::Down { cause: DownCause::ShutDown, .. });
        thread::scope(|scope| {
            for &node in &nodes {
                let network = &network;
                scope.spawn(move || {
                    let Err(CallError::Node(error)) = network.mine(node) else { panic!("hopeless") };
                    assert!(shut_down(error));
                });
                scope.spawn(move || {
                    let error = (0..).find_map(|_| network.resolve(node).err()).unwrap();
                    assert!(shut_down(error));
                });
            }
            network.chain(nodes[0]).unwrap();
            let ends = [scope.spawn(|| network.shutdown()), scope.spawn(|| network.shutdown())];
            for end in ends {
                assert_eq!(end.join().unwrap(), Ok(()));
                // Each of them returns when all threads are joined.
                assert_no_thread_is_left("ending");
            }
        });
    });
}

#[test]
fn after_the_shutdown_every_call_says_so() {
    let network = Network::new(quick());
    let [one, other] = [network.spawn().unwrap(), network.spawn().unwrap()];
    network.shutdown().unwrap();
    network.shutdown().unwrap();
    let down = NodeError::Down { node: one, cause: DownCause::ShutDown };
    assert_eq!(down.to_string(), "node 0 is down: the network was shut down");
    assert_eq!(network.chain(one).unwrap_err(), down);
    assert_eq!(network.pending(one).unwrap_err(), down);
    assert_eq!(network.resolve(one).unwrap_err(), down);
    assert_eq!(network.mine(one).unwrap_err(), CallError::Node(down.clone()));
    let transaction = Transaction::new("alice", "bob", 5);
    assert_eq!(network.submit(one, transaction).unwrap_err(), CallError::Node(down.clone()));
    assert_eq!(network.register(one, [other]).unwrap_err(), RegisterError::Node(down.clone()));
    assert_eq!(network.connect(one, other).unwrap_err(), RegisterError::Node(down));
    assert!(matches!(network.spawn(), Err(SpawnError::ShutDown)));
    // Who they were is still known.
    assert_eq!(network.nodes(), [one, other]);
    assert_eq!(&*network.name(other).unwrap(), "node-1");
}

#[test]
fn unknown_nodes_are_named() {
    let network = Network::new(quick());
    let node = network.spawn().unwrap();
    let stranger = NodeId::new(7);
    let unknown = NodeError::Unknown { node: stranger, nodes: 1 };
    assert_eq!(unknown.to_string(), "node 7 is unknown; the network has 1 nodes");
    assert_eq!(network.chain(stranger).unwrap_err(), unknown);
    assert_eq!(network.pending(stranger).unwrap_err(), unknown);
    assert_eq!(network.resolve(stranger).unwrap_err(), unknown);
    assert_eq!(network.name(stranger).unwrap_err(), unknown);
    assert_eq!(network.address(stranger).unwrap_err(), unknown);
    assert_eq!(network.mine(stranger).unwrap_err(), CallError::Node(unknown.clone()));
    assert_eq!(network.register(stranger, [node]).unwrap_err(), RegisterError::Node(unknown.clone()));
    assert_eq!(network.register(node, [stranger]).unwrap_err(), RegisterError::Node(unknown));
}

#[test]
fn a_registration_with_a_mistake_registers_nobody() {
    let network = Network::new(quick());
    let [one, other] = [network.spawn().unwrap(), network.spawn().unwrap()];
    let error = network.register(one, [other, one]).unwrap_err();
    assert_eq!(error, RegisterError::Itself { node: one });
    assert_eq!(error.to_string(), "node 0 cannot be registered with itself");
    assert!(network.register(one, [other, NodeId::new(2)]).is_err());
    assert!(network.connect(one, one).is_err());
    assert!(network.register(one, []).unwrap().total_nodes.is_empty());
    assert_eq!(network.resolve(one).unwrap().silent, [], "there is nobody to ask");
    network.connect(one, other).unwrap();
    let names = network.register(other, []).unwrap().total_nodes;
    assert_eq!(names, [Arc::<str>::from("node-0")]);
}

#[test]
fn rewards_cannot_be_submitted() {
    let network = Network::new(quick());
    let node = network.spawn().unwrap();
    let error = network.submit(node, Transaction::new("0", "me", 1_000_000)).unwrap_err();
    assert_eq!(error, CallError::Refused(SubmitError::Reward));
    assert_eq!(error.to_string(), "transactions from \"0\" are rewards and cannot be submitted");
    assert_eq!(network.pending(node).unwrap(), []);
}

#[test]
fn a_name_that_no_thread_can_have_adds_no_node() {
    let network = Network::new(quick());
    let identity = Identity { name: Some("a\0b".into()), address: None };
    let error = network.spawn_as(identity).unwrap_err();
    assert_eq!(error.to_string(), "\"a\\0b\" cannot name a thread: it contains a zero byte");
    assert_eq!(network.nodes(), []);
    // Names need not be distinct, and addresses are the notebook's.
    for number in 0..2 {
        let identity = Identity { name: Some("localhost:5000".into()), address: None };
        let node = network.spawn_as(identity).unwrap();
        let address = network.address(node).unwrap();
        let (uuid, last) = address.split_at(32);
        assert!(uuid.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')), "{address}");
        assert_eq!(last, format!("{number:04}"));
    }
}

/// A node with nothing to do is not woken by what others do, nor by any clock.
#[cfg(target_os = "linux")]
#[test]
fn an_idle_node_is_not_woken() {
    let network = Network::with_config(quick(), patient());
    let idle = spawn(&network, "idle", 1)[0];
    let busy = spawn(&network, "busy", 4);
    register_all_with_all(&network, &busy);
    // It has handled something, too.
    network.mine(idle).unwrap();
    let [task] = &threads("idle")[..] else { panic!("one thread") };
    let switches = || {
        let status = std::fs::read_to_string(task.join("status")).unwrap();
        let counts = status.lines().filter_map(|line| line.split_once("ctxt_switches:"));
        counts.map(|(_, count)| count.trim().parse::<u64>().unwrap()).sum::<u64>()
    };
    let work = || {
        for &node in &busy {
            network.mine(node).unwrap();
            network.resolve(node).unwrap();
        }
    };
    // It may still be on its way to its rest.
    let settled = (0..1000).any(|_| {
        let before = switches();
        work();
        switches() == before
    });
    assert!(settled, "it is woken all the time");
    let before = switches();
    (0..100).for_each(|_| work());
    assert_eq!(switches(), before);
    network.chain(idle).unwrap();
    assert!(switches() > before, "what it does is counted");
}
