//! What there is to tell about one decision.

use std::{fmt, net::IpAddr};

use http::{Method, StatusCode};

use crate::{
    decision::{Denial, Reason, RuleInfo},
    principal::Principal,
};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// A request was denied, or would have been ([`Mode::ReportOnly`]).
    Denied,
    /// A request was allowed.
    Allowed,
    /// The `shadow` grants of a rule, or a whole shadow policy, decide differently from what is in force.
    ShadowDiffers,
}

/// What the decision is good for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// It was enforced.
    #[default]
    Enforce,
    /// It was reported, and the request forwarded whatever it was.
    ReportOnly,
    /// It was that of candidate grants, which are never enforced.
    Shadow,
}

impl Mode {
    /// The stable name, in kebab-case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::ReportOnly => "report-only",
            Self::Shadow => "shadow",
        }
    }
}

/// One decision and the request it was about. It borrows everything, so making one costs next to nothing.
///
/// Texts are as they came in: whoever writes them to a log must escape them. They are read when they are asked for.
#[derive(Clone, Copy)]
#[must_use]
pub struct Event<'a> {
    kind: EventKind,
    denial: Option<&'a Denial>,
    rule: Option<&'a RuleInfo>,
    mode: Mode,
    status: Option<StatusCode>,
    method: &'a Method,
    path: &'a [u8],
    principal: Option<&'a Principal>,
    client: Option<IpAddr>,
    request_id: Option<&'a [u8]>,
    revision: &'a [u8],
    candidate: Option<&'a str>,
    hint: Option<&'a str>,
}

impl<'a> Event<'a> {
    /// A denial. The status is the denial's, until [`Event::with_status`] tells what was really sent.
    pub(crate) fn denied(denial: &'a Denial, method: &'a Method, path: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        let rule = denial.rule.as_deref();
        Self { denial: Some(denial), status: Some(denial.status()), ..Self::new(EventKind::Denied, rule, method, path) }
    }

    /// A request that is let through by `rule`, if one is known.
    pub(crate) fn allowed(
        rule: Option<&'a RuleInfo>,
        method: &'a Method,
        path: &'a (impl AsRef<[u8]> + ?Sized),
    ) -> Self {
        Self::new(EventKind::Allowed, rule, method, path)
    }

    /// The candidates of `rule` decide differently: they deny with `denial`, or else allow.
    pub(crate) fn shadow_differs(
        rule: Option<&'a RuleInfo>,
        denial: Option<&'a Denial>,
        method: &'a Method,
        path: &'a (impl AsRef<[u8]> + ?Sized),
    ) -> Self {
        let event = Self::new(EventKind::ShadowDiffers, rule, method, path);
        Self { denial, mode: Mode::Shadow, ..event }
    }

    fn new(
        kind: EventKind,
        rule: Option<&'a RuleInfo>,
        method: &'a Method,
        path: &'a (impl AsRef<[u8]> + ?Sized),
    ) -> Self {
        Self {
            kind,
            denial: None,
            rule,
            mode: Mode::default(),
            status: None,
            method,
            path: path.as_ref(),
            principal: None,
            client: None,
            request_id: None,
            revision: &[],
            candidate: None,
            hint: None,
        }
    }

    /// The decision is reported and not enforced; the status that is sent is then the application's, and not known.
    pub(crate) fn report_only(self) -> Self {
        Self { mode: Mode::ReportOnly, status: None, ..self }
    }

    /// The status that was sent.
    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        Self { status: Some(status), ..self }
    }

    pub(crate) fn with_principal(self, principal: Option<&'a Principal>) -> Self {
        Self { principal, ..self }
    }

    pub(crate) fn with_client(self, client: Option<IpAddr>) -> Self {
        Self { client, ..self }
    }

    pub(crate) fn with_request_id(self, request_id: Option<&'a (impl AsRef<[u8]> + ?Sized)>) -> Self {
        Self { request_id: request_id.map(AsRef::as_ref), ..self }
    }

    pub(crate) fn with_revision(self, revision: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self { revision: revision.as_ref(), ..self }
    }

    pub(crate) fn with_candidate(self, revision: &'a str) -> Self {
        Self { candidate: Some(revision), ..self }
    }

    pub(crate) fn with_hint(self, hint: Option<&'a str>) -> Self {
        Self { hint, ..self }
    }

    /// What happened.
    pub fn kind(&self) -> EventKind {
        self.kind
    }

    /// The denial; for [`EventKind::ShadowDiffers`] that of the candidates, if they deny.
    pub fn denial(&self) -> Option<&'a Denial> {
        self.denial
    }

    /// Why the request is denied.
    pub fn reason(&self) -> Option<Reason> {
        self.denial.map(Denial::reason)
    }

    /// The name of the rule that decided, or its route key.
    pub fn rule(&self) -> Option<&'a str> {
        Some(&self.rule?.name)
    }

    /// The path of the rule's key, such as `/users/{id}`.
    pub fn route(&self) -> Option<&'a str> {
        let of_rule = || Some(&*self.rule?.pattern);
        self.denial.and_then(Denial::route).or_else(of_rule)
    }

    /// What is needed to be let in, in words.
    pub fn required(&self) -> Option<&'a str> {
        match self.denial {
            Some(denial) => denial.required(),
            None => Some(&self.rule?.required),
        }
    }

    /// What the decision is good for.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The status that was sent, if it is ours.
    pub fn status(&self) -> Option<StatusCode> {
        self.status
    }

    /// The method of the request.
    pub fn method(&self) -> &'a Method {
        self.method
    }

    /// The path of the request, still percent-encoded, without its query.
    pub fn path(&self) -> &'a str {
        str::from_utf8(self.path).unwrap_or_default()
    }

    /// Who is calling, if that is known.
    pub fn principal(&self) -> Option<&'a Principal> {
        self.principal
    }

    /// The address of the client, if that is known.
    pub fn client(&self) -> Option<IpAddr> {
        self.client
    }

    /// The id that tower-http gave the request.
    pub fn request_id(&self) -> Option<&'a str> {
        str::from_utf8(self.request_id?).ok()
    }

    /// The revision of the policy that decided.
    pub fn revision(&self) -> &'a str {
        str::from_utf8(self.revision).unwrap_or_default()
    }

    /// The revision of the candidate policy that decides differently, where it is a whole policy.
    pub fn candidate(&self) -> Option<&'a str> {
        self.candidate
    }

    /// How the operator could mend it, where that is plain to see.
    pub fn hint(&self) -> Option<&'a str> {
        self.hint
    }
}

impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("kind", &self.kind)
            .field("denial", &self.denial)
            .field("rule", &self.rule)
            .field("mode", &self.mode)
            .field("status", &self.status)
            .field("method", &self.method)
            .field("path", &self.path())
            .field("principal", &self.principal)
            .field("client", &self.client)
            .field("request_id", &self.request_id())
            .field("revision", &self.revision())
            .field("candidate", &self.candidate)
            .field("hint", &self.hint)
            .finish()
    }
}
