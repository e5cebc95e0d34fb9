//! Finds proofs, so that tests can make chains of their own.

use chainlab::{Block, Blockchain, PreviousHash, Rules, Timestamp, Transaction, pow::Search};

/// Makes a block that the rules allow on top of a chain, as far as its link and its proof go.
pub(crate) fn mine(
    chain: &Blockchain,
    rules: &Rules,
    transactions: Vec<Transaction>,
    timestamp: Timestamp,
) -> Block {
    let previous_hash = PreviousHash::Hash(chain.tip_hash());
    let block = Block::new(chain.len() + 1, timestamp, transactions, 0, previous_hash);
    let challenge = rules.challenge(&block, chain.last_block(), chain.tip_hash());
    let proof = Search::new(challenge, chain.next_target(rules)).run(u64::MAX).expect("the target is easy");
    block.with_proof(proof.expect("the search runs to its end"))
}
