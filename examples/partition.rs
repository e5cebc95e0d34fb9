//! A network is cut in two, and both halves go on: they mine, and they take transactions. Then the cut heals. One branch
//! dies, its nodes reorganise, and the transactions that only it held are mined once more.
//!
//! `cargo run --release --example partition`; with `-- --help` it tells what can be changed. Ctrl-C ends it early, with a
//! report of what happened by then.

#[path = "shared/end.rs"]
mod end;
#[path = "shared/interrupt.rs"]
mod interrupt;

use std::{
    error::Error,
    io::{self, Stdout, Write},
    iter,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use chainlab::{
    Blockchain, Difficulty, Genesis, Happening, Network, NodeId, Rules, Transaction, network::Settled,
    picture::ForkTree, pow::Target, wire::Topology,
};
use clap::{CommandFactory, Parser, error::ErrorKind, value_parser};
use interrupt::Interrupt;

/// Cuts a network in two, heals it, and tells what becomes of both halves' blocks and transactions.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many nodes there are, in a ring: the left half of them, rounded down, is cut off from the right one.
    #[arg(long, default_value_t = 6, value_parser = value_parser!(u32).range(2..))]
    nodes: u32,
    /// How many blocks the left half mines meanwhile.
    #[arg(long, default_value_t = 2, value_parser = value_parser!(u64).range(1..))]
    left: u64,
    /// How many blocks the right half mines meanwhile: not as many as the left one, as neither would give way.
    #[arg(long, default_value_t = 3, value_parser = value_parser!(u64).range(1..))]
    right: u64,
    /// How many hexadecimal zeros the hash of a block begins with: each makes a block take 16 times as long.
    #[arg(long, default_value_t = 4, value_parser = value_parser!(u32).range(..=32))]
    zeros: u32,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.left == arguments.right {
        let reason = "--left and --right are the same: of branches as good as each other neither gives way";
        Arguments::command().error(ErrorKind::ValueValidation, reason).exit();
    }
    end::with(run(&arguments))
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let allocations = [("alice".into(), 100), ("bob".into(), 100)].into();
    let network = Arc::new(Network::new(Rules {
        difficulty: Difficulty::Fixed(Target::leading_hex_zeros(arguments.zeros)),
        genesis: Genesis::Shared { time: None, allocations },
        ..Rules::sealed()
    }));
    let interrupt = {
        let network = Arc::clone(&network);
        // Whoever waits for a node then waits no longer, and the report remains.
        Interrupt::listen(move || drop(network.shutdown()))?
    };
    let mut story = Story { network: &network, out: io::stdout() };
    let told = story.tell(arguments);
    if interrupt.came() {
        writeln!(story.out, "\nInterrupted. So far:\n{}", network.report())?;
        return Ok(());
    }
    told?;
    network.shutdown()?;
    Ok(())
}

struct Story<'a> {
    network: &'a Network,
    out: Stdout,
}

impl Story<'_> {
    fn tell(&mut self, arguments: &Arguments) -> Result<(), Box<dyn Error>> {
        let &Arguments { nodes, left: left_blocks, right: right_blocks, .. } = arguments;
        let network = self.network;
        let events = network.events();
        for _ in 0..nodes {
            network.spawn()?;
        }
        network.join(&Topology::Ring)?;
        let all = network.nodes();
        let (left, right) = all.split_at(all.len() / 2);

        writeln!(self.out, "{nodes} nodes in a ring mine two blocks together.")?;
        self.mine(left[0], 2)?;
        self.show()?;

        let (left_nodes, right_nodes) = (numbers(left), numbers(right));
        writeln!(self.out, "\nThe cable between nodes {left_nodes} and nodes {right_nodes} is cut.")?;
        writeln!(
            self.out,
            "Each half takes a transaction and mines on: alice's and {left_blocks} more on the left, bob's and \
             {right_blocks} more on the right."
        )?;
        network.partition([left, right])?;
        let from_alice = network.submit(left[0], Transaction::new("alice", "carol", 30))?.transaction;
        let from_bob = network.submit(right[0], Transaction::new("bob", "dave", 20))?.transaction;
        let transactions = [&from_alice, &from_bob];
        self.mine(left[0], left_blocks)?;
        self.mine(right[0], right_blocks)?;
        self.show()?;
        self.show_whereabouts(&transactions)?;
        let branches = [("left", network.chain(left[0])?), ("right", network.chain(right[0])?)];

        let (more, less) = if left_blocks > right_blocks { ("left", "right") } else { ("right", "left") };
        writeln!(self.out, "\nThe cut heals. The {more} branch has more work, so that the {less} one dies.")?;
        network.heal();
        let settled = self.settle()?;
        self.show()?;
        self.show_what_died(&settled, &branches)?;
        let mut happened: Vec<_> = iter::from_fn(|| events.try_next()).collect();
        for event in &happened {
            if let Happening::Reorganised { abandoned, adopted, .. } = event.what {
                writeln!(self.out, "  {} gave up {abandoned} blocks and took {adopted}.", event.node)?;
            }
        }
        self.show_whereabouts(&transactions)?;

        writeln!(
            self.out,
            "\nWhat only the dead branch held is pending again, so the next block takes it up."
        )?;
        self.mine(left[0], 1)?;
        self.show()?;
        self.show_whereabouts(&transactions)?;
        let chain = network.chain(right[0])?;
        let [carol, dave] = ["carol", "dave"].map(|address| chain.balance(address));
        writeln!(self.out, "Carol has {carol}, and dave has {dave}.")?;
        happened.extend(iter::from_fn(|| events.try_next()));
        writeln!(self.out, "\nWhat was mined on what:\n\n{}", ForkTree::from_events(happened))?;
        Ok(())
    }

    /// Mines blocks at a node, each once all who can be reached have the one before.
    fn mine(&self, node: NodeId, blocks: u64) -> Result<(), Box<dyn Error>> {
        for _ in 0..blocks {
            self.network.mine(node)?;
            self.settle()?;
        }
        Ok(())
    }

    fn settle(&self) -> Result<Settled, Box<dyn Error>> {
        Ok(self.network.settle(Duration::from_secs(60))?)
    }

    /// Prints who stands where.
    fn show(&mut self) -> Result<(), Box<dyn Error>> {
        for group in self.settle()?.groups {
            let (tip, length) = (group.chain.tip_hash(), group.chain.len());
            writeln!(self.out, "  nodes {} stand on block {length}, {tip:.8}", numbers(&group.nodes))?;
        }
        Ok(())
    }

    fn show_what_died(&mut self, settled: &Settled, branches: &[(&str, Blockchain)]) -> io::Result<()> {
        for (name, branch) in branches {
            let survives = settled.chain().is_some_and(|chain| branch.is_start_of(chain));
            let fate = if survives { "lives on" } else { "is dead" };
            writeln!(self.out, "  The {name} branch, {:.8}, {fate}.", branch.tip_hash())?;
        }
        Ok(())
    }

    /// Prints how many nodes have each transaction in their chain, and how many have it pending.
    fn show_whereabouts(&mut self, transactions: &[&Transaction]) -> Result<(), Box<dyn Error>> {
        for &transaction in transactions {
            let (mut mined, mut pending) = (0, 0);
            for node in self.network.nodes() {
                mined += usize::from(self.network.chain(node)?.confirmations(transaction) > 0);
                pending += usize::from(self.network.pending(node)?.contains(transaction));
            }
            let sender = transaction.sender();
            writeln!(
                self.out,
                "  {sender}'s transaction is in the chain of {mined} nodes and pending at {pending}."
            )?;
        }
        Ok(())
    }
}

/// Writes the numbers of nodes.
fn numbers(nodes: &[NodeId]) -> String {
    nodes.iter().map(|node| node.index().to_string()).collect::<Vec<_>>().join(" ")
}
