//! Removing the headers that say who is calling.

use http::{HeaderMap, HeaderName};

use super::network::read_alike;

/// The headers that no service behind the layer may see.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConsumedHeaders(Box<[HeaderName]>);

impl ConsumedHeaders {
    pub(crate) fn new(names: impl IntoIterator<Item = HeaderName>) -> Self {
        Self(names.into_iter().collect())
    }

    /// Removes them in every spelling that services of the CGI family read alike, such as `x_user` for `x-user`.
    pub(crate) fn strip(&self, headers: &mut HeaderMap) {
        if self.0.is_empty() {
            return;
        }
        let is_consumed = |name: &&HeaderName| self.0.iter().any(|consumed| same(consumed, name));
        let found: Vec<_> = headers.keys().filter(is_consumed).cloned().collect();
        for name in found {
            headers.remove(name);
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
        let consumed = ConsumedHeaders::new([HeaderName::from_static("x-auth-user")]);
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
}
