//! The double spend.

use std::{num::NonZeroU64, sync::Arc};

use serde::{Deserialize, Serialize};

/// A miner that pays a merchant, mines in secret from the block before the one that holds the payment, and shows its
/// branch once the payment has its confirmations and the branch is longer than the others'. On its branch the same coins
/// go back to the miner.
///
/// When the others are too far ahead it gives up, and the payment stands. Either way it begins again, as soon as it has the
/// coins and mines. Until the payment stands in a block, the miner begins its branch anew with every block that does not
/// hold it.
///
/// It needs rules that keep accounts, and coins: from the genesis, or from what it mined.
///
/// Source: Rosenfeld, *Analysis of Hashrate-Based Double Spending* (2014). There the attacker has a block in advance, so
/// that catching up is as good as overtaking; here it starts level and has to overtake.
///
/// ```
/// use chainlab::strategy::DoubleSpend;
///
/// assert!(DoubleSpend::new("merchant", 10, 6, 20).is_ok());
/// let error = DoubleSpend::new("merchant", 10, 0, 20).unwrap_err();
/// assert_eq!(error.to_string(), "confirmations: 0 is not at least 1");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoubleSpend {
    merchant: Arc<str>,
    amount: NonZeroU64,
    confirmations: NonZeroU64,
    give_up: NonZeroU64,
}

/// A double spend that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{field}: 0 is not at least 1")]
pub struct DoubleSpendError {
    /// What was given as zero.
    pub field: &'static str,
}

impl DoubleSpend {
    /// Makes the strategy that pays `amount` coins to `merchant` again and again, who waits for so many `confirmations`,
    /// and that gives up when its branch is `give_up` blocks behind.
    ///
    /// # Errors
    ///
    /// If a number is zero.
    pub fn new(
        merchant: impl Into<Arc<str>>,
        amount: u64,
        confirmations: u64,
        give_up: u64,
    ) -> Result<Self, DoubleSpendError> {
        let some = |field, value| NonZeroU64::new(value).ok_or(DoubleSpendError { field });
        Ok(Self {
            merchant: merchant.into(),
            amount: some("amount", amount)?,
            confirmations: some("confirmations", confirmations)?,
            give_up: some("give_up", give_up)?,
        })
    }

    /// Returns the address that is paid.
    pub fn merchant(&self) -> &Arc<str> {
        &self.merchant
    }

    /// Returns the coins of each payment.
    pub fn amount(&self) -> u64 {
        self.amount.get()
    }

    /// Returns how many confirmations the merchant waits for.
    pub fn confirmations(&self) -> u64 {
        self.confirmations.get()
    }

    /// Returns how many blocks the branch may not be behind.
    pub fn give_up(&self) -> u64 {
        self.give_up.get()
    }
}
