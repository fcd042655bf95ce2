//! Section 5: every way to read a path.

use std::collections::BTreeSet;

use super::{Options, Request};

pub(super) type Reading = Vec<u8>;

/// What there is to know of the keys of a policy.
#[derive(Clone, Copy)]
pub(super) struct Keys {
    /// Whether a `/` may be appended.
    pub(super) append: bool,
    /// Whether one has escapes with capitals.
    pub(super) capitals: bool,
    /// How many segments the longest has.
    pub(super) depth: usize,
}

pub(super) struct AllReadings {
    pub(super) readings: BTreeSet<Reading>,
    /// Those of them that nests alone make.
    pub(super) of_nests: BTreeSet<Reading>,
    /// Those of the path without the prefix of a nest.
    pub(super) bare: BTreeSet<Reading>,
}

/// All readings, or none if the path must be rejected; those of them that nests alone make; and those of the path
/// without the prefix of a nest, where a rewrite has changed it. `keys` says what there is about them to know.
pub(super) fn all_readings(request: &Request, keys: Keys, options: Options) -> Option<AllReadings> {
    let (mut readings, mut common, mut bare) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    if !request.path.starts_with('/') {
        return None;
    }
    let starts = start_paths(request);
    for start in &starts {
        let closure = closure(start.as_bytes(), keys, options)?;
        common.extend(closure.iter().cloned());
        readings.extend(across_seams(closure, keys.depth)?);
    }
    // A rewrite that only spells the client's path in another way is one within the nest. Of any other nobody knows
    // for whom it was meant.
    if let [full, original] = &starts[..]
        && !closure(original.as_bytes(), keys, options)?.iter().any(|reading| trim(reading) == trim(full.as_bytes()))
    {
        bare = across_seams(closure(request.path.as_bytes(), keys, options)?, keys.depth)?;
    }
    let of_nests = readings.difference(&common).cloned().collect();
    Some(AllReadings { readings, of_nests, bare })
}

/// With what nests make of empty segments: the first of two prefixes takes both slashes, so that the second takes what was
/// not matched. A prefix may end anywhere behind the first empty segment, and what is left may be any part that begins
/// behind it, but for each empty segment in the prefix at most one segment later than the prefix ends.
fn across_seams(readings: BTreeSet<Reading>, depth: usize) -> Option<BTreeSet<Reading>> {
    let mut found = Vec::new();
    for reading in &readings {
        let segments: Vec<&[u8]> = reading.split(|byte| *byte == b'/').skip(1).collect();
        let is_empty = |at: usize| segments.get(at).is_some_and(|segment| segment.is_empty());
        let empty = |until: usize| (1..until.min(segments.len() - 1)).filter(|at| is_empty(*at));
        let first = empty(segments.len()).next().map_or(usize::MAX, |first| first + 1);
        for prefix in first..=segments.len().min(depth) {
            let rests = (first..=segments.len().min(prefix + empty(prefix).count())).filter(|rest| *rest != prefix);
            for rest in rests {
                let is_root = rest == segments.len() && is_empty(prefix - 1);
                let rest = if is_root { vec![b"".as_slice()] } else { segments.iter().copied().skip(rest).collect() };
                found.push(
                    segments
                        .iter()
                        .copied()
                        .take(prefix)
                        .chain(rest)
                        .flat_map(|segment| [b"/", segment].concat())
                        .collect(),
                );
            }
        }
    }
    (found.len() <= 256).then(|| readings.into_iter().chain(found).collect())
}

fn start_paths(request: &Request) -> Vec<String> {
    let Some(original) = &request.original_path else { return vec![request.path.clone()] };
    let nested = request.nested.as_deref().unwrap_or_default();
    let prefix = prefix(original, nested);
    let full = format!("{prefix}{}", request.path);
    let is_nest_root = request.path == "/" && *original == prefix;
    if *original == full || is_nest_root { vec![original.clone()] } else { vec![full, original.clone()] }
}

/// What the nest has stripped: what its pattern matches, or else, since the path was rewritten on the way to it, all
/// that is known of it.
fn prefix(original: &str, nested: &str) -> String {
    let of = |path: &str| -> Vec<String> { path.trim_end_matches('/').split('/').skip(1).map(str::to_owned).collect() };
    let pattern = of(nested);
    let segments: Vec<String> = original.split('/').skip(1).take(pattern.len()).map(str::to_owned).collect();
    let fits = |(one, other): (&String, &String)| one == other || (one.starts_with('{') && one.ends_with('}'));
    // At the end of a path a parameter stands for something.
    let ends_in_nothing = original.split('/').count() == pattern.len() + 1 && original.ends_with('/');
    let matches = segments.len() == pattern.len() && !ends_in_nothing && pattern.iter().zip(&segments).all(fits);
    let taken = if matches { segments } else { pattern };
    taken.iter().flat_map(|segment| ["/", segment]).collect()
}

fn closure(start: &[u8], keys: Keys, options: Options) -> Option<BTreeSet<Reading>> {
    if !start.starts_with(b"/") || start.contains(&b'\\') {
        return None;
    }
    let (mut seen, mut open) = (BTreeSet::new(), vec![start.to_vec()]);
    while let Some(reading) = open.pop() {
        if is_rejected(&reading, options) {
            return None;
        }
        if seen.insert(reading.clone()) {
            open.extend(steps(&reading, keys, options));
        }
        if seen.len() > 64 {
            return None;
        }
    }
    Some(seen)
}

fn steps(reading: &[u8], keys: Keys, options: Options) -> Vec<Reading> {
    let mut steps = vec![decode(reading, |byte| byte != b'/'), trim(reading)];
    // Some services read what is behind a prefix, and leave that alone.
    for (at, _) in reading.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
        let (prefix, rest) = reading.split_at(at);
        let without_parameters =
            rest.split(|b| *b == b'/').map(|segment| segment.split(|b| *b == b';').next().unwrap_or_default());
        steps.push([prefix, &without_parameters.collect::<Vec<_>>().join(&b'/')].concat());
        let values = decode(prefix, |_| true);
        if decode(&values, |_| true) != values {
            steps.push([prefix, &decode(rest, |byte| byte != b'/')].concat());
        }
    }
    for at in 1..reading.len() {
        let (prefix, rest) = reading.split_at(at);
        steps.push([prefix, &decode_slashes(rest)].concat());
    }
    // Some services merge slashes in places, so any of them may be one of several that stand for one.
    for at in 1..reading.len() {
        if let (before @ [.., b'/'], [b'/', after @ ..]) = reading.split_at(at) {
            steps.push([before, after].concat());
        }
    }
    if keys.append && !reading.ends_with(b"/") {
        steps.push([reading, b"/"].concat());
    }
    if keys.capitals {
        steps.push(capital(reading));
    }
    for at in 1..reading.len() {
        if let (before, [b'?' | b'#', ..]) = reading.split_at(at) {
            steps.push(before.to_vec());
        }
    }
    if options.allow_encoded_backslash {
        steps.push(reading.iter().map(|b| if *b == b'\\' { b'/' } else { *b }).collect());
    }
    steps
}

/// With capitals as the digits of escapes.
pub(super) fn capital(reading: &[u8]) -> Reading {
    let (mut capital, mut rest) = (Vec::new(), reading);
    while let [first, tail @ ..] = rest {
        rest = match rest {
            [b'%', high, low, tail @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                capital.extend([b'%', high.to_ascii_uppercase(), low.to_ascii_uppercase()]);
                tail
            }
            _ => {
                capital.push(*first);
                tail
            }
        };
    }
    capital
}

pub(super) fn decode(text: &[u8], wanted: impl Fn(u8) -> bool) -> Vec<u8> {
    let hex = |digit: &u8| char::from(*digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (mut decoded, mut rest) = (Vec::new(), text);
    while let [first, tail @ ..] = rest {
        let escape = match rest {
            [b'%', high, low, tail @ ..] => hex(high).zip(hex(low)).map(|(high, low)| (high * 16 + low, tail)),
            _ => None,
        };
        let (byte, after) = escape.filter(|(byte, _)| wanted(*byte)).unwrap_or((*first, tail));
        decoded.push(byte);
        rest = after;
    }
    decoded
}

pub(super) fn decode_slashes(text: &[u8]) -> Vec<u8> {
    decode(text, |byte| byte == b'/')
}

pub(super) fn trim(reading: &[u8]) -> Reading {
    let mut trimmed = reading.to_vec();
    while trimmed.len() > 1 && trimmed.ends_with(b"/") {
        trimmed.pop();
    }
    trimmed
}

fn is_rejected(reading: &[u8], options: Options) -> bool {
    // What a decoder that drops whatever it cannot decode leaves of a segment.
    let left = |segment: &[u8]| segment.utf8_chunks().map(|chunk| chunk.valid().replace('%', "")).collect::<String>();
    let is_dots = |segment: &[u8]| !left(segment).is_empty() && left(segment).chars().all(|c| c == '.');
    let dots = reading.split(|b| *b == b'/').any(is_dots);
    let backslash = !options.allow_encoded_backslash && reading.contains(&b'\\');
    let pairs = || reading.iter().zip(reading.iter().skip(1));
    let control =
        reading.iter().any(|b| matches!(b, ..0x20 | 0x7F)) || pairs().any(|pair| matches!(pair, (0xC2, 0x80..=0x9F)));
    let control = reading.contains(&0) || (control && !options.allow_control_characters);
    let overlong = reading.iter().any(|b| matches!(b, 0xC0 | 0xC1))
        || pairs().any(|pair| matches!(pair, (0xE0, 0x80..=0x9F) | (0xF0, 0x80..=0x8F) | (0xF8..=0xFD, 0x80..=0xBF)));
    dots || backslash || control || overlong
}
