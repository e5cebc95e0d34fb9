//! Saving.

use std::{collections::BTreeMap, path::Path};

use super::{
    error::{FileError, LoadError, SaveError},
    files,
    layout::{
        CHECKSUMS, CURRENT, Generation, NETWORK, NetworkDocument, NodeDocument, chain_file, checksum_line,
        seal,
    },
};
use crate::{
    command::{Answer, Command, Snapshot},
    hash::BlockHash,
    message::NodeId,
    network::{Network, NodeError},
};

impl Network {
    /// Saves the network in a directory, which is made if it is not there: the rules, and every node's name, address,
    /// chain, pending transactions and peers.
    ///
    /// A process that is killed, or a computer that loses its power, at any moment of a save leaves what was saved
    /// before or what is being saved, whole. The new generation is written beside the old one, and every file and
    /// directory of it flushed to the disk; then one file is renamed that names the current one; only then is the old
    /// one removed. What a save that was cut off leaves behind is removed by the next. (Windows cannot flush a
    /// directory. There a kill does no harm either; that a power cut does none is up to its file system.)
    ///
    /// ```text
    /// lock                         held while somebody saves or loads
    /// current                      the name of the current generation, and a checksum
    /// generation-7/SHA256SUMS      the checksums of the two below, which `sha256sum --check` reads too
    /// generation-7/network.json    the rules and the nodes
    /// generation-7/chain-<tip>.json
    /// ```
    ///
    /// A chain's document is the notebook's `{"chain": [...], "length": n}`. Nodes with the same chain share it: the
    /// space taken is in proportion to the nodes, what is pending at them, and the blocks of all distinct chains.
    ///
    /// Nodes go on working meanwhile. What is saved of each is of one moment, but not of the same moment for all. A
    /// node that is down is saved with what it left: one that crashed or panicked has nothing pending, one that was
    /// shut down has. What is on its way from node to node is not saved, nor is whether a node mines.
    ///
    /// Of several saves to one directory at once, from any number of threads and processes, each waits for the one
    /// before; loads wait too.
    ///
    /// # Errors
    ///
    /// What could not be written, by its path; a puppet, whose part no document can play; a file `current` that
    /// is damaged or no save's. What was saved before stays, but for one case: if all is written and the directory's
    /// last flush fails, the new state is there, and what a power cut would leave is not known.
    ///
    /// ```
    /// use chainlab::{Network, Rules, network::Config};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let alice = network.spawn()?;
    /// network.mine(alice)?;
    ///
    /// let dir = tempfile::tempdir()?;
    /// network.save(dir.path())?;
    /// let loaded = Network::load(dir.path(), Config::default())?;
    /// assert_eq!(loaded.chain(alice)?, network.chain(alice)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn save(&self, dir: impl AsRef<Path>) -> Result<(), SaveError> {
        let dir = dir.as_ref();
        files::create_directories(dir)?;
        let _lock = files::lock_to_save(dir)?;
        let old = files::current(dir).map_err(|error| match error {
            LoadError::File(error) => SaveError::File(error),
            _ => SaveError::Current { path: dir.join(CURRENT) },
        })?;
        let snapshots = self.snapshots()?;
        files::remove_all_but(dir, old)?;
        let new = Generation::after(old);
        let generation = dir.join(new.to_string());
        let written = self.write_generation(&generation, snapshots).and_then(|()| {
            files::prepare_current(dir, new)?;
            Ok(files::flush_directory(dir)?)
        });
        if let Err(error) = written {
            // A full disk should not stay full of what nobody can use. What cannot be removed now, the next save will.
            let _ = files::remove_all_but(dir, old);
            return Err(error);
        }
        files::switch_current(dir)?;
        // It is saved. What cannot be removed now, the next save will.
        let _ = files::remove_all_but(dir, Some(new));
        Ok(())
    }

    fn write_generation(&self, dir: &Path, snapshots: Vec<Snapshot>) -> Result<(), SaveError> {
        files::create_directory(dir)?;
        let chains: BTreeMap<_, _> =
            snapshots.iter().map(|snapshot| (snapshot.chain.tip_hash(), snapshot.chain.clone())).collect();
        let mut checksums = String::new();
        for (tip, chain) in chains {
            checksums += &write_document(dir, &chain_file(tip), &chain.to_json())?;
        }
        let nodes = snapshots.into_iter().enumerate().map(|(number, snapshot)| {
            let member = self.shared.member(NodeId::new(number as u32))?;
            let Snapshot { chain, pending, peers } = snapshot;
            let (name, address) = (member.name.to_string(), member.address.to_string());
            Ok(NodeDocument { name, address, tip: chain.tip_hash(), peers, pending })
        });
        let nodes = nodes.collect::<Result<_, NodeError>>()?;
        let document = NetworkDocument { rules: self.rules().clone(), nodes };
        let json = serde_json::to_string_pretty(&document).expect("the document has string keys");
        checksums += &write_document(dir, NETWORK, &json)?;
        files::write(&dir.join(CHECKSUMS), seal(&checksums).as_bytes())?;
        Ok(files::flush_directory(dir)?)
    }

    /// Asks all nodes for what is to be saved of them: those that there are now, and whichever of the later ones are
    /// their peers.
    fn snapshots(&self) -> Result<Vec<Snapshot>, NodeError> {
        let mut snapshots: Vec<Snapshot> = Vec::new();
        loop {
            let nodes = self.nodes().split_off(snapshots.len());
            let questions: Vec<_> = nodes.iter().map(|&node| self.put(node, Command::Snapshot)).collect();
            for (&node, question) in nodes.iter().zip(questions) {
                let snapshot = match question.and_then(|question| question.answer()) {
                    Ok(Answer::Snapshot(snapshot)) => snapshot,
                    Ok(other) => unreachable!("a command is answered by its own name, not by {other:?}"),
                    Err(down @ NodeError::Down { .. }) => self.shared.member(node)?.left().ok_or(down)?,
                    Err(error) => return Err(error),
                };
                snapshots.push(snapshot);
            }
            let is_known = |peer: &NodeId| peer.index() < snapshots.len();
            if snapshots.iter().flat_map(|snapshot| &snapshot.peers).all(is_known) {
                return Ok(snapshots);
            }
        }
    }
}

/// Writes a document and returns its line in the list of checksums.
fn write_document(dir: &Path, name: &str, json: &str) -> Result<String, FileError> {
    files::write(&dir.join(name), json.as_bytes())?;
    Ok(checksum_line(name, BlockHash::of(json.as_bytes())))
}
