//! Requests as raw bytes: what honest clients send to a route, and what it can be disguised as.

use super::{bytes::Bytes, table::join};

/// One request, but for who sends it.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) method: &'static str,
    pub(crate) target: Vec<u8>,
    headers: &'static str,
    /// The path without the prefix, where it is what an honest client sends.
    pub(crate) plain: Option<String>,
}

const METHODS: &[&str] = &[
    "GET", "GET", "GET", "HEAD", "POST", "GET", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "get", "PURGE", "FOO",
    "CONNECT", "HEAD",
];

/// Headers that some services let change the route or the method.
const HEADERS: &[&str] = &[
    "",
    "",
    "",
    "",
    "x-http-method-override: GET\r\n",
    "x-original-url: /\r\nx-rewrite-url: /\r\n",
    "x-forwarded-prefix: /x\r\nx-forwarded-uri: /\r\n",
    "upgrade: h2c\r\nconnection: upgrade\r\n",
    "host: localhost\r\n",
];

const SLASHES: &[&str] = &[
    "//", "%2F", "%2f", "/./", "/x/../", "%252F", "\\", "%5C", "/;x/", ";x/", "/%2F", "///", "/%2e/", "%2F%2F", "/..;/",
];

const INSERTS: &[&str] = &[
    "/", "%2F", ";x", ".", "..", "%00", "%20", "%3F", "%23", "?", "#", "%25", "%", "%3B", ";", "\u{e9}", "%C3%A9",
    "%C0%AF", "%zz", "%2", "\t", "+", "%0A", "%5C", "%252e", "~", "{", "%7B",
];

const ENDS: &[&str] = &[
    "/",
    "//",
    "%2F",
    ";x",
    "/.",
    "/..",
    "%20",
    "?x",
    ".json",
    "/;",
    "%3F",
    "%23x",
    "%00",
    "/x/..",
    "%3Fx=/",
    "%2F%2F",
    "/?a=/../b",
    ";",
    "%3B",
    "/%2F",
    "index.html",
    "%252F",
    "/%20",
];

const BEGINNINGS: &[&str] = &[
    "/",
    "//",
    "/.",
    "/x/..",
    "/;",
    "http://example",
    "HTTP://a:1",
    "/%2F",
    "/%2e",
    "%2F",
    "//example",
    "/x;y/..",
    "/;x",
    "https://u@h",
    "\\",
    "///",
];

const VALUES: &[&str] =
    &["q7", "q7", "ada", "bob", "a", "b", "x;q7", "%71%37", "%61da", "", "a%2Fb", "admin", ".x", "%2571"];

impl Ask {
    /// A request to one of the patterns, each of which stands behind `prefix`.
    pub(crate) fn of(prefix: &str, patterns: &[&str], bytes: &mut Bytes<'_>) -> Self {
        let method = METHODS[bytes.below(METHODS.len())];
        let headers = HEADERS[bytes.below(HEADERS.len())];
        let plain = bytes.below(3) == 0;
        let pattern = patterns.get(bytes.below(patterns.len())).copied().unwrap_or("/");
        if plain {
            let path = fill(pattern, |_| "q7".to_owned());
            let target = join(&fill(prefix, |_| "q9".to_owned()), &path).into();
            return Self { method, target, headers, plain: Some(path) };
        }
        let mut target = fill(prefix, |_| bytes.pick(&["q9", "a", "x%20", "%71"]).to_string())
            + &fill(pattern, |_| bytes.pick(VALUES).to_string());
        for _ in 0..bytes.pick(&[1, 1, 1, 2, 2, 3]) {
            target = disguised(&target, bytes);
        }
        let mut target = target.into_bytes();
        if bytes.one_in(64) {
            let odd = [&b"*"[..], b"example:80", b"example", b"?", b"/", b"//", b"/\xc0\xaf", b"/a\xffb", b"alias"];
            target = bytes.pick(&odd).to_vec();
        }
        Self { method, target, headers, plain: None }
    }

    /// The headers that HTTP/2 has, too: none that speaks of the connection, or of the host.
    pub(crate) fn headers_of_streams(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let headers = self.headers.split("\r\n").filter_map(|line| line.split_once(": "));
        headers.filter(|(name, _)| name.starts_with("x-"))
    }

    /// The bytes of the request, as `credentials` sends it.
    pub(crate) fn write(&self, credentials: Option<&str>, to: &mut Vec<u8>) {
        to.extend(self.method.as_bytes());
        to.push(b' ');
        to.extend(&self.target);
        to.extend(b" HTTP/1.1\r\n");
        if !self.headers.starts_with("host") {
            to.extend(b"host: h\r\n");
        }
        to.extend(self.headers.as_bytes());
        if let Some(credentials) = credentials {
            to.extend(b"authorization: ");
            to.extend(credentials.as_bytes());
            to.extend(b"\r\n");
        }
        to.extend(b"\r\n");
    }
}

/// A path that `pattern` matches.
pub(crate) fn fill(pattern: &str, mut value: impl FnMut(&str) -> String) -> String {
    let mut path = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern;
    while let Some(at) = rest.find(['{', '}']) {
        path.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        if rest[at + 1..].starts_with(brace) {
            path.push_str(if brace == "{" { "%7B" } else { "%7D" });
            rest = &rest[at + 2..];
        } else {
            let end = rest.find('}').unwrap_or(rest.len() - 1);
            path.push_str(&value(&rest[at + 1..end]));
            rest = &rest[end + 1..];
        }
    }
    path.push_str(rest);
    path.replace(' ', "%20")
}

fn disguised(target: &str, bytes: &mut Bytes<'_>) -> String {
    let places = |of: char| target.match_indices(of).map(|(at, _)| at).collect::<Vec<_>>();
    let splice = |at: usize, length: usize, text: &str| format!("{}{text}{}", &target[..at], &target[at + length..]);
    match bytes.below(13) {
        0..3 => {
            let slashes = places('/');
            let text = bytes.next();
            match slashes.get(bytes.below(slashes.len())) {
                Some(&at) => splice(at, 1, SLASHES[usize::from(text) % SLASHES.len()]),
                None => target.to_owned(),
            }
        }
        3 | 4 => {
            let ends: Vec<usize> = target.char_indices().map(|(at, _)| at).chain([target.len()]).collect();
            let text = bytes.pick(INSERTS);
            splice(ends[bytes.below(ends.len().min(256))], 0, text)
        }
        5..8 => {
            let depth = bytes.pick(&["%", "%", "%25", "%2525"]);
            let lower = bytes.below(2) == 0;
            let letters: Vec<(usize, u8)> =
                target.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_graphic() && *byte != b'/').collect();
            match letters.get(bytes.below(letters.len().min(256))) {
                Some(&(at, byte)) if lower => splice(at, 1, &format!("{depth}{byte:02x}")),
                Some(&(at, byte)) => splice(at, 1, &format!("{depth}{byte:02X}")),
                None => target.to_owned(),
            }
        }
        8 => format!("{target}{}", bytes.pick(ENDS)),
        9 => format!("{}{target}", bytes.pick(BEGINNINGS)),
        10 => target.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(target).to_owned(),
        11 => match bytes.below(3) {
            0 => target.to_ascii_uppercase(),
            1 => target.rsplit_once('/').map_or("/", |(path, _)| path).to_owned(),
            _ => format!("{target}{target}"),
        },
        _ => emptied(target, bytes),
    }
}

/// With a segment that is empty, and behind it one more or one less: routers that match the whole path and strip prefixes from
/// it one by one take such segments apart in two ways.
fn emptied(target: &str, bytes: &mut Bytes<'_>) -> String {
    let mut segments: Vec<&str> = target.split('/').collect();
    let Some(most) = segments.len().checked_sub(2).filter(|most| *most > 0) else { return target.to_owned() };
    let empty = 2 + bytes.below(most);
    let behind = empty + 1 + bytes.below(segments.len() - empty);
    segments[empty] = "";
    if bytes.below(2) == 0 {
        segments.insert(behind, "q7");
    } else if behind < segments.len() {
        segments.remove(behind);
    }
    segments.join("/")
}
