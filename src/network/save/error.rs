//! What can go wrong between a network and a disk.

use std::{io, path::PathBuf};

use crate::{
    blockchain::ChainError,
    hash::BlockHash,
    message::NodeId,
    verbs::{NodeError, SpawnError},
};

/// What the operating system has against an access to a file or a directory.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", .path.display())]
pub struct FileError {
    /// The file or directory.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// Why a network was not saved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SaveError {
    /// A file or directory could not be read, written, flushed or removed.
    #[error(transparent)]
    File(#[from] FileError),
    /// A node cannot be asked for what it has.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// What was written cannot be loaded: the disk gives back something else, or it is not what a load allows.
    #[error("what was written cannot be read back: {0}")]
    ReadBack(#[source] Box<LoadError>),
    /// The directory holds a file `current` that no save has written, or that is damaged. What it stands for must not
    /// be lost, so nothing is saved there.
    #[error("{} does not name a saved network, or is damaged; it stays as it is", .path.display())]
    Current {
        /// The file.
        path: PathBuf,
    },
}

/// Why no network was loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The directory, or its file `current`, does not exist.
    #[error("no network is saved in {}: there is no file \"current\"", .dir.display())]
    NothingSaved {
        /// The directory.
        dir: PathBuf,
    },
    /// A file could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file whose last line should be the checksum of the others, and is not.
    #[error("{} is damaged: its last line is not the checksum of the others", .path.display())]
    Seal {
        /// The file.
        path: PathBuf,
    },
    /// A file whose lines are none that a save writes, though their checksum is right.
    #[error("{} is not written by a save: expected {expected}, found {found:?}", .path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// What the line should be.
        expected: &'static str,
        /// The line, its first 80 characters.
        found: String,
    },
    /// A file that has another content than was saved.
    #[error("{} is damaged: its SHA-256 is {found}, but was {expected} when it was saved", .path.display())]
    Checksum {
        /// The file.
        path: PathBuf,
        /// The SHA-256 of what was saved.
        expected: BlockHash,
        /// The SHA-256 of what the file holds.
        found: BlockHash,
    },
    /// A file is needed that is not among those whose checksums were saved.
    #[error("{} is not listed in {}", .path.display(), .list.display())]
    Unlisted {
        /// The file.
        path: PathBuf,
        /// The list of checksums.
        list: PathBuf,
    },
    /// The network's document does not parse, though it is what was saved.
    #[error("{}: {message}", .path.display())]
    Document {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        message: String,
    },
    /// A chain's document does not parse, or the chain breaks a rule.
    #[error("{}: {source}", .path.display())]
    Chain {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the block's position.
        source: ChainError,
    },
    /// A chain does not end with the block that its file is named after, or has another length.
    #[error("{}: the chain has {length} blocks, and its tip is {found}", .path.display())]
    Tip {
        /// The file.
        path: PathBuf,
        /// How many blocks it has.
        length: u64,
        /// The hash of the chain's last block.
        found: BlockHash,
    },
    /// A node has a peer that it cannot have: one that is not there, itself, or one twice.
    #[error("{}: {node} has {peer} as a peer, of {nodes} nodes", .path.display())]
    Peer {
        /// The network's document.
        path: PathBuf,
        /// The node.
        node: NodeId,
        /// The peer.
        peer: NodeId,
        /// How many nodes there are.
        nodes: usize,
    },
    /// A node's thread could not be started.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// A node that was started cannot be asked.
    #[error(transparent)]
    Node(#[from] NodeError),
}
