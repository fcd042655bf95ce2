//! Walking through a document: where one is, and what is expected there.

use std::{
    collections::HashSet,
    fmt::{self, Write as _},
};

use crate::{
    diagnostic::{Diagnostic, Span, code, quoted, quoted_key},
    policy::{
        document::{Member, Node, Value},
        problems::Problems,
    },
};

/// A value of the document, and the way that led to it.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    node: &'a Node,
    step: Step<'a>,
    parent: Option<&'a At<'a>>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Key(&'a Member),
    Index(usize),
}

impl<'a> At<'a> {
    pub(crate) fn root(node: &'a Node) -> Self {
        Self { node, step: Step::Root, parent: None }
    }

    fn member(&'a self, member: &'a Member) -> Self {
        Self { node: &member.value, step: Step::Key(member), parent: Some(self) }
    }

    fn element(&'a self, index: usize, node: &'a Node) -> Self {
        Self { node, step: Step::Index(index), parent: Some(self) }
    }

    pub(crate) fn value(&self) -> &'a Value {
        &self.node.value
    }

    pub(crate) fn span(&self) -> Span {
        self.node.span.clone()
    }

    pub(crate) fn key_span(&self) -> Span {
        match self.step {
            Step::Key(member) => member.key_span.clone(),
            Step::Root | Step::Index(_) => self.span(),
        }
    }

    /// The place in the document, such as `routes."GET /me".allow[1]`.
    pub(crate) fn place(&self) -> String {
        let mut place = String::new();
        // Writing to a string cannot fail.
        let _ = self.write_place(&mut place);
        place
    }

    fn write_place(&self, place: &mut String) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.write_place(place)?;
        }
        match self.step {
            Step::Root => Ok(()),
            Step::Index(index) => write!(place, "[{index}]"),
            Step::Key(member) => {
                let dot = if place.is_empty() { "" } else { "." };
                if is_bare(&member.key) {
                    write!(place, "{dot}{}", member.key)
                } else {
                    write!(place, "{dot}{}", quoted_key(&member.key))
                }
            }
        }
    }

    /// What messages call this value.
    pub(crate) fn label(&self) -> String {
        match self.step {
            Step::Root => "the document".to_owned(),
            Step::Key(member) => quoted(&member.key).to_string(),
            Step::Index(_) => "an element".to_owned(),
        }
    }

    fn wrong_type(&self, problems: &mut Problems, expected: &str, help: Option<String>) {
        if let Value::BareBraces(text) = self.value() {
            let message = format!("{} without quotes is an object in YAML", quoted(text));
            let help = format!("write {}", quoted(&format!("\"{text}\"")));
            return problems.value(self, Diagnostic::error(code::UNQUOTED_BRACES, message).help(help));
        }
        let message = format!("expected {expected}, found {}", self.value().kind());
        problems.value(self, Diagnostic::error(code::WRONG_TYPE, message).help(help));
    }

    /// An object; of members with the same key the first counts, and the others are problems.
    pub(crate) fn object(&'a self, problems: &mut Problems) -> Option<Object<'a>> {
        let Value::Object(members) = self.value() else {
            self.wrong_type(problems, "an object", None);
            return None;
        };
        let mut seen = HashSet::with_capacity(members.len());
        let (first, again): (Vec<_>, Vec<_>) = members.iter().partition(|member| seen.insert(member.key.as_str()));
        for member in again {
            problems.key(&self.member(member), duplicate_key(&member.key));
        }
        Some(Object { at: self, members: first })
    }

    /// A list with at least one element.
    pub(crate) fn list(&'a self, problems: &mut Problems, help: &str) -> Option<Vec<At<'a>>> {
        match self.value() {
            Value::Array(elements) if elements.is_empty() => {
                problems.empty(self, help);
                None
            }
            Value::Array(elements) => Some(self.elements(elements)),
            other => {
                let brackets = match other {
                    Value::String(text) => Some(format!("write `[{}]`", quoted_key(text))),
                    _ => None,
                };
                self.wrong_type(problems, "a list", brackets);
                None
            }
        }
    }

    pub(crate) fn elements(&'a self, elements: &'a [Node]) -> Vec<At<'a>> {
        elements.iter().enumerate().map(|(index, node)| self.element(index, node)).collect()
    }

    pub(crate) fn string(&self, problems: &mut Problems) -> Option<&'a str> {
        let Value::String(text) = self.value() else {
            self.wrong_type(problems, "a string", None);
            return None;
        };
        Some(text)
    }

    /// A string that says something.
    pub(crate) fn text(&self, problems: &mut Problems, help: &str) -> Option<&'a str> {
        let text = self.string(problems)?;
        if text.trim().is_empty() {
            problems.empty(self, help);
            return None;
        }
        Some(text)
    }

    pub(crate) fn boolean(&self, problems: &mut Problems) -> Option<bool> {
        let Value::Bool(value) = self.value() else {
            self.wrong_type(problems, "`true` or `false`", None);
            return None;
        };
        Some(*value)
    }

    /// One of a few words.
    pub(crate) fn word<T: Copy>(&self, problems: &mut Problems, words: &[(&str, T)]) -> Option<T> {
        let text = self.string(problems)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let all: Vec<_> = words.iter().map(|(word, _)| quoted(word).to_string()).collect();
        let message = format!("{} cannot be {}", self.label(), quoted(text));
        let help = format!("write {}", all.join(" or "));
        problems.value(self, Diagnostic::error(code::UNKNOWN_VALUE, message).help(help));
        None
    }

    /// Says what is expected where the type may be right but the value is not.
    pub(crate) fn expected_value(&self, problems: &mut Problems, expected: &str) {
        let Value::Number(number) = self.value() else { return self.expected(problems, expected) };
        let message = format!("expected {expected}, found `{number}`");
        problems.value(self, Diagnostic::error(code::WRONG_TYPE, message));
    }

    pub(crate) fn expected(&self, problems: &mut Problems, expected: &str) {
        self.wrong_type(problems, expected, None);
    }
}

/// What is said of a key that an object has already.
fn duplicate_key(key: &str) -> Diagnostic {
    Diagnostic::error(code::DUPLICATE_KEY, format!("{} is there twice", quoted(key)))
        .help("keep one of them".to_owned())
}

fn is_bare(key: &str) -> bool {
    !key.is_empty() && key.len() <= 64 && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-$".contains(&byte))
}

/// An object whose keys are all different.
pub(crate) struct Object<'a> {
    at: &'a At<'a>,
    members: Vec<&'a Member>,
}

impl<'a> Object<'a> {
    pub(crate) fn at(&self) -> &'a At<'a> {
        self.at
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    pub(crate) fn get(&self, key: &str) -> Option<At<'a>> {
        self.members.iter().find(|member| member.key == key).map(|member| self.at.member(member))
    }

    pub(crate) fn has_one_of(&self, keys: &[&str]) -> bool {
        self.members.iter().any(|member| keys.contains(&member.key.as_str()))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'a str, At<'a>)> {
        self.members.iter().map(|member| (member.key.as_str(), self.at.member(member)))
    }

    /// Reports every key that is not one of `known`.
    pub(crate) fn only(&self, problems: &mut Problems, known: &[&str]) {
        self.only_or(problems, known, |_| None);
    }

    /// As [`only`](Self::only), with better help for the keys that `help` knows.
    pub(crate) fn only_or(&self, problems: &mut Problems, known: &[&str], help: impl Fn(&str) -> Option<String>) {
        for (key, at) in self.iter().filter(|(key, _)| !known.contains(key)) {
            let nearest = help(key).or_else(|| problems.nearest(key, known.iter().copied()));
            let all: Vec<_> = known.iter().map(|word| quoted(word).to_string()).collect();
            let help = nearest.unwrap_or_else(|| format!("the keys here are {}", all.join(", ")));
            let message = format!("unknown key {}", quoted(key));
            problems.key(&at, Diagnostic::error(code::UNKNOWN_KEY, message).help(help));
        }
    }

    /// The value of a key that must be there.
    pub(crate) fn require(&self, problems: &mut Problems, key: &str, help: &str) -> Option<At<'a>> {
        let found = self.get(key);
        if found.is_none() {
            let message = format!("{} is missing", quoted(key));
            problems.value(self.at, Diagnostic::error(code::MISSING_KEY, message).help(help.to_owned()));
        }
        found
    }
}
