//! Time as the library counts it, and time as a block writes it.

use std::{
    fmt,
    ops::{Add, AddAssign, Sub},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::document::{self, DocumentError, Text, push_float, push_number, python_float, whole_micros};

/// A moment: whole nanoseconds since the Unix epoch, up to the year 2554.
///
/// It is an input wherever it is needed; nothing but the threaded driver reads a clock. Sums stop at the last moment
/// instead of wrapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Time(u64);

impl Time {
    /// The Unix epoch, 1970-01-01 00:00:00 UTC.
    pub const UNIX_EPOCH: Self = Self(0);
    /// The last moment that can be told.
    pub const MAX: Self = Self(u64::MAX);

    /// Makes a moment from nanoseconds since the Unix epoch.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Makes a moment from whole seconds since the Unix epoch, stopping at [`Time::MAX`].
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1_000_000_000))
    }

    /// Returns the nanoseconds since the Unix epoch.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Returns the whole microseconds since the Unix epoch, rounded down.
    pub const fn as_micros(self) -> u64 {
        self.0 / 1000
    }
}

impl Time {
    /// Returns the moment that is so much later; none if that is after [`Time::MAX`].
    pub fn checked_add(self, duration: Duration) -> Option<Self> {
        let nanos = u64::try_from(duration.as_nanos()).ok()?;
        self.0.checked_add(nanos).map(Self)
    }

    /// Returns the time so many nanoseconds later, at most the end of time: where a duration, which counts seconds as well,
    /// would take too long.
    pub(crate) const fn after_nanos(self, nanos: u64) -> Self {
        Self(self.0.saturating_add(nanos))
    }

    /// Returns how many nanoseconds this is after an earlier time, 0 if it is not: where a duration would take too long.
    #[inline]
    pub(crate) const fn nanos_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl AddAssign<Duration> for Time {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl Sub for Time {
    type Output = Duration;

    /// Returns how long `self` is after `earlier`; zero if it is not.
    fn sub(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.nanos_since(earlier))
    }
}

impl fmt::Display for Time {
    /// Writes seconds since the Unix epoch, nine digits after the point.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}", self.0 / 1_000_000_000, self.0 % 1_000_000_000)
    }
}

/// A moment as a block's JSON writes it: seconds since the Unix epoch, an integer or a float, kept as it came.
///
/// Python's `time()` gives a float, and other writers an integer; the block's hash covers the text, so that `5` and
/// `5.0` are different timestamps.
///
/// ```
/// use chainlab::{Time, Timestamp};
///
/// let timestamp = Timestamp::from(Time::from_nanos(1_507_824_951_769_517_700));
/// assert_eq!(timestamp.to_string(), "1507824951.7695177");
/// assert_ne!(Timestamp::integer(5), Timestamp::float(5.0).unwrap());
/// ```
// Nine bytes: beside a hash and how it is written, 33 bytes, they take eight less of each block than 16 would. Equal are
// those of one kind and the same bits, as `-0.0` and `0.0` are written differently.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(Rust, packed)]
pub struct Timestamp {
    is_float: bool,
    bits: u64,
}

/// What a timestamp's bits stand for.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(untagged)]
enum Number {
    Integer(i64),
    /// Always finite: JSON has no other floats.
    Float(f64),
}

impl Timestamp {
    /// Makes an integer timestamp, in seconds.
    pub const fn integer(seconds: i64) -> Self {
        Self { is_float: false, bits: seconds.cast_unsigned() }
    }

    /// Makes a float timestamp, in seconds; nothing if it is infinite or not a number.
    pub fn float(seconds: f64) -> Option<Self> {
        seconds.is_finite().then_some(Self::finite(seconds))
    }

    const fn finite(seconds: f64) -> Self {
        Self { is_float: true, bits: seconds.to_bits() }
    }

    const fn number(self) -> Number {
        match self.is_float {
            true => Number::Float(f64::from_bits(self.bits)),
            false => Number::Integer(self.bits.cast_signed()),
        }
    }

    /// Makes the float timestamp of a number of microseconds since the Unix epoch.
    pub fn from_micros(micros: u64) -> Self {
        Self::finite(Duration::from_micros(micros).as_secs_f64())
    }

    /// Makes the first float timestamp that is a whole number of microseconds, not before one number of them and after
    /// another; none if no number is greater than that.
    ///
    /// From the year 2242 on a float cannot tell one microsecond from the next.
    pub(crate) fn from_micros_after(micros: u64, after: u64) -> Option<Self> {
        const YEAR_2242: u64 = (1 << 33) * 1_000_000;
        let micros = micros.max(after.checked_add(1)?);
        let nearest = Self::from_micros(micros);
        if micros < YEAR_2242 {
            return Some(nearest);
        }
        let next = Self::finite(nearest.seconds().next_up());
        [nearest, next].into_iter().find(|timestamp| timestamp.micros() > Some(after))
    }

    /// Returns the seconds since the Unix epoch, an integer rounded to the nearest float.
    pub fn seconds(self) -> f64 {
        match self.number() {
            Number::Integer(seconds) => seconds as f64,
            Number::Float(seconds) => seconds,
        }
    }

    /// Returns the microseconds since the Unix epoch, if the timestamp is a whole number of them and not before it.
    pub fn micros(self) -> Option<u64> {
        match self.number() {
            Number::Integer(seconds) => u64::try_from(seconds).ok()?.checked_mul(1_000_000),
            Number::Float(seconds) => {
                let micros = self.rounded_micros();
                (Self::from_micros(micros).seconds() == seconds).then_some(micros)
            }
        }
    }

    /// Returns the microseconds since the Unix epoch, rounded to the nearest; zero before it.
    pub fn rounded_micros(self) -> u64 {
        match self.number() {
            Number::Integer(seconds) => u64::try_from(seconds).unwrap_or(0).saturating_mul(1_000_000),
            // What is the nearest to a whole number of them, and below 2^33 s so within 477 ns of it, is that in nanoseconds,
            // too. Of others, multiplying by 1e6 would round twice. What does not fit is more than all microseconds there are.
            Number::Float(seconds) => whole_micros(seconds).unwrap_or_else(|| {
                Duration::try_from_secs_f64(seconds.max(0.0)).map_or(u64::MAX, |since| {
                    let rest = u64::from((since.subsec_nanos() + 500) / 1000);
                    since.as_secs().saturating_mul(1_000_000).saturating_add(rest)
                })
            }),
        }
    }

    pub(crate) fn read(json: &str) -> Result<Self, DocumentError> {
        Self::from_json_number(json)
            .ok_or_else(|| document::unexpected("timestamp", "a finite float or an integer of 64 bits", json))
    }

    /// Reads the text of a JSON number as Python does: an integer without a point and an exponent, else a float.
    fn from_json_number(text: &str) -> Option<Self> {
        if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
            text.parse().ok().map(Self::integer)
        } else {
            text.parse().ok().and_then(Self::float)
        }
    }

    /// Writes the number as Python does.
    pub(crate) fn write(self, text: &mut impl Text) {
        match self.number() {
            Number::Integer(seconds) => {
                if seconds < 0 {
                    text.push(b"-");
                }
                push_number(text, seconds.unsigned_abs());
            }
            Number::Float(seconds) => push_float(text, seconds),
        }
    }
}

impl From<Time> for Timestamp {
    /// Writes a moment as Python's `time()` would: a float of seconds.
    fn from(time: Time) -> Self {
        // Dividing the nanoseconds by 1e9 would round twice.
        Self::finite(Duration::from_nanos(time.as_nanos()).as_secs_f64())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Timestamp").field(&self.number()).finish()
    }
}

impl fmt::Display for Timestamp {
    /// Writes the number as Python does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number() {
            Number::Integer(seconds) => write!(f, "{seconds}"),
            Number::Float(seconds) => f.write_str(&python_float(seconds)),
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    /// Reads from JSON only, as the text of a number decides what it is.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        document::deserialize_raw(deserializer, Self::read)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.number().serialize(serializer)
    }
}

/// Durations in documents: a float of seconds, in a field whose name ends with `_seconds`.
///
/// A duration below 2^22 s, 48 days, comes back to the nanosecond, and a longer one as nearly as a float can tell; so
/// does [`Duration::MAX`] itself, which stands for no bound.
pub(crate) mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(duration.as_secs_f64())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        // The longest duration is rounded up to the next float, which is none.
        if seconds == Duration::MAX.as_secs_f64() {
            return Ok(Duration::MAX);
        }
        Duration::try_from_secs_f64(seconds)
            .map_err(|_| D::Error::custom(format_args!("expected seconds from 0 to 2^64, found {seconds}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Lasting {
        #[serde(with = "seconds")]
        for_seconds: Duration,
    }

    #[test]
    fn durations_are_seconds() {
        let read = |text: &str| serde_json::from_str::<Lasting>(text).map(|lasting| lasting.for_seconds);
        let write = |for_seconds| serde_json::to_string(&Lasting { for_seconds }).unwrap();
        assert_eq!(write(Duration::from_millis(1500)), r#"{"for_seconds":1.5}"#);
        assert_eq!(read(r#"{"for_seconds":7200}"#).unwrap(), Duration::from_secs(7200), "an integer, too");
        assert_eq!(read(&write(Duration::MAX)).unwrap(), Duration::MAX);
        for bad in ["-1e-3", "1.9e19", "\"1\"", "null"] {
            assert!(read(&format!(r#"{{"for_seconds":{bad}}}"#)).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn durations_of_weeks_come_back_to_the_nanosecond(nanos in 0..(1_000_000_000_u64 << 22)) {
            let lasting = Lasting { for_seconds: Duration::from_nanos(nanos) };
            prop_assert_eq!(serde_json::from_str::<Lasting>(&serde_json::to_string(&lasting).unwrap()).unwrap(), lasting);
        }

        #[test]
        fn whole_microseconds_come_back(micros in 0..4_000_000_000_000_000_u64) {
            prop_assert_eq!(Timestamp::from_micros(micros).micros(), Some(micros));
        }

        /// However near to half a microsecond: what the nearest nanosecond is rounded to.
        #[test]
        fn microseconds_are_rounded(
            nanos in prop_oneof![0..3_000_000_000_u64, 0..1_u64 << 63, (0..1_u64 << 53).prop_map(|micros| micros * 1000 + 500)],
            off in -2..3_i8,
        ) {
            let seconds = Duration::from_nanos(nanos).as_secs_f64();
            let seconds = (0..off.abs()).fold(seconds, |at, _| if off < 0 { at.next_down() } else { at.next_up() });
            let nanos = Duration::from_secs_f64(seconds.max(0.0)).as_nanos() as u64;
            prop_assert_eq!(Timestamp::float(seconds).unwrap().rounded_micros(), (nanos + 500) / 1000);
        }

        /// From the year 2242 on a float cannot tell two microseconds apart; what a clock says is still taken as whole.
        #[test]
        fn every_time_gives_whole_microseconds(nanos in any::<u64>()) {
            let micros = Time::from_nanos(nanos).as_micros();
            let whole = Timestamp::from_micros(micros).micros().unwrap();
            prop_assert!(whole.abs_diff(micros) <= 2);
            prop_assert!(micros >= 1 << 52 || whole == micros);
        }
    }

    proptest! {
        /// However far the microseconds go, there is a whole number of them after each but the last.
        #[test]
        fn there_is_a_whole_timestamp_after_each(
            seconds in prop_oneof![0..1_u64 << 34, (1_u64 << 33) - 2..(1 << 33) + 2, 0..=u64::MAX / 1_000_000],
            micros in 0..1_000_000_u64,
            ago in 0..3_u64,
        ) {
            let after = Timestamp::from_micros(seconds.saturating_mul(1_000_000).saturating_add(micros));
            let after = after.rounded_micros();
            let next = Timestamp::from_micros_after(after.saturating_sub(ago), after).and_then(Timestamp::micros);
            prop_assert_eq!(next.is_none(), after == u64::MAX);
            prop_assert!(next.is_none_or(|next| next > after));
            prop_assert!(after >= 1_000_000 << 33 || next == Some(after + 1));
        }
    }

    #[test]
    fn a_timestamp_between_microseconds_has_none() {
        assert_eq!(Timestamp::float(1_507_824_951.769_517_7).unwrap().micros(), None);
        assert_eq!(Timestamp::float(-1.0).unwrap().micros(), None);
        assert_eq!(Timestamp::float(1e300).unwrap().micros(), None);
        assert_eq!(Timestamp::integer(-1).micros(), None);
        assert_eq!(Timestamp::integer(3).micros(), Some(3_000_000));
    }

    #[test]
    fn numbers_are_read_as_python_reads_them() {
        assert_eq!(Timestamp::from_json_number("-0"), Some(Timestamp::integer(0)));
        assert_eq!(Timestamp::from_json_number("-0.0").unwrap().to_string(), "-0.0");
        assert_eq!(Timestamp::from_json_number("1E5").unwrap().to_string(), "100000.0");
        assert_eq!(
            Timestamp::from_json_number("9223372036854775808"),
            None,
            "no float in an integer's place"
        );
        assert_eq!(Timestamp::from_json_number("1e400"), None);
    }

    #[test]
    fn time_stops_at_its_end() {
        assert_eq!(Time::MAX + Duration::MAX, Time::MAX);
        let nano = Duration::from_nanos(1);
        assert_eq!(Time::MAX.checked_add(nano), None);
        assert_eq!(Time::UNIX_EPOCH.checked_add(Duration::MAX), None);
        assert_eq!(Time::from_nanos(u64::MAX - 1).checked_add(nano), Some(Time::MAX));
        assert_eq!(Time::from_secs(1) - Time::from_secs(2), Duration::ZERO);
        assert_eq!(Time::from_nanos(1_500_000_007).to_string(), "1.500000007");
    }
}
