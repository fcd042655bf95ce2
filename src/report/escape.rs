//! Texts from outside, made harmless for logs.

use std::fmt::Write as _;

/// What takes the place of the rest of a text that is too long.
const ELLIPSIS: char = '…';

/// `text` in printable ASCII; everything else as `\u{…}`. At most `limit` characters, and an ellipsis for the rest.
pub(super) fn text(text: &str, limit: usize) -> String {
    text_but(text, limit, |_| false)
}

/// Like [`text`], and what `special` says is escaped, too.
pub(super) fn text_but(text: &str, limit: usize, special: impl Fn(char) -> bool) -> String {
    let harmless = |c: char| (c == ' ' || c.is_ascii_graphic()) && !special(c);
    capped(limit, text.chars(), |c, out| match c {
        _ if harmless(c) => out.push(c),
        _ => out.extend(c.escape_unicode()),
    })
}

/// `path` in printable ASCII; everything else, quotes and backslashes percent-encoded. At most `limit` characters, and
/// an ellipsis for the rest.
pub(super) fn path(path: &str, limit: usize) -> String {
    capped(limit, path.bytes(), |byte, out| match byte {
        b'"' | b'\\' => push_percent(byte, out),
        _ if byte.is_ascii_graphic() => out.push(char::from(byte)),
        _ => push_percent(byte, out),
    })
}

fn push_percent(byte: u8, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = write!(out, "%{byte:02X}");
}

fn capped<T>(limit: usize, items: impl Iterator<Item = T>, push: impl Fn(T, &mut String)) -> String {
    let mut out = String::new();
    for item in items {
        let len = out.len();
        push(item, &mut out);
        if out.len() > limit {
            out.truncate(len);
            out.push(ELLIPSIS);
            break;
        }
    }
    out
}
