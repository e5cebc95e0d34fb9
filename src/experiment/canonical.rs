//! The one text of a JSON value, of which hashes are made.

use std::fmt::Write;

use serde_json::Value;

/// Writes a value without any space, the fields of each object in the order of their names, whatever order a map has
/// kept them in.
pub(super) fn write(value: &Value, text: &mut String) {
    match value {
        Value::Array(items) => {
            text.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            text.push('{');
            for (place, (name, value)) in fields.into_iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                write(&Value::from(&**name), text);
                text.push(':');
                write(value, text);
            }
            text.push('}');
        }
        plain => write!(text, "{plain}").expect("a string takes every text"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_in_order_and_texts_escaped() {
        let value: Value =
            serde_json::from_str(r#" {"b": [1, 0.5, null], "a\"": {"d": true, "c": "x\n"}} "#).unwrap();
        let mut text = String::new();
        write(&value, &mut text);
        assert_eq!(text, r#"{"a\"":{"c":"x\n","d":true},"b":[1,0.5,null]}"#);
    }
}
