//! Values in numbered places that are used again.

/// Keeps values, each in a place whose number stays its own until it is taken out.
#[derive(Debug)]
pub(super) struct Slots<T> {
    places: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slots<T> {
    /// Keeps a value and returns its place.
    pub(super) fn put(&mut self, value: T) -> u32 {
        if let Some(place) = self.free.pop() {
            self.places[place as usize] = Some(value);
            return place;
        }
        self.places.push(Some(value));
        u32::try_from(self.places.len() - 1).expect("fewer than 2^32 messages fit into memory")
    }

    /// Returns the value in a place.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub(super) fn get(&self, place: u32) -> &T {
        self.places[place as usize].as_ref().expect("whoever asks has seen what lies there")
    }

    /// Returns the value in a place, to be changed.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub(super) fn get_mut(&mut self, place: u32) -> &mut T {
        self.places[place as usize].as_mut().expect("whoever asks has seen what lies there")
    }

    /// Takes a value out of its place.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub(super) fn take(&mut self, place: u32) -> T {
        let value = self.places[place as usize].take().expect("a place is taken once");
        self.free.push(place);
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_used_again() {
        let mut slots = Slots::default();
        let [one, two] = ["one", "two"].map(|value| slots.put(value));
        assert_eq!(slots.take(one), "one");
        assert_eq!(slots.put("three"), one);
        assert_eq!((slots.take(two), slots.take(one)), ("two", "three"));
        assert_eq!(slots.places.len(), 2);
    }
}
