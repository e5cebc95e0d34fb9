//! What a node keeps of others, in an order, and how much of that each of them has sent.

use std::{collections::VecDeque, ops::Deref};

use crate::message::NodeId;

/// Something that somebody has sent, and that takes up memory.
pub(super) trait Sent {
    /// Whose it counts as, and as how many bytes.
    fn sent(&self) -> (NodeId, u64);
}

/// Things that were sent, in an order, to be read as a list.
#[derive(Debug, Clone)]
pub(super) struct Kept<T> {
    items: VecDeque<T>,
    /// Of all who have sent any, by their numbers.
    shares: Vec<Share>,
}

/// What somebody has sent of what is kept.
#[derive(Debug, Clone)]
struct Share {
    from: NodeId,
    count: usize,
    bytes: u64,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { items: VecDeque::new(), shares: Vec::new() }
    }
}

impl<T> Deref for Kept<T> {
    type Target = VecDeque<T>;

    fn deref(&self) -> &VecDeque<T> {
        &self.items
    }
}

impl<T: Sent> Kept<T> {
    /// Puts something at a place.
    pub(super) fn insert(&mut self, place: usize, item: T) {
        self.count_in(item.sent());
        self.items.insert(place, item);
    }

    /// Puts something at the end, and returns the bytes of all that its sender has sent.
    pub(super) fn push(&mut self, item: T) -> u64 {
        let bytes = self.count_in(item.sent());
        self.items.push_back(item);
        bytes
    }

    /// Takes out what is at a place, if anything is.
    pub(super) fn remove(&mut self, place: usize) -> Option<T> {
        let item = self.items.remove(place)?;
        self.count_out(item.sent());
        Some(item)
    }

    /// Keeps only what meets a condition, which may change anything but its sender and its bytes.
    pub(super) fn retain(&mut self, mut keeps: impl FnMut(&mut T) -> bool) {
        let mut gone = Vec::new();
        self.items.retain_mut(|item| {
            let stays = keeps(item);
            if !stays {
                gone.push(item.sent());
            }
            stays
        });
        gone.into_iter().for_each(|sent| self.count_out(sent));
    }

    /// Goes through all, to change anything but their senders and their bytes.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.items.iter_mut()
    }

    /// The bytes of all.
    pub(super) fn bytes(&self) -> u64 {
        self.shares.iter().map(|share| share.bytes).sum()
    }

    /// The bytes of all that somebody has sent.
    pub(super) fn bytes_from(&self, from: NodeId) -> u64 {
        self.share_of(from).map_or(0, |at| self.shares[at].bytes)
    }

    /// Tells whether something is of whoever has sent the most, or of one of several who have sent as many: if such a thing
    /// leaves where there is too much, a flood from one sender pushes out only its own.
    pub(super) fn is_of_most(&self) -> impl Fn(&T) -> bool {
        let most = self.shares.iter().map(|share| share.count).max().unwrap_or(0);
        let mut of_most = self.shares.iter().filter(move |share| share.count == most);
        // Mostly there is one: to look for the share of each item takes longer.
        let only = of_most.next().filter(|_| of_most.next().is_none()).map(|share| share.from);
        move |item| {
            let (from, _) = item.sent();
            match only {
                Some(only) => from == only,
                None => self.share_of(from).is_ok_and(|at| self.shares[at].count == most),
            }
        }
    }

    /// Where somebody's share stands, or would.
    fn share_of(&self, from: NodeId) -> Result<usize, usize> {
        self.shares.binary_search_by_key(&from, |share| share.from)
    }

    /// Counts something to its sender's share, and returns the bytes of that.
    fn count_in(&mut self, (from, bytes): (NodeId, u64)) -> u64 {
        let at = self.share_of(from).unwrap_or_else(|at| {
            self.shares.insert(at, Share { from, count: 0, bytes: 0 });
            at
        });
        let share = &mut self.shares[at];
        (share.count, share.bytes) = (share.count + 1, share.bytes + bytes);
        share.bytes
    }

    fn count_out(&mut self, (from, bytes): (NodeId, u64)) {
        let at = self.share_of(from).expect("whatever is kept was counted in");
        let share = &mut self.shares[at];
        (share.count, share.bytes) = (share.count - 1, share.bytes - bytes);
        if share.count == 0 {
            self.shares.remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    struct Item {
        from: u32,
        bytes: u64,
    }

    impl Sent for Item {
        fn sent(&self) -> (NodeId, u64) {
            (NodeId::new(self.from), self.bytes)
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Insert(usize, Item),
        Remove(usize),
        RetainAbove(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let item = (0..4_u32, 0..9_u64).prop_map(|(from, bytes)| Item { from, bytes });
        prop_oneof![
            6 => (0..9_usize, item).prop_map(|(place, item)| Step::Insert(place, item)),
            2 => (0..9_usize).prop_map(Step::Remove),
            1 => (0..5_u64).prop_map(Step::RetainAbove),
        ]
    }

    proptest! {
        /// A plain list, counted each time, is the model.
        #[test]
        fn what_each_has_sent_is_known(steps in vec(step(), 0..60)) {
            let (mut kept, mut model) = (Kept::default(), Vec::new());
            for step in steps {
                match step {
                    Step::Insert(place, item) => {
                        let place = place.min(model.len());
                        kept.insert(place, item);
                        model.insert(place, item);
                    }
                    Step::Remove(place) => {
                        let expected = (place < model.len()).then(|| model.remove(place));
                        prop_assert_eq!(kept.remove(place), expected);
                    }
                    Step::RetainAbove(bytes) => {
                        kept.retain(|item| item.bytes > bytes);
                        model.retain(|item| item.bytes > bytes);
                    }
                }
                let of = |from: u32| model.iter().filter(move |item| item.from == from);
                let bytes = |from| of(from).map(|item| item.bytes).sum::<u64>();
                prop_assert!(kept.iter().eq(&model));
                prop_assert_eq!(kept.bytes(), (0..4).map(bytes).sum::<u64>());
                let most = (0..4).map(|from| of(from).count()).max();
                for from in 0..4 {
                    prop_assert_eq!(kept.bytes_from(NodeId::new(from)), bytes(from));
                }
                let is_of_most = kept.is_of_most();
                for item in &model {
                    prop_assert_eq!(is_of_most(item), Some(of(item.from).count()) == most);
                }
            }
        }
    }
}
