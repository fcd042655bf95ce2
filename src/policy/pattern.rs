//! The path of a route key: axum 0.8's syntax, read once.

use std::{ops::Range, sync::Arc};

use super::{
    capture::{Captures, EmptySegment},
    spelling::other_spellings,
};
use crate::path::is_dots;

/// A piece of a path, from left to right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Text that must be there byte by byte, slashes included, escapes resolved.
    Literal(Box<str>),
    /// `{name}`: the rest of one segment, not empty.
    Param(Box<str>),
    /// `{*name}`: the rest of the path, not empty.
    Rest(Box<str>),
}

/// The path of a route key. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pattern {
    text: Arc<str>,
    pieces: Arc<[Piece]>,
}

/// What is wrong with a path, and the bytes of it that are at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PatternProblem {
    pub(crate) kind: ProblemKind,
    pub(crate) range: Range<usize>,
}

/// What can be wrong with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProblemKind {
    /// It does not begin with `/`.
    NoLeadingSlash,
    /// `:id`, as other routers write parameters.
    ForeignParameter,
    /// `*` or `**` at the beginning of a segment, as other routers write the rest.
    Star,
    /// A brace without its partner.
    UnpairedBrace,
    /// `{}` or `{*}`.
    EmptyName,
    /// A name with other characters than letters, digits, `_`, `-` and `.`, such as a regex.
    InvalidName,
    /// Text after a parameter in the same segment.
    TextAfterParameter,
    /// Something after `{*rest}`.
    RestNotLast,
    /// Two parameters of one name.
    DuplicateName,
    /// A segment `.` or `..`, which no request that gets through has.
    DotSegment,
    /// A backslash, a control character, `?` or `#`, which no request that gets through has.
    ForbiddenCharacter,
    /// More than [`MAX_LENGTH`] bytes.
    TooLong,
}

/// The longest path of a key in bytes: far more than any route needs, and a bound on the depth of the trie.
pub(crate) const MAX_LENGTH: usize = 2048;

impl Pattern {
    /// Reads a path.
    pub(crate) fn parse(path: &str) -> Result<Self, PatternProblem> {
        if !path.starts_with('/') {
            return problem(ProblemKind::NoLeadingSlash, 0..path.len());
        }
        if path.len() > MAX_LENGTH {
            return problem(ProblemKind::TooLong, 0..path.len());
        }
        check_segments(path)?;
        let pieces = Reader { path, at: 0, literal: String::new(), pieces: Vec::new() }.read()?;
        Ok(Self { text: path.into(), pieces: pieces.into() })
    }

    /// The path as it was written.
    pub(crate) fn text(&self) -> &Arc<str> {
        &self.text
    }

    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The path in every spelling that a lookup knows, as it was written first.
    pub(crate) fn spellings(&self) -> impl Iterator<Item = Vec<Piece>> {
        std::iter::once(self.pieces.to_vec()).chain(other_spellings(&self.pieces))
    }

    /// The names of the parameters, from left to right.
    pub(crate) fn params(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Literal(_) => None,
            Piece::Param(name) | Piece::Rest(name) => Some(&**name),
        })
    }

    /// The path, parameter names aside: patterns of the same shape are the same route.
    pub(crate) fn shape(&self) -> String {
        let mut written = String::with_capacity(self.text.len());
        written.extend(shape(&self.text));
        written
    }

    /// The places of the parameters in `path`, if this pattern as it is written matches it.
    pub(crate) fn captures(&self, path: &[u8], empty: EmptySegment) -> Option<Captures> {
        captures(&self.pieces, path, empty)
    }

    /// The places of the parameters in `path`, if this pattern matches it in any spelling.
    pub(super) fn captures_as_spelled(&self, path: &[u8], empty: EmptySegment) -> Option<Captures> {
        let respelled = || other_spellings(&self.pieces).iter().find_map(|pieces| captures(pieces, path, empty));
        self.captures(path, empty).or_else(respelled)
    }
}

fn captures(pieces: &[Piece], path: &[u8], empty: EmptySegment) -> Option<Captures> {
    let path = if empty == EmptySegment::IsLast { path.strip_suffix(b"/")? } else { path };
    let mut captures = Captures::default();
    let (mut at, mut length) = (0, 0);
    for piece in pieces {
        let rest = path.get(at..).unwrap_or_default();
        length = match piece {
            Piece::Literal(text) => rest.starts_with(text.as_bytes()).then_some(text.len())?,
            Piece::Param(_) if rest.is_empty() && empty == EmptySegment::IsLast => 0,
            Piece::Param(_) => segment(rest, empty)?,
            Piece::Rest(_) => (!rest.is_empty()).then_some(rest.len())?,
        };
        if !matches!(piece, Piece::Literal(_)) {
            captures.push(at, at + length);
        }
        at += length;
    }
    let is_as_asked = empty != EmptySegment::IsLast || (length == 0 && matches!(pieces.last(), Some(Piece::Param(_))));
    (at == path.len() && is_as_asked).then_some(captures)
}

/// The length of the segment that `rest` begins with, if `{x}` matches it: nothing does at the end of a path,
/// and an empty segment inside it only one way.
#[inline]
pub(crate) fn segment(rest: &[u8], empty: EmptySegment) -> Option<usize> {
    let length = until_slash(rest);
    let matches = length > 0 || (empty != EmptySegment::Fails && !rest.is_empty());
    matches.then_some(length)
}

/// How many bytes are before the first slash.
#[inline(never)]
fn until_slash(rest: &[u8]) -> usize {
    let (words, tail) = rest.as_chunks();
    let mut before = 0;
    for word in words {
        if let Some(slash) = first_slash(*word) {
            return before + slash;
        }
        before += word.len();
    }
    before + tail.iter().take_while(|byte| **byte != b'/').count()
}

/// The place of the first slash among bytes that are looked at together.
#[inline]
fn first_slash(bytes: [u8; 8]) -> Option<usize> {
    const EVERY: u64 = u64::MAX / 0xFF;
    let others = u64::from_le_bytes(bytes) ^ (EVERY * u64::from(b'/'));
    // The high bits of the first byte that is 0, and maybe of some behind it.
    let slashes = others.wrapping_sub(EVERY) & !others & (EVERY << 7);
    (slashes != 0).then_some(slashes.trailing_zeros() as usize / 8)
}

/// A path in the syntax of keys, parameter names aside.
pub(crate) fn shape(path: &str) -> impl Iterator<Item = char> {
    let mut chars = path.chars().peekable();
    let (mut inside, mut escaped) = (false, false);
    std::iter::from_fn(move || {
        loop {
            let c = chars.next()?;
            match c {
                '{' if escaped => escaped = false,
                '{' if chars.peek() == Some(&'{') => escaped = true,
                '{' => inside = true,
                '}' => inside = false,
                '*' if inside => {}
                _ if inside => continue,
                _ => {}
            }
            return Some(c);
        }
    })
}

fn problem<T>(kind: ProblemKind, range: Range<usize>) -> Result<T, PatternProblem> {
    Err(PatternProblem { kind, range })
}

fn check_segments(path: &str) -> Result<(), PatternProblem> {
    let forbidden = |c: char| matches!(c, '\\' | '?' | '#') || c.is_control();
    if let Some((at, c)) = path.char_indices().find(|(_, c)| forbidden(*c)) {
        return problem(ProblemKind::ForbiddenCharacter, at..at + c.len_utf8());
    }
    let mut at = 0;
    for segment in path.split('/') {
        let range = at..at + segment.len();
        match segment {
            _ if is_dots(segment.as_bytes()) => return problem(ProblemKind::DotSegment, range),
            _ if segment.starts_with(':') || is_foreign_parameter(segment) => {
                return problem(ProblemKind::ForeignParameter, range);
            }
            _ if segment.starts_with('*') || matches!(segment, ".*" | ".+") => {
                return problem(ProblemKind::Star, range);
            }
            _ => at = range.end + 1,
        }
    }
    Ok(())
}

/// Whether other routers would take a segment for a parameter or a regular expression: `<id>`, `[id]`, `[0-9]+`, `(.*)`.
fn is_foreign_parameter(segment: &str) -> bool {
    (segment.starts_with('<') && segment.ends_with('>'))
        || (segment.starts_with('[') && segment.contains(']'))
        || (segment.starts_with('(') && segment.contains(['*', '+', '|']))
}

struct Reader<'a> {
    path: &'a str,
    at: usize,
    literal: String,
    pieces: Vec<Piece>,
}

impl Reader<'_> {
    fn read(mut self) -> Result<Vec<Piece>, PatternProblem> {
        while let Some(until) = self.rest().find(['{', '}']) {
            self.take(until);
            match self.rest().as_bytes() {
                [b'{', b'{', ..] | [b'}', b'}', ..] => {
                    self.take(1);
                    self.at += 1;
                }
                [b'}', ..] => return problem(ProblemKind::UnpairedBrace, self.at..self.at + 1),
                _ => self.parameter()?,
            }
        }
        self.take(self.rest().len());
        self.end_literal();
        Ok(self.pieces)
    }

    fn rest(&self) -> &str {
        self.path.get(self.at..).unwrap_or_default()
    }

    /// Takes the next bytes as they stand.
    fn take(&mut self, bytes: usize) {
        self.literal.push_str(self.path.get(self.at..self.at + bytes).unwrap_or_default());
        self.at += bytes;
    }

    fn end_literal(&mut self) {
        if !self.literal.is_empty() {
            self.pieces.push(Piece::Literal(self.literal.as_str().into()));
            self.literal.clear();
        }
    }

    fn parameter(&mut self) -> Result<(), PatternProblem> {
        let rest = self.rest();
        let Some(end) = rest.find('}') else {
            return problem(ProblemKind::UnpairedBrace, self.at..self.path.len());
        };
        let range = self.at..self.at + end + 1;
        let inside = rest.get(1..end).unwrap_or_default();
        let (name, is_rest) = inside.strip_prefix('*').map_or((inside, false), |name| (name, true));
        self.check_name(name, &range)?;
        let after = rest.get(end + 1..).unwrap_or_default();
        if is_rest && !after.is_empty() {
            return problem(ProblemKind::RestNotLast, range.end..self.path.len());
        }
        if !after.is_empty() && !after.starts_with('/') {
            let until = after.find('/').unwrap_or(after.len());
            return problem(ProblemKind::TextAfterParameter, range.end..range.end + until);
        }
        let name = name.into();
        self.end_literal();
        self.pieces.push(if is_rest { Piece::Rest(name) } else { Piece::Param(name) });
        self.at = range.end;
        Ok(())
    }

    fn check_name(&self, name: &str, range: &Range<usize>) -> Result<(), PatternProblem> {
        let taken = |piece: &Piece| matches!(piece, Piece::Param(other) | Piece::Rest(other) if **other == *name);
        if name.is_empty() {
            problem(ProblemKind::EmptyName, range.clone())
        } else if name.ends_with("...") || !name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.')) {
            problem(ProblemKind::InvalidName, range.clone())
        } else if self.pieces.iter().any(taken) {
            problem(ProblemKind::DuplicateName, range.clone())
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Pattern, ProblemKind, until_slash};

    #[test]
    fn a_segment_ends_at_the_first_slash_wherever_that_is() {
        for length in 0..40 {
            for at in 0..=length {
                let mut text = b".0\xAF\x2E\x30".repeat(8)[..length].to_vec();
                assert_eq!(until_slash(&text), length);
                text.splice(at.., b"/a//b/c/d".repeat(4));
                assert_eq!(until_slash(&text), at, "{text:?}");
            }
        }
    }

    #[test]
    fn paths_of_axum_are_read_and_others_are_refused_with_their_place() {
        for (path, shape) in [
            ("/", "/"),
            ("/users/{id}", "/users/{}"),
            ("/img{id}/x", "/img{}/x"),
            ("/a/{*rest}", "/a/{*}"),
            ("/a/{{b}}/{c}", "/a/{{b}}/{}"),
            ("//a/", "//a/"),
            ("/caf\u{e9}/%2F", "/caf\u{e9}/%2F"),
            ("/Users(1)/a[b]/%5Bc%5D/{a.b}", "/Users(1)/a[b]/%5Bc%5D/{}"),
        ] {
            assert_eq!(Pattern::parse(path).unwrap().shape(), shape, "{path}");
        }
        for (path, kind, at) in [
            ("", ProblemKind::NoLeadingSlash, ""),
            ("users", ProblemKind::NoLeadingSlash, "users"),
            ("/users/:id", ProblemKind::ForeignParameter, ":id"),
            ("/users/<int:id>", ProblemKind::ForeignParameter, "<int:id>"),
            ("/users/[id]/x", ProblemKind::ForeignParameter, "[id]"),
            ("/users/[0-9]+", ProblemKind::ForeignParameter, "[0-9]+"),
            ("/users/(.*)", ProblemKind::ForeignParameter, "(.*)"),
            ("/files/**", ProblemKind::Star, "**"),
            ("/files/.*", ProblemKind::Star, ".*"),
            ("/files/{path...}", ProblemKind::InvalidName, "{path...}"),
            ("/a/{id", ProblemKind::UnpairedBrace, "{id"),
            ("/a/id}", ProblemKind::UnpairedBrace, "}"),
            ("/a/{}", ProblemKind::EmptyName, "{}"),
            ("/a/{*}", ProblemKind::EmptyName, "{*}"),
            ("/a/{id:[0-9]+}", ProblemKind::InvalidName, "{id:[0-9]+}"),
            ("/a/{id}.png/b", ProblemKind::TextAfterParameter, ".png"),
            ("/a/{*rest}/b", ProblemKind::RestNotLast, "/b"),
            ("/a/{id}/b/{id}", ProblemKind::DuplicateName, "{id}"),
            ("/a/../b", ProblemKind::DotSegment, ".."),
            ("/a/.../b", ProblemKind::DotSegment, "..."),
            ("/a/%../b", ProblemKind::DotSegment, "%.."),
            ("/a\\b", ProblemKind::ForbiddenCharacter, "\\"),
            ("/a?b", ProblemKind::ForbiddenCharacter, "?"),
        ] {
            let problem = Pattern::parse(path).unwrap_err();
            assert_eq!((problem.kind, &path[problem.range]), (kind, at), "{path}");
        }
    }
}
