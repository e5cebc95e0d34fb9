//! What of a network is saved, as a value to compare; and networks to save.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use chainlab::{
    BlockHash, Difficulty, Genesis, Limits, Network, NodeId, Relay, Retarget, Rules, Snapshot, Transaction,
    network::{Config, Identity},
    pow::Target,
};

/// Longer than anything takes on whatever machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct State {
    pub(crate) rules: Rules,
    pub(crate) nodes: Vec<(String, String, Snapshot)>,
}

impl State {
    pub(crate) fn of(network: &Network) -> Self {
        let node = |node| {
            let (name, address) = (network.name(node).unwrap(), network.address(node).unwrap());
            (name.to_string(), address.to_string(), network.snapshot(node).unwrap())
        };
        Self { rules: network.rules().clone(), nodes: network.nodes().into_iter().map(node).collect() }
    }

    pub(crate) fn digest(&self) -> BlockHash {
        BlockHash::of(format!("{self:?}").as_bytes())
    }

    pub(crate) fn tips(&self) -> BTreeSet<BlockHash> {
        self.nodes.iter().map(|(.., snapshot)| snapshot.chain.tip_hash()).collect()
    }
}

pub(crate) fn load(dir: &Path) -> State {
    State::of(&Network::load(dir, Config::default()).unwrap())
}

pub(crate) fn quick_notebook() -> Rules {
    Rules::notebook().with_first_target(Target::leading_zero_bits(6))
}

/// Sealed rules under which "rich" can pay, and nodes learn only by asking.
pub(crate) fn quick_sealed() -> Rules {
    let retarget = Retarget::new(Target::leading_zero_bits(6), 8, Duration::from_nanos(1_000_001)).unwrap();
    let retarget = retarget.with_factor_max(2).unwrap().with_back_max(Duration::from_nanos(1));
    Rules {
        difficulty: Difficulty::Retargeted(retarget),
        genesis: Genesis::Shared { time: None, allocations: [("rich".into(), 1_000_000)].into() },
        relay: Relay::None,
        ..Rules::sealed()
    }
}

/// Three nodes, two of them on one chain, the third on another that has its beginning in common with it; something
/// pending, and peers out of order.
pub(crate) fn forked(rules: Rules) -> Network {
    let limits = Limits { resolve_timeout: PATIENCE, ..Limits::default() };
    let network = Network::with_config(rules, Config { limits, ..Config::default() });
    let identity = |name: &str| Identity { name: Some(name.into()), ..Identity::default() };
    let [a, b, c] = ["anna", "βήτα", "clé \"c\""].map(|name| network.spawn_as(identity(name)).unwrap());
    network.register(b, [c, a]).unwrap();
    network.register(c, [a]).unwrap();
    for _ in 0..3 {
        network.mine(a).unwrap();
    }
    network.resolve(b).unwrap();
    network.resolve(c).unwrap();
    network.mine(c).unwrap();
    for (node, amount) in [(a, 3), (c, 1), (c, 2)] {
        network.submit(node, Transaction::new("rich", "poor", amount)).unwrap();
    }
    network
}

/// The files of what is saved in a directory: `current`, and the generation that it names.
pub(crate) fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let current = fs::read_to_string(dir.join("current")).unwrap();
    let generation = dir.join(generation(&current, 0));
    let mut files: Vec<_> = fs::read_dir(generation).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.insert(0, dir.join("current"));
    files
}

/// The generation that a line of `current` names.
pub(crate) fn generation(current: &str, line: usize) -> String {
    current.lines().nth(line).unwrap().to_owned()
}

/// Writes lines and their checksum, as a save does.
pub(crate) fn write_sealed(path: &Path, lines: &str) {
    fs::write(path, format!("{lines}# {}\n", BlockHash::of(lines.as_bytes()))).unwrap();
}

/// The names in a directory, in order.
pub(crate) fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Whether nothing lies in the directory but one whole save.
pub(crate) fn is_tidy(dir: &Path) -> bool {
    let names = names(dir);
    matches!(&names[..], [current, generation, lock]
        if current == "current" && generation.starts_with("generation-") && lock == "lock")
}

pub(crate) fn node(number: u32) -> NodeId {
    NodeId::new(number)
}
