//! Finding the key set of an issuer (`OpenID` Connect Discovery 1.0, section 4; RFC 8414, section 3).

use serde_json::Value;

use super::address::Address;
use crate::authn::jwt::object;

/// An issuer whose metadata say where its keys are.
#[derive(Debug)]
pub(super) struct Discovery {
    issuer: String,
    at: Address,
    allow_plain_http: bool,
}

impl Discovery {
    /// `issuer` is its name, and at the same time the address under which it is asked.
    pub(super) fn new(issuer: &str, allow_plain_http: bool) -> Result<Self, String> {
        let at = Address::chosen(issuer, allow_plain_http)?;
        if at.has_query() || issuer.contains('?') {
            return Err(format!("the issuer `{}` has a query", issuer.escape_debug()));
        }
        Ok(Self { issuer: issuer.to_owned(), at, allow_plain_http })
    }

    /// Where the metadata are, by both ways of putting the path of the issuer; the second is for authorization servers
    /// that know no `OpenID` Connect.
    pub(super) fn places(&self) -> Result<[Address; 2], String> {
        let path = self.at.path().trim_end_matches('/');
        let openid = self.at.with_path(&format!("{path}/.well-known/openid-configuration"))?;
        let oauth = self.at.with_path(&format!("/.well-known/oauth-authorization-server{path}"))?;
        Ok([openid, oauth])
    }

    /// Where the key set is, as the metadata of this issuer and no other say.
    pub(super) fn key_set(&self, metadata: &[u8]) -> Result<Address, String> {
        let metadata = object::parse(metadata).ok_or("the metadata are not a JSON object, or name a member twice")?;
        match metadata.get("issuer") {
            Some(Value::String(issuer)) if *issuer == self.issuer => {}
            Some(Value::String(other)) => {
                return Err(format!("the metadata are those of the issuer `{}`", other.escape_debug()));
            }
            _ => return Err("the metadata name no issuer".to_owned()),
        }
        let place = metadata.get("jwks_uri").and_then(Value::as_str).ok_or("the metadata have no `jwks_uri`")?;
        self.at.follow(place, self.allow_plain_http)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn metadata_are_looked_for_where_the_standards_put_them() {
        let rows = [
            ("https://id.example", ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"]),
            ("https://id.example/", ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"]),
            (
                "https://id.example/realms/acme",
                [
                    "/realms/acme/.well-known/openid-configuration",
                    "/.well-known/oauth-authorization-server/realms/acme",
                ],
            ),
            (
                "https://id.example:8443/a/",
                ["/a/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/a"],
            ),
        ];
        for (issuer, expected) in rows {
            let places = Discovery::new(issuer, false).unwrap().places().unwrap();
            assert_eq!(places.each_ref().map(Address::path), expected, "{issuer}");
            for place in places {
                assert!(issuer.starts_with(&place.uri().to_string()[.."https://id.example".len()]));
                assert_eq!(place.uri().port_u16().is_some(), issuer.contains(":8443"));
            }
        }
        for issuer in ["https://id.example?tenant=1", "https://id.example/?", "id.example", "http://id.example"] {
            assert!(Discovery::new(issuer, false).is_err(), "{issuer}");
        }
    }

    #[test]
    fn metadata_count_for_their_own_issuer_alone() {
        let rows = [
            (json!({ "issuer": "https://id.example/a", "jwks_uri": "https://id.example/keys" }), Ok("/keys")),
            (json!({ "issuer": "https://id.example/a", "jwks_uri": "https://cdn.example/keys" }), Ok("/keys")),
            (
                json!({ "issuer": "https://id.example/a/", "jwks_uri": "https://id.example/keys" }),
                Err("`https://id.example/a/`"),
            ),
            (json!({ "issuer": "https://ID.example/a", "jwks_uri": "https://id.example/keys" }), Err("of the issuer")),
            (json!({ "issuer": "evil\n", "jwks_uri": "https://id.example/keys" }), Err(r"`evil\n`")),
            (json!({ "issuer": ["https://id.example/a"], "jwks_uri": "https://id.example/keys" }), Err("no issuer")),
            (json!({ "jwks_uri": "https://id.example/keys" }), Err("no issuer")),
            (json!({ "issuer": "https://id.example/a" }), Err("no `jwks_uri`")),
            (json!({ "issuer": "https://id.example/a", "jwks_uri": "http://id.example/keys" }), Err("no `https`")),
            (json!({ "issuer": "https://id.example/a", "jwks_uri": "/keys" }), Err("no `https`")),
            (json!([]), Err("not a JSON object")),
        ];
        let discovery = Discovery::new("https://id.example/a", false).unwrap();
        for (metadata, expected) in rows {
            let found = discovery.key_set(metadata.to_string().as_bytes());
            match (found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found.path(), expected),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
                (found, _) => panic!("{metadata}: {found:?}"),
            }
        }
        let twice = br#"{"issuer":"https://id.example/a","issuer":"https://id.example/a","jwks_uri":"https://a/"}"#;
        assert!(discovery.key_set(twice).unwrap_err().contains("twice"));
    }
}
