//! Removing the headers that say who is calling.

use http::{HeaderMap, HeaderName, HeaderValue, header::SEC_WEBSOCKET_PROTOCOL};

use super::{Authenticator, network::read_alike};

/// The headers, and what is in headers, that no service behind the layer may see.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConsumedHeaders {
    names: Box<[HeaderName]>,
    /// Those in `Sec-WebSocket-Protocol` that announce credentials.
    protocols: Box<[String]>,
}

impl ConsumedHeaders {
    pub(crate) fn of(authenticator: &(impl Authenticator + ?Sized)) -> Self {
        let protocols = authenticator.consumed_protocols().into();
        Self { names: authenticator.consumed_headers().into(), protocols }
    }

    #[inline]
    pub(crate) fn strip(&self, headers: &mut HeaderMap) {
        if !self.names.is_empty() {
            self.strip_names(headers);
        }
        if !self.protocols.is_empty() && headers.contains_key(SEC_WEBSOCKET_PROTOCOL) {
            self.strip_protocols(headers);
        }
    }

    /// Removes headers in every spelling that services of the CGI family read alike, such as `x_user` for `x-user`.
    fn strip_names(&self, headers: &mut HeaderMap) {
        let is_consumed = |name: &&HeaderName| self.names.iter().any(|consumed| same(consumed, name));
        let found: Vec<_> = headers.keys().filter(is_consumed).cloned().collect();
        for name in found {
            headers.remove(name);
        }
    }

    /// Leaves the protocols of the application alone in the header.
    fn strip_protocols(&self, headers: &mut HeaderMap) {
        let lines = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
        let mut protocols = lines.flat_map(|line| line.as_bytes().split(|b| *b == b',')).map(<[u8]>::trim_ascii);
        let mut kept: Vec<&[u8]> = Vec::new();
        while let Some(protocol) = protocols.next() {
            if self.protocols.iter().any(|consumed| consumed.as_bytes() == protocol) {
                protocols.next();
            } else if !protocol.is_empty() {
                kept.push(protocol);
            }
        }
        match HeaderValue::from_bytes(&kept.join(b", ".as_slice())) {
            Ok(value) if !kept.is_empty() => drop(headers.insert(SEC_WEBSOCKET_PROTOCOL, value)),
            _ => drop(headers.remove(SEC_WEBSOCKET_PROTOCOL)),
        }
    }
}

fn same(one: &HeaderName, other: &HeaderName) -> bool {
    read_alike(one.as_str().as_bytes(), other.as_str().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_that_cgi_reads_alike_is_removed() {
        let consumed = ConsumedHeaders { names: [HeaderName::from_static("x-auth-user")].into(), ..Default::default() };
        let cases = [
            ("x-auth-user", false),
            ("x_auth_user", false),
            ("x-auth_user", false),
            ("x.auth~user", false),
            ("x-auth-users", true),
            ("xx-auth-user", true),
            ("x-authouser", true),
            ("x-auth-role", true),
        ];
        for (name, stays) in cases {
            let name = HeaderName::from_static(name);
            let mut headers = HeaderMap::new();
            headers.append(&name, "ada".parse().unwrap());
            headers.append(&name, "bob".parse().unwrap());
            consumed.strip(&mut headers);
            assert_eq!(headers.contains_key(&name), stays, "{name}");
        }
    }

    #[test]
    fn protocols_that_announce_credentials_go_and_take_them_along() {
        let consumed = ConsumedHeaders { protocols: ["bearer".to_owned()].into(), ..Default::default() };
        let cases: [(&[&str], Option<&str>); 9] = [
            (&["chat.v1, bearer, a.b.c"], Some("chat.v1")),
            (&["bearer,a.b.c , chat.v1,chat.v2"], Some("chat.v1, chat.v2")),
            (&["chat.v1, bearer", "a.b.c, chat.v2"], Some("chat.v1, chat.v2")),
            (&["bearer, a.b.c"], None),
            (&["bearer"], None),
            (&["bearer, a, bearer, b"], None),
            (&["Bearer, a"], Some("Bearer, a")),
            (&["chat.v1"], Some("chat.v1")),
            (&[], None),
        ];
        for (lines, expected) in cases {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(SEC_WEBSOCKET_PROTOCOL, line.parse().unwrap());
            }
            consumed.strip(&mut headers);
            let left: Vec<_> = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().collect();
            assert_eq!(left, expected.into_iter().collect::<Vec<_>>(), "{lines:?}");
        }
    }
    #[test]
    fn protocols_are_left_as_they_were_sent_where_none_announces_credentials() {
        let mut sent = HeaderMap::new();
        for line in ["chat.v1,,bearer", "a.b.c ,chat.v2"] {
            sent.append(SEC_WEBSOCKET_PROTOCOL, line.parse().unwrap());
        }
        let mut forwarded = sent.clone();
        ConsumedHeaders::default().strip(&mut forwarded);
        assert_eq!(forwarded, sent);
    }
}
