//! JSON objects that name no member twice.
//!
//! Of duplicate members, one reader takes the first and another the last, so that two services would see two
//! different tokens (RFC 7519, section 4).

use serde_json::{Map, Value};

/// Reads an object; none for other values, for duplicate members at any depth, and for what is not JSON.
pub(super) fn parse(json: &[u8]) -> Option<Map<String, Value>> {
    let object: Map<_, _> = serde_json::from_slice(json).ok()?;
    (colons(json) == members(&object)).then_some(object)
}

/// The members of an object and of all objects in it, as they were kept: duplicates count once.
fn members(object: &Map<String, Value>) -> usize {
    object.len() + object.values().map(members_within).sum::<usize>()
}

fn members_within(value: &Value) -> usize {
    match value {
        Value::Object(object) => members(object),
        Value::Array(values) => values.iter().map(members_within).sum(),
        _ => 0,
    }
}

/// The members of all objects in `json`, which is well formed, as they were written: each has one colon that is in
/// no text.
fn colons(json: &[u8]) -> usize {
    let (mut colons, mut in_text, mut escaped) = (0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_text,
            b'"' => in_text = !in_text,
            b':' if !in_text => colons += 1,
            _ => {}
        }
    }
    colons
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn an_object_that_names_a_member_twice_is_none() {
        for (json, holds) in [
            ("{}", true),
            (r#"{ "a": 1, "b": { "a": 2 } }"#, true),
            (r#"{ "a": ":", "b:": "\":\\" }"#, true),
            (r#"{ "a\\": ":" }"#, true),
            (r#"{ "a": [{ "b": 1 }, { "b": 2 }] }"#, true),
            (r#"{ "a": 1, "a": 1 }"#, false),
            (r#"{ "a": 1, "\u0061": 1 }"#, false),
            (r#"{ "a": { "b": 1, "b": 2 } }"#, false),
            (r#"{ "a": [{ "b": 1, "b": 2 }] }"#, false),
            (r#"{ "a": "\"", "a": ":" }"#, false),
            ("[]", false),
            ("{", false),
        ] {
            assert_eq!(parse(json.as_bytes()).is_some(), holds, "{json}");
        }
    }
}
