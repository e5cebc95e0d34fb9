//! Waiting until all agree.

use std::time::Duration;

use super::{
    agreement::{Settled, Unsettled, agreements, unsettled},
    clock::instant,
    handle::Network,
};

impl Network {
    /// Waits, without polling, until all live nodes that can reach each other have the same chain.
    ///
    /// Two nodes reach each other if one is the other's peer and neither a partition, a hold nor a link that loses
    /// everything lies between them, either way; and so do all between whom there is a path of such pairs. Equally good
    /// chains may stand side by side for ever, since a tie keeps ours: mine one block more.
    ///
    /// # Errors
    ///
    /// Where the live nodes stand, if they do not agree in time.
    pub fn settle(&self, timeout: Duration) -> Result<Settled, Unsettled> {
        let shared = &self.shared;
        // A wait that would outlast the clock has no end.
        let deadline = instant().checked_add(timeout);
        let groups = shared.nodes.wait(deadline, || {
            let traffic = shared.delivery.traffic();
            shared.nodes.look(|table| agreements(&table.rows, traffic.links()))
        });
        match groups {
            Some(groups) => Ok(Settled { groups }),
            None => Err(shared.nodes.look(|table| unsettled(&table.rows))),
        }
    }
}
