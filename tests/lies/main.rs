//! Lies, each told to an honest node and each refused by the name of what it breaks, with the node's chain unmoved.

mod answers;
mod anything;
mod blocks;
mod chains;
mod lab;
mod lagging;
mod live;
mod pieces;
mod waiting;
