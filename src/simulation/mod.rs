//! The second driver: the same nodes under a virtual clock.
#![allow(dead_code, reason = "grows")]
mod queue;
mod searches;
