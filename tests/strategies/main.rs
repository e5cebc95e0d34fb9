//! Strategies and tie-breaks: what published models say of them, and each step of a node that follows one.

mod double_spend;
mod eclipse;
mod lab;
mod revenue;
mod steps;
