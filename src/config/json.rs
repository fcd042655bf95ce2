//! JSON (RFC 8259), strictly: no comments, no trailing commas.

use std::{fmt, str::FromStr};

use jsonc_parser::{Scanner, ScannerOptions, tokens::Token};
use serde_core::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::Number;

use super::format::syntax;
use crate::{
    diagnostic::{Diagnostic, Span},
    policy::document::{Member, Node, Value},
};

const STRICT: ScannerOptions = ScannerOptions {
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// Reads a text that `serde_json` accepts, so that its strictness and its limit of depth hold; the scanner knows the
/// places.
pub(super) fn read(text: &str) -> Result<Node, Vec<Diagnostic>> {
    serde_json::from_str::<Accepted>(text).map_err(|error| vec![refusal(text, &error)])?;
    let mut reader = Reader { scanner: Scanner::new(text, &STRICT) };
    reader.node().ok_or_else(|| vec![syntax("this cannot be read", reader.span())])
}

/// A value that `serde_json` has read, every part of it, as strictly as one that is kept.
struct Accepted;

impl<'de> Deserialize<'de> for Accepted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Accepted {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self, A::Error> {
        while elements.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        while members.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }
}

/// Reads the tokens of a text that is known to be JSON.
struct Reader<'a> {
    scanner: Scanner<'a>,
}

impl<'a> Reader<'a> {
    fn token(&mut self) -> Option<Token<'a>> {
        self.scanner.scan().ok()?
    }

    /// Where the last token is.
    fn span(&self) -> Span {
        self.scanner.token_start()..self.scanner.token_end()
    }

    fn node(&mut self) -> Option<Node> {
        let first = self.token()?;
        self.node_from(first)
    }

    fn node_from(&mut self, first: Token<'a>) -> Option<Node> {
        let start = self.scanner.token_start();
        let value = match first {
            Token::Null => Value::Null,
            Token::Boolean(value) => Value::Bool(value),
            Token::Number(digits) => Value::Number(Number::from_str(digits).ok()?),
            Token::String(text) => Value::String(text.into_owned()),
            Token::OpenBracket => Value::Array(self.elements()?),
            Token::OpenBrace => Value::Object(self.members()?),
            _ => return None,
        };
        Some(Node { value, span: start..self.scanner.token_end() })
    }

    fn elements(&mut self) -> Option<Vec<Node>> {
        let mut elements = Vec::new();
        loop {
            match self.token()? {
                Token::CloseBracket => break,
                Token::Comma => {}
                first => elements.push(self.node_from(first)?),
            }
        }
        elements.shrink_to_fit();
        Some(elements)
    }

    fn members(&mut self) -> Option<Vec<Member>> {
        let mut members = Vec::new();
        loop {
            match self.token()? {
                Token::CloseBrace => break,
                Token::Comma => {}
                Token::String(key) => {
                    let key_span = self.span();
                    let Token::Colon = self.token()? else { return None };
                    members.push(Member { key: key.into_owned(), key_span, value: self.node()? });
                }
                _ => return None,
            }
        }
        members.shrink_to_fit();
        Some(members)
    }
}

fn refusal(text: &str, error: &serde_json::Error) -> Diagnostic {
    let start = offset(text, error.line(), error.column());
    let full = error.to_string();
    let message = full.rsplit_once(" at line ").map_or(full.as_str(), |(message, _)| message);
    syntax(message.replace("EOF while parsing", "the text ends inside"), start..start + 1)
}

/// The byte at a line and column as `serde_json` counts them: from 1, columns in bytes.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    (before + column.saturating_sub(1)).min(text.len())
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::read;
    use crate::policy::document::{Node, Value};

    fn plain(node: Node) -> Json {
        match node.value {
            Value::Bool(value) => value.into(),
            Value::Number(number) => Json::Number(number),
            Value::String(text) => text.into(),
            Value::Array(elements) => elements.into_iter().map(plain).collect(),
            Value::Object(members) => members.into_iter().map(|it| (it.key, plain(it.value))).collect(),
            Value::Null | Value::BareBraces(_) | Value::OutOfRange => Json::Null,
        }
    }

    #[test]
    fn both_parsers_read_the_same_values() {
        for text in [
            r#""\u0041\ud83d\ude00\/\b\f\n\r\t\\\"\u0000é😀' // /* */""#,
            r#"{ "\u0061": "\\u0061", "": {}, "b": [[], [null, true, false]] }"#,
            "[-0, 0, -1, 1E+2, 1e-2, 0.5, -1.5e3, 18446744073709551615, -9223372036854775808, 123456789012345678901234567890]",
            " \t\r\n[ 1 ]\r\n ",
            "\"\u{2028}\u{7f}\u{feff}\"",
            "3",
        ] {
            let tree = read(text).unwrap_or_else(|found| panic!("{text}: {found:?}"));
            assert_eq!(plain(tree), serde_json::from_str::<Json>(text).unwrap(), "{text}");
        }
    }

    /// Every text that is one byte away from a document, and what is at the limits.
    #[test]
    fn what_one_parser_refuses_is_refused_in_its_words_and_at_its_place() {
        let document = r#"{"a":[0,-1.5e3,true,null,"\u00e9\n\ud83d\ude00"],"b":{"":{}, "c":[[]]}}"#;
        let nested = |depth| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        let mut texts = vec![nested(127), nested(128), "1e999".into(), "-1e-999".into(), r#""\ud800""#.into()];
        texts.extend(
            ["", " ", "1 2", "[1,]", "{\"a\":1,}", "\u{feff}1", "\u{a0}1", "// c\n1", "/**/1", "'a'", "{a:1}", "+1"]
                .map(Into::into),
        );
        for at in 0..document.len() {
            let (before, after) = (&document[..at], &document[at + 1..]);
            texts.push(format!("{before}{after}"));
            let bytes = "{}[],:\"'\\/ \t\u{1}\u{7f}019.-+eEtfnux\u{e9}".chars();
            texts.extend(
                bytes.flat_map(|byte| [format!("{before}{byte}{after}"), format!("{before}{byte}{}", &document[at..])]),
            );
        }
        for text in texts {
            match (read(&text), serde_json::from_str::<Json>(&text)) {
                (Ok(tree), Ok(value)) => assert_eq!(plain(tree), value, "{text}"),
                (Err(found), Err(error)) => assert_eq!(found, [super::refusal(&text, &error)], "{text}"),
                (found, other) => panic!("{text}: {found:?}, {other:?}"),
            }
        }
    }
}
