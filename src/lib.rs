//! A whole proof-of-work blockchain network inside one process.
//!
//! Each node is a thread that owns its own blockchain. A [`Network`] starts the nodes, tells them who their peers are,
//! and has them mine and settle conflicts. Everything happens in memory: a network of hundreds of nodes, with forks and
//! reorganisations, fits into a unit test.
//!
//! The library starts from a well-known tutorial, in which three web servers on one machine each keep a chain and take
//! the longest valid one. Under [`Rules::notebook`] every answer, proof and hash is the tutorial's, within one bound: where
//! Python takes any value, here amounts, proofs and indices are whole numbers from 0 to 2^64 - 1, and blocks and
//! transactions have the tutorial's fields and no others. What lies outside is refused by an error that names it.
//!
//! # The shortest program
//!
//! ```
//! use chainlab::{Network, Rules, Transaction};
//!
//! let network = Network::new(Rules::notebook());
//! let alice = network.spawn()?;
//! let bob = network.spawn()?;
//! network.register(bob, [alice])?;
//!
//! network.submit(alice, Transaction::new("d4ee26eee15148ee92c6cd394edd974e", "someone-other-address", 5))?;
//! let forged = network.mine(alice)?;
//! assert_eq!((forged.position, forged.proof), (2, 35293));
//!
//! network.resolve(bob)?;
//! assert_eq!(network.chain(bob)?, network.chain(alice)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A fork that heals
//!
//! Two nodes mine at the same position, so two chains of the same length stand side by side. A tie keeps ours: neither
//! gives way, until one of them is strictly ahead. The transaction of the abandoned block is pending again.
//!
//! ```
//! use chainlab::{Network, Outcome, Rules, Transaction};
//!
//! let network = Network::new(Rules::notebook());
//! let (alice, bob) = (network.spawn()?, network.spawn()?);
//! network.connect(alice, bob)?;
//!
//! let transaction = Transaction::new("carol", "dave", 5);
//! network.submit(alice, transaction.clone())?;
//! network.mine(alice)?;
//! network.mine(bob)?;
//! assert_eq!(network.resolve(alice)?.outcome, Outcome::Authoritative);
//!
//! network.mine(bob)?;
//! assert_eq!(network.resolve(alice)?.outcome, Outcome::Replaced);
//! assert_eq!(network.chain(alice)?.len(), 3);
//! assert_eq!(network.pending(alice)?, [transaction]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A network that runs by itself
//!
//! Under [`Rules::sealed`] nodes tell their peers of new blocks and transactions without being asked. Cut the network,
//! and both sides go on; heal it, and the branch of more work wins.
//!
//! ```
//! use std::time::Duration;
//!
//! use chainlab::{Network, Rules};
//!
//! let network = Network::new(Rules::sealed());
//! let (alice, bob) = (network.spawn()?, network.spawn()?);
//! network.connect(alice, bob)?;
//!
//! network.partition([[alice], [bob]])?;
//! network.mine(alice)?;
//! network.mine(bob)?;
//! network.mine(bob)?;
//! assert_eq!((network.chain(alice)?.len(), network.chain(bob)?.len()), (2, 3));
//!
//! network.heal();
//! let settled = network.settle(Duration::from_secs(60)).expect("bob's branch has more work");
//! assert_eq!(settled.chain().map(|chain| chain.len()), Some(3));
//! assert_eq!(network.report().reorganisations.get(&1), Some(&1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | what for | methods |
//! | --- | --- |
//! | mining that goes on | [`start_mining`](Network::start_mining), [`stop_mining`](Network::stop_mining) |
//! | links | [`set_link`](Network::set_link), [`set_judge`](Network::set_judge), [`join`](Network::join) for a whole topology, [`set_regions`](Network::set_regions), [`set_bandwidth`](Network::set_bandwidth), [`set_block_cost`](Network::set_block_cost) |
//! | faults | [`partition`](Network::partition) and [`heal`](Network::heal), [`hold`](Network::hold) and [`release`](Network::release), [`crash`](Network::crash) and [`restart`](Network::restart), [`pause`](Network::pause) and [`resume`](Network::resume) |
//! | lies, told by a peer that you play | [`puppet`](Network::puppet) |
//! | watching | [`events`](Network::events), [`fork_tree`](Network::fork_tree), [`report`](Network::report), [`settle`](Network::settle), [`set_tracing`](Network::set_tracing) |
//! | keeping | [`save`](Network::save), [`load`](Network::load) |
//!
//! # What happened, as a picture
//!
//! Height grows to the right. A block is its miner's mark and points to its parent; those who stand on it are in brackets.
//!
//! ```
//! use std::time::Duration;
//!
//! use chainlab::{Network, Rules, picture::ForkTree};
//!
//! let network = Network::new(Rules::sealed());
//! let events = network.events();
//! let (alice, bob) = (network.spawn_named("alice")?, network.spawn_named("bob")?);
//! network.connect(alice, bob)?;
//! network.mine(alice)?;
//! network.settle(Duration::from_secs(60))?;
//!
//! network.partition([[alice], [bob]])?;
//! network.mine(alice)?;
//! network.mine(bob)?;
//! network.mine(bob)?;
//! network.heal();
//! network.settle(Duration::from_secs(60))?;
//! network.shutdown()?;
//!
//! assert_eq!(ForkTree::from_events(events).to_string(), "\
//! 1   2   3      4
//! ·◂──a◂┬─b◂─────b(alice, bob)
//!       ╰─a ×1
//!
//! a alice: 2 blocks, 1 of them stale
//! b bob: 2 blocks
//!
//! alice gave up 1 block for 2: from block 3 by a to block 4 by b
//! ");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The same tree [as SVG](picture::ForkTree::to_svg) goes on a page or into a paper; a
//! [space-time diagram](picture::SpaceTime) shows who told whom, and when. Without a line of Rust, the command does it:
//! `chainlab run --events events.jsonl --trace`, and then `chainlab draw tree`, `space-time`, `curves` or `replay`.
//!
//! # Months in seconds
//!
//! A [`Simulation`] has the same nodes and the same verbs under a virtual clock: time passes while it is told to
//! [run](Simulation::run_for), and while a verb waits for its answer. When proofs are found is drawn, as a real search
//! would find them; every other rule holds. The same seed gives the same run, on any machine.
//!
//! ```
//! use std::time::Duration;
//!
//! use chainlab::{
//!     Rules, Simulation,
//!     network::HashRate,
//!     wire::{Latency, Link, Topology},
//! };
//!
//! // A hundred nodes that find a block in ten minutes together, for a week.
//! let simulation = Simulation::new(Rules::bitcoin().paced_for(1e8), 42);
//! simulation.set_default_link(Link::default().with_latency(Latency::fixed(Duration::from_millis(100))));
//! for _ in 0..100 {
//!     let node = simulation.spawn()?;
//!     simulation.start_mining(node, HashRate::per_second(1e6)?)?;
//! }
//! simulation.join(&Topology::Random { links: 8 })?;
//! simulation.run_for(Duration::from_secs(7 * 86_400));
//! println!("{} blocks in a week", simulation.report().mined); // 1061 blocks in a week
//! # assert_eq!(simulation.report().mined, 1061);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Blocks delivered to nodes a second, on one core of a virtual machine, an AMD EPYC of 2024 (a block in 600 s, eight links
//! opened by each node, 50 to 150 ms each, every block pushed to every peer and carried):
//!
//! | nodes | million a second |
//! | ---: | ---: |
//! | 100 | 9.5 |
//! | 1,000 | 9.5 |
//! | 10,000 | 8.6 |
//!
//! Where blocks of a megabyte are announced in six regions, and sent to whoever asks, it is 1 to 3 million.
//! `cargo bench --bench simulation` makes this table, and for any number of nodes there is
//! `cargo run --release --example simulate -- --scenario g --carry --nodes 10000 --blocks 1000`.
//!
//! At that pace nearly every block meets no other, and is [replayed](Simulation::set_replays): a century of 10,000 nodes
//! takes less than a minute (`cargo run --release --example century`).
//!
//! # An experiment
//!
//! A [`Scenario`](experiment::Scenario) is a run as plain data: rules, nodes, links, faults, payments, and who attacks by
//! which [strategy](strategy::Strategy).
//!
//! ```
//! use chainlab::experiment::Scenario;
//!
//! let scenario = Scenario::from_json(r#"{
//!     "nodes": 4,
//!     "names": ["mallory"],
//!     "hash_rates": {"list": [4e5, 2e5, 2e5, 2e5]},
//!     "strategies": [{"nodes": ["mallory"], "strategy": "selfish"}],
//!     "stop": {"blocks": 5000}
//! }"#)?;
//! let share = scenario.run()?.nodes[0].chain_share;
//! assert!(share > 0.43, "with 40 % of the hash rate mallory has {share} of the chain");
//! # Ok::<(), chainlab::experiment::ScenarioError>(())
//! ```
//!
//! Many runs of one, at values that its fields take, are an [`Experiment`](experiment::Experiment): the same rows, to the byte,
//! on any number of cores or machines. The command `chainlab`, behind the feature `cli`, runs those; `chainlab validate`
//! holds the simulation against [published figures](experiment::Model).
//!
//! Code that is to run under either clock takes a [`NetworkOf`] any [`Driver`].
//!
//! # The modules of the crate
//!
//! Each uses only what stands above it, so this is an order to read them in.
//!
//! | what | where |
//! | --- | --- |
//! | hashes, moments, transactions and their documents | [`BlockHash`], [`Time`], [`Timestamp`], [`Transaction`], [`DocumentError`] |
//! | balances and nonces, as a persistent map | [`Accounts`] |
//! | a block, as anyone may write it | [`Block`] |
//! | the proof of work: targets, work, the search | [`pow`] |
//! | what makes a block valid | [`Rules`], [`Violation`] |
//! | the chain as a value, its blocks verified | [`Blockchain`] |
//! | pending transactions | [`Mempool`] |
//! | what nodes say, what they are told to do, what happens to them | [`Message`], [`Command`], [`Answer`], [`Event`] |
//! | what a miner shows and when, and who wins a tie | [`strategy`] |
//! | a node: a state machine, input in, effects out | [`Node`], [`Input`], [`Effects`] |
//! | links between nodes, as plain data | [`wire`] |
//! | what a run showed: stale blocks, reorganisations, propagation | [`Report`], [`report`] |
//! | pictures of what happened: as text, as SVG, and a page that plays a run again | [`picture`] |
//! | what can be done to a network, whatever drives it | [`NetworkOf`], [`Driver`] |
//! | the threads: a node each, on the wall clock | [`Network`], [`network`] |
//! | the virtual clock: all nodes on one thread | [`Simulation`], [`simulation`] |
//! | scenarios as data, and many runs of them | [`experiment`] |
//!
//! How an experiment goes from a laptop to a cluster is told in [a guide](guide::sweeps).
//!
//! A [`Node`] reads no clock, starts no thread and owns no channel. It is handed its inputs with the time, and hands back
//! their effects: to send, to search, to be woken. A driver carries those out. A test can do so by hand, and then nothing
//! happens that it did not ask for.
//!
//! # Rules
//!
//! [`Rules`] are plain data. Start from a preset and change what you want to ask about.
//!
//! | preset | proof covers | better chain | genesis | accounts | relay |
//! | --- | --- | --- | --- | --- | --- |
//! | [`Rules::notebook`] | last proof | longest | each node's own | no | none |
//! | [`Rules::tutorial`] | last proof and last block's hash | longest | each node's own | no | none |
//! | [`Rules::sealed`] | the whole block | most work | one for all | yes | push |
//! | [`Rules::bitcoin`] | the whole block | most work | one for all | yes | push |
//!
//! Under the first two a node learns of others' blocks only by [resolving](Network::resolve), and the proof protects no
//! transaction: that is what the tutorial does, and what the sealed rules are there to compare it with. [`Relay`] says how
//! nodes tell of blocks otherwise: whole, by their hashes, or compactly. Nothing is signed under any of them. Balances
//! hold; authority does not.
//!
//! Under [`Rules::bitcoin`], as on Bitcoin's main network, miners of most of the work can talk the difficulty down by false
//! timestamps, the *time warp*. [`Retarget::back_max`] prevents it; [`Rules::sealed`] has it set. [`Retarget`] tells how
//! both go.
//!
//! ```
//! use chainlab::{Network, Rules, pow::Target};
//!
//! // Blocks in a moment, for a test that is about something else than proofs.
//! let rules = Rules::notebook().with_first_target(Target::leading_zero_bits(4));
//! let network = Network::new(rules);
//! let node = network.spawn()?;
//! for _ in 0..100 {
//!     network.mine(node)?;
//! }
//! assert_eq!(network.chain(node)?.len(), 101);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is promised about agreement and loss
//!
//! Equally good chains may stand side by side for ever, as a tie keeps ours. So to see all nodes agree, stop mining, let
//! one node mine until it is strictly ahead, and have all [resolve](Network::resolve) or, where blocks are gossiped,
//! [settle](Network::settle): then all are on its chain.
//!
//! Where blocks and transactions are gossiped, both arrive: under any loss below 1 and any faults that end, every payable
//! transaction of a live node is mined once all links are up and mining goes on. What a peer may have missed is told again
//! until the peer is known to have judged it; what it could not take in it asks for once its tip has changed. Who is in
//! doubt may submit a payment again: the same payment is pending once, and its node tells its peers of it again.
//!
//! Of distinct submitted transactions each is at most once in any chain, and in the agreed chain or pending at one node
//! or more. What is left out was lost for one of the reasons of [`LossReason`].
//!
//! What abandoned blocks held is pending again in its order, before all else, unless the new chain holds it. Where
//! accounts are kept, a payment comes back together with those that spend what it brings, and all of them can be mined;
//! one that can no longer be paid is lost, and with it whatever counted on it and its sender's later ones. Without accounts
//! equal transactions are as many as were submitted: a chain from elsewhere that holds one takes away none but those
//! that were in a block before, or in a save, so that others may have them.
//!
//! What can be mined is never kept out by what cannot. Only a few transactions wait for a nonce before theirs, 64 of a
//! sender and an eighth of the mempool, and they give way first. When the mempool is full of what can be mined, the
//! sender with the most gives way. As nothing is signed, whoever first uses an address's next nonce has it, and whoever
//! fills the mempool in an address's name, which takes no more than a coin there, delays that address alone. To delay all
//! others takes a payment each in the names of as many addresses with a coin as the mempool has room for, and after each
//! block another for each that it held: no fee tells them apart.
//!
//! # What things cost
//!
//! | what | cost |
//! | --- | --- |
//! | cloning a chain, answering a chain request, appending a block besides verifying it | O(1) |
//! | the block at a position, the common ancestor of two chains | O(log n) |
//! | adopting a chain | O(log n + the blocks after the common ancestor) |
//! | memory of N nodes that agree on n blocks | O(N + n): they share them |
//! | memory of a block in a simulation, without transactions | some 400 bytes: 21 MB a year at Bitcoin's pace |
//! | memory of a run whose [final](Simulation::set_finality) blocks are let go of | O(N), and ten times the depth or so, and five of the difficulty's windows: 11,000 blocks at Bitcoin's pace and a depth of 100 |
//! | taking in one of n pending transactions | O(log n) |
//! | relaying a block to k peers | k pointers, no copy of the block |
//! | relaying a transaction to k peers | its hash to each, and to each node about one copy; without transactions nothing |
//! | a block that comes to a node of a simulation | 0.1 to 0.5 µs where blocks are pushed over links without loss or bandwidth, 0.3 to 1 where they are announced in six regions, two or three with 1 % loss (`cargo bench --bench simulation`); a repeat of it, next to nothing |
//! | an input to a node that searches for a proof | waits for at most one slice, a millisecond of its thread's CPU |
//! | what a peer says | in proportion to its bytes; what is known already is not verified, and what is kept of each sender's is bounded in bytes |
//! | a node with nothing to do and no deadline | no wake-ups: it blocks on its channels |
//!
//! # When something goes wrong
//!
//! Each operation has its own error type, which carries the values and names them in its message. Bad input never panics.
//!
//! ```
//! use chainlab::{Blockchain, Network, NodeId, Rules, Transaction};
//!
//! let network = Network::new(Rules::notebook());
//! let (alice, bob) = (network.spawn()?, network.spawn()?);
//! let error = network.register(bob, [NodeId::new(7)]).unwrap_err();
//! assert_eq!(error.to_string(), "node 7 is unknown; the network has 2 nodes");
//!
//! let error = network.submit(alice, Transaction::new("0", "alice", 1_000_000)).unwrap_err();
//! assert_eq!(error.to_string(), "transactions from \"0\" are rewards and cannot be submitted");
//!
//! network.mine(alice)?;
//! let forged = network.chain(alice)?.to_json().replace("35293", "35294");
//! let error = Blockchain::from_json(&forged, &Rules::notebook()).unwrap_err().to_string();
//! assert!(error.starts_with("block 2: proof 35294 is not met: its hash "), "{error}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A node that panics takes down itself alone. Calls on it say so with [`network::NodeError::Down`], and
//! [`Network::shutdown`] names it.
//!
//! # Your own builds
//!
//! Without optimisation a search for a proof is some hundred times slower. Have this crate optimised in your own debug
//! builds and tests, in your `Cargo.toml`; and in release builds have your program put together as one piece, which takes a
//! tenth off the time of most simulations:
//!
//! ```toml
//! [profile.dev.package.chainlab]
//! opt-level = 3
//!
//! [profile.release]
//! codegen-units = 1
//! lto = "fat"
//! ```

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod accounts;
mod block;
mod blockchain;
mod command;
mod document;
mod event;
pub mod experiment;
pub mod guide;
mod hash;
mod lookup;
mod mempool;
mod message;
pub mod network;
mod node;
pub mod picture;
pub mod pow;
pub mod report;
mod rules;
pub mod simulation;
pub mod strategy;
mod text;
mod time;
mod transaction;
mod verbs;
pub mod wire;

pub use accounts::{Account, Accounts};
pub use block::{Block, PreviousHash};
pub use blockchain::{Blockchain, Blocks, ChainError, Found, InvalidBlock, MineError};
pub use command::{Answer, Command, Forged, Outcome, Placement, Resolution, Snapshot, Submitted, Ticket};
pub use document::{DocumentError, Place};
pub use event::{
    Event, EventReader, EventWriter, Happening, IgnoreReason, LossCause, MessageName, Passage, ReadEventError,
};
pub use hash::{BlockHash, ParseHashError, TransactionHash};
pub use mempool::{LossReason, Mempool, SubmitError};
pub use message::{Inventory, Message, MessageKind, NodeId, RequestId, Told};
pub use network::Network;
pub use node::{Effect, Effects, Input, Limits, Node, NodeConfig, SearchId, Template};
pub use report::Report;
pub use rules::{
    Checks, Context, Difficulty, ForkChoice, Genesis, ProofRule, Relay, Retarget, RetargetError, Rules,
    RulesError, Violation,
};
pub use simulation::Simulation;
pub use strategy::{Behaviour, Strategy, TieBreak};
pub use time::{Time, Timestamp};
pub use transaction::{REWARD_SENDER, Transaction};
pub use verbs::{Driver, NetworkOf};
