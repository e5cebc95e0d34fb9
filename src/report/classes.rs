//! Durations in classes, and how many each class holds.

/// Returns the class of a number of nanoseconds: classes are a nanosecond wide below 2^(bits + 1), and above there are 2^bits
/// of them for each power of two.
pub(super) const fn class_of(nanos: u64, bits: u32) -> u64 {
    let power = if nanos == 0 { 0 } else { nanos.ilog2() };
    let shift = power.saturating_sub(bits);
    ((shift as u64) << bits) + (nanos >> shift)
}

/// Returns the shortest nanoseconds of a class.
pub(super) const fn shortest_of(class: u64, bits: u32) -> u64 {
    let shift = (class >> bits).saturating_sub(1);
    (class - (shift << bits)) << shift
}

/// How many durations each class holds, in two bytes or so for each that is not empty.
#[derive(Debug, Clone, Default)]
pub(crate) struct Classes {
    /// For each class, the first first: how far it lies after the one before, and how many it holds.
    bytes: Box<[u8]>,
}

impl Classes {
    /// Keeps classes and how many each holds, the first first.
    pub(super) fn of(counts: impl IntoIterator<Item = (u64, u64)>) -> Self {
        let (mut bytes, mut before) = (Vec::new(), 0);
        for (class, count) in counts {
            write_number(&mut bytes, class - before);
            write_number(&mut bytes, count);
            before = class;
        }
        Self { bytes: bytes.into() }
    }

    /// Counts how often each class comes, those of one class one after the other, the first first.
    pub(super) fn counted(classes: impl Iterator<Item = u64>) -> Self {
        let mut classes = classes.peekable();
        Self::of(std::iter::from_fn(|| {
            let class = classes.next()?;
            let others = std::iter::from_fn(|| classes.next_if_eq(&class)).count() as u64;
            Some((class, 1 + others))
        }))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        let (mut bytes, mut class) = (self.bytes.iter().copied(), 0);
        std::iter::from_fn(move || {
            class += read_number(&mut bytes)?;
            Some((class, read_number(&mut bytes)?))
        })
    }
}

/// Writes a number in seven bits a byte, the lowest first; the last byte is below 128.
fn write_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 128 {
        bytes.push(number as u8 | 128);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn read_number(bytes: &mut impl Iterator<Item = u8>) -> Option<u64> {
    let (mut number, mut shift) = (0, 0);
    loop {
        let byte = bytes.next()?;
        number |= u64::from(byte & 127) << shift;
        shift += 7;
        if byte < 128 {
            return Some(number);
        }
    }
}
