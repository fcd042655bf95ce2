//! YAML 1.2 with the core schema, without what a policy is better off without: anchors, aliases, tags, several documents.

use std::borrow::Cow;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, StrInput};
use serde_json::Number;

use super::format::syntax;
use crate::{
    diagnostic::{Diagnostic, Span, code},
    policy::document::{Member, Node, Value},
};

/// The deepest nesting that is read; a policy needs ten levels.
const DEEPEST: usize = 100;

pub(super) fn read(text: &str) -> Result<Node, Vec<Diagnostic>> {
    // To the parser a NUL is the end, and what follows it would be dropped without a word.
    if let Some(nul) = text.find('\0') {
        return Err(vec![syntax("there is a NUL character", nul..nul + 1)]);
    }
    let mut reader = Reader::new(text);
    reader.run().map_err(|found| vec![found])?;
    let nothing = || Node { value: Value::Object(Vec::new()), span: 0..text.len() };
    Ok(reader.root.unwrap_or_else(nothing))
}

/// A collection that is being read.
enum Open {
    List(Vec<Node>, usize),
    Object { members: Vec<Member>, key: Option<(String, Span)>, start: usize },
}

struct Reader<'t> {
    text: &'t str,
    parser: Parser<'t, StrInput<'t>>,
    offsets: Offsets<'t>,
    open: Vec<Open>,
    root: Option<Node>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        let offsets = Offsets { text, index: 0, byte: 0 };
        Self { text, parser: Parser::new_from_str(text), offsets, open: Vec::new(), root: None }
    }

    fn run(&mut self) -> Result<(), Diagnostic> {
        while let Some(event) = self.parser.next_event() {
            let (event, span) = event.map_err(|error| self.refusal(&error))?;
            let start = self.offsets.byte(span.start.index());
            let end = self.offsets.byte(span.end.index());
            self.event(event, start..self.end(start, end))?;
        }
        Ok(())
    }

    fn refusal(&mut self, error: &ScanError) -> Diagnostic {
        let start = self.offsets.byte(error.marker().index());
        if error.info().contains("unknown anchor") {
            return alias(start..start + 1);
        }
        syntax(error.info(), start..start + 1)
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Diagnostic> {
        match event {
            Event::Alias(_) => return Err(alias(span)),
            Event::DocumentStart(_) if self.root.is_some() => {
                return Err(unsupported("a second document", "keep one document in the file", span));
            }
            Event::Scalar(text, style, anchor, tag) => {
                refuse_extras(anchor, tag.is_some(), &span)?;
                self.scalar(text, style, span);
            }
            Event::SequenceStart(anchor, tag) => {
                refuse_extras(anchor, tag.is_some(), &span)?;
                self.enter(Open::List(Vec::new(), span.start), &span)?;
            }
            Event::MappingStart(anchor, tag) => {
                refuse_extras(anchor, tag.is_some(), &span)?;
                self.enter(Open::Object { members: Vec::new(), key: None, start: span.start }, &span)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.leave(&span),
            _ => {}
        }
        Ok(())
    }

    fn enter(&mut self, open: Open, span: &Span) -> Result<(), Diagnostic> {
        if let Some(Open::Object { key: None, .. }) = self.open.last() {
            return Err(unsupported("a key that is not a string", "write the key in quotes", span.clone()));
        }
        if self.open.len() >= DEEPEST {
            return Err(syntax("the nesting is too deep", span.clone()));
        }
        self.open.push(open);
        Ok(())
    }

    fn scalar(&mut self, text: Cow<'_, str>, style: ScalarStyle, span: Span) {
        if let Some(Open::Object { key: key @ None, .. }) = self.open.last_mut() {
            *key = Some((text.into_owned(), span));
            return;
        }
        let value = if style == ScalarStyle::Plain { plain(&text) } else { Value::String(text.into_owned()) };
        self.put(Node { value, span });
    }

    fn leave(&mut self, span: &Span) {
        let node = match self.open.pop() {
            Some(Open::List(elements, start)) => {
                Node { value: Value::Array(elements), span: start..self.end(start, span.end) }
            }
            Some(Open::Object { members, start, .. }) => {
                let span = start..self.end(start, span.end);
                Node { value: self.bare_braces(&members, &span).unwrap_or(Value::Object(members)), span }
            }
            None => return,
        };
        self.put(node);
    }

    /// The end of a value without the blanks that the parser counts to it.
    fn end(&self, start: usize, end: usize) -> usize {
        self.text.get(start..end).map_or(end, |text| start + text.trim_end().len())
    }

    /// `{id}`, which was meant as a parameter.
    fn bare_braces(&self, members: &[Member], span: &Span) -> Option<Value> {
        let [member] = members else { return None };
        let text = self.text.get(span.clone())?;
        let inside = text.strip_prefix('{')?.strip_suffix('}')?;
        let is_bare = member.value.value == Value::Null && inside.trim() == member.key;
        is_bare.then(|| Value::BareBraces(format!("{{{}}}", member.key)))
    }

    fn put(&mut self, node: Node) {
        match self.open.last_mut() {
            Some(Open::List(elements, _)) => elements.push(node),
            Some(Open::Object { members, key, .. }) => {
                if let Some((key, key_span)) = key.take() {
                    members.push(Member { key, key_span, value: node });
                }
            }
            None => self.root = Some(node),
        }
    }
}

fn refuse_extras(anchor: usize, has_tag: bool, span: &Span) -> Result<(), Diagnostic> {
    if anchor != 0 {
        return Err(unsupported("an anchor", "write the value out where it is needed", span.clone()));
    }
    if has_tag {
        return Err(unsupported("a tag", "leave it out, and write strings in quotes", span.clone()));
    }
    Ok(())
}

fn alias(span: Span) -> Diagnostic {
    unsupported("an alias", "write the value out, or in quotes where `*` is meant as such", span)
}

fn unsupported(what: &str, help: &str, span: Span) -> Diagnostic {
    Diagnostic::error(code::UNSUPPORTED_YAML, format!("a policy cannot have {what}")).help(help.to_owned()).span(span)
}

/// What a scalar without quotes is in the core schema (YAML 1.2.2, section 10.3.2).
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).unwrap_or_else(|| Value::String(text.to_owned())),
    }
}

fn number(text: &str) -> Option<Value> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(digits, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(Value::OutOfRange);
    }
    if let Some((radix, digits)) = radix(text) {
        let number = u64::from_str_radix(digits, radix);
        return Some(number.map_or(Value::OutOfRange, |number| Value::Number(number.into())));
    }
    let is_number = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    let float = text.parse().ok().filter(|_: &f64| is_number)?;
    let is_integer = digits.bytes().all(|byte| byte.is_ascii_digit());
    let signed = || text.parse::<i64>().ok().map(Number::from);
    let unsigned = || text.parse::<u64>().ok().map(Number::from);
    let integer = is_integer.then(|| signed().or_else(unsigned)).flatten();
    Some(integer.or_else(|| Number::from_f64(float)).map_or(Value::OutOfRange, Value::Number))
}

/// `0o14` and `0xC`.
fn radix(text: &str) -> Option<(u32, &str)> {
    let octal = text.strip_prefix("0o").map(|digits| (8, digits));
    let (radix, digits) = octal.or_else(|| text.strip_prefix("0x").map(|digits| (16, digits)))?;
    let are_digits = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    are_digits.then_some((radix, digits))
}

/// From places in characters, as the parser counts, to places in bytes: walks from the last one.
struct Offsets<'t> {
    text: &'t str,
    index: usize,
    byte: usize,
}

impl Offsets<'_> {
    fn byte(&mut self, index: usize) -> usize {
        let (before, after) = self.text.split_at_checked(self.byte).unwrap_or((self.text, ""));
        self.byte = if let Some(back) = self.index.checked_sub(index + 1) {
            before.char_indices().rev().nth(back).map_or(0, |(byte, _)| byte)
        } else {
            let ahead = index - self.index;
            self.byte + after.char_indices().nth(ahead).map_or(after.len(), |(byte, _)| byte)
        };
        self.index = index;
        self.byte
    }
}
