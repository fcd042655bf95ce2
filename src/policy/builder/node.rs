//! Parts of a document that have no place in a text.

use serde_json::Value as Json;

use crate::policy::document::{Member, Node, Value};

pub(super) fn node(value: Value) -> Node {
    Node { value, span: 0..0 }
}

pub(super) fn text(text: impl Into<String>) -> Node {
    node(Value::String(text.into()))
}

pub(super) fn member(key: impl Into<String>, value: Node) -> Member {
    Member { key: key.into(), key_span: 0..0, value }
}

pub(super) fn list(elements: Vec<Node>) -> Node {
    node(Value::Array(elements))
}

pub(super) fn texts<I>(elements: I) -> Vec<Node>
where
    I: IntoIterator,
    I::Item: Into<String>,
{
    elements.into_iter().map(text).collect()
}

pub(super) fn object(members: Vec<Member>) -> Node {
    node(Value::Object(members))
}

/// A member, unless there is nothing to say.
pub(super) fn member_unless_empty(key: &str, elements: Vec<Node>) -> Option<Member> {
    (!elements.is_empty()).then(|| member(key, list(elements)))
}

pub(super) fn json(value: Json) -> Node {
    node(match value {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(value),
        Json::Number(number) => Value::Number(number),
        Json::String(text) => Value::String(text),
        Json::Array(elements) => Value::Array(elements.into_iter().map(json).collect()),
        Json::Object(members) => {
            Value::Object(members.into_iter().map(|(key, value)| member(key, json(value))).collect())
        }
    })
}
