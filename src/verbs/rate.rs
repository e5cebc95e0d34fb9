//! How fast a node searches for proofs.

/// How fast a node searches for proofs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HashRate {
    /// As fast as its thread goes.
    #[default]
    Unlimited,
    /// So many attempts a millisecond, or as fast as its thread goes if that is less. A node does not start mining with
    /// 0: it would find nothing, and whoever waits for a block would wait for ever.
    PerMillisecond(u64),
}
