//! What lies where, and what the files hold that are no documents.

use std::{fmt, str};

use serde::{Deserialize, Serialize};

use crate::{
    command::Snapshot, hash::BlockHash, message::NodeId, rules::Rules, strategy::Behaviour, text::shortened,
    transaction::Transaction,
};

/// Holds a [`Current`], sealed.
pub(super) const CURRENT: &str = "current";
/// Is there before the generation that it names, and becomes `current` when that is whole.
pub(super) const CURRENT_NEW: &str = "current.new";
/// Is locked by whoever saves or loads, and is always empty.
pub(super) const LOCK: &str = "lock";
/// In a generation: the checksums of its documents, sealed.
pub(super) const CHECKSUMS: &str = "SHA256SUMS";
/// In a generation: everything but the chains.
pub(super) const NETWORK: &str = "network.json";

/// What a chain is told by: how many blocks it has, and the hash of the last. A hash alone would not do, as by the
/// notebook's rules a first block may name one before it.
pub(super) type Tip = (u64, BlockHash);

/// The name of a chain's file.
pub(super) fn chain_file((length, tip): Tip) -> String {
    format!("chain-{length}-{tip}.json")
}

/// Tells whether a name is one that a save gives to a file of a generation.
pub(super) fn is_in_generation(name: &str) -> bool {
    let tip = || {
        let (length, tip) = name.strip_prefix("chain-")?.strip_suffix(".json")?.split_once('-')?;
        Some((length.parse().ok()?, tip.parse().ok()?))
    };
    // One name for each: no leading zeros, no sign.
    name == CHECKSUMS || name == NETWORK || tip().is_some_and(|tip| chain_file(tip) == name)
}

/// One save of a network: the directory `generation-7`, say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Generation(u64);

impl Generation {
    /// The generation that takes the place of another, or is the first.
    pub(super) fn after(old: Option<Self>) -> Self {
        // No network is saved 2^64 times, but a name may have been written by hand.
        Self(old.map_or(1, |Self(number)| number.wrapping_add(1)))
    }

    /// Reads a directory's name.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        let generation = Self(name.strip_prefix("generation-")?.parse().ok()?);
        // One name for each: no leading zeros, no sign.
        (generation.to_string() == name).then_some(generation)
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "generation-{}", self.0)
    }
}

/// Which generation is the current one, and which one it takes the place of: that is removed, or was being removed when
/// a save was cut off. Saves remove no generation but those that they have written down in this way, so that whatever
/// else lies beside them is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Current {
    pub(super) generation: Generation,
    pub(super) before: Option<Generation>,
}

impl Current {
    pub(super) fn from_lines(lines: &str) -> Option<Self> {
        let mut generations = lines.strip_suffix('\n')?.split('\n').map(Generation::from_name);
        let current = Self { generation: generations.next()??, before: generations.next().flatten() };
        // As it would be written.
        (current.to_string() == lines).then_some(current)
    }
}

impl fmt::Display for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let generations = [Some(self.generation), self.before];
        generations.into_iter().flatten().try_for_each(|generation| writeln!(f, "{generation}"))
    }
}

/// Adds a last line to whole lines: their SHA-256. It starts as `sha256sum --check` wants a comment to.
pub(super) fn seal(lines: &str) -> String {
    format!("{lines}# {}\n", BlockHash::of(lines.as_bytes()))
}

/// Returns the lines that were sealed, if not a bit of them or the seal has changed.
pub(super) fn unseal(content: &[u8]) -> Option<&str> {
    let text = str::from_utf8(content).ok()?;
    let (lines, _) = text.split_at_checked(text.len().checked_sub(seal("").len())?)?;
    (seal(lines) == text).then_some(lines)
}

/// Writes a file's line in the list of checksums, as `sha256sum` does.
pub(super) fn checksum_line(name: &str, checksum: BlockHash) -> String {
    format!("{checksum}  {name}\n")
}

/// Reads a file's line in the list of checksums.
pub(super) fn read_checksum_line(line: &str) -> Option<(&str, BlockHash)> {
    let (checksum, name) = line.split_once("  ")?;
    Some((name, checksum.parse().ok()?))
}

/// What a network's document says that it is.
const FORMAT: &str = "chainlab network";
/// The version of the layout that is written, and the one that is read.
const VERSION: u64 = 1;

/// Checks what a network's document says that it is.
///
/// # Errors
///
/// It is something else, or of another version.
pub(super) fn check_format(text: &str) -> Result<(), String> {
    #[derive(Deserialize)]
    struct Named {
        #[serde(default)]
        format: String,
        #[serde(default)]
        version: u64,
    }
    let Named { format, version } = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if format != FORMAT {
        return Err(format!("the format is {:?}, not {FORMAT:?}", shortened(&format)));
    }
    match version {
        VERSION => Ok(()),
        found => Err(format!("version {found} of the format is not known here; version {VERSION} is")),
    }
}

/// Everything of a network but its chains.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NetworkDocument {
    format: String,
    version: u64,
    pub(super) rules: Rules,
    pub(super) nodes: Vec<NodeDocument>,
}

impl NetworkDocument {
    pub(super) fn new(rules: Rules, nodes: Vec<NodeDocument>) -> Self {
        Self { format: FORMAT.into(), version: VERSION, rules, nodes }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NodeDocument {
    pub(super) name: String,
    pub(super) address: String,
    /// Left out where it is the usual one.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub(super) behaviour: Behaviour,
    /// How many blocks its chain has.
    length: u64,
    /// The hash of its chain's last block.
    tip: BlockHash,
    /// In the order in which they were registered.
    pub(super) peers: Vec<NodeId>,
    /// In the order in which they came.
    pub(super) pending: Vec<Transaction>,
}

impl NodeDocument {
    pub(super) fn new(name: String, address: String, behaviour: Behaviour, snapshot: Snapshot) -> Self {
        let Snapshot { chain, pending, peers } = snapshot;
        Self { name, address, behaviour, length: chain.len(), tip: chain.tip_hash(), peers, pending }
    }

    /// What its chain is told by.
    pub(super) fn tip(&self) -> Tip {
        (self.length, self.tip)
    }
}

fn is_usual(behaviour: &Behaviour) -> bool {
    *behaviour == Behaviour::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_breaks_with_any_bit_and_any_length() {
        let sealed = seal("generation-7\n");
        assert_eq!(unseal(sealed.as_bytes()), Some("generation-7\n"));
        for at in 0..sealed.len() {
            assert_eq!(unseal(&sealed.as_bytes()[..at]), None);
            for bit in 0..8 {
                let mut damaged = sealed.clone().into_bytes();
                damaged[at] ^= 1 << bit;
                assert_eq!(unseal(&damaged), None);
            }
        }
        assert_eq!(unseal("é".repeat(40).as_bytes()), None);
    }

    #[test]
    fn a_generation_has_one_name() {
        for name in ["generation-0", "generation-7", "generation-18446744073709551615"] {
            assert_eq!(Generation::from_name(name).unwrap().to_string(), name);
        }
        for name in [
            "generation-",
            "generation-07",
            "generation-+7",
            "generation-7 ",
            "generation-18446744073709551616",
        ] {
            assert_eq!(Generation::from_name(name), None);
        }
        let last = Generation::from_name("generation-18446744073709551615");
        assert_eq!(Generation::after(last).to_string(), "generation-0");
        assert_eq!(Generation::after(None).to_string(), "generation-1");
    }

    #[test]
    fn current_names_one_generation_or_two() {
        for lines in ["generation-7\n", "generation-7\ngeneration-3\n"] {
            assert_eq!(Current::from_lines(lines).unwrap().to_string(), lines);
        }
        for lines in [
            "",
            "\n",
            "generation-7",
            "generation-7\n\n",
            "generation-7\nmine\n",
            "mine\ngeneration-7\n",
            "generation-7\ngeneration-3\ngeneration-2\n",
        ] {
            assert_eq!(Current::from_lines(lines), None, "{lines:?}");
        }
    }

    #[test]
    fn a_save_s_files_are_known_by_their_names() {
        for name in [CHECKSUMS, NETWORK, &chain_file((7, BlockHash::of(b"")))] {
            assert!(is_in_generation(name), "{name}");
        }
        let others =
            ["", "notes.txt", "chain-.json", "chain-1.json", "chain-1-.json", "network.json~", ".json"];
        let named = |length| format!("chain-{length}{}.json", BlockHash::of(b""));
        let of_other_lengths = ["", "-", "07-", "+7-", "-7-"].map(named);
        for name in others.into_iter().chain(of_other_lengths.iter().map(String::as_str)) {
            assert!(!is_in_generation(name), "{name}");
        }
    }
}
