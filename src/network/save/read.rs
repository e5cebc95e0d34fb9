//! Loading.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    path::{Path, PathBuf},
};

use super::{
    error::LoadError,
    files,
    layout::{
        CHECKSUMS, NETWORK, NetworkDocument, NodeDocument, Tip, chain_file, check_format, read_checksum_line,
        unseal,
    },
};
use crate::{
    blockchain::{Blockchain, ChainError},
    command::{Command, Snapshot},
    event::Happening,
    hash::BlockHash,
    message::NodeId,
    network::{Config, Network},
    node::Node,
    rules::Rules,
    text::{shortened, shortened_sentence},
    verbs::{Identity, SpawnError},
};

impl Network {
    /// Loads the network that [`Network::save`] has saved in a directory, and starts it: every node runs, has the
    /// number, name, address, chain, pending transactions and peers that it had, and mines nothing until it is told to.
    ///
    /// Nothing is taken on trust: every file is held against its checksum, every chain is verified by the rules, and
    /// every pending transaction is submitted again. One that cannot be mined, or finds no room under the loader's limits,
    /// is dropped, and counted by the [report](Network::report) among the transactions lost.
    ///
    /// It costs in proportion to the blocks of all distinct chains. Chains share the blocks that they have in common: N nodes
    /// that agree on n blocks take O(N + n) memory.
    ///
    /// Where blocks are gossiped, the nodes announce their tips to their peers again, as what was on its way is lost.
    ///
    /// # Errors
    ///
    /// The file that is missing, damaged, or holds what the rules refuse; rules that cannot be kept together; a thread that
    /// cannot be started.
    ///
    /// ```
    /// use chainlab::{Network, network::Config};
    ///
    /// let dir = tempfile::tempdir()?;
    /// let error = Network::load(dir.path(), Config::default()).unwrap_err();
    /// assert!(error.to_string().ends_with("there is no file \"current\""));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn load(dir: impl AsRef<Path>, config: Config) -> Result<Self, LoadError> {
        let dir = dir.as_ref();
        let _lock = files::lock_to_load(dir)?;
        let current = files::current(dir)?.ok_or_else(|| LoadError::NothingSaved { dir: dir.to_owned() })?;
        let files = ListedFiles::open(dir.join(current.generation.to_string()))?;
        let NetworkDocument { rules, nodes, .. } = read_network(&files)?;
        rules.check_together().map_err(SpawnError::from)?;

        let network = Self::with_config(rules, config);
        let chains = read_chains(&files, &nodes, network.rules())?;
        let mut peers = Vec::new();
        for (document, id) in nodes.into_iter().zip((0..).map(NodeId::new)) {
            let chain = chains[&document.tip()].clone();
            let NodeDocument { name, address, behaviour, .. } = document;
            let identity = Identity { name: Some(name), address: Some(address), behaviour };
            // Its peers are registered once all are there.
            let left = Snapshot { chain, pending: document.pending, peers: Vec::new() };
            let mut lost = Vec::new();
            network.add(identity, |config, _| {
                let (node, refused) = Node::restored(config, left);
                lost = refused;
                node
            })?;
            for (transaction, reason) in lost {
                network.driver.shared.happened(id, Happening::lost(transaction, reason));
            }
            peers.push((id, document.peers));
        }
        // Only now does each node's every peer have a thread to hear what it announces.
        let registered: Vec<_> = peers
            .into_iter()
            .map(|(id, peers)| network.driver.shared.command(id, Command::Register(peers)))
            .collect();
        for question in registered {
            question?.answer()?;
        }
        Ok(network)
    }
}

/// A generation's files, as its list of checksums has them.
pub(super) struct ListedFiles {
    dir: PathBuf,
    list: PathBuf,
    checksums: BTreeMap<String, BlockHash>,
}

impl ListedFiles {
    pub(super) fn open(dir: PathBuf) -> Result<Self, LoadError> {
        let list = dir.join(CHECKSUMS);
        let content = files::read(&list)?;
        let Some(lines) = unseal(&content) else { return Err(LoadError::Seal { path: list }) };
        let mut checksums = BTreeMap::new();
        for line in lines.lines() {
            let Some((name, checksum)) = read_checksum_line(line) else {
                let found = shortened(line);
                return Err(LoadError::Line { path: list, expected: "a checksum and a name", found });
            };
            checksums.insert(name.to_owned(), checksum);
        }
        Ok(Self { dir, list, checksums })
    }

    /// Reads a document that is what was saved. Returns its path too, for errors.
    fn read(&self, name: &str) -> Result<(PathBuf, String), LoadError> {
        let path = self.dir.join(name);
        let Some(&expected) = self.checksums.get(name) else {
            return Err(LoadError::Unlisted { path, list: self.list.clone() });
        };
        let content = files::read(&path)?;
        let found = BlockHash::of(&content);
        if found != expected {
            return Err(LoadError::Checksum { path, expected, found });
        }
        match String::from_utf8(content) {
            Ok(text) => Ok((path, text)),
            Err(error) => Err(LoadError::Document { path, message: error.to_string() }),
        }
    }
}

/// Reads everything but the chains.
pub(super) fn read_network(files: &ListedFiles) -> Result<NetworkDocument, LoadError> {
    let (path, json) = files.read(NETWORK)?;
    let refused = |message| LoadError::Document { path: path.clone(), message: shortened_sentence(message) };
    check_format(&json).map_err(refused)?;
    let document: NetworkDocument =
        serde_json::from_str(&json).map_err(|error| refused(error.to_string()))?;
    check_peers(&path, &document.nodes)?;
    Ok(document)
}

/// The parts of chains that others may share: up to each of their blocks.
type Parts = BTreeMap<Tip, Blockchain>;

/// Reads and verifies the chains of all nodes, by their tips.
pub(super) fn read_chains(
    files: &ListedFiles,
    nodes: &[NodeDocument],
    rules: &Rules,
) -> Result<BTreeMap<Tip, Blockchain>, LoadError> {
    let (mut chains, mut parts) = (BTreeMap::new(), Parts::new());
    let agree = nodes.windows(2).all(|two| two[0].tip() == two[1].tip());
    for tip in nodes.iter().map(NodeDocument::tip) {
        if let Entry::Vacant(new) = chains.entry(tip) {
            let chain = new.insert(read_chain(files, tip, rules, &parts)?);
            let mut next = Some(chain.clone()).filter(|_| !agree);
            while let Some(part) = next.take()
                && let Entry::Vacant(place) = parts.entry((part.len(), part.tip_hash()))
            {
                next = part.parent();
                place.insert(part);
            }
        }
    }
    Ok(chains)
}

/// Reads and verifies a chain; what it has in common with one that was read before is shared with that one.
fn read_chain(files: &ListedFiles, tip: Tip, rules: &Rules, parts: &Parts) -> Result<Blockchain, LoadError> {
    let (path, json) = files.read(&chain_file(tip))?;
    let chain = match Blockchain::from_json(&json, rules) {
        Ok(chain) if (chain.len(), chain.tip_hash()) == tip => chain,
        Ok(chain) => return Err(LoadError::Tip { path, length: chain.len(), found: chain.tip_hash() }),
        Err(source) => return Err(LoadError::Chain { path, source }),
    };
    let Some(common) = chain.back().find_map(|place| parts.get(&place)) else { return Ok(chain) };
    // Appended anew, the rest shares its accounts with those of the common part too.
    let (after, fingerprint) = (common.len(), rules.fingerprint());
    let mut rest = chain.iter_after(after);
    let shared =
        rest.try_fold(common.clone(), |shared, block| shared.append_under(block.clone(), rules, fingerprint));
    shared.map_err(|invalid| LoadError::Chain { path, source: ChainError::Invalid(invalid) })
}

fn check_peers(path: &Path, nodes: &[NodeDocument]) -> Result<(), LoadError> {
    for (document, node) in nodes.iter().zip((0..).map(NodeId::new)) {
        let mut seen = BTreeSet::from([node]);
        for &peer in &document.peers {
            if peer.index() >= nodes.len() || !seen.insert(peer) {
                return Err(LoadError::Peer { path: path.to_owned(), node, peer, nodes: nodes.len() });
            }
        }
    }
    Ok(())
}
