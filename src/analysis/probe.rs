//! A request that is only imagined.

use std::{fmt, net::IpAddr, time::SystemTime};

use http::Method;

use crate::{
    identity::Identity,
    path::{Rejected, Tolerance},
    policy::{CheckContext, Checks, Circumstances, ClientAddress, Compiled, Selections, select},
    target::Target,
};

/// A request that is only imagined, and who sends it: what [`explain`](super::explain) and
/// [`evaluate`](super::evaluate) are asked about.
///
/// ```
/// use http::Method;
/// use tower_authz::{Policy, Principal, analysis::{Probe, evaluate}};
///
/// let policy = Policy::from_json_str(r#"{
///     "version": 1,
///     "roles": { "admin": {} },
///     "routes": { "DELETE /users/{id}": "admin" }
/// }"#)?;
/// let probe = Probe::new(Method::DELETE, "/users/7?soft=1");
/// assert_eq!(evaluate(&policy, &probe).status().map(|status| status.as_u16()), Some(401));
/// assert!(evaluate(&policy, &probe.identity(Principal::new("ada").roles(["admin"]))).is_allowed());
/// # Ok::<(), tower_authz::PolicyError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct Probe {
    method: Method,
    path: String,
    matched: Option<String>,
    identity: Identity,
    client: Option<IpAddr>,
    time: Option<SystemTime>,
    checks: Checks,
}

impl Probe {
    /// A request from an anonymous caller, now.
    ///
    /// `target` is a request target as it stands on the request line: a query and a fragment are cut off, and of an
    /// absolute one only the path counts. What no URI can hold is judged byte by byte, as it is.
    pub fn new(method: Method, target: impl Into<String>) -> Self {
        let mut path = target.into();
        match path.strip_prefix('/') {
            Some(_) => path.truncate(path.find(['?', '#']).unwrap_or(path.len())),
            None => {
                if let Ok(uri) = path.parse::<http::Uri>() {
                    uri.path().clone_into(&mut path);
                }
            }
        }
        Self {
            method,
            path,
            matched: None,
            identity: Identity::Anonymous,
            client: None,
            time: None,
            checks: Checks::default(),
        }
    }

    /// The pattern of the route that axum's router has matched, such as `/users/{id}`.
    pub fn matched_path(self, pattern: impl Into<String>) -> Self {
        Self { matched: Some(pattern.into()), ..self }
    }

    /// Who is calling.
    pub fn identity(self, identity: impl Into<Identity>) -> Self {
        Self { identity: identity.into(), ..self }
    }

    /// The address of the client. No grant with `networks` is held while it is not known.
    pub fn client(self, client: IpAddr) -> Self {
        Self { client: Some(client), ..self }
    }

    /// When the request is sent.
    pub fn at(self, time: SystemTime) -> Self {
        Self { time: Some(time), ..self }
    }

    /// Registers the predicate that grants name with `check`. Those that are not registered say no.
    pub fn check(
        mut self,
        name: impl Into<String>,
        predicate: impl Fn(&CheckContext<'_>) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.checks.register(name, predicate);
        self
    }

    pub(super) fn method(&self) -> &Method {
        &self.method
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn who(&self) -> &Identity {
        &self.identity
    }

    pub(super) fn address(&self) -> Option<IpAddr> {
        self.client
    }

    /// The rules that the request must satisfy, as the layer selects them where nothing is tolerated.
    pub(super) fn select<'a>(&'a self, policy: &'a Compiled) -> Result<Selections<'a>, Rejected> {
        let target = Target { matched: self.matched.as_deref(), ..Target::new(&self.method, &self.path) };
        select(policy, &target, Tolerance::default())
    }

    pub(super) fn circumstances(&self) -> Circumstances<'_> {
        Circumstances {
            method: &self.method,
            client: self.client.map_or(ClientAddress::Unknown, |client| ClientAddress::Known(client.to_canonical())),
            now: Some(self.time.unwrap_or_else(SystemTime::now)),
            checks: &self.checks,
        }
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}
