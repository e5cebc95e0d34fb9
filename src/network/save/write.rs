//! Saving.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{
    error::{FileError, LoadError, SaveError},
    files,
    layout::{
        CHECKSUMS, CURRENT, Current, NETWORK, NetworkDocument, NodeDocument, chain_file, checksum_line, seal,
    },
    read::{ListedFiles, read_chains, read_network},
};
use crate::{
    command::{Answer, Command, Snapshot},
    hash::BlockHash,
    message::NodeId,
    network::Network,
    verbs::{NodeError, SpawnError},
};

impl Network {
    /// Saves the network in a directory, which is made if it is not there: the rules, and every node's name, address,
    /// chain, pending transactions and peers.
    ///
    /// A process that is killed, or a computer that loses its power, at any moment of a save leaves what was saved
    /// before or what is being saved, whole. The new generation is written beside the old one, every file and directory
    /// of it flushed to the disk, and all of it read back as a load would; then one file is renamed that names the
    /// current one; only then is the old one removed. What a save that was cut off leaves behind is removed by the
    /// next. Whatever else lies in the directory stays there, whatever its name; but for a folder with the name of the
    /// generation that the last save has removed, if nothing is in it that a save does not write: it is taken for that.
    /// (Windows cannot flush a directory. There a kill does no harm either; that a power cut does none is up to its
    /// file system.)
    ///
    /// ```text
    /// lock                         held while somebody saves or loads
    /// current                      the names of the current generation and the one before, and a checksum
    /// current.new                  becomes `current`; there while somebody saves
    /// generation-7/SHA256SUMS      the checksums of the two below, which `sha256sum --check` reads too
    /// generation-7/network.json    the rules and the nodes
    /// generation-7/chain-<length>-<tip>.json
    /// ```
    ///
    /// A chain's document is the notebook's `{"chain": [...], "length": n}`. Nodes with the same chain share it: the
    /// space taken is in proportion to the nodes, what is pending at them, and the blocks of all distinct chains; so is the
    /// time, to verify every chain when it is read back, and the memory meanwhile.
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
    /// What could not be written, by its path, or was read back otherwise; a puppet, whose part no document can play; a
    /// file `current` that is damaged or no save's. What was saved before stays, but for one case: if all is written
    /// and the directory's last flush fails, the new state is there, and what a power cut would leave is not known.
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
        files::remove_old(dir, old)?;
        let before = old.map(|old| old.generation);
        let new = Current { generation: files::next_generation(dir, before), before };
        if let Err(error) = self.prepare(dir, new, snapshots) {
            // A full disk should not stay full of what nobody can use. What cannot be removed now, the next save will.
            let _ = files::remove_old(dir, old);
            return Err(error);
        }
        files::switch_current(dir)?;
        // It is saved. What cannot be removed now, the next save will.
        let _ = files::remove_old(dir, Some(new));
        Ok(())
    }

    /// Does all of a save but to make the new generation the current one.
    fn prepare(&self, dir: &Path, new: Current, snapshots: Vec<Snapshot>) -> Result<(), SaveError> {
        files::prepare_current(dir, new)?;
        let generation = dir.join(new.generation.to_string());
        self.write_generation(&generation, snapshots)?;
        files::flush_directory(dir)?;
        read_back(generation).map_err(|error| SaveError::ReadBack(Box::new(error)))
    }

    fn write_generation(&self, dir: &Path, snapshots: Vec<Snapshot>) -> Result<(), SaveError> {
        files::create_directory(dir)?;
        let chains =
            snapshots.iter().map(|Snapshot { chain, .. }| ((chain.len(), chain.tip_hash()), chain.clone()));
        let chains: BTreeMap<_, _> = chains.collect();
        let mut checksums = String::new();
        for (tip, chain) in chains {
            checksums += &write_document(dir, &chain_file(tip), &chain.to_json())?;
        }
        let nodes = snapshots.into_iter().enumerate().map(|(number, snapshot)| {
            let node = NodeId::new(number as u32);
            let (name, address) = (self.name(node)?.to_string(), self.address(node)?.to_string());
            let behaviour = self.driver.shared.member(node)?.behaviour.clone();
            Ok(NodeDocument::new(name, address, behaviour, snapshot))
        });
        let nodes = nodes.collect::<Result<_, NodeError>>()?;
        let document = NetworkDocument::new(self.rules().clone(), nodes);
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
            let questions: Vec<_> =
                nodes.iter().map(|&node| self.driver.shared.command(node, Command::Snapshot)).collect();
            for (&node, question) in nodes.iter().zip(questions) {
                let snapshot = match question.and_then(|question| question.answer()) {
                    Ok(Answer::Snapshot(snapshot)) => snapshot,
                    Ok(other) => unreachable!("a command is answered by its own name, not by {other:?}"),
                    Err(down @ NodeError::Down { .. }) => {
                        self.driver.shared.nodes.look(|table| table.row(node)?.left().ok_or(down))?
                    }
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

/// Reads a generation as a load would: an old one is given up only for one that will be found again.
fn read_back(generation: PathBuf) -> Result<(), LoadError> {
    let files = ListedFiles::open(generation)?;
    let NetworkDocument { rules, nodes, .. } = read_network(&files)?;
    rules.check_together().map_err(SpawnError::from)?;
    read_chains(&files, &nodes, &rules).map(drop)
}

/// Writes a document and returns its line in the list of checksums.
fn write_document(dir: &Path, name: &str, json: &str) -> Result<String, FileError> {
    files::write(&dir.join(name), json.as_bytes())?;
    Ok(checksum_line(name, BlockHash::of(json.as_bytes())))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{
        blockchain::Blockchain,
        network::{Config, save::layout::Generation},
        pow::Target,
        rules::{Relay, Rules},
        time::Time,
    };

    fn first() -> Current {
        Current { generation: Generation::after(None), before: None }
    }

    #[test]
    fn rules_that_cannot_be_together_take_the_place_of_nothing() {
        let dir = tempfile::tempdir().unwrap();
        Network::new(Rules::sealed()).save(dir.path()).unwrap();
        let rules = Rules { relay: Relay::Announce, ..Rules::notebook() };
        let error = Network::new(rules).save(dir.path()).unwrap_err();
        assert!(matches!(error, SaveError::ReadBack(_)), "{error}");
        assert_eq!(Network::load(dir.path(), Config::default()).unwrap().rules().relay, Relay::Push);
    }

    /// What was saved before it is still there.
    #[test]
    fn what_cannot_be_loaded_is_not_saved() {
        let network = Network::new(Rules::sealed());
        let node = network.spawn().unwrap();
        let dir = tempfile::tempdir().unwrap();
        network.save(dir.path()).unwrap();
        let saved = network.chain(node).unwrap();
        let old = files::current(dir.path()).unwrap().unwrap().generation;
        let new = Current { generation: Generation::after(Some(old)), before: Some(old) };
        let mut snapshots = network.snapshots().unwrap();
        snapshots[0].peers = vec![NodeId::new(7)];
        let error = network.prepare(dir.path(), new, snapshots).unwrap_err();
        assert!(error.to_string().starts_with("what was written cannot be read back: "), "{error}");
        let SaveError::ReadBack(error) = error else { panic!("{error}") };
        assert!(matches!(*error, LoadError::Peer { .. }), "{error}");
        let loaded = Network::load(dir.path(), Config::default()).unwrap();
        assert_eq!(loaded.chain(node).unwrap(), saved);
    }

    /// By the notebook's rules a chain may begin with any block: one with the same blocks at other positions is another.
    #[test]
    fn chains_that_begin_with_each_other_s_blocks_are_read_back() {
        let rules = Rules::notebook().with_first_target(Target::EASIEST);
        let grown = |chain: Blockchain| chain.mine_next(&rules, [], "miner", Time::from_secs(1)).unwrap();
        let whole = grown(grown(Blockchain::start(&rules, Time::UNIX_EPOCH).unwrap()));
        let [second, third] = [2, 3].map(|position| whole.block(position).unwrap().clone());
        let begun = Blockchain::with_genesis(second, &rules).and_then(|begun| begun.append(third, &rules));
        let longer = grown(begun.unwrap());
        // With the same last block, too.
        let shorter = longer.parent().unwrap();
        assert_eq!(shorter.tip_hash(), whole.tip_hash());
        for chains in [[&whole, &longer], [&longer, &whole], [&whole, &shorter], [&shorter, &whole]] {
            let network = Network::new(rules.clone());
            for _ in chains {
                network.spawn().unwrap();
            }
            let dir = tempfile::tempdir().unwrap();
            let mut snapshots = network.snapshots().unwrap();
            for (snapshot, chain) in snapshots.iter_mut().zip(chains) {
                snapshot.chain = chain.clone();
            }
            network.prepare(dir.path(), first(), snapshots).unwrap();
            let files = ListedFiles::open(dir.path().join(first().generation.to_string())).unwrap();
            let NetworkDocument { nodes, .. } = read_network(&files).unwrap();
            let read = read_chains(&files, &nodes, &rules).unwrap();
            assert!(nodes.iter().zip(chains).all(|(node, chain)| read[&node.tip()] == *chain));
        }
    }

    #[test]
    fn what_is_read_back_otherwise_is_found() {
        let network = Network::new(Rules::sealed());
        network.spawn().unwrap();
        let dir = tempfile::tempdir().unwrap();
        network.prepare(dir.path(), first(), network.snapshots().unwrap()).unwrap();
        let generation = dir.path().join(first().generation.to_string());
        for entry in fs::read_dir(&generation).unwrap() {
            let path = entry.unwrap().path();
            let whole = fs::read(&path).unwrap();
            let mut damaged = whole.clone();
            damaged[whole.len() / 2] ^= 1;
            fs::write(&path, damaged).unwrap();
            assert!(read_back(generation.clone()).is_err(), "{}", path.display());
            fs::write(&path, whole).unwrap();
        }
        read_back(generation).unwrap();
    }
}
