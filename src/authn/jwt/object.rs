//! JSON objects that name no member twice.
//!
//! Of duplicate members, one reader takes the first and another the last, so that two services would see two
//! different tokens (RFC 7519, section 4).

use std::{collections::BTreeMap, slice::Iter};

use serde_json::{Map, Value, value::RawValue};

/// Reads an object; none for other values, for duplicate members at any depth, and for what is not JSON.
pub(super) fn parse(json: &[u8]) -> Option<Map<String, Value>> {
    let json = str::from_utf8(json).ok()?;
    let object = serde_json::from_str(json).ok()?;
    (quotes(json.as_bytes()) == 2 * texts_of(&object)).then_some(object)
}

/// Reads an object, and leaves its members as they were written; none for other values, for members that it names
/// twice itself, and for what is not JSON.
pub(super) fn parse_top(json: &[u8]) -> Option<BTreeMap<String, &RawValue>> {
    let object: BTreeMap<_, _> = serde_json::from_slice(json).ok()?;
    (colons(json) == object.len()).then_some(object)
}

/// The texts in an object and in all that it holds, names included, as they were kept: of duplicate members one counts.
fn texts_of(object: &Map<String, Value>) -> usize {
    object.len() + object.values().map(texts_in).sum::<usize>()
}

fn texts_in(value: &Value) -> usize {
    match value {
        Value::Object(object) => texts_of(object),
        Value::Array(values) => values.iter().map(texts_in).sum(),
        Value::String(_) => 1,
        _ => 0,
    }
}

/// The quotes in `json`, which is well formed, but for those in texts: each text has two, as they were written.
fn quotes(json: &[u8]) -> usize {
    let (mut quotes, mut rest) = (0, json);
    while rest.contains(&b'\\') {
        let (plain, escape) = rest.split_at(rest.iter().take_while(|byte| **byte != b'\\').count());
        quotes += plain_quotes(plain);
        rest = escape.get(2..).unwrap_or_default();
    }
    quotes + plain_quotes(rest)
}

/// The quotes in a text, of which many bytes are looked at together: so many that a byte can count them.
fn plain_quotes(text: &[u8]) -> usize {
    let in_chunk = |chunk: &[u8]| chunk.iter().fold(0_u8, |quotes, byte| quotes + u8::from(*byte == b'"'));
    text.chunks(u8::MAX.into()).map(|chunk| usize::from(in_chunk(chunk))).sum()
}

/// The members of the outermost object in `json`, which is well formed, as they were written: each has one colon that
/// is in no text.
fn colons(json: &[u8]) -> usize {
    let (mut colons, mut depth) = (0, 0);
    let mut rest = json.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'"' => skip_text(&mut rest),
            b':' if depth == 1 => colons += 1,
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
            (r#"{ "a": { "\"": "\\", "b\\": "\\\"\"" } }"#, true),
            (r#"{ "a": { "\"": "\\", "\u0022": "\\\"\"" } }"#, false),
            (r#"{ "a": { "b": {}, "b": "c" } }"#, false),
            (r#"{ "a": { "b": "c", "b": 1 } }"#, false),
            (r#"{ "a": { "b": ["c", { "d": "e" }, []], "c": 1.5, "d": null } }"#, true),
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
