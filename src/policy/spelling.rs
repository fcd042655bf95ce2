//! The ways in which one key can be spelled.
//!
//! A path is read with its escapes and without them. A key must match both readings, whichever of them it was
//! written as: one written `/a%20b` would otherwise not hold for `/%61%20b`, which reads as `/a b`.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::pattern::Piece;
use crate::path::decode_but_slashes;

/// What a URI cannot hold as it is (RFC 3986, section 3.3).
const ESCAPED: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');

/// The same route, spelled as its escapes read level by level, and with the escapes that it lacks.
pub(super) fn other_spellings(pieces: &[Piece]) -> Vec<Vec<Piece>> {
    let decoded = std::iter::successors(respelled(pieces, decoded), |pieces| respelled(pieces, decoded));
    respelled(pieces, escaped).into_iter().chain(decoded).collect()
}

/// The pieces with every literal changed; none if that changes nothing, or cannot be said in UTF-8.
fn respelled(pieces: &[Piece], respell: fn(&str) -> Option<Cow<'_, str>>) -> Option<Vec<Piece>> {
    let stays = |piece: &Piece| match piece {
        Piece::Literal(text) => matches!(respell(text), Some(Cow::Borrowed(_))),
        Piece::Param(_) | Piece::Rest(_) => true,
    };
    if pieces.iter().all(stays) {
        return None;
    }
    let respell = |piece: &Piece| match piece {
        Piece::Literal(text) => respell(text).map(|text| Piece::Literal(text.into())),
        other => Some(other.clone()),
    };
    let respelled: Option<Vec<_>> = pieces.iter().map(respell).collect();
    respelled.filter(|respelled| respelled != pieces)
}

fn decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    match decode_but_slashes(text.as_bytes()) {
        Some(decoded) => String::from_utf8(decoded).ok().map(Cow::Owned),
        None => Some(Cow::Borrowed(text)),
    }
}

/// With `%25` for every `%` that begins no escape.
#[expect(clippy::unnecessary_wraps, reason = "one of several ways to respell")]
fn escaped(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(utf8_percent_encode(text, ESCAPED).into());
    }
    let mut escaped = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        escaped.extend(utf8_percent_encode(before, ESCAPED));
        let is_escape = after.get(..2).is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        escaped.push_str(if is_escape { "%" } else { "%25" });
        rest = after;
    }
    escaped.extend(utf8_percent_encode(rest, ESCAPED));
    Some(Cow::Owned(escaped))
}

#[cfg(test)]
mod tests {
    use super::{super::pattern::Pattern, Piece, other_spellings};

    fn spellings(path: &str) -> Vec<String> {
        let text = |piece: &Piece| match piece {
            Piece::Literal(text) => text.to_string(),
            Piece::Param(name) => format!("{{{name}}}"),
            Piece::Rest(name) => format!("{{*{name}}}"),
        };
        let spellings = other_spellings(Pattern::parse(path).unwrap().pieces());
        spellings.iter().map(|pieces| pieces.iter().map(text).collect()).collect()
    }

    #[test]
    fn a_key_is_spelled_with_escapes_and_as_each_level_of_them_reads() {
        for (path, others) in [
            ("/users/{id}", &[][..]),
            ("/a.b-c_d~e!$&'()*+,;=:@", &[]),
            ("/a%20b", &["/a b"]),
            ("/a b", &["/a%20b"]),
            ("/caf\u{e9}/{*rest}", &["/caf%C3%A9/{*rest}"]),
            ("/caf%C3%A9/{id}/%7C", &["/caf\u{e9}/{id}/|"]),
            ("/\u{e9}%20", &["/%C3%A9%20", "/\u{e9} "]),
            ("/100%25", &["/100%"]),
            ("/100%", &["/100%25"]),
            ("/%zz%4", &["/%25zz%254"]),
            ("/a%252520b", &["/a%2520b", "/a%20b", "/a b"]),
            ("/a%2Fb%2f", &[]),
            ("/a%252Fb", &["/a%2Fb"]),
            ("/%FF", &[]),
        ] {
            assert_eq!(spellings(path), others, "{path}");
        }
    }
}
