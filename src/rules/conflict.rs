//! What no type excludes: rules that cannot be kept together.

use std::{collections::BTreeMap, sync::Arc};

use super::{Checks, Genesis, Relay, Rules, Violation};
use crate::text::shortened;

impl Rules {
    /// Checks that the rules can be kept together. A network does so whenever a node is started, and a chain and a node
    /// when they start by themselves. It costs in proportion to the genesis's allocations.
    ///
    /// # Errors
    ///
    /// A field whose value others rule out.
    ///
    /// ```
    /// use chainlab::{Relay, Rules};
    ///
    /// let error = Rules { relay: Relay::Push, ..Rules::notebook() }.check_together().unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "relay is push, but genesis is own_of_each_node: a block would connect to nobody else's chain"
    /// );
    /// ```
    pub fn check_together(&self) -> Result<(), RulesError> {
        match &self.genesis {
            Genesis::OwnOfEachNode { .. } if self.relay.is_on() => {
                return Err(RulesError::Relay { relay: self.relay });
            }
            Genesis::OwnOfEachNode { .. } => {}
            Genesis::Shared { allocations, .. } => {
                allocations_are_counted(allocations, self)?;
                allocations_can_be_spent(allocations, self)?;
            }
        }
        fallback_is_a_part(self)?;
        reward_has_room(self)
    }
}

/// No more blocks fall back than there are.
fn fallback_is_a_part(rules: &Rules) -> Result<(), RulesError> {
    match rules.relay {
        Relay::Compact { fallback_percent } if fallback_percent > 100 => {
            Err(RulesError::FallbackPercent { fallback_percent })
        }
        _ => Ok(()),
    }
}

/// Coins are given only where they are counted.
fn allocations_are_counted(allocations: &BTreeMap<Arc<str>, u64>, rules: &Rules) -> Result<(), RulesError> {
    match allocations.first_key_value().filter(|_| !rules.accounts) {
        None => Ok(()),
        Some((address, &coins)) => {
            Err(RulesError::AllocationsUncounted { address: shortened(address), coins })
        }
    }
}

/// Coins are given to addresses that a block can name.
fn allocations_can_be_spent(allocations: &BTreeMap<Arc<str>, u64>, rules: &Rules) -> Result<(), RulesError> {
    let address_chars_max = rules.address_chars_max;
    let is_too_long = |address: &&Arc<str>| address.chars().nth(address_chars_max).is_some();
    match allocations.keys().find(is_too_long) {
        Some(address) if rules.checks == Checks::WholeBlocks => {
            let (address, found) = (shortened(address), address.chars().count());
            Err(RulesError::AllocationAddress { address, found, address_chars_max })
        }
        _ => Ok(()),
    }
}

/// A block has room for its reward, though not for every miner's address.
fn reward_has_room(rules: &Rules) -> Result<(), RulesError> {
    match rules.check_miner("") {
        Err(Violation::TooManyBytes { most, found }) => {
            Err(RulesError::BlockBytes { block_bytes_max: most, needed: found })
        }
        _ => Ok(()),
    }
}

impl RulesError {
    /// Returns where in the rules' document the field stands whose value is ruled out.
    pub(crate) fn place(&self) -> String {
        match self {
            Self::Relay { .. } => "relay".into(),
            Self::FallbackPercent { .. } => "relay.compact.fallback_percent".into(),
            Self::BlockBytes { .. } => "block_bytes_max".into(),
            Self::AllocationsUncounted { address, .. } | Self::AllocationAddress { address, .. } => {
                format!("genesis.shared.allocations.{address}")
            }
        }
    }
}

/// Why no network can be run by rules: a field and what rules its value out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RulesError {
    /// Nodes tell of blocks, but each starts a chain of its own, which nobody else's blocks connect to.
    #[error(
        "relay is {relay}, but genesis is own_of_each_node: a block would connect to nobody else's chain"
    )]
    Relay {
        /// How they tell of blocks.
        relay: Relay,
    },
    /// More compact blocks fall back than there are.
    #[error("fallback_percent is {fallback_percent}, more than 100")]
    FallbackPercent {
        /// How many in a hundred.
        fallback_percent: u8,
    },
    /// No block would be valid, not even with its reward alone.
    #[error(
        "block_bytes_max is {block_bytes_max}, but a block takes up to {needed} bytes with its reward alone"
    )]
    BlockBytes {
        /// The most bytes that a block may take.
        block_bytes_max: usize,
        /// What the longest block takes that holds nothing but a reward, to an address without characters.
        needed: usize,
    },
    /// Coins are given where no accounts are kept.
    #[error("allocations give {address} {coins} coins, but accounts is false: nobody would count them")]
    AllocationsUncounted {
        /// The first address that is given coins, its first 80 characters.
        address: String,
        /// How many it is given.
        coins: u64,
    },
    /// Coins are given to an address that no block may name, so that they can never be spent.
    #[error(
        "allocations give coins to {address}, whose {found} characters address_chars_max, {address_chars_max}, keeps out of blocks"
    )]
    AllocationAddress {
        /// The address, its first 80 characters.
        address: String,
        /// Its number of characters.
        found: usize,
        /// The most characters that an address in a block may have.
        address_chars_max: usize,
    },
}
