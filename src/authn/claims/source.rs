//! One place that names are read from, and the shape that they have there.

use serde_json::{Map, Value};

use super::path::{ClaimPath, Unreadable};
use crate::authn::Separator;

/// A claim that roles or permissions are read from.
///
/// A list of texts is read whatever else is said here. A text is one role, or scopes with blanks between them, unless
/// [`separated_by`](Self::separated_by) says otherwise; where it is not clear, as with blanks in a role, the claim
/// is malformed.
///
/// ```
/// use tower_authz::authn::{ClaimMap, ClaimSource, Separator};
///
/// let map = ClaimMap::new()
///     .roles(ClaimSource::at("groups").strip_prefix("billing-"))
///     .roles(ClaimSource::at("app_roles").separated_by(Separator::Comma))
///     .roles(ClaimSource::at("roles_of_clients").of_client("billing"));
/// # let _ = map;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ClaimSource {
    path: ClaimPath,
    client: Option<String>,
    separator: Option<Separator>,
    prefix: Option<String>,
    value_of_objects: bool,
}

/// What a text stands for where the operator does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PlainText {
    /// One name.
    One,
    /// Names with blanks between them (RFC 8693, section 4.2).
    Blanks,
}

impl ClaimSource {
    /// The claim at `path`.
    pub fn at(path: impl Into<ClaimPath>) -> Self {
        Self { path: path.into(), client: None, separator: None, prefix: None, value_of_objects: false }
    }

    /// The claim maps clients to what the caller has there, and only this client counts.
    pub fn of_client(self, client: impl Into<String>) -> Self {
        Self { client: Some(client.into()), ..self }
    }

    /// How the names in a text are separated. In a list, each text is one name all the same.
    pub fn separated_by(self, separator: Separator) -> Self {
        Self { separator: Some(separator), ..self }
    }

    /// Takes `prefix` off the names. Names without it do not count: they are not meant for this service.
    pub fn strip_prefix(self, prefix: impl Into<String>) -> Self {
        Self { prefix: Some(prefix.into()), ..self }
    }

    /// The list may hold objects, too, whose member `value` is the name (RFC 7643, section 2.4).
    pub fn with_values(self) -> Self {
        Self { value_of_objects: true, ..self }
    }

    pub(super) fn path(&self) -> &ClaimPath {
        &self.path
    }

    /// The names in the claim; none where there is no claim.
    pub(super) fn names<'a>(
        &'a self,
        claims: &'a Map<String, Value>,
        plain: PlainText,
    ) -> Result<Option<Vec<&'a str>>, Unreadable> {
        let Some(value) = self.path.find(claims)? else { return Ok(None) };
        let value = match &self.client {
            Some(client) => match value.as_object().ok_or(Unreadable)?.get(client) {
                Some(of_client) if !of_client.is_null() => of_client,
                _ => return Ok(Some(Vec::new())),
            },
            None => value,
        };
        let names = match value {
            Value::String(text) => self.split(text, plain)?,
            Value::Array(list) => list.iter().map(|item| self.name(item)).collect::<Option<_>>().ok_or(Unreadable)?,
            _ => return Err(Unreadable),
        };
        Ok(Some(names.into_iter().filter_map(|name| self.meant(name)).collect()))
    }

    fn split<'a>(&self, text: &'a str, plain: PlainText) -> Result<Vec<&'a str>, Unreadable> {
        match (self.separator, plain) {
            (Some(Separator::Comma), _) => Ok(text.split(',').map(str::trim).collect()),
            (Some(Separator::Space), _) | (None, PlainText::Blanks) => Ok(text.split_ascii_whitespace().collect()),
            (None, PlainText::One) if text.contains(char::is_whitespace) => Err(Unreadable),
            (None, PlainText::One) => Ok(vec![text]),
        }
    }

    fn name<'a>(&self, item: &'a Value) -> Option<&'a str> {
        match item {
            Value::Object(object) if self.value_of_objects => object.get("value")?.as_str(),
            other => other.as_str(),
        }
    }

    fn meant<'a>(&self, name: &'a str) -> Option<&'a str> {
        let name = match &self.prefix {
            Some(prefix) => name.strip_prefix(prefix.as_str())?,
            None => name,
        };
        (!name.is_empty()).then_some(name)
    }
}

impl<P: Into<ClaimPath>> From<P> for ClaimSource {
    fn from(path: P) -> Self {
        Self::at(path)
    }
}
