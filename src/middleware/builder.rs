//! Building the layer, and refusing to build what cannot work.

use std::{
    fmt,
    sync::{Arc, Weak},
};

use super::{
    answering::Answering,
    gate::{Gate, GateId, Notices},
    layer::AuthzLayer,
};
use crate::{
    authn::{Authenticator, Client, ConsumedHeaders},
    clock::{Clock, SystemClock},
    path::Tolerance,
    policy::{CheckContext, Checks, Compiled, Enforcement, PolicyHandle, PolicyUser},
    report::{Reporter, TracingReporter},
    respond::{Renderer, Responder},
};

/// Builds an [`AuthzLayer`]; see [`AuthzLayer::builder`].
#[must_use]
pub struct AuthzLayerBuilder {
    policy: PolicyHandle,
    shadow: Option<PolicyHandle>,
    authenticator: Option<Arc<dyn Authenticator>>,
    client: Option<Client>,
    checks: Checks,
    clock: Arc<dyn Clock>,
    responder: Responder,
    reporter: Arc<dyn Reporter>,
    enforcement: Enforcement,
    tolerance: Tolerance,
}

impl AuthzLayerBuilder {
    pub(super) fn new(policy: PolicyHandle) -> Self {
        Self {
            policy,
            shadow: None,
            authenticator: None,
            client: None,
            checks: Checks::default(),
            clock: Arc::new(SystemClock),
            responder: Responder::default(),
            reporter: Arc::new(TracingReporter::new()),
            enforcement: Enforcement::default(),
            tolerance: Tolerance::default(),
        }
    }

    /// Who finds out who is calling. Needed unless every rule is public.
    pub fn authenticator(self, authenticator: impl Authenticator) -> Self {
        Self { authenticator: Some(Arc::new(authenticator)), ..self }
    }

    /// Where the address of the client comes from. Needed when the policy uses `networks`.
    pub fn client(self, client: Client) -> Self {
        Self { client: Some(client), ..self }
    }

    /// Registers the predicate that grants name with `check`. It answers at once and does no I/O; if it panics,
    /// the request is answered 500.
    pub fn check(
        mut self,
        name: impl Into<String>,
        predicate: impl Fn(&CheckContext<'_>) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.checks.register(name, predicate);
        self
    }

    /// How denials are answered.
    pub fn responder(self, responder: Responder) -> Self {
        Self { responder, ..self }
    }

    /// Where decisions are reported; by default to `tracing`.
    pub fn reporter(self, reporter: impl Reporter) -> Self {
        Self { reporter: Arc::new(reporter), ..self }
    }

    /// Where the time comes from.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Whether denials are enforced.
    pub fn enforcement(self, enforcement: Enforcement) -> Self {
        Self { enforcement, ..self }
    }

    /// A whole candidate policy beside the one in force: every request is judged by it, too, and where the answer would
    /// be another, that is reported with [`Mode::Shadow`](crate::report::Mode::Shadow). It never changes an answer.
    ///
    /// Both judge the same identity and the same readings of the path. What the policy in force lets into a
    /// [protected](AuthzLayer::protect) router is compared there, so that the route that has matched counts for both.
    ///
    /// ```
    /// # use tower_authz::{AuthzLayer, Policy, PolicyHandle, authn};
    /// # let policy = Policy::from_json_str(r#"{ "version": 1, "routes": { "GET /": "authenticated" } }"#)?;
    /// # let candidate = Policy::from_json_str(r#"{ "version": 1, "routes": { "GET /": "nobody" } }"#)?;
    /// let candidate = PolicyHandle::new(candidate);
    /// let authz = AuthzLayer::builder(policy)
    ///     .authenticator(authn::principal_extension())
    ///     .shadow_policy(&candidate)
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn shadow_policy(self, candidate: impl Into<PolicyHandle>) -> Self {
        Self { shadow: Some(candidate.into()), ..self }
    }

    /// Lets through paths with encoded backslashes (`%5C`), which are then also read as `/`. Otherwise they are
    /// rejected, as Windows file systems and lenient routers take them for slashes.
    pub fn allow_encoded_backslash(mut self, allow: bool) -> Self {
        self.tolerance.encoded_backslash = allow;
        self
    }

    /// Lets through paths with encoded control characters; never NUL.
    pub fn allow_control_characters(mut self, allow: bool) -> Self {
        self.tolerance.control_characters = allow;
        self
    }

    /// The layer.
    ///
    /// # Errors
    ///
    /// When the policy needs what was not given: an authenticator, the source of the client's address, or a
    /// predicate.
    pub fn build(self) -> Result<AuthzLayer, BuildError> {
        let policy = self.policy.load_full();
        self.check_complete(&policy)?;
        if let Some(candidate) = &self.shadow {
            self.check_complete(&candidate.load_full())?;
        }
        if self.enforcement == Enforcement::ReportOnly {
            tracing::warn!(target: "tower_authz", "report only: denials are reported and nothing is protected");
        }
        let authenticates = self.authenticator.is_some();
        let authenticator = self.authenticator.unwrap_or_else(|| Arc::new(crate::authn::none()));
        let renderer = Renderer::new(self.responder, authenticator.challenges(), policy.realm.as_deref())
            .without_parameters(authenticator.credential_parameters());
        let gate = Arc::new(Gate {
            id: GateId::next(),
            consumed: ConsumedHeaders::of(&authenticator),
            policy: self.policy,
            shadow: self.shadow,
            authenticates,
            authenticator,
            client: self.client,
            checks: self.checks,
            clock: self.clock,
            answering: Answering { renderer: Arc::new(renderer), reporter: self.reporter },
            enforcement: self.enforcement,
            tolerance: self.tolerance,
            notices: Notices::default(),
        });
        let user: Weak<dyn PolicyUser> = Arc::downgrade(&gate) as _;
        gate.policy.add_user(user);
        Ok(AuthzLayer { gate })
    }

    fn check_complete(&self, policy: &Compiled) -> Result<(), BuildError> {
        let lack = lack(policy, self.authenticator.is_some(), self.client.is_some(), &self.checks);
        lack.map_or(Ok(()), |kind| Err(kind.into()))
    }
}

/// What a layer lacks that is to enforce `policy`.
pub(super) fn lack(
    policy: &Compiled,
    authenticates: bool,
    knows_client: bool,
    checks: &Checks,
) -> Option<BuildErrorKind> {
    if !authenticates && !policy.is_all_public() {
        return Some(BuildErrorKind::NoAuthenticator);
    }
    if !knows_client && policy.uses_networks {
        return Some(BuildErrorKind::NoClient);
    }
    let missing: Vec<String> =
        policy.checks.iter().filter(|name| !checks.contains(name)).map(ToString::to_string).collect();
    (!missing.is_empty()).then_some(BuildErrorKind::UnregisteredChecks(missing))
}

impl fmt::Debug for AuthzLayerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthzLayerBuilder").field("policy", &self.policy.current()).finish_non_exhaustive()
    }
}

/// Why a layer cannot be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildError {
    kind: BuildErrorKind,
}

/// What a layer lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildErrorKind {
    /// The policy has rules that are not public, and nobody finds out who is calling.
    NoAuthenticator,
    /// The policy uses `networks`, and nobody has said where the address of the client comes from.
    NoClient,
    /// The policy names these predicates, and they are not registered.
    UnregisteredChecks(Vec<String>),
}

impl BuildError {
    /// What the layer lacks.
    pub fn kind(&self) -> &BuildErrorKind {
        &self.kind
    }
}

impl From<BuildErrorKind> for BuildError {
    fn from(kind: BuildErrorKind) -> Self {
        Self { kind }
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            BuildErrorKind::NoAuthenticator => f.write_str(
                "the policy has rules that are not public, and no authenticator is set: call `.authenticator(…)`, \
                 with `authn::principal_extension()` if a layer outside puts a principal into the request",
            ),
            BuildErrorKind::NoClient => f.write_str(
                "the policy uses `networks`, and where the address of the client comes from is not set: call \
                 `.client(Client::peer())`, or `.client(Client::forwarded([…])?)` behind proxies",
            ),
            BuildErrorKind::UnregisteredChecks(names) => {
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                let names = names.join(", ");
                write!(f, "the policy names checks that are not registered: {names}; call `.check(name, predicate)`")
            }
        }
    }
}

impl std::error::Error for BuildError {}
