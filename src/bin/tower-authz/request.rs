//! A request as files describe it.

use std::{net::IpAddr, time::SystemTime};

use http::Method;
use serde::Deserialize;
use serde_json::{Map, Value};
use tower_authz::{Principal, analysis::Probe};

/// A request as a line or a case describes it; any member may be absent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RequestLine {
    method: Option<String>,
    path: Option<String>,
    matched_path: Option<String>,
    subject: Option<String>,
    roles: Option<Vec<String>>,
    permissions: Option<Vec<String>>,
    permission_limit: Option<Vec<String>>,
    malformed_sources: Option<Vec<String>>,
    claims: Option<Map<String, Value>>,
    client: Option<String>,
    time: Option<String>,
}

/// The members of a request.
pub(crate) const MEMBERS: [&str; 11] = [
    "method",
    "path",
    "matched_path",
    "subject",
    "roles",
    "permissions",
    "permission_limit",
    "malformed_sources",
    "claims",
    "client",
    "time",
];

impl RequestLine {
    /// The request that is meant, sent `now` unless it says when; or why there is none such.
    pub(crate) fn into_probe(self, now: SystemTime) -> Result<Probe, String> {
        let method = self.method.as_deref().map_or(Ok(Method::GET), method)?;
        let mut probe = Probe::new(method, self.path.unwrap_or_else(|| "/".to_owned()));
        probe = probe.at(self.time.as_deref().map_or(Ok(now), time)?);
        if let Some(pattern) = self.matched_path {
            probe = probe.matched_path(pattern);
        }
        if let Some(address) = &self.client {
            probe = probe.client(client(address)?);
        }
        let Some(subject) = self.subject else { return Ok(probe) };
        let mut principal = Principal::new(subject)
            .roles(self.roles.unwrap_or_default())
            .permissions(self.permissions.unwrap_or_default())
            .claims(self.claims.unwrap_or_default());
        if let Some(limit) = self.permission_limit {
            principal = principal.limit_permissions(limit);
        }
        principal = self.malformed_sources.unwrap_or_default().into_iter().fold(principal, Principal::malformed_source);
        Ok(probe.identity(principal))
    }
}

pub(crate) fn method(text: &str) -> Result<Method, String> {
    Method::from_bytes(text.as_bytes()).map_err(|_| format!("`{}` is not a method", text.escape_debug()))
}

pub(crate) fn client(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| format!("`{}` is not an address", text.escape_debug()))
}

pub(crate) fn time(text: &str) -> Result<SystemTime, String> {
    let time = text.parse::<jiff::Timestamp>();
    let help = "write it with an offset, such as `2027-01-01T00:00:00Z` (RFC 3339)";
    time.map(SystemTime::from).map_err(|_| format!("`{}` is not a time: {help}", text.escape_debug()))
}
