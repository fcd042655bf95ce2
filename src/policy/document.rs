//! A policy document as it was written: a tree of values that know their place in the text.
//!
//! Every format is read into this tree, and [`Policy::builder`](crate::Policy::builder) makes one without places.

use serde_json::Number;

use crate::diagnostic::Span;

/// A value and the bytes it was read from; the span is empty where there is no text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) span: Span,
}

/// What a policy document can hold. Members of an object keep their order and their duplicates.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    Array(Vec<Node>),
    Object(Vec<Member>),
    /// `{text}` where a format without the quotes takes it for an object.
    #[cfg_attr(not(feature = "yaml"), expect(dead_code, reason = "JSON and TOML demand the quotes"))]
    BareBraces(String),
    /// A number that JSON cannot hold, such as an infinite one.
    #[cfg_attr(not(any(feature = "toml", feature = "yaml")), expect(dead_code, reason = "JSON has none"))]
    OutOfRange,
}

/// A member of an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Member {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) value: Node,
}

impl Value {
    /// What this is, in the words of messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "a list",
            Self::Object(_) | Self::BareBraces(_) => "an object",
            Self::OutOfRange => "a number that JSON cannot hold",
        }
    }
}
