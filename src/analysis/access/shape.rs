//! The paths that a key matches, as a set: what two keys match in common, and paths that stand for all of them.

use std::collections::HashSet;

use crate::policy::{Pattern, Piece};

/// One segment of the paths.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Segment {
    Static(Box<str>),
    /// Anything that begins with this and goes on.
    Prefixed(Box<str>),
}

/// A set of paths: those with these segments, or those that begin with them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Shape {
    pub(crate) segments: Vec<Segment>,
    /// The paths go on with this and at least one character.
    pub(crate) rest: Option<Box<str>>,
}

impl Shape {
    /// Every path with a segment that is not empty.
    pub(crate) fn anything() -> Self {
        Self { segments: Vec::new(), rest: Some("".into()) }
    }

    pub(crate) fn of(pattern: &Pattern) -> Self {
        Self::of_pieces(pattern.pieces())
    }

    pub(crate) fn of_pieces(pieces: &[Piece]) -> Self {
        let mut shape = Self::default();
        let mut literal: Option<String> = None;
        for piece in pieces {
            match piece {
                Piece::Literal(text) => {
                    let mut parts = text.split('/');
                    let first = parts.next().unwrap_or_default();
                    if let Some(literal) = &mut literal {
                        literal.push_str(first);
                    }
                    for part in parts {
                        shape
                            .segments
                            .extend(literal.replace(part.to_owned()).map(|text| Segment::Static(text.into())));
                    }
                }
                Piece::Param(_) => {
                    shape.segments.extend(literal.take().map(|text| Segment::Prefixed(text.into())));
                }
                Piece::Rest(_) => shape.rest = literal.take().map(Into::into),
            }
        }
        shape.segments.extend(literal.map(|text| Segment::Static(text.into())));
        shape
    }

    /// The shape without the slash at its end, if it has one.
    pub(crate) fn without_slash(&self) -> Option<Self> {
        let (last, segments) = self.segments.split_last()?;
        let is_slash = self.rest.is_none() && !segments.is_empty() && *last == Segment::Static("".into());
        is_slash.then(|| Self { segments: segments.to_vec(), rest: None })
    }

    /// The paths that are in both; nothing if there are none.
    pub(crate) fn meet(&self, other: &Self) -> Option<Self> {
        let common = self.segments.len().min(other.segments.len());
        let (longer, shorter) = if self.segments.len() > common { (self, other) } else { (other, self) };
        let mut segments = Vec::with_capacity(longer.segments.len());
        for (a, b) in longer.segments.iter().zip(&shorter.segments) {
            segments.push(a.meet(b)?);
        }
        let tail = longer.segments.get(common..).unwrap_or_default();
        let Some((first, more)) = tail.split_first() else {
            let rest = ends(longer.rest.as_deref(), shorter.rest.as_deref())?;
            return Some(Self { segments, rest: rest.map(Into::into) });
        };
        let goes_on = !more.is_empty() || longer.rest.is_some();
        segments.push(first.behind(shorter.rest.as_deref()?, goes_on)?);
        segments.extend_from_slice(more);
        Some(Self { segments, rest: longer.rest.clone() })
    }

    /// Whether `other` has no path but those of this.
    pub(crate) fn contains(&self, other: &Self) -> bool {
        self.meet(other).as_ref() == Some(other)
    }
}

/// What the paths in both go on with, if they do; nothing if there are none.
#[expect(clippy::option_option, reason = "the outer says whether there are such paths, the inner is of the shape")]
fn ends<'s>(a: Option<&'s str>, b: Option<&'s str>) -> Option<Option<&'s str>> {
    match (a, b) {
        (None, None) => Some(None),
        (Some(a), Some(b)) if a.starts_with(b) => Some(Some(a)),
        (Some(a), Some(b)) if b.starts_with(a) => Some(Some(b)),
        _ => None,
    }
}

impl Segment {
    fn meet(&self, other: &Self) -> Option<Self> {
        let goes_on = |text: &str, prefix: &str| text.len() > prefix.len() && text.starts_with(prefix);
        let is_in = match (self, other) {
            (Self::Static(a), Self::Static(b)) => a == b,
            (Self::Static(a), Self::Prefixed(b)) => goes_on(a, b),
            (Self::Prefixed(a), Self::Static(b)) => return goes_on(b, a).then(|| other.clone()),
            (Self::Prefixed(a), Self::Prefixed(b)) if b.starts_with(&**a) => return Some(other.clone()),
            (Self::Prefixed(a), Self::Prefixed(b)) => a.starts_with(&**b),
        };
        is_in.then(|| self.clone())
    }

    /// The segment where it is the first of a rest that begins with `prefix`.
    fn behind(&self, prefix: &str, goes_on: bool) -> Option<Self> {
        match self {
            Self::Static(text) => {
                let is_rest = text.starts_with(prefix) && (text.len() > prefix.len() || goes_on);
                // What a path without empty segments begins with is not the slash at its end.
                (is_rest && (goes_on || !text.is_empty())).then(|| self.clone())
            }
            Self::Prefixed(_) => self.meet(&Self::Prefixed(prefix.into())),
        }
    }
}

/// Texts for parameters that no key of the policies knows.
#[derive(Debug, Default)]
pub(crate) struct Strangers {
    statics: HashSet<Box<str>>,
    prefixes: Vec<Box<str>>,
    longest: usize,
}

/// How many texts are tried before it is taken that every one is known.
const TRIES: usize = 10_000;

impl Strangers {
    /// Avoids what the keys say, and what `taken` has.
    pub(crate) fn new<'s>(shapes: impl Iterator<Item = &'s Shape>, taken: impl Iterator<Item = Box<str>>) -> Self {
        let mut strangers = Self { statics: taken.collect(), ..Self::default() };
        for shape in shapes {
            strangers.longest = strangers.longest.max(shape.segments.len());
            strangers.prefixes.extend(shape.rest.clone());
            for segment in &shape.segments {
                match segment {
                    Segment::Static(text) => drop(strangers.statics.insert(text.clone())),
                    Segment::Prefixed(text) => strangers.prefixes.push(text.clone()),
                }
            }
        }
        strangers.prefixes.retain(|prefix| !prefix.is_empty());
        strangers.prefixes.sort_unstable();
        strangers.prefixes.dedup();
        strangers
    }

    /// The segments of a path of `shape` that no key matches but those that match all of its paths, each with whether
    /// it is a stranger. Where the paths go on, it goes on for `rest` segments; nothing if there is no such path.
    pub(crate) fn segments(&self, shape: &Shape, rest: usize) -> Option<Vec<(String, bool)>> {
        let mut used = 0;
        let begun = shape.rest.iter().map(|text| Segment::Prefixed(text.clone()));
        let goes_on = std::iter::repeat_n(Segment::Prefixed("".into()), rest.saturating_sub(1));
        let tail = begun.chain(goes_on.filter(|_| shape.rest.is_some()));
        let segments = shape.segments.iter().cloned().chain(tail).map(|segment| match segment {
            Segment::Static(text) => Some((text.into(), false)),
            Segment::Prefixed(prefix) => Some((self.stranger(&prefix, &mut used)?, true)),
        });
        segments.collect()
    }

    /// The same as a path.
    pub(crate) fn path(&self, shape: &Shape, rest: usize) -> Option<String> {
        let segments = self.segments(shape, rest)?;
        Some(segments.iter().flat_map(|(text, _)| ["/", text]).collect())
    }

    /// How many segments no key has.
    pub(crate) fn long(&self) -> usize {
        self.longest + 1
    }

    fn stranger(&self, prefix: &str, used: &mut usize) -> Option<String> {
        for number in *used + 1..*used + TRIES {
            for text in [number.to_string(), format!("x{number}"), format!("_{number}")] {
                let whole = format!("{prefix}{text}");
                let is_known = [&whole, &text].into_iter().any(|text| self.statics.contains(&**text));
                let longer = |known: &str| known.len() > prefix.len() && whole.starts_with(known);
                if !is_known && !self.prefixes.iter().any(|known| longer(known)) {
                    *used = number;
                    return Some(whole);
                }
            }
        }
        None
    }
}
