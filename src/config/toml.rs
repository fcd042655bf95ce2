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
    let (again, errors): (Vec<_>, Vec<_>) = errors.iter().partition(|error| error.message() == "duplicate key");
    let mut document = Node { value: Value::Object(members(text, table.into_inner())), span: 0..text.len() };
    let mut repeated = Repeated::new();
    for error in again {
        let span = error.span().unwrap_or_default();
        repeated.entry(key_at(text, &span)).or_default().push(Repeat { span, first: None });
    }
    seek(&mut repeated, text, &document);
    let lost = repeated.values().flatten().filter(|repeat| repeat.first.is_none());
    let lost = lost.map(|repeat| syntax("duplicate key", repeat.span.clone()));
    let found: Vec<_> = errors.into_iter().map(refusal).chain(lost).collect();
    if !found.is_empty() {
        return Err(found);
    }
    restore(&mut document, &mut by_first(repeated));
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

/// Keys that the parser dropped, since their table has them already.
type Repeated = HashMap<String, Vec<Repeat>>;

struct Repeat {
    span: Span,
    /// Where the key is that is repeated.
    first: Option<usize>,
}

fn key_at(text: &str, span: &Span) -> String {
    let written = text.get(span.clone()).unwrap_or_default();
    let alone = format!("{written} = 0");
    let parsed = DeTable::parse(&alone).ok().map(Spanned::into_inner);
    let key = parsed.as_ref().and_then(|table| Some(table.keys().next()?.get_ref().to_string()));
    key.unwrap_or_else(|| written.to_owned())
}

/// Finds what each repeats: the nearest key of its name before it, in a table that is still open there.
fn seek(repeated: &mut Repeated, text: &str, node: &Node) {
    match &node.value {
        Value::Array(elements) => {
            for element in elements {
                seek(repeated, text, element);
            }
        }
        Value::Object(members) if !repeated.is_empty() => {
            let inline = text.get(node.span.clone()).is_some_and(|text| text.starts_with('{'));
            for member in members {
                let first = member.key_span.start;
                for repeat in repeated.get_mut(&member.key).into_iter().flatten() {
                    let open = !inline || node.span.contains(&repeat.span.start);
                    if open && first < repeat.span.start && repeat.first.is_none_or(|nearest| nearest < first) {
                        repeat.first = Some(first);
                    }
                }
                seek(repeated, text, &member.value);
            }
        }
        _ => {}
    }
}

/// The members to put back, by the place of the key that they repeat.
fn by_first(repeated: Repeated) -> HashMap<usize, Vec<Member>> {
    let mut members: HashMap<usize, Vec<Member>> = HashMap::new();
    for (key, repeats) in repeated {
        for Repeat { span, first } in repeats {
            let value = Node { value: Value::Null, span: span.clone() };
            let member = Member { key: key.clone(), key_span: span, value };
            members.entry(first.unwrap_or_default()).or_default().push(member);
        }
    }
    members
}

fn restore(node: &mut Node, repeats: &mut HashMap<usize, Vec<Member>>) {
    match &mut node.value {
        Value::Array(elements) => {
            for element in elements {
                restore(element, repeats);
            }
        }
        Value::Object(members) if !repeats.is_empty() => {
            let again: Vec<_> = members.iter().filter_map(|member| repeats.remove(&member.key_span.start)).collect();
            for member in members.iter_mut() {
                restore(&mut member.value, repeats);
            }
            members.extend(again.into_iter().flatten());
        }
        _ => {}
    }
}
