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

    /// How closely a media range names this format; `None` where it does not.
    fn specificity(self, range: &str) -> Option<u8> {
        let ranges: &[&str] = match self {
            Self::Problem => &["*/*", "application/*", "application/json", "application/problem+json"],
            Self::Html => &["*/*", "text/*", "text/html"],
            Self::Text => &["*/*", "text/*", "text/plain"],
        };
        (0..).zip(ranges).find(|(_, known)| known.eq_ignore_ascii_case(range)).map(|(specificity, _)| specificity)
    }
}

/// The greatest number of media ranges that are looked at.
const MAX_RANGES: usize = 64;

/// The format that `accept` prefers. Among equals, and where nothing fits, it is the first of [`Format::ALL`].
pub(super) fn negotiate(accept: &str) -> Format {
    let mut qualities = [(0, 0); Format::ALL.len()];
    for range in accept.split(',').take(MAX_RANGES) {
        let mut parts = range.split(';').map(str::trim_ascii);
        let (Some(range), Some(weight)) = (parts.next(), weight(parts)) else { continue };
        for (format, quality) in Format::ALL.iter().zip(&mut qualities) {
            if let Some(specificity) = format.specificity(range) {
                *quality = (specificity, weight).max(*quality);
            }
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

/// The `q` among the parameters of a range: 1 where there is none, nothing where it is malformed.
fn weight<'a>(mut parameters: impl Iterator<Item = &'a str>) -> Option<u16> {
    let q = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.eq_ignore_ascii_case("q").then_some(value)
    });
    q.map_or(Some(1000), thousandths)
}

/// A `qvalue` (RFC 9110, section 12.4.2): at most three decimals, at most 1.
fn thousandths(value: &str) -> Option<u16> {
    let (whole, decimals) = value.split_once('.').unwrap_or((value, ""));
    if !matches!(whole, "0" | "1") || decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{whole}{decimals:0<3}").parse().ok().filter(|thousandths| *thousandths <= 1000)
}
