//! What a service tells about itself to clients that want in (RFC 9728).

use std::{error::Error, fmt};

use http::Uri;
use serde_json::{Map, Value};

/// Where the metadata of a resource is (RFC 9728, section 3).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The metadata of a protected resource (RFC 9728): clients that get a 401 read there which authorization servers to
/// ask for a token. Clients of the Model Context Protocol log in that way.
///
/// Everything in it is configured; nothing is taken from requests, whose `Host` anybody can choose.
///
/// ```
/// use tower_authz::authn::ResourceMetadata;
///
/// let metadata = ResourceMetadata::new("https://api.example/mcp")?
///     .authorization_server("https://id.example")
///     .scopes(["invoice:read"]);
/// assert_eq!(metadata.path(), "/.well-known/oauth-protected-resource/mcp");
/// assert_eq!(metadata.url(), "https://api.example/.well-known/oauth-protected-resource/mcp");
/// # Ok::<(), tower_authz::authn::ResourceMetadataError>(())
/// ```
///
/// Put [`Self::url`] into the challenges with `JwtBuilder::resource_metadata`, and answer [`Self::path`] with
/// [`Self::to_json`], to everyone. With axum (feature `axum`), a router does it:
///
/// ```
/// # use tower_authz::authn::ResourceMetadata;
/// # let metadata = ResourceMetadata::new("https://api.example/mcp").unwrap();
/// # #[cfg(feature = "axum")] {
/// let protected: axum::Router = axum::Router::new(); // … behind the layer
/// let app = protected.merge(metadata.into_router());
/// # let _ = app;
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ResourceMetadata {
    origin: String,
    path: String,
    members: Map<String, Value>,
}

impl ResourceMetadata {
    /// The metadata of the resource with this identifier: an `https` URL without query or fragment, the one that
    /// clients use. `http` is accepted for hosts on the loopback alone.
    ///
    /// # Errors
    ///
    /// The text is no such URL.
    pub fn new(resource: &str) -> Result<Self, ResourceMetadataError> {
        let refused = || ResourceMetadataError { resource: resource.to_owned() };
        let uri: Uri = resource.parse().map_err(|_| refused())?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return Err(refused()) };
        let loopback = matches!(uri.host(), Some("localhost" | "127.0.0.1" | "[::1]"));
        let safe = scheme == "https" || scheme == "http" && loopback;
        // What a router would take for parameters.
        let is_pattern = |segment: &str| segment.starts_with([':', '*']) || segment.contains(['{', '}']);
        if !safe
            || uri.path().split('/').any(is_pattern)
            || uri.query().is_some()
            || resource.contains('#')
            || authority.as_str().contains('@')
        {
            return Err(refused());
        }
        let mut members = Map::new();
        members.insert("resource".to_owned(), resource.into());
        members.insert("bearer_methods_supported".to_owned(), ["header"].as_slice().into());
        let path = format!("{WELL_KNOWN}{}", if uri.path() == "/" { "" } else { uri.path() });
        Ok(Self { origin: format!("{scheme}://{authority}"), path, members })
    }

    /// Adds an authorization server whose tokens are accepted, by its issuer identifier.
    pub fn authorization_server(self, issuer: impl Into<String>) -> Self {
        self.push("authorization_servers", issuer.into())
    }

    /// Adds scopes that clients may ask for.
    pub fn scopes<I>(self, scopes: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        scopes.into_iter().fold(self, |metadata, scope| metadata.push("scopes_supported", scope.into()))
    }

    /// A name for people to read.
    pub fn name(self, name: impl Into<String>) -> Self {
        self.member("resource_name", name.into())
    }

    /// Sets another member (RFC 9728, section 2), such as `resource_documentation`.
    pub fn member(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.members.insert(name.into(), value.into());
        self
    }

    fn push(mut self, member: &str, text: String) -> Self {
        let list = self.members.entry(member).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(list) = list {
            list.push(text.into());
        }
        self
    }

    /// The path that clients get the metadata from (RFC 9728, section 3.1).
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The URL of the metadata, as challenges carry it.
    pub fn url(&self) -> String {
        format!("{}{}", self.origin, self.path)
    }

    /// The document that clients get, of the media type `application/json`.
    pub fn to_json(&self) -> String {
        Value::Object(self.members.clone()).to_string()
    }
}

/// A text is no identifier of a protected resource (RFC 9728, section 1.2).
#[derive(Clone, Debug)]
pub struct ResourceMetadataError {
    resource: String,
}

impl fmt::Display for ResourceMetadataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not an https URL without query, fragment, user and patterns", self.resource.escape_debug())
    }
}

impl Error for ResourceMetadataError {}
