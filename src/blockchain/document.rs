//! A chain's document: `{"chain": [...], "length": n}`, out and in.

use serde::{Serialize, ser::SerializeStruct};

use super::chain::{Blockchain, InvalidBlock};
use crate::{
    block::Block,
    document::{self, DocumentError, Read, Scanner},
    rules::{ProofRule, Rules},
};

impl Blockchain {
    /// Writes the chain's document, `{"chain": [...], "length": n}`, as Python's `json.dumps` does.
    pub fn to_json(&self) -> String {
        document::to_json(self)
    }

    /// Reads a chain's document and verifies the chain by the rules.
    ///
    /// Under the notebook's rules the verdict on what parses is that of the notebook's `valid_chain`, which looks at
    /// links and proofs alone. It costs in proportion to the text.
    ///
    /// # Errors
    ///
    /// Why the text is no such document, or the first block that breaks a rule.
    ///
    /// ```
    /// use chainlab::{Blockchain, Rules};
    ///
    /// let text = r#"{"length": 1, "chain": [
    ///     {"index": 1, "timestamp": 0.5, "transactions": [], "proof": 100, "previous_hash": 1}]}"#;
    /// let chain = Blockchain::from_json(text, &Rules::notebook())?;
    /// assert_eq!(chain.last_block().timestamp().to_string(), "0.5");
    ///
    /// let error = Blockchain::from_json(&text.replace("100", "-100"), &Rules::notebook()).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "block 1: field \"proof\": expected a whole number from 0 to 18446744073709551615, found -100"
    /// );
    /// # Ok::<(), chainlab::ChainError>(())
    /// ```
    pub fn from_json(text: &str, rules: &Rules) -> Result<Self, ChainError> {
        Self::from_blocks(read_blocks(text, rules)?, rules)
    }

    /// Verifies blocks by the rules and makes them a chain.
    ///
    /// # Errors
    ///
    /// The first block that breaks a rule, or that there is none.
    ///
    /// ```
    /// use chainlab::{Block, Blockchain, Rules};
    ///
    /// let text = r#"[{"index": 1, "timestamp": 0.5, "transactions": [], "proof": 100, "previous_hash": 1}]"#;
    /// let blocks: Vec<Block> = serde_json::from_str(text)?;
    /// let chain = Blockchain::from_blocks(blocks, &Rules::notebook())?;
    /// assert_eq!(chain.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_blocks(blocks: impl IntoIterator<Item = Block>, rules: &Rules) -> Result<Self, ChainError> {
        let mut blocks = blocks.into_iter();
        let fingerprint = rules.fingerprint();
        let genesis = blocks.next().ok_or(DocumentError::EmptyChain)?;
        let chain = Self::with_genesis(genesis, rules)?;
        Ok(blocks.try_fold(chain, |chain, block| chain.append_under(block, rules, fingerprint))?)
    }
}

/// Reads the blocks of a chain's document, of which nothing is verified.
pub(crate) fn read_blocks(text: &str, rules: &Rules) -> Result<Vec<Block>, DocumentError> {
    let read_block = |scanner: &mut Scanner<'_>, position| -> Read<Block> {
        let block = Block::read(scanner)?.and_then(|block| without_unknown_nonces(block, rules));
        Ok(block.map_err(|error| error.in_block(position)))
    };
    let (stated, blocks) = document::read(text, |scanner| {
        if scanner.is_at(b'[') {
            return scanner.value().map(|_| Err(DocumentError::BareList));
        }
        let (mut length, mut chain, mut proofs) = (None, None, None);
        let required = ["chain", "length"];
        let has_all = document::object(scanner, "document", required, &[PROOFS], |scanner, field| {
            match field {
                PROOFS => proofs = Some(drawn_proofs(scanner.value()?, rules)),
                "chain" => chain = Some(document::array(scanner, field, read_block)?),
                _ => length = Some(document::whole_number(field, scanner.value()?)),
            }
            Ok(())
        })?;
        Ok(has_all.and_then(|()| {
            if proofs.transpose()?.is_none() && rules.proof == ProofRule::Drawn {
                return Err(DocumentError::Missing {
                    place: Default::default(),
                    fields: [PROOFS.into()].into(),
                });
            }
            Ok((document::taken(length)?, document::taken(chain)?))
        }))
    })?;
    let actual = blocks.len() as u64;
    match blocks.is_empty() {
        _ if stated != actual => Err(DocumentError::Length { stated, actual }),
        true => Err(DocumentError::EmptyChain),
        false => Ok(blocks),
    }
}

/// In the document of a chain whose proofs are drawn, says so: nobody has checked them, and nobody can.
const PROOFS: &str = "proofs";
const DRAWN: &str = "drawn";

/// Refuses drawn proofs by rules that check them.
fn drawn_proofs(value: &str, rules: &Rules) -> Result<(), DocumentError> {
    match document::string(PROOFS, value)? == DRAWN {
        true if rules.proof == ProofRule::Drawn => Ok(()),
        true => Err(document::unexpected(PROOFS, "proofs that can be checked", value)),
        false => Err(document::unexpected(PROOFS, "\"drawn\"", value)),
    }
}

/// Refuses a nonce where the rules' documents do not have that field.
fn without_unknown_nonces(block: Block, rules: &Rules) -> Result<Block, DocumentError> {
    let stray = block.transactions().iter().position(|transaction| transaction.nonce().is_some());
    match stray.filter(|_| !rules.accounts) {
        None => Ok(block),
        Some(at) => Err(DocumentError::UnknownField { place: Default::default(), field: "nonce".into() }
            .in_transaction(at as u64 + 1)),
    }
}

impl Serialize for Blockchain {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_drawn = self.tip.fingerprint.is_drawn();
        let mut document = serializer.serialize_struct("Blockchain", 2 + usize::from(is_drawn))?;
        document.serialize_field("chain", &ChainBlocks(self))?;
        document.serialize_field("length", &self.len())?;
        if is_drawn {
            document.serialize_field(PROOFS, DRAWN)?;
        }
        document.end()
    }
}

/// A chain's blocks alone, as a JSON array.
pub(crate) struct ChainBlocks<'a>(pub(crate) &'a Blockchain);

impl Serialize for ChainBlocks<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0)
    }
}

/// Why a text is no valid chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// The text is no chain's document; the chain was not judged.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The chain breaks a rule.
    #[error(transparent)]
    Invalid(#[from] InvalidBlock),
}
