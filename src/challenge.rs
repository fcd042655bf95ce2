//! How a client can authenticate: the values of `WWW-Authenticate` (RFC 9110, section 11.6.1).

use std::fmt::{self, Write as _};

const SESSION: &str = "Session";

/// A challenge: a scheme and its parameters.
///
/// ```
/// use tower_authz::Challenge;
///
/// let challenge = Challenge::bearer().realm("billing").param("error", "invalid_token");
/// assert_eq!(challenge.to_string(), r#"Bearer realm="billing", error="invalid_token""#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    scheme: String,
    params: Vec<(String, String)>,
}

impl Challenge {
    /// A challenge of the given scheme, a token of RFC 9110, section 5.6.2; other characters are dropped. Where
    /// nothing is left, it is that of [`Challenge::session`].
    pub fn new(scheme: &str) -> Self {
        let scheme = Some(token(scheme)).filter(|scheme| !scheme.is_empty());
        Self { scheme: scheme.unwrap_or_else(|| SESSION.to_owned()), params: Vec::new() }
    }

    /// A bearer token (RFC 6750, section 3).
    pub fn bearer() -> Self {
        Self::new("Bearer")
    }

    /// A way in without a registered scheme, such as a cookie of a login page. Browsers ignore it.
    pub fn session() -> Self {
        Self::new(SESSION)
    }

    /// Sets the `realm` (RFC 9110, section 11.5).
    #[must_use]
    pub fn realm(self, realm: &str) -> Self {
        self.param("realm", realm)
    }

    /// Sets a parameter; one that is there already is replaced. The value is quoted and escaped when written;
    /// characters that no header can hold are dropped, and so is a parameter whose name is no token.
    #[must_use]
    pub fn param(mut self, name: &str, value: &str) -> Self {
        let (name, value) = (token(name), quotable(value));
        match self.params.iter_mut().find(|(other, _)| other.eq_ignore_ascii_case(&name)) {
            _ if name.is_empty() => {}
            Some((_, old)) => *old = value,
            None => self.params.push((name, value)),
        }
        self
    }

    /// The scheme.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The value of a parameter, before quoting.
    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.params.iter().find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        Some(value)
    }
}

fn token(text: &str) -> String {
    let is_token = |c: &char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(*c);
    text.chars().filter(is_token).collect()
}

fn quotable(text: &str) -> String {
    text.chars().filter(|c| *c == ' ' || c.is_ascii_graphic()).collect()
}

impl fmt::Display for Challenge {
    /// Writes the value of a `WWW-Authenticate` header.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.scheme)?;
        for (index, (name, value)) in self.params.iter().enumerate() {
            f.write_str(if index == 0 { " " } else { ", " })?;
            write!(f, "{name}=\"")?;
            for c in value.chars() {
                if matches!(c, '"' | '\\') {
                    f.write_char('\\')?;
                }
                f.write_char(c)?;
            }
            f.write_char('"')?;
        }
        Ok(())
    }
}
