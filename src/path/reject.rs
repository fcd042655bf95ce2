//! Which paths no honest client sends.

use std::fmt;

/// What the operator has allowed in paths, for services that need it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tolerance {
    /// Encoded backslashes; they then also read as `/`.
    pub(crate) encoded_backslash: bool,
    /// Encoded control characters other than NUL.
    pub(crate) control_characters: bool,
}

/// Why a path is rejected, whoever asks and whatever the policy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejected {
    NoLeadingSlash,
    TooManyReadings,
    DotSegment,
    Backslash,
    ControlCharacter,
    OverlongUtf8,
}

impl Rejected {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::NoLeadingSlash => "the path does not begin with a slash",
            Self::TooManyReadings => "the path can be read in too many ways",
            Self::DotSegment => "the path has a dot segment",
            Self::Backslash => "the path has a backslash",
            Self::ControlCharacter => "the path has a control character",
            Self::OverlongUtf8 => "the path has overlong UTF-8",
        }
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Checks one reading; `raw` is the path as it came, in which nothing was encoded.
pub(super) fn check(reading: &[u8], raw: bool, tolerance: Tolerance) -> Result<(), Rejected> {
    if reading.first() != Some(&b'/') {
        Err(Rejected::NoLeadingSlash)
    } else if reading.split(|byte| *byte == b'/').any(is_dots) {
        Err(Rejected::DotSegment)
    } else if reading.contains(&b'\\') && (raw || !tolerance.encoded_backslash) {
        Err(Rejected::Backslash)
    } else if has_control(reading, raw, tolerance) {
        Err(Rejected::ControlCharacter)
    } else if has_overlong_utf8(reading) {
        Err(Rejected::OverlongUtf8)
    } else {
        Ok(())
    }
}

/// One dot or two (RFC 3986, section 5.2.4), or more of them, which some services drop; also with what others drop
/// because it cannot be decoded: a stray `%`, and bytes that are no UTF-8.
pub(crate) fn is_dots(segment: &[u8]) -> bool {
    segment.contains(&b'.')
        && segment.iter().all(|byte| matches!(byte, b'.' | b'%' | 0x80..))
        && segment.utf8_chunks().all(|chunk| chunk.valid().is_ascii())
}

fn has_control(reading: &[u8], raw: bool, tolerance: Tolerance) -> bool {
    if tolerance.control_characters && !raw {
        return reading.contains(&0);
    }
    let c1 = |pair: &[u8]| matches!(pair, [0xC2, 0x80..=0x9F]);
    reading.iter().any(u8::is_ascii_control) || reading.windows(2).any(c1)
}

/// Sequences that lenient decoders read as a character which has a shorter form.
fn has_overlong_utf8(reading: &[u8]) -> bool {
    let overlong = |pair: &[u8]| matches!(pair, [0xE0, 0x80..=0x9F] | [0xF0, 0x80..=0x8F] | [0xF8..=0xFD, 0x80..=0xBF]);
    reading.iter().any(|byte| matches!(byte, 0xC0 | 0xC1)) || reading.windows(2).any(overlong)
}
