//! The syntax of forwarded addresses (RFC 7239, sections 4 and 6).
//!
//! Elements are cut at commas before they are read, even at commas within quotes. That is safe: an element that
//! began within quotes holds an odd number of quotation marks, and is refused.

use std::net::{IpAddr, SocketAddr};

/// The address in a node such as `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`;
/// none for `unknown`, for obfuscated names and for anything else.
pub(super) fn node(text: &str) -> Option<IpAddr> {
    let address = text.parse().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip())).ok();
    let bare = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok().map(IpAddr::V6);
    address.or_else(bare).map(|address| address.to_canonical())
}

/// The address that an element such as `for=192.0.2.43;proto=http` was forwarded for.
pub(super) fn element(text: &str) -> Option<IpAddr> {
    let mut rest = text;
    let mut found = None;
    loop {
        let (name, after) = rest.split_once('=')?;
        let (value, after) = value(after)?;
        if !is_token(name) {
            return None;
        }
        if name.eq_ignore_ascii_case("for") && found.replace(node(&value)?).is_some() {
            return None;
        }
        match after.strip_prefix(';') {
            Some(after) => rest = after.trim_start(),
            None => return after.is_empty().then_some(found).flatten(),
        }
    }
}

/// A token or a quoted string (RFC 9110, section 5.6), and what comes after it.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (token, rest) = text.split_at(text.find(';').unwrap_or(text.len()));
        return is_token(token).then(|| (token.to_owned(), rest));
    };
    let mut value = String::new();
    let mut chars = quoted.chars();
    loop {
        match chars.next()? {
            '"' => return Some((value, chars.as_str())),
            '\\' => value.push(chars.next()?),
            other => value.push(other),
        }
    }
}

fn is_token(text: &str) -> bool {
    let is_token_char = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !text.is_empty() && text.bytes().all(is_token_char)
}
