//! Every way a path can be read.

use std::borrow::Cow;

use super::{
    reject::{Rejected, Tolerance, check},
    seams::across_seams,
};

/// The most readings that a path may have.
const MOST: usize = 64;

/// The most that nests may make of them.
const MOST_ACROSS_SEAMS: usize = 256;

/// The most bytes that the readings of a path beside itself may have together, lest one long path cost as much as
/// thousands of short ones.
const MOST_BYTES: usize = 256 * 1024;

/// The distinct readings of one path, the path itself first.
#[derive(Debug)]
pub(crate) struct Readings<'a> {
    path: Cow<'a, str>,
    /// First those that every service may make of it, then those that only nests make.
    others: Vec<Vec<u8>>,
    /// How many of the readings nests alone make.
    across_seams: usize,
    /// How many bytes the others have.
    bytes: usize,
}

/// The readings that only some keys can tell from others.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted {
    /// With a slash at the end.
    pub(crate) trailing_slash: bool,
    /// With capitals as the digits of escapes.
    pub(crate) capital_escapes: bool,
}

impl<'a> Readings<'a> {
    /// Reads `path`, also as is `wanted`.
    pub(crate) fn of(path: Cow<'a, str>, wanted: Wanted, tolerance: Tolerance) -> Result<Self, Rejected> {
        let mut readings = Self { path, others: Vec::new(), across_seams: 0, bytes: 0 };
        if is_clean(readings.path.as_bytes()) && !wanted.trailing_slash {
            return Ok(readings);
        }
        check(readings.path.as_bytes(), true, tolerance)?;
        let steps = Steps { wanted, backslash: tolerance.encoded_backslash };
        let mut next = 0;
        while let Some(reading) = readings.get(next) {
            for step in steps.of(reading) {
                readings.add(step, tolerance)?;
            }
            next += 1;
        }
        Ok(readings)
    }

    /// With what nests make of empty segments, where their prefixes have at most `depth` segments.
    pub(crate) fn across_seams(mut self, depth: usize) -> Result<Self, Rejected> {
        let (mut found, mut most): (Vec<Vec<u8>>, _) = (Vec::new(), MOST_ACROSS_SEAMS);
        let mut bytes = self.bytes;
        for path in self.iter().flat_map(|reading| across_seams(reading, depth)) {
            bytes += path.len();
            most = most.checked_sub(1).filter(|_| bytes <= MOST_BYTES).ok_or(Rejected::TooManyReadings)?;
            if !self.iter().chain(found.iter().map(Vec::as_slice)).any(|known| known == path) {
                found.push(path);
            }
        }
        self.across_seams = found.len();
        self.others.append(&mut found);
        Ok(self)
    }

    /// Whether the reading at this place is one that nests alone make.
    pub(crate) fn is_across_seam(&self, index: usize) -> bool {
        index >= self.len() - self.across_seams
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(self.path.as_bytes()).chain(self.others.iter().map(Vec::as_slice))
    }

    pub(crate) fn len(&self) -> usize {
        1 + self.others.len()
    }

    pub(crate) fn get(&self, index: usize) -> Option<&[u8]> {
        match index.checked_sub(1) {
            None => Some(self.path.as_bytes()),
            Some(index) => self.others.get(index).map(Vec::as_slice),
        }
    }

    fn add(&mut self, reading: Vec<u8>, tolerance: Tolerance) -> Result<(), Rejected> {
        if self.iter().any(|known| known == reading) {
            return Ok(());
        }
        check(&reading, false, tolerance)?;
        self.bytes += reading.len();
        self.others.push(reading);
        let few = self.others.len() < MOST && self.bytes <= MOST_BYTES;
        if few { Ok(()) } else { Err(Rejected::TooManyReadings) }
    }
}

/// How many bytes of a path are looked at together.
const LANES: usize = 16;

/// Whether a path has one reading only unless a slash is appended, and that an innocent one without empty segments.
/// Doubtful paths are not clean.
///
/// Each byte is looked at with the one before it. Bytes go by in blocks of a fixed size, which compilers turn into
/// vector instructions; the last block may overlap the one before.
pub(crate) fn is_clean(path: &[u8]) -> bool {
    let [b'/', after @ ..] = path else { return false };
    let before = path.get(..after.len()).unwrap_or_default();
    if after.last() == Some(&b'/') {
        return false;
    }
    let ends = [before.first_chunk().zip(after.first_chunk()), before.last_chunk().zip(after.last_chunk())];
    let [Some(first), Some(last)] = ends else { return is_clean(&padded(path)) };
    let mut between = before.as_chunks().0.iter().zip(after.as_chunks().0).skip(1);
    !have_doubt(first, last) && !between.any(|block| have_doubt(block, block))
}

/// A path that is shorter than a block and the byte before it, with innocent text behind it.
fn padded(path: &[u8]) -> [u8; LANES + 1] {
    let mut padded = [b'a'; LANES + 1];
    if let Some(start) = padded.get_mut(..path.len()) {
        start.copy_from_slice(path);
    }
    padded
}

/// A block of bytes, behind the one that begins a byte before it.
type Block<'p> = (&'p [u8; LANES], &'p [u8; LANES]);

#[inline]
fn have_doubt(one: Block<'_>, other: Block<'_>) -> bool {
    doubts(one).zip(doubts(other)).fold(false, |found, (one, other)| found | one | other)
}

fn doubts((before, block): Block<'_>) -> impl Iterator<Item = bool> {
    before.iter().zip(block).map(|(before, byte)| is_doubtful(*before, *byte))
}

/// Whether decoders, routers or file servers may take a byte for more than text, given the byte before it.
#[inline]
#[expect(clippy::needless_bitwise_bool, reason = "without branches sixteen bytes are compared at once")]
fn is_doubtful(before: u8, byte: u8) -> bool {
    // As signed numbers, what is not ASCII comes before it, and DEL with one more does, too.
    let is_invisible = byte.wrapping_add(1).cast_signed() < 0x21;
    let is_semicolon_or_question_mark = byte | 0b100 == b'?';
    is_invisible
        | is_semicolon_or_question_mark
        | (byte == b'%')
        | (byte == b'\\')
        | (byte == b'#')
        | ((before == b'/') & (byte | 1 == b'/'))
}

struct Steps {
    wanted: Wanted,
    backslash: bool,
}

impl Steps {
    /// What `reading` becomes under each step that changes it.
    fn of(&self, reading: &[u8]) -> Vec<Vec<u8>> {
        let steps = [
            decode_but_slashes(reading),
            decode_last_slash(reading),
            drop_last_parameters(reading),
            trim_slashes(reading),
            self.wanted.trailing_slash.then(|| append_slash(reading)).flatten(),
            self.wanted.capital_escapes.then(|| with_capital_escapes(reading)).flatten(),
            cut(reading),
            self.backslash.then(|| backslash_to_slash(reading)).flatten(),
        ];
        let several = until_too_many(merge_slashes(reading)).chain(until_too_many(decode_behind(reading)));
        steps.into_iter().flatten().chain(several).collect()
    }
}

/// No more of distinct readings than it takes to reject the path.
fn until_too_many(readings: impl Iterator<Item = Vec<u8>>) -> impl Iterator<Item = Vec<u8>> {
    let mut bytes = 0;
    readings.take(MOST).take_while(move |reading| {
        let goes_on = bytes <= MOST_BYTES;
        bytes += reading.len();
        goes_on
    })
}

/// Decodes once the percent escapes of the bytes that are `wanted`; a stray `%` stays.
fn decode(reading: &[u8], wanted: impl Fn(u8) -> bool) -> Option<Vec<u8>> {
    if !reading.contains(&b'%') {
        return None;
    }
    let mut decoded = Vec::with_capacity(reading.len());
    let mut rest = reading;
    while let Some((&byte, tail)) = rest.split_first() {
        let (byte, tail) = match escape(rest).filter(|(byte, _)| wanted(*byte)) {
            Some(escaped) => escaped,
            None => (byte, tail),
        };
        decoded.push(byte);
        rest = tail;
    }
    (decoded.len() != reading.len()).then_some(decoded)
}

/// The byte of the escape that `rest` begins with (RFC 3986, section 2.1), and what follows it.
fn escape(rest: &[u8]) -> Option<(u8, &[u8])> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    match rest {
        [b'%', high, low, tail @ ..] => Some((digit(high)? << 4 | digit(low)?, tail)),
        _ => None,
    }
}

/// With capitals as the digits of escapes, as normalization writes them (RFC 3986, section 6.2.2.1); none if they
/// are written so.
pub(crate) fn with_capital_escapes(reading: &[u8]) -> Option<Vec<u8>> {
    let mut capital = Vec::with_capacity(reading.len());
    let mut rest = reading;
    while let Some((byte, tail)) = rest.split_first() {
        if let Some((_, behind)) = escape(rest) {
            capital.extend(rest.iter().take(3).map(u8::to_ascii_uppercase));
            rest = behind;
        } else {
            capital.push(*byte);
            rest = tail;
        }
    }
    (capital != reading).then_some(capital)
}

/// Decodes the last slash that is encoded: a service under a prefix decodes what is behind it, and not the prefix.
fn decode_last_slash(reading: &[u8]) -> Option<Vec<u8>> {
    let at = reading.windows(3).rposition(|window| window.eq_ignore_ascii_case(b"%2f"))?;
    let (before, after) = reading.split_at_checked(at)?;
    Some([before, b"/", after.get(3..)?].concat())
}

/// Decodes what is behind a prefix, from any segment on, where the prefix is escaped more than once. Escaped once its
/// parameters have the same values as decoded; so they would be taken for those that they are decoded to next.
fn decode_behind(reading: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let mut end = 0;
    let segments = reading.split(|byte| *byte == b'/').map(move |segment| {
        let begin = end;
        end = begin + segment.len() + 1;
        (begin, segment)
    });
    let mut behind = segments.skip_while(|(_, segment)| !is_escaped_twice(segment)).skip(1);
    std::iter::from_fn(move || {
        let (begin, _) = behind.find(|(_, segment)| decode_but_slashes(segment).is_some())?;
        let (before, after) = reading.split_at_checked(begin)?;
        Some([before, &decode_but_slashes(after)?].concat())
    })
}

fn is_escaped_twice(segment: &[u8]) -> bool {
    decode(segment, |_| true).is_some_and(|decoded| decode(&decoded, |_| true).is_some())
}

/// Drops the parameters of the last segment that has some, for the same reason as the last slash.
fn drop_last_parameters(reading: &[u8]) -> Option<Vec<u8>> {
    let last = reading.iter().rposition(|byte| *byte == b';')?;
    let (before, after) = reading.split_at_checked(last)?;
    let segment = before.iter().rposition(|byte| *byte == b'/')?;
    let begin = before.iter().skip(segment).position(|byte| *byte == b';').map_or(last, |at| segment + at);
    let end = after.iter().position(|byte| *byte == b'/').unwrap_or(after.len());
    Some([before.get(..begin)?, after.get(end..)?].concat())
}

/// Takes one slash from each run of them: some services merge only those at the beginning, or behind a prefix.
fn merge_slashes(reading: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let ends =
        reading.windows(3).enumerate().filter(|(_, window)| matches!(window, [b'/', b'/', next] if *next != b'/'));
    let last = reading.ends_with(b"//").then(|| reading.len() - 2);
    ends.map(|(at, _)| at).chain(last).filter_map(|at| {
        let (before, after) = reading.split_at_checked(at)?;
        Some([before, after.get(1..)?].concat())
    })
}

fn trim_slashes(reading: &[u8]) -> Option<Vec<u8>> {
    let trimmed = trimmed(reading);
    let trimmed: &[u8] = if trimmed.is_empty() { b"/" } else { trimmed };
    (trimmed.len() != reading.len()).then(|| trimmed.to_vec())
}

fn append_slash(reading: &[u8]) -> Option<Vec<u8>> {
    (!reading.ends_with(b"/")).then(|| [reading, b"/"].concat())
}

/// Cuts where a service that decodes before it parses would see the query or the fragment begin, at the last
/// such place: what is before may be a prefix that it does not read.
fn cut(reading: &[u8]) -> Option<Vec<u8>> {
    let end = reading.iter().rposition(|byte| matches!(byte, b'?' | b'#'))?;
    reading.get(..end).map(<[u8]>::to_vec)
}

fn backslash_to_slash(reading: &[u8]) -> Option<Vec<u8>> {
    let slash = |byte: &u8| if *byte == b'\\' { b'/' } else { *byte };
    reading.contains(&b'\\').then(|| reading.iter().map(slash).collect())
}

fn trimmed(reading: &[u8]) -> &[u8] {
    let end = reading.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
    reading.get(..end).unwrap_or_default()
}

/// Whether two readings differ at most in trailing slashes.
pub(crate) fn same_but_trailing_slashes(a: &[u8], b: &[u8]) -> bool {
    trimmed(a) == trimmed(b)
}

/// The text with all percent escapes but those of slashes decoded once; none if it has none.
pub(crate) fn decode_but_slashes(text: &[u8]) -> Option<Vec<u8>> {
    decode(text, |byte| byte != b'/')
}

/// Whether two readings differ at most in which slashes are encoded.
pub(crate) fn same_but_encoded_slashes(a: &[u8], b: &[u8]) -> bool {
    slashes_decoded(a) == slashes_decoded(b)
}

fn slashes_decoded(reading: &[u8]) -> Cow<'_, [u8]> {
    decode(reading, |byte| byte == b'/').map_or(Cow::Borrowed(reading), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::{Readings, Rejected, Tolerance, Wanted, is_clean};

    /// What `is_clean` says, told byte by byte.
    fn is_clean_by_definition(path: &[u8]) -> bool {
        let doubtful = |byte: &u8| matches!(byte, b'%' | b';' | b'\\' | b'?' | b'#' | 0..=0x1F | 0x7F..);
        let in_pairs = |pair: &[u8]| matches!(pair, b"//" | b"/.");
        path.starts_with(b"/")
            && !path.iter().any(doubtful)
            && !path.windows(2).any(in_pairs)
            && (path == b"/" || !path.ends_with(b"/"))
    }

    #[test]
    fn a_clean_path_has_nothing_in_it_that_may_be_read_in_two_ways_wherever_it_stands() {
        let odd = (0..=u8::MAX).map(|byte| vec![byte]).chain([b"//".to_vec(), b"/.".to_vec(), b"a/".to_vec()]);
        for odd in odd {
            for length in 0..40 {
                for at in 0..=length {
                    let mut path = [b"/".as_slice(), "b".repeat(length).as_bytes()].concat();
                    path.splice(at..at, odd.iter().copied());
                    assert_eq!(is_clean(&path), is_clean_by_definition(&path), "{path:?}");
                }
            }
        }
        assert!([b"/".as_slice(), b"/a/b-c.d/~e", &b"/abc".repeat(9)].into_iter().all(is_clean));
    }

    fn read(path: &str, wanted: Wanted) -> Result<Vec<String>, Rejected> {
        let readings = Readings::of(path.into(), wanted, Tolerance::default())?;
        let mut readings: Vec<_> = readings.iter().map(|r| String::from_utf8_lossy(r).into_owned()).collect();
        readings[1..].sort();
        Ok(readings)
    }

    #[test]
    fn a_path_is_read_every_way_that_a_service_might_read_it() {
        for (path, readings) in [
            ("/", &["/"][..]),
            ("/a/b.c", &["/a/b.c"]),
            ("/a..b", &["/a..b"]),
            ("/.well-known/x", &["/.well-known/x"]),
            ("/a/", &["/a/", "/a"]),
            ("//a", &["//a", "/a"]),
            ("///a//b", &["///a//b", "///a/b", "//a//b", "//a/b", "/a//b", "/a/b"]),
            ("/a///", &["/a///", "/a", "/a/", "/a//"]),
            ("/a%2Fb", &["/a%2Fb", "/a/b"]),
            ("/a%2fb", &["/a%2fb", "/a/b"]),
            ("/%61", &["/%61", "/a"]),
            ("/%2561", &["/%2561", "/%61", "/a"]),
            ("/a%252Fb", &["/a%252Fb", "/a%2Fb", "/a/b"]),
            ("/x;v=1", &["/x;v=1", "/x"]),
            ("/a;b/c", &["/a;b/c", "/a/c"]),
            ("/a;b/c;d;e", &["/a;b/c;d;e", "/a/c", "/a;b/c"]),
            ("/a%2Fb/c%2f", &["/a%2Fb/c%2f", "/a%2Fb/c", "/a%2Fb/c/", "/a/b/c", "/a/b/c/"]),
            ("/100%25", &["/100%25", "/100%"]),
            ("/100%", &["/100%"]),
            ("/%zz", &["/%zz"]),
            ("/%1g", &["/%1g"]),
            ("/a%3Fb", &["/a%3Fb", "/a", "/a?b"]),
            ("/a%23b", &["/a%23b", "/a", "/a#b"]),
            ("/%23a/b%3Fc", &["/%23a/b%3Fc", "/", "/#a/b", "/#a/b?c"]),
            ("/caf%C3%A9", &["/caf%C3%A9", "/caf\u{e9}"]),
            ("/a%20b", &["/a%20b", "/a b"]),
            ("/%61/%62/c", &["/%61/%62/c", "/a/b/c"]),
            ("/%2561/b", &["/%2561/b", "/%61/b", "/a/b"]),
            ("/a/%2561", &["/a/%2561", "/a/%61", "/a/a"]),
            ("/%61/%2562", &["/%61/%2562", "/a/%62", "/a/b"]),
            ("/%2561/%62", &["/%2561/%62", "/%2561/b", "/%61/b", "/a/b"]),
            ("/%252F/%62", &["/%252F/%62", "/%252F/b", "/%2F/b", "///b", "//b", "/b"]),
            ("/%2561/b/%63/%64", &["/%2561/b/%63/%64", "/%2561/b/%63/d", "/%2561/b/c/d", "/%61/b/c/d", "/a/b/c/d"]),
            ("/.%C3%A9", &["/.%C3%A9", "/.\u{e9}"]),
            ("/a.%", &["/a.%"]),
            ("/%FF", &["/%FF", "/\u{fffd}"]),
        ] {
            assert_eq!(read(path, Wanted::default()).unwrap(), readings, "{path}");
        }
        let slash = Wanted { trailing_slash: true, ..Wanted::default() };
        assert_eq!(read("/a", slash).unwrap(), ["/a", "/a/"]);
        let capitals = Wanted { capital_escapes: true, ..Wanted::default() };
        assert_eq!(read("/a%2fb%zf%F", capitals).unwrap(), ["/a%2fb%zf%F", "/a%2Fb%zf%F", "/a/b%zf%F"]);
        assert_eq!(read("/%C3%a9", capitals).unwrap(), ["/%C3%a9", "/%C3%A9", "/\u{e9}"]);
    }

    #[test]
    fn a_path_that_no_honest_client_sends_is_rejected() {
        for (path, why) in [
            ("", Rejected::NoLeadingSlash),
            ("*", Rejected::NoLeadingSlash),
            ("a/b", Rejected::NoLeadingSlash),
            ("/.", Rejected::DotSegment),
            ("/a/../b", Rejected::DotSegment),
            ("/a/.../b", Rejected::DotSegment),
            ("/a/%2e%2E/b", Rejected::DotSegment),
            ("/a/%252e%252e/b", Rejected::DotSegment),
            ("/a/..%2Fb", Rejected::DotSegment),
            ("/a/..;/b", Rejected::DotSegment),
            ("/a/..%3Bx/b", Rejected::DotSegment),
            ("/a/..%3Fb", Rejected::DotSegment),
            ("/a\\b", Rejected::Backslash),
            ("/a%5Cb", Rejected::Backslash),
            ("/a%255Cb", Rejected::Backslash),
            ("/a%00", Rejected::ControlCharacter),
            ("/a%0D%0Ab", Rejected::ControlCharacter),
            ("/a%7F", Rejected::ControlCharacter),
            ("/a%C2%85", Rejected::ControlCharacter),
            ("/a%C0%AFb", Rejected::OverlongUtf8),
            ("/a/%../b", Rejected::DotSegment),
            ("/a/.%/b", Rejected::DotSegment),
            ("/a/..%ff/b", Rejected::DotSegment),
            ("/a/%E9%2e%%2e", Rejected::DotSegment),
            ("/a%E0%80%AFb", Rejected::OverlongUtf8),
            ("/a%F0%80%80%AF", Rejected::OverlongUtf8),
        ] {
            assert_eq!(read(path, Wanted::default()), Err(why), "{path}");
        }
        let many = format!("/{}", "%25252525252525252541;%252F/".repeat(4));
        assert_eq!(read(&many, Wanted::default()), Err(Rejected::TooManyReadings));
    }

    /// Of a run of slashes, one of each length is read.
    #[test]
    fn a_path_has_at_most_64_readings_and_few_if_it_is_long() {
        for (before, between, after, readings) in [
            ("", 8, 8, Some(64)),
            ("", 13, 5, None),
            ("", 64, 1, Some(64)),
            ("", 65, 1, None),
            (&"a".repeat(30_000), 2, 4, Some(8)),
            (&"a".repeat(30_000), 2, 5, None),
        ] {
            let path = format!("/{before}a{}b{}c", "/".repeat(between), "/".repeat(after));
            let read = read(&path, Wanted::default()).map(|readings| readings.len());
            assert_eq!(read, readings.ok_or(Rejected::TooManyReadings), "{between} {after}");
        }
    }

    fn read_across_seams(path: &str, depth: usize) -> Result<Vec<String>, Rejected> {
        let readings = Readings::of(path.into(), Wanted::default(), Tolerance::default())?.across_seams(depth)?;
        let made = (0..readings.len()).filter(|index| readings.is_across_seam(*index));
        Ok(made.map(|index| String::from_utf8_lossy(readings.get(index).unwrap()).into_owned()).collect())
    }

    #[test]
    fn what_nests_alone_make_of_a_path_is_read_once() {
        for (path, depth, made) in [
            ("/a/b", 9, &[][..]),
            ("/a//", 2, &[]),
            ("/a//", 3, &["/a///"]),
            ("/a//b", 9, &["/a//", "/a//b/b"]),
            ("/a//b/", 3, &["/a//", "/a//b/b/", "/a//b/b"]),
            ("/a//b/b", 3, &["/a//b", "/a//b/b/b"]),
        ] {
            assert_eq!(read_across_seams(path, depth).unwrap(), made, "{path} {depth}");
        }
    }

    /// Each segment behind an empty one may be left out or said again, wherever the prefix of the nest ends.
    #[test]
    fn nests_make_at_most_256_readings_of_a_path_and_few_if_it_is_long() {
        for (before, after, is_read) in
            [("", 21, true), ("", 22, false), (&"a".repeat(30_000), 2, true), (&"a".repeat(30_000), 3, false)]
        {
            let path = format!("/{before}a/{}", "/b".repeat(after));
            let rejected = read_across_seams(&path, 99).err();
            assert_eq!(rejected, (!is_read).then_some(Rejected::TooManyReadings), "{after}");
        }
    }

    #[test]
    fn what_the_operator_tolerates_is_still_read_as_a_slash() {
        let tolerance = Tolerance { encoded_backslash: true, control_characters: true };
        let readings = Readings::of("/a%5Cb%0A".into(), Wanted::default(), tolerance).unwrap();
        let readings: Vec<_> = readings.iter().map(<[u8]>::to_vec).collect();
        assert_eq!(readings, [&b"/a%5Cb%0A"[..], b"/a\\b\n", b"/a/b\n"]);
        for path in ["/a\\b", "/%00", "/..%5Ca"] {
            assert!(Readings::of(path.into(), Wanted::default(), tolerance).is_err(), "{path}");
        }
    }
}
