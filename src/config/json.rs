//! JSON (RFC 8259), strictly: no comments, no trailing commas.

use std::str::FromStr;

use jsonc_parser::{
    CollectOptions, ParseOptions,
    ast::{self, ObjectPropName},
    common::{Range, Ranged},
    parse_to_ast,
};
use serde_json::Number;

use super::format::syntax;
use crate::{
    diagnostic::{Diagnostic, Span},
    policy::document::{Member, Node, Value},
};

const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// Reads a text that `serde_json` accepts, so that its strictness and its limit of depth hold; the other parser
/// knows the places.
pub(super) fn read(text: &str) -> Result<Node, Vec<Diagnostic>> {
    if let Err(error) = serde_json::from_str::<serde_json::Value>(text) {
        return Err(vec![refusal(text, &error)]);
    }
    let parsed = parse_to_ast(text, &CollectOptions::default(), &STRICT);
    let parsed = parsed.map_err(|error| vec![syntax(error.kind().to_string(), span(&error.range()))])?;
    let root = parsed.value.ok_or_else(|| vec![syntax("there is no value", 0..0)])?;
    Ok(node(root))
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

fn node(value: ast::Value<'_>) -> Node {
    let span = span(&value.range());
    let value = match value {
        ast::Value::NullKeyword(_) => Value::Null,
        ast::Value::BooleanLit(literal) => Value::Bool(literal.value),
        ast::Value::NumberLit(literal) => number(literal.value),
        ast::Value::StringLit(literal) => Value::String(literal.value.into_owned()),
        ast::Value::Array(array) => Value::Array(array.elements.into_iter().map(node).collect()),
        ast::Value::Object(object) => Value::Object(object.properties.into_iter().map(member).collect()),
    };
    Node { value, span }
}

/// `serde_json` has read the same digits before.
fn number(digits: &str) -> Value {
    Number::from_str(digits).map_or(Value::Null, Value::Number)
}

fn member(property: ast::ObjectProp<'_>) -> Member {
    let key_span = match &property.name {
        ObjectPropName::String(literal) => span(&literal.range),
        ObjectPropName::Word(literal) => span(&literal.range),
    };
    Member { key: property.name.into_string(), key_span, value: node(property.value) }
}

fn span(range: &Range) -> Span {
    range.start..range.end
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
}
