//! JSON objects that name no member twice.
//!
//! Of duplicate members, one reader takes the first and another the last, so that two services would see two
//! different tokens (RFC 7519, section 4).

use std::{collections::BTreeMap, fmt, slice::Iter};

use serde_core::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};
use serde_json::{Map, Value, value::RawValue};

/// Reads an object; none for other values, for duplicate members at any depth, and for what is not JSON.
pub(super) fn parse(json: &[u8]) -> Option<Map<String, Value>> {
    let Object(object) = serde_json::from_slice(json).ok()?;
    let within: usize = object.values().map(members_within).sum();
    (within == 0 || colons(json, usize::MAX) == object.len() + within).then_some(object)
}

/// An object that names no member twice itself.
struct Object(Map<String, Value>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Object, A::Error> {
                let mut object = Map::new();
                while let Some((name, value)) = members.next_entry()? {
                    if object.insert(name, value).is_some() {
                        return Err(A::Error::custom("a member is named twice"));
                    }
                }
                Ok(Object(object))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// Reads an object, and leaves its members as they were written; none for other values, for members that it names
/// twice itself, and for what is not JSON.
pub(super) fn parse_top(json: &[u8]) -> Option<BTreeMap<String, &RawValue>> {
    let object: BTreeMap<_, _> = serde_json::from_slice(json).ok()?;
    (colons(json, 1) == object.len()).then_some(object)
}

/// The members of all objects in a value, as they were kept: duplicates count once.
fn members_within(value: &Value) -> usize {
    match value {
        Value::Object(object) => object.len() + object.values().map(members_within).sum::<usize>(),
        Value::Array(values) => values.iter().map(members_within).sum(),
        _ => 0,
    }
}

/// The members of the objects in `json`, which is well formed, within so many brackets, as they were written: each has
/// one colon that is in no text.
fn colons(json: &[u8], deepest: usize) -> usize {
    let (mut colons, mut depth) = (0, 0);
    let mut rest = json.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'"' => skip_text(&mut rest),
            b':' if depth <= deepest => colons += 1,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
    }
    colons
}

/// Goes on behind the quote that ends a text.
fn skip_text(rest: &mut Iter<'_, u8>) {
    while let Some(b'\\') = rest.find(|byte| matches!(byte, b'"' | b'\\')) {
        rest.next();
    }
}

#[cfg(test)]
mod tests {
    use super::{parse, parse_top};

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

    #[test]
    fn what_members_hold_may_be_anything() {
        for (json, members) in [
            ("{}", Some(0)),
            (r#"{ "a": [{ "b": 1, "b": 2 }], "b": { "a": {}, "a": ":{" } }"#, Some(2)),
            (r#"{ "a}:": "{[", "b": 1 }"#, Some(2)),
            (r#"{ "a": 1, "a": [] }"#, None),
            (r#"{ "a": 1, "\u0061": 1 }"#, None),
            (r#"{ "a": [{}], "b": 1, "a": 1 }"#, None),
            ("[]", None),
            ("{", None),
            (r#"{ "a": 1 } {}"#, None),
        ] {
            assert_eq!(parse_top(json.as_bytes()).map(|object| object.len()), members, "{json}");
        }
    }
}
