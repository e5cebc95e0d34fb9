//! Names of the fields of a document, as its errors write them.

use std::fmt;

use serde_json::{Map, Value};

/// How many steps a name has at most: no field of a scenario lies half as deep.
const STEPS_MAX: usize = 32;

/// Which field of a document: `faults[2].nodes[0]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Name(String),
    Place(usize),
}

impl Field {
    /// Reads a field's name; none, if it is no such name: one that is very deep, or would not fit into a line, is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut steps = Vec::new();
        for part in text.split('.') {
            let (name, places) = part.split_at(part.find('[').unwrap_or(part.len()));
            if name.is_empty() || name.contains(']') || name.contains(char::is_control) {
                return None;
            }
            steps.push(Step::Name(name.into()));
            let mut rest = places;
            while !rest.is_empty() {
                let (place, after) = rest.strip_prefix('[')?.split_once(']')?;
                if !place.bytes().all(|digit| digit.is_ascii_digit()) {
                    return None;
                }
                steps.push(Step::Place(place.parse().ok()?));
                rest = after;
            }
        }
        (steps.len() <= STEPS_MAX).then_some(Self(steps))
    }

    /// Sets the field, and makes the objects that it stands in, where they are not there.
    ///
    /// # Errors
    ///
    /// What it is to stand in is neither an object nor a list that is long enough: what is wrong, in words.
    pub(super) fn set(&self, document: &mut Value, value: Value) -> Result<(), String> {
        let mut at = document;
        for (done, step) in self.0.iter().enumerate() {
            let so_far = || Self(self.0[..done].to_vec());
            at = match (step, at) {
                (Step::Name(name), Value::Object(fields)) => {
                    fields.entry(name.clone()).or_insert(Value::Null)
                }
                (Step::Name(name), absent @ Value::Null) => {
                    *absent = Value::Object(Map::new());
                    &mut absent[name]
                }
                (Step::Place(place), Value::Array(items)) => {
                    let count = items.len();
                    items
                        .get_mut(*place)
                        .ok_or_else(|| format!("`{}` has {count} items, and none at {place}", so_far()))?
                }
                (Step::Name(name), other) => {
                    return Err(format!("`{}` is {}, and has no field `{name}`", so_far(), kind(other)));
                }
                (Step::Place(place), other) => {
                    return Err(format!("`{}` is {}, and has no item {place}", so_far(), kind(other)));
                }
            };
        }
        *at = value;
        Ok(())
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "not there",
        Value::Bool(_) => "a flag",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            match step {
                Step::Name(name) if place == 0 => f.write_str(name)?,
                Step::Name(name) => write!(f, ".{name}")?,
                Step::Place(place) => write!(f, "[{place}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn set(field: &str, document: &mut Value, value: Value) -> Result<(), String> {
        Field::parse(field).unwrap().set(document, value)
    }

    #[test]
    fn fields_are_set_and_made() {
        let mut document = json!({"faults": [{}, {"nodes": [1, 2]}]});
        set("faults[1].nodes[0]", &mut document, json!(7)).unwrap();
        set("link.latency.fixed", &mut document, json!(0.1)).unwrap();
        set("nodes", &mut document, json!(3)).unwrap();
        let expected =
            json!({"faults": [{}, {"nodes": [7, 2]}], "link": {"latency": {"fixed": 0.1}}, "nodes": 3});
        assert_eq!(document, expected);
    }

    #[test]
    fn what_cannot_hold_it_is_named() {
        let mut document = json!({"faults": [{"nodes": [1]}], "nodes": 3});
        let mut refused = |field| set(field, &mut document, json!(0)).unwrap_err();
        assert_eq!(refused("faults[1].nodes"), "`faults` has 1 items, and none at 1");
        assert_eq!(refused("nodes.equal"), "`nodes` is a number, and has no field `equal`");
        assert_eq!(refused("links[0]"), "`links` is not there, and has no item 0");
        assert_eq!(refused("faults.nodes"), "`faults` is a list, and has no field `nodes`");
    }

    #[test]
    fn other_texts_are_no_names() {
        for text in [
            "",
            ".",
            "a.",
            ".a",
            "[0]",
            "a[",
            "a[]",
            // A document so deep could not be dropped, and what is no line of a file is no column's name.
            &"a.".repeat(100_000),
            &format!("{}a", "a.".repeat(100_000)),
            &format!("a{}", "[0]".repeat(100_000)),
            "a.x\ny",
            "a[x]",
            "a[-1]",
            "a[0",
            "a]",
            "a[0]b",
            "a[99999999999999999999]",
        ] {
            assert_eq!(Field::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn names_come_back(text in "[a-z_]{1,5}(\\[(0|[1-9][0-9]?)\\]){0,2}(\\.[a-z0-9_]{1,5}(\\[[0-9]\\])?){0,3}") {
            prop_assert_eq!(Field::parse(&text).unwrap().to_string(), text);
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,20}") {
            if let Some(field) = Field::parse(&text) {
                prop_assert_eq!(Field::parse(&field.to_string()).unwrap(), field);
            }
        }
    }
}
