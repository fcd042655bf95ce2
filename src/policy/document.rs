//! A policy document as it was written: a tree of values that know their place in the text.
//!
//! Every format is read into this tree, and [`Policy::builder`](crate::Policy::builder) makes one without places.

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
    Integer(i64),
    Float(f64),
    String(String),
    Array(Vec<Node>),
    Object(Vec<Member>),
}

/// A member of an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Member {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) value: Node,
}
