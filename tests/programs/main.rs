//! Programs that a new user would write, each to be copied as it stands.

mod classroom;
mod double_spend;
mod exchange;
mod latency;
mod own_rules;
mod tutorial_chain;
