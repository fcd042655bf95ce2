//! TOML 1.1.

use std::collections::HashMap;

use serde_json::Number;
use toml::{
    Spanned,
    de::{DeFloat, DeInteger, DeString, DeTable, DeValue, Error},
};

use super::format::syntax;
use crate::{
    diagnostic::{Diagnostic, Span},
    policy::document::{Member, Node, Value},
};

/// Reads a document. A key that is there twice is no error of syntax here, so that it is reported as in every format.
pub(super) fn read(text: &str) -> Result<Node, Vec<Diagnostic>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let (duplicates, errors): (Vec<_>, Vec<_>) = errors.iter().partition(|error| error.message() == "duplicate key");
    let mut document = Node { value: Value::Object(members(text, table.into_inner())), span: 0..text.len() };
    let mut found: Vec<_> = errors.into_iter().map(refusal).collect();
    let mut duplicates: Vec<_> = duplicates.into_iter().map(|error| Duplicate::new(text, error)).collect();
    Duplicate::seek(&mut duplicates, text, &document);
    found.extend(
        duplicates
            .iter()
            .filter(|duplicate| duplicate.first.is_none())
            .map(|it| syntax("duplicate key", it.span.clone())),
    );
    if !found.is_empty() {
        return Err(found);
    }
    let by_first = duplicates.into_iter().filter_map(|duplicate| Some((duplicate.first?, duplicate)));
    restore(&mut document, &by_first.collect());
    Ok(document)
}

fn refusal(error: &Error) -> Diagnostic {
    syntax(error.message(), error.span().unwrap_or_default())
}

fn node(text: &str, value: Spanned<DeValue<'_>>) -> Node {
    let span = value.span();
    let value = match value.into_inner() {
        DeValue::String(text) => Value::String(text.into_owned()),
        DeValue::Integer(number) => integer(&number),
        DeValue::Float(number) => float(&number),
        DeValue::Boolean(value) => Value::Bool(value),
        DeValue::Datetime(time) => {
            Value::String(text.get(span.clone()).map_or_else(|| time.to_string(), str::to_owned))
        }
        DeValue::Array(elements) => Value::Array(elements.into_iter().map(|element| node(text, element)).collect()),
        DeValue::Table(table) => Value::Object(members(text, table)),
    };
    Node { value, span }
}

/// The members of a table in the order of the text.
fn members(text: &str, table: DeTable<'_>) -> Vec<Member> {
    let member = |(key, value): (Spanned<DeString<'_>>, Spanned<DeValue<'_>>)| Member {
        key_span: key.span(),
        key: key.into_inner().into_owned(),
        value: node(text, value),
    };
    let mut members: Vec<_> = table.into_iter().map(member).collect();
    members.sort_by_key(|member| member.key_span.start);
    members
}

fn integer(number: &DeInteger<'_>) -> Value {
    let signed = i64::from_str_radix(number.as_str(), number.radix()).ok().map(Number::from);
    let unsigned = || u64::from_str_radix(number.as_str(), number.radix()).ok().map(Number::from);
    signed.or_else(unsigned).map_or(Value::OutOfRange, Value::Number)
}

fn float(number: &DeFloat<'_>) -> Value {
    let parsed = number.as_str().parse().ok().and_then(Number::from_f64);
    parsed.map_or(Value::OutOfRange, Value::Number)
}

/// A key that the parser dropped, since its table has it already.
struct Duplicate {
    key: String,
    span: Span,
    /// Where the key is that it repeats.
    first: Option<usize>,
}

impl Duplicate {
    fn new(text: &str, error: &Error) -> Self {
        let span = error.span().unwrap_or_default();
        let written = text.get(span.clone()).unwrap_or_default();
        let alone = format!("{written} = 0");
        let parsed = DeTable::parse(&alone).ok().map(Spanned::into_inner);
        let key = parsed.as_ref().and_then(|table| Some(table.keys().next()?.get_ref().to_string()));
        Self { key: key.unwrap_or_else(|| written.to_owned()), span, first: None }
    }

    /// Finds what each repeats: the nearest key of its name before it, in a table that is still open there.
    fn seek(duplicates: &mut [Self], text: &str, node: &Node) {
        match &node.value {
            Value::Array(elements) => elements.iter().for_each(|element| Self::seek(duplicates, text, element)),
            Value::Object(members) if !duplicates.is_empty() => {
                let inline = text.get(node.span.clone()).is_some_and(|text| text.starts_with('{'));
                for member in members {
                    for duplicate in duplicates.iter_mut().filter(|duplicate| duplicate.key == member.key) {
                        let open = !inline || node.span.contains(&duplicate.span.start);
                        let before = member.key_span.start < duplicate.span.start;
                        if open && before && duplicate.first.is_none_or(|first| first < member.key_span.start) {
                            duplicate.first = Some(member.key_span.start);
                        }
                    }
                    Self::seek(duplicates, text, &member.value);
                }
            }
            _ => {}
        }
    }
}

/// Puts the dropped keys back into their tables.
fn restore(node: &mut Node, duplicates: &HashMap<usize, Duplicate>) {
    match &mut node.value {
        Value::Array(elements) => elements.iter_mut().for_each(|element| restore(element, duplicates)),
        Value::Object(members) if !duplicates.is_empty() => {
            let again = members.iter().filter_map(|member| duplicates.get(&member.key_span.start));
            let again: Vec<_> = again.map(Duplicate::member).collect();
            for member in members.iter_mut() {
                restore(&mut member.value, duplicates);
            }
            members.extend(again);
        }
        _ => {}
    }
}

impl Duplicate {
    fn member(&self) -> Member {
        let value = Node { value: Value::Null, span: self.span.clone() };
        Member { key: self.key.clone(), key_span: self.span.clone(), value }
    }
}
