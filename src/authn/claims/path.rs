//! Where a claim is.

use std::fmt;

use serde_json::{Map, Value};

/// Where a claim is: a name, names with dots between them, or an array of names.
///
/// In a text, a claim of that exact name at the top wins over one that the dots lead to: names that are URLs have
/// dots in them. An array is taken as it is.
///
/// ```
/// use tower_authz::authn::ClaimPath;
///
/// let top = ClaimPath::from("roles");
/// let nested = ClaimPath::from("realm_access.roles");
/// let dots_in_a_name = ClaimPath::from(["resource_access", "billing.example", "roles"]);
/// # let _ = (top, nested, dots_in_a_name);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath {
    segments: Vec<String>,
    /// The text with its dots, where it was given as one.
    name: Option<String>,
}

/// A claim, or what is on the way to it, has a shape that was not expected, or is kept elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

impl ClaimPath {
    /// The claim; none where it, or something on the way to it, is missing or null.
    pub(super) fn find<'a>(&self, claims: &'a Map<String, Value>) -> Result<Option<&'a Value>, Unreadable> {
        let present = |value: &&Value| !value.is_null();
        if let Some(value) = self.name.as_ref().and_then(|name| claims.get(name)).filter(present) {
            return Ok(Some(value));
        }
        let mut segments = self.segments.iter();
        let Some(mut value) = segments.next().and_then(|first| claims.get(first)).filter(present) else {
            return if self.is_elsewhere(claims) { Err(Unreadable) } else { Ok(None) };
        };
        for segment in segments {
            match value.as_object().ok_or(Unreadable)?.get(segment).filter(present) {
                Some(inner) => value = inner,
                None => return Ok(None),
            }
        }
        Ok(Some(value))
    }

    /// Whether the issuer says that it has the claim, and not in the token (`OpenID` Connect Core 1.0, section 5.6.2).
    fn is_elsewhere(&self, claims: &Map<String, Value>) -> bool {
        let names = claims.get("_claim_names").and_then(Value::as_object);
        names.is_some_and(|names| self.name.iter().chain(self.segments.first()).any(|name| names.contains_key(name)))
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.segments.join("."))
    }
}

impl From<&str> for ClaimPath {
    fn from(path: &str) -> Self {
        Self { segments: path.split('.').map(str::to_owned).collect(), name: Some(path.to_owned()) }
    }
}

impl From<String> for ClaimPath {
    fn from(path: String) -> Self {
        path.as_str().into()
    }
}

impl From<&String> for ClaimPath {
    fn from(path: &String) -> Self {
        path.as_str().into()
    }
}

impl<S: Into<String>, const N: usize> From<[S; N]> for ClaimPath {
    fn from(segments: [S; N]) -> Self {
        Self { segments: segments.into_iter().map(Into::into).collect(), name: None }
    }
}
