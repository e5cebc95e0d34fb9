//! The values that a field of a grid takes.

use serde::Deserialize;
use serde_json::{Number, Value};

/// How many values a range has at most.
const COUNT_MAX: u32 = 1_000_000;

/// Values from one to another, both included, all as far apart.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Range {
    from: Number,
    to: Number,
    count: u32,
}

/// Reads a list of values, or a range of numbers: `{"from": 0, "to": 0.5, "count": 11}`.
///
/// # Errors
///
/// It is neither, or holds nothing: what is wrong, in words.
pub(super) fn values(given: Value) -> Result<Vec<Value>, String> {
    match given {
        Value::Array(values) if values.is_empty() => Err("it has no values".into()),
        Value::Array(values) => Ok(values),
        Value::Object(_) => {
            let range: Range = serde_json::from_value(given).map_err(|error| error.to_string())?;
            if !(2..=COUNT_MAX).contains(&range.count) {
                return Err(format!("a range has 2 to {COUNT_MAX} values, and not {}", range.count));
            }
            Ok((0..range.count).map(|place| range.value(place)).collect())
        }
        other => Err(format!(
            "expected a list of values, or a range as {{\"from\": 0, \"to\": 0.5, \"count\": 11}}, found {other}"
        )),
    }
}

impl Range {
    /// Weighs both ends, so that from 0 to 0.5 by 11 the fourth is 0.15 and not 0.15000000000000002.
    fn value(&self, place: u32) -> Value {
        let steps = self.count - 1;
        if let (Some(from), Some(to)) = (self.from.as_i64(), self.to.as_i64()) {
            let weighed = i128::from(from) * i128::from(steps - place) + i128::from(to) * i128::from(place);
            if weighed % i128::from(steps) == 0
                && let Ok(whole) = i64::try_from(weighed / i128::from(steps))
            {
                return Value::from(whole);
            }
        }
        let end =
            |number: &Number| number.as_f64().expect("a number without a feature of serde_json's is a float");
        let (first, last) = (f64::from(steps - place), f64::from(place));
        let steps = f64::from(steps);
        let value = (end(&self.from) * first + end(&self.to) * last) / steps;
        // Ends at the far side of the floats would overflow.
        let value = if value.is_finite() {
            value
        } else {
            end(&self.from) * (first / steps) + end(&self.to) * (last / steps)
        };
        Value::from(value)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ranges_are_what_a_person_would_write() {
        let read = |given| Value::from(values(given).unwrap());
        assert_eq!(
            read(json!({"from": 0, "to": 0.5, "count": 11})),
            json!([0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5])
        );
        assert_eq!(read(json!({"from": 10, "to": 40, "count": 4})), json!([10, 20, 30, 40]));
        assert_eq!(read(json!({"from": 1, "to": 2, "count": 3})), json!([1, 1.5, 2]));
        assert_eq!(read(json!({"from": 3, "to": -3, "count": 3})), json!([3, 0, -3]));
        assert_eq!(read(json!([1, "a", {}])), json!([1, "a", {}]));
        let far = read(json!({"from": -1.7e308, "to": 1.7e308, "count": 3}));
        assert_eq!(far, json!([-1.7e308, 0.0, 1.7e308]));
    }

    #[test]
    fn other_values_are_refused() {
        for (given, expected) in [
            (json!([]), "it has no values"),
            (json!(3), "expected a list of values, or a range"),
            (json!({"from": 0, "to": 1}), "missing field `count`"),
            (json!({"from": 0, "to": 1, "count": 1}), "a range has 2 to 1000000 values, and not 1"),
            (json!({"from": "a", "to": 1, "count": 2}), "invalid type: string \"a\""),
            (json!({"from": 0, "to": 1, "steps": 2}), "unknown field `steps`"),
        ] {
            let error = values(given).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
