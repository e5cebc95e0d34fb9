//! A map that can be looked up in and nothing else.

use std::{borrow::Borrow, collections::BTreeMap, fmt, hash::Hash};

use hashbrown::{DefaultHashBuilder, HashMap, hash_map::Entry};

/// A hash map whose order cannot be seen, so that all that is done with it is the same in each run. How keys are hashed
/// usually differs, so that whoever chooses them does not choose where they lie.
///
/// Where there is much, a look touches two or three lines of memory, and one in a map in order a dozen.
#[derive(Clone)]
pub(crate) struct Lookup<K, V>(HashMap<K, V>);

impl<K, V> Default for Lookup<K, V> {
    fn default() -> Self {
        Self(HashMap::default())
    }
}

impl<K: Hash + Eq, V> Lookup<K, V> {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.0.get(key)
    }

    pub(crate) fn get_mut<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.0.get_mut(key)
    }

    pub(crate) fn holds(&self, key: &K) -> bool {
        self.0.contains_key(key)
    }

    pub(crate) fn entry(&mut self, key: K) -> Entry<'_, K, V, DefaultHashBuilder> {
        self.0.entry(key)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.0.insert(key, value)
    }

    /// Takes an entry out. Once there are few where there were many, the memory is given back.
    pub(crate) fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let value = self.0.remove(key);
        if self.0.len() < self.0.capacity() / 8 {
            self.0.shrink_to(2 * self.0.len());
        }
        value
    }
}

impl<K: Ord + fmt::Debug, V: fmt::Debug> fmt::Debug for Lookup<K, V> {
    /// Writes the entries by their keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries: BTreeMap<_, _> = self.0.iter().collect();
        entries.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_given_back_and_entries_are_shown_in_order() {
        let mut lookup = Lookup::default();
        for number in 0..1000 {
            lookup.insert(number, 2 * number);
        }
        assert!(lookup.0.capacity() >= 1000);
        for number in 3..1000 {
            assert_eq!(lookup.remove(&number), Some(2 * number));
        }
        assert!(lookup.0.capacity() < 32, "{}", lookup.0.capacity());
        assert_eq!(format!("{lookup:?}"), "{0: 0, 1: 2, 2: 4}");
    }
}
