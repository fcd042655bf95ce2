//! Which of our formats an `Accept` header prefers (RFC 9110, section 12.5.1).

/// The formats in which denials are answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// `application/problem+json` (RFC 9457), also for those who accept `application/json`.
    #[default]
    Problem,
    /// `text/html`.
    Html,
    /// `text/plain`.
    Text,
}

impl Format {
    pub(super) const ALL: [Self; 3] = [Self::Problem, Self::Html, Self::Text];

    /// The value of `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Problem => "application/problem+json",
            Self::Html => "text/html; charset=utf-8",
            Self::Text => "text/plain; charset=utf-8",
        }
    }
}

/// The media ranges that name our formats, and how closely each of [`Format::ALL`]; 0 is not at all.
const RANGES: [(&[u8], [u8; Format::ALL.len()]); 7] = [
    (b"*/*", [1, 1, 1]),
    (b"application/*", [2, 0, 0]),
    (b"application/json", [3, 0, 0]),
    (b"application/problem+json", [4, 0, 0]),
    (b"text/*", [0, 2, 2]),
    (b"text/html", [0, 3, 0]),
    (b"text/plain", [0, 0, 3]),
];

/// The greatest number of media ranges that are looked at.
const MAX_RANGES: usize = 64;

/// The format that `accept` prefers. Among equals, and where nothing fits, it is the first of [`Format::ALL`]. What is no
/// text is passed over (RFC 9110, section 5.5).
pub(super) fn negotiate(accept: &[u8]) -> Format {
    let mut qualities = [(0, 0); Format::ALL.len()];
    for range in accept.split(|byte| *byte == b',').take(MAX_RANGES) {
        let mut parts = range.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let Some(closeness) = parts.next().and_then(closeness) else { continue };
        let Some(weight) = weight(parts) else { continue };
        for (closeness, quality) in closeness.into_iter().zip(&mut qualities).filter(|(closeness, _)| *closeness > 0) {
            *quality = (closeness, weight).max(*quality);
        }
    }
    let mut best = (Format::default(), 0);
    for (format, (_, weight)) in Format::ALL.into_iter().zip(qualities) {
        if weight > best.1 {
            best = (format, weight);
        }
    }
    best.0
}

/// How closely a media range names each format; nothing where it names none.
fn closeness(range: &[u8]) -> Option<[u8; Format::ALL.len()]> {
    RANGES.iter().find(|(known, _)| known.eq_ignore_ascii_case(range)).map(|(_, closeness)| *closeness)
}

/// The `q` among the parameters of a range: 1 where there is none, nothing where it is malformed.
fn weight<'a>(mut parameters: impl Iterator<Item = &'a [u8]>) -> Option<u16> {
    let q = parameters.find_map(|parameter| match parameter {
        [b'q' | b'Q', b'=', value @ ..] => Some(value),
        _ => None,
    });
    q.map_or(Some(1000), thousandths)
}

/// A `qvalue` (RFC 9110, section 12.4.2): at most three decimals, at most 1.
fn thousandths(value: &[u8]) -> Option<u16> {
    let (whole, decimals) = match value {
        [whole @ (b'0' | b'1')] => (whole, &[][..]),
        [whole @ (b'0' | b'1'), b'.', decimals @ ..] => (whole, decimals),
        _ => return None,
    };
    if decimals.len() > 3 || !decimals.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = std::iter::once(whole).chain(decimals).chain(b"000").take(4);
    let thousandths = digits.fold(0, |number, digit| number * 10 + u16::from(digit - b'0'));
    (thousandths <= 1000).then_some(thousandths)
}
