//! Sections 3 and 5: keys, and which of them the readings select.

use std::collections::BTreeMap;

use super::{
    Request,
    policy::Rule,
    readings::{AllReadings, Reading, capital, decode, decode_slashes, trim},
};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Byte(u8),
    Parameter(String),
    Rest(String),
}

pub(super) type Captures = BTreeMap<String, Vec<u8>>;

pub(super) struct Route<'a> {
    pub(super) path: &'a str,
    pub(super) pattern: Vec<Token>,
    /// By method, or `ANY`.
    pub(super) rules: BTreeMap<&'a str, Rule<'a>>,
}

pub(super) enum Selection<'a> {
    Unlisted,
    Listed { route: &'a Route<'a>, captures: Captures, rule: Option<&'a Rule<'a>> },
}

pub(super) fn parse(path: &str) -> Vec<Token> {
    let (mut tokens, mut rest) = (Vec::new(), path);
    while let Some(first) = rest.chars().next() {
        let parameter = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        let literal = ["{{", "}}"].iter().find_map(|escape| rest.strip_prefix(escape));
        match (literal, parameter) {
            (None, Some((name, after))) => {
                tokens.push(match name.strip_prefix('*') {
                    Some(name) => Token::Rest(name.into()),
                    None => Token::Parameter(name.into()),
                });
                rest = after;
            }
            (literal, _) => {
                let after = rest.strip_prefix(first).unwrap_or_default();
                tokens.extend(first.to_string().bytes().map(Token::Byte));
                rest = literal.unwrap_or(after);
            }
        }
    }
    tokens
}

/// The shape of a key, parameter names aside; the best of those that match the same text compares least.
fn shape(pattern: &[Token]) -> Vec<(u8, u8)> {
    let rank = |token: &Token| match token {
        Token::Byte(byte) => (0, *byte),
        Token::Parameter(_) => (1, 0),
        Token::Rest(_) => (2, 0),
    };
    pattern.iter().map(rank).collect()
}

/// What the parameters stand for, if the pattern matches.
fn captures(pattern: &[Token], reading: &[u8], way: Way) -> Option<Captures> {
    let (mut captures, mut rest) = (Captures::new(), reading);
    for token in pattern {
        let (name, length) = match token {
            Token::Byte(byte) => {
                rest = rest.strip_prefix(&[*byte])?;
                continue;
            }
            Token::Rest(name) => (name, rest.len()),
            Token::Parameter(name) => (name, rest.iter().position(|b| *b == b'/').unwrap_or(rest.len())),
        };
        let (value, after) = rest.split_at_checked(length)?;
        let is_before_slash = way != Way::NeverEmpty && !after.is_empty();
        let may_be_empty = matches!(token, Token::Parameter(_)) && (is_before_slash || way == Way::EmptyAtEnd);
        if value.is_empty() && !may_be_empty {
            return None;
        }
        captures.insert(name.clone(), value.to_vec());
        rest = after;
    }
    let last_is_empty =
        || matches!(pattern.last(), Some(Token::Parameter(name)) if captures.get(name).is_some_and(Vec::is_empty));
    (rest.is_empty() && (way != Way::EmptyAtEnd || last_is_empty())).then_some(captures)
}

/// Where parameters may be empty: routers differ, so every reading is looked up every way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    NeverEmpty,
    EmptyBeforeSlash,
    /// As a nest sees a path that ends in a slash: the last parameter is empty, and the slash is its own.
    EmptyAtEnd,
}

const WAYS: [Way; 3] = [Way::NeverEmpty, Way::EmptyBeforeSlash, Way::EmptyAtEnd];

impl Way {
    /// The part of a reading that a key must match.
    fn of(self, reading: &[u8]) -> Option<&[u8]> {
        if self == Self::EmptyAtEnd { reading.strip_suffix(b"/") } else { Some(reading) }
    }
}

type Rank<'a> = (Vec<(u8, u8)>, bool, &'a str);

/// The pattern as it is, with the escapes that it lacks, and as each level of its escapes reads.
fn spellings(pattern: &[Token]) -> Vec<Vec<Token>> {
    let mut spellings = vec![pattern.to_vec(), respelled(pattern, escape)];
    let mut level = pattern.to_vec();
    loop {
        let next = respelled(&level, |text| decode(text, |byte| byte != b'/'));
        if next == level {
            return spellings;
        }
        spellings.push(next.clone());
        level = next;
    }
}

fn respelled(pattern: &[Token], respell: impl Fn(&[u8]) -> Vec<u8>) -> Vec<Token> {
    let is_byte = |token: &Token| matches!(token, Token::Byte(_));
    let byte = |token: &Token| if let Token::Byte(byte) = token { Some(*byte) } else { None };
    let runs = pattern.chunk_by(|a, b| is_byte(a) && is_byte(b));
    let respell = |run: &[Token]| match run.iter().map(byte).collect::<Option<Vec<u8>>>() {
        Some(text) => respell(&text).into_iter().map(Token::Byte).collect(),
        None => run.to_vec(),
    };
    runs.flat_map(respell).collect()
}

fn escape(text: &[u8]) -> Vec<u8> {
    let is_digit = |at: usize| text.get(at).is_some_and(u8::is_ascii_hexdigit);
    let escape = |(at, byte): (usize, &u8)| match byte {
        b'%' if is_digit(at + 1) && is_digit(at + 2) => vec![b'%'],
        b'%' | b' ' | b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}' | 0x80.. => {
            format!("%{byte:02X}").into_bytes()
        }
        other => vec![*other],
    };
    text.iter().enumerate().flat_map(escape).collect()
}

impl<'a> Route<'a> {
    fn select(&'a self, reading: &[u8], way: Way, method: &str) -> Option<Selection<'a>> {
        let captures = spellings(&self.pattern).iter().find_map(|pattern| captures(pattern, reading, way))?;
        Some(Selection::Listed { route: self, captures, rule: self.rule(method) })
    }

    /// How well the route matches, least the best: by the shape that matches, as it was written before otherwise.
    fn rank(&self, reading: &[u8], way: Way) -> Option<Rank<'a>> {
        let matching = spellings(&self.pattern).into_iter().filter(|pattern| captures(pattern, reading, way).is_some());
        matching.map(|pattern| (shape(&pattern), pattern != self.pattern, self.path)).min()
    }

    pub(super) fn rule(&self, method: &str) -> Option<&Rule<'a>> {
        let get = if method == "HEAD" { self.rules.get("GET") } else { None };
        self.rules.get(method).filter(|_| method != "ANY").or(get).or_else(|| self.rules.get("ANY"))
    }
}

/// Whether a key, however it is spelled, has an escape with a capital.
pub(super) fn has_capitals(routes: &[Route]) -> bool {
    let is_capital = |window: &[Token]| match window {
        [Token::Byte(b'%'), Token::Byte(high), Token::Byte(low)] => {
            let (high, low) = (char::from(*high), char::from(*low));
            high.is_ascii_hexdigit()
                && low.is_ascii_hexdigit()
                && (high.is_ascii_uppercase() || low.is_ascii_uppercase())
        }
        _ => false,
    };
    let has_capitals = |route: &Route| spellings(&route.pattern).iter().any(|tokens| tokens.windows(3).any(is_capital));
    routes.iter().any(has_capitals)
}

impl Selection<'_> {
    fn says_encoded_slash(&self) -> bool {
        matches!(self, Self::Listed { rule: Some(rule), .. } if rule.encoded_slash)
    }
}

pub(super) fn select<'a>(
    routes: &'a [Route<'a>],
    request: &Request,
    AllReadings { readings, of_nests, bare }: &AllReadings,
) -> Vec<Selection<'a>> {
    let select = |reading: &Reading, way: Way| {
        let reading = way.of(reading)?;
        let ranked = routes.iter().filter_map(|route| Some((route.rank(reading, way)?, route)));
        let (_, best) = ranked.min_by(|(a, _), (b, _)| a.cmp(b))?;
        best.select(reading, way, &request.method)
    };
    let selected: BTreeMap<&Reading, Vec<Selection<'a>>> = readings
        .iter()
        .map(|reading| (reading, WAYS.iter().filter_map(|way| select(reading, *way)).collect()))
        .collect();
    let listed = || selected.iter().filter(|(_, selections)| !selections.is_empty());
    let exempt = |reading: &Reading| {
        let is_small = |other: &Reading| other != reading && capital(other) == *reading;
        let is_normalized = has_capitals(routes) && readings.iter().any(is_small);
        is_normalized
            || listed().filter(|(other, _)| !of_nests.contains(**other)).any(|(other, selections)| {
                let slashes = decode_slashes(other) == decode_slashes(reading);
                trim(other) == trim(reading) || (slashes && selections.iter().all(Selection::says_encoded_slash))
            })
    };
    let unlisted = selected.iter().filter(|(reading, selections)| selections.is_empty() && !exempt(reading)).count();
    let matched = request.matched_path.as_ref().and_then(|matched| {
        let wanted = shape(&parse(matched));
        routes.iter().find(|route| shape(&route.pattern) == wanted)
    });
    let matched = readings.iter().chain(bare).filter_map(|reading| {
        let route = matched?;
        WAYS[..2].iter().find_map(|way| route.select(reading, *way, &request.method))
    });
    let unlisted = (0..unlisted).map(|_| Selection::Unlisted);
    // What the path without the prefix of the nest selects binds, but nobody need have listed it.
    let bare = bare.iter().flat_map(|reading| WAYS.iter().filter_map(|way| select(reading, *way)));
    let matched: Vec<_> = matched.chain(unlisted).chain(bare).collect();
    selected.into_values().flatten().chain(matched).collect()
}
