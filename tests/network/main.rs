//! The network of threads. Nothing here sleeps or measures time; what must not hang runs under [`hands::finishes`].

mod bad_input;
mod ending;
mod faults;
mod hands;
mod rates;
mod restarting;
mod storm;
mod waiting;
