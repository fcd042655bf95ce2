//! Addresses that keys may come from.

use std::{fmt, net::IpAddr};

use http::{
    Uri,
    uri::{Authority, Scheme},
};

/// An address that is asked for keys: `https`, or `http` where nobody on the way can change the answer.
#[derive(Clone, Debug)]
pub(super) struct Address(Uri);

impl Address {
    /// Reads an address that the operator has chosen. Plain `http` needs a loopback address, or the operator's word.
    pub(super) fn chosen(text: &str, allow_plain_http: bool) -> Result<Self, String> {
        let address = Self::read(text)?;
        if address.is_secure() || allow_plain_http || address.is_loopback() {
            return Ok(address);
        }
        Err(format!("`{}` is no `https` address", text.escape_debug()))
    }

    /// Reads an address that was found here. It may not be less secure: from this machine no plain `http` leads to
    /// another one unasked.
    pub(super) fn follow(&self, text: &str, allow_plain_http: bool) -> Result<Self, String> {
        let address = Self::chosen(text, allow_plain_http)?;
        if address.is_secure() || !self.is_secure() {
            return Ok(address);
        }
        Err(format!("`{}` is no `https` address", text.escape_debug()))
    }

    fn read(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("`{}` {why}", text.escape_debug());
        let uri: Uri = text.parse().map_err(|_| wrong("is no address"))?;
        if uri.scheme() != Some(&Scheme::HTTPS) && uri.scheme() != Some(&Scheme::HTTP) {
            return Err(wrong("is no `https` address"));
        }
        if text.contains('#') || uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(wrong("has a part that is never sent"));
        }
        Ok(Self(uri))
    }

    /// The address at the same place with another path.
    pub(super) fn with_path(&self, path: &str) -> Result<Self, String> {
        let scheme = self.0.scheme_str().unwrap_or_default();
        Self::read(&format!("{scheme}://{}{path}", self.authority()))
    }

    pub(super) fn uri(&self) -> &Uri {
        &self.0
    }

    pub(super) fn path(&self) -> &str {
        self.0.path()
    }

    pub(super) fn has_query(&self) -> bool {
        self.0.query().is_some()
    }

    pub(super) fn is_secure(&self) -> bool {
        self.0.scheme() == Some(&Scheme::HTTPS)
    }

    fn authority(&self) -> &str {
        self.0.authority().map_or("", Authority::as_str)
    }

    fn is_loopback(&self) -> bool {
        let host = self.0.host().unwrap_or_default();
        let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        host.eq_ignore_ascii_case("localhost") || ip.is_ok_and(|ip| ip.is_loopback())
    }
}

/// Without the query, in which there may be secrets, and with nothing that a terminal would obey.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.0.scheme_str().unwrap_or_default();
        write!(f, "{scheme}://{}{}", self.authority(), self.path().escape_debug())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_nobody_can_stand_in_for_are_chosen() {
        let good = [
            "https://id.example",
            "HTTPS://id.example:8443/keys?app=1",
            "http://localhost:8080/realms/x",
            "http://127.8.9.1/keys",
            "http://[::1]:80/",
        ];
        for text in good {
            assert!(Address::chosen(text, false).is_ok(), "{text}");
        }
        let plain = ["http://id.example/keys", "http://localhost.example/", "http://10.0.0.1/", "http://[::2]/"];
        for text in plain {
            assert!(Address::chosen(text, false).is_err(), "{text}");
            assert!(Address::chosen(text, true).is_ok(), "{text}");
        }
        let never = [
            "",
            "/keys",
            "id.example",
            "ftp://id.example/",
            "file:///etc/keys",
            "https://a:b@id.example/",
            "https://id.example/#keys",
            "https://id.example/a b",
            "https://",
        ];
        for text in never {
            assert!(Address::chosen(text, true).is_err(), "{text}");
        }
    }

    #[test]
    fn secrets_and_control_characters_in_addresses_are_not_told() {
        let address = Address::chosen("https://id.example:8443/keys?secret=1", false).unwrap();
        assert_eq!(address.to_string(), "https://id.example:8443/keys");
        assert!(Address::chosen("https://id.example", false).unwrap().to_string().starts_with("https://id.example"));
        let address = Address::chosen("https://id.example/\u{9b}31m\u{2028}", false).unwrap();
        assert!(address.to_string().is_ascii(), "{address}");
    }

    #[test]
    fn addresses_that_are_found_are_never_less_secure() {
        let rows = [
            ("https://id.example", "https://keys.example/", true, true),
            ("https://id.example", "http://id.example/keys", false, false),
            ("https://id.example", "http://localhost/keys", false, false),
            ("http://localhost", "http://localhost:81/keys", true, true),
            ("http://localhost", "https://keys.example/", true, true),
            ("http://localhost", "http://keys.example/", false, true),
            ("http://localhost", "ftp://localhost/keys", false, false),
        ];
        for (from, to, followed, where_allowed) in rows {
            let from = Address::chosen(from, false).unwrap();
            assert_eq!(from.follow(to, false).is_ok(), followed, "{from:?} {to}");
            assert_eq!(from.follow(to, true).is_ok(), where_allowed, "{from:?} {to}");
        }
    }
}
