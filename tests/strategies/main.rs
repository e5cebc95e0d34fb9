//! Strategies and tie-breaks: each step of a node that follows one, and what comes of it in a network. How much they bring
//! is for the validation to say.

mod double_spend;
mod drivers;
mod eclipse;
mod lab;
mod steps;
mod victim;
