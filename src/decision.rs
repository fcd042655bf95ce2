//! How a request was judged, in words: [`Reason`] and [`Denial`].

use std::{
    cmp::{Ordering, Reverse},
    fmt,
    sync::Arc,
    time::Duration,
};

use http::StatusCode;

/// Why a request is denied: a closed set, each with a stable name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reason {
    /// The path can be read in ways that no honest client means.
    PathRejected,
    /// The credentials are no good.
    InvalidCredentials,
    /// There are several credentials.
    AmbiguousCredentials,
    /// Who is calling cannot be found out now.
    AuthenticatorUnavailable,
    /// No key of the policy matches the path.
    NotListed,
    /// The path is listed, the method is not.
    MethodNotListed,
    /// The rule lets nobody in.
    DeniedByRule,
    /// The rule wants an authenticated caller.
    NoCredentials,
    /// The caller has two roles that exclude each other.
    ConflictingRoles,
    /// The caller may, after authenticating again or more strongly (RFC 9470).
    StepUpRequired,
    /// A condition (claims, network, time, `none_of`, check) is not met.
    ConditionFailed,
    /// The caller lacks a permission.
    InsufficientPermission,
    /// The caller lacks a role.
    InsufficientRole,
    /// A predicate panicked, or a layer is missing.
    InternalError,
}

impl Reason {
    /// The stable name, in kebab-case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PathRejected => "path-rejected",
            Self::InvalidCredentials => "invalid-credentials",
            Self::AmbiguousCredentials => "ambiguous-credentials",
            Self::AuthenticatorUnavailable => "authenticator-unavailable",
            Self::NotListed => "not-listed",
            Self::MethodNotListed => "method-not-listed",
            Self::DeniedByRule => "denied-by-rule",
            Self::NoCredentials => "no-credentials",
            Self::ConflictingRoles => "conflicting-roles",
            Self::StepUpRequired => "step-up-required",
            Self::ConditionFailed => "condition-failed",
            Self::InsufficientPermission => "insufficient-permission",
            Self::InsufficientRole => "insufficient-role",
            Self::InternalError => "internal-error",
        }
    }

    /// The status that says it, before masking. `not-listed` is 404 unless the policy's `unlisted` says otherwise.
    pub fn status(self) -> StatusCode {
        match self {
            Self::PathRejected | Self::AmbiguousCredentials => StatusCode::BAD_REQUEST,
            Self::InvalidCredentials | Self::NoCredentials | Self::StepUpRequired => StatusCode::UNAUTHORIZED,
            Self::AuthenticatorUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::NotListed => StatusCode::NOT_FOUND,
            Self::MethodNotListed => StatusCode::METHOD_NOT_ALLOWED,
            Self::DeniedByRule
            | Self::ConflictingRoles
            | Self::ConditionFailed
            | Self::InsufficientPermission
            | Self::InsufficientRole => StatusCode::FORBIDDEN,
            Self::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a denial pretends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mask {
    /// Nothing: the answer says what is the case.
    #[default]
    None,
    /// That no key matches the path: 404, made by the same renderer.
    Missing,
    /// That the route does not list the method: 405.
    MethodNotListed,
}

/// What is known of a rule wherever it is named: in answers, events and explanations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RuleInfo {
    /// Its place among the rules of the policy.
    pub(crate) index: usize,
    /// Its `name`, or the route key as it was written.
    pub(crate) name: Arc<str>,
    /// The path of its key, such as `/users/{id}`.
    pub(crate) pattern: Arc<str>,
    /// What it needs, in words, such as `admin, or viewer and claim sub`.
    pub(crate) required: Arc<str>,
    /// The sentence that a denial shows the caller.
    pub(crate) message: Option<Arc<str>>,
}

/// What a caller who lacks only a stronger or fresher authentication is told (RFC 9470, section 3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StepUp {
    /// Authentication context class references, any of which will do.
    pub(crate) acr: Vec<Box<str>>,
    /// The greatest age of the authentication.
    pub(crate) max_age: Option<Duration>,
}

/// What asks for less comes first: any class before certain ones, and of two ages the greater.
impl Ord for StepUp {
    fn cmp(&self, other: &Self) -> Ordering {
        let asks = |step_up: &Self| step_up.max_age.map(Reverse);
        self.acr.cmp(&other.acr).then_with(|| asks(self).cmp(&asks(other)))
    }
}

impl PartialOrd for StepUp {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A denied request: the reason, and what is needed to answer and to report it.
///
/// Handlers and guards may return one. It is a complete and safe response by itself; behind a layer the outermost
/// gate renders it again, reports it once, and masks it if asked.
///
/// ```
/// use tower_authz::{Denial, Reason};
///
/// let denial = Denial::forbidden().masked();
/// assert_eq!(denial.reason(), Reason::ConditionFailed);
/// assert_eq!(denial.status(), http::StatusCode::NOT_FOUND);
/// assert_eq!(denial.unmasked_status(), http::StatusCode::FORBIDDEN);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a denial does nothing until it is returned"]
pub struct Denial {
    pub(crate) reason: Reason,
    pub(crate) unmasked: StatusCode,
    pub(crate) mask: Mask,
    /// An event has told of it.
    pub(crate) reported: bool,
    pub(crate) detail: Option<Arc<str>>,
    pub(crate) rule: Option<Arc<RuleInfo>>,
    /// The path of the key, where no rule of it applies.
    pub(crate) route: Option<Arc<str>>,
    pub(crate) missing: Option<Arc<[Arc<str>]>>,
    /// Out of the way: denials are handed on by value.
    pub(crate) rest: Option<Box<Rest>>,
}

/// What few denials have.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rest {
    pub(crate) message: Option<Arc<str>>,
    pub(crate) required: Option<Arc<str>>,
    pub(crate) allow: Option<Arc<str>>,
    pub(crate) step_up: Option<Arc<StepUp>>,
    pub(crate) retry_after: Option<Duration>,
}

impl Denial {
    #[inline]
    pub(crate) fn new(reason: Reason) -> Self {
        Self {
            reason,
            unmasked: reason.status(),
            mask: Mask::None,
            reported: false,
            detail: None,
            rule: None,
            route: None,
            missing: None,
            rest: None,
        }
    }

    /// Adds what few denials have.
    pub(crate) fn with(mut self, tell: impl FnOnce(&mut Rest)) -> Self {
        tell(self.rest.get_or_insert_default());
        self
    }

    fn rest(&self) -> Option<&Rest> {
        self.rest.as_deref()
    }

    pub(crate) fn step_up(&self) -> Option<&StepUp> {
        self.rest()?.step_up.as_deref()
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.rest()?.retry_after
    }

    /// The denial of a method that the route does not list, with the same `Allow` and nothing else of this one.
    pub(crate) fn as_method_not_listed(&self) -> Self {
        let denial = Self::new(Reason::MethodNotListed);
        match self.rest().and_then(|rest| rest.allow.clone()) {
            Some(allow) => denial.with(|rest| rest.allow = Some(allow)),
            None => denial,
        }
    }

    /// 403: the caller is known and may not, for a reason that only the handler can see.
    pub fn forbidden() -> Self {
        Self::new(Reason::ConditionFailed)
    }

    /// 401: the caller must authenticate first.
    pub fn unauthenticated() -> Self {
        Self::new(Reason::NoCredentials)
    }

    /// Answers as if the path did not exist, with the very response that a path gets which no key matches.
    pub fn masked(self) -> Self {
        Self { mask: Mask::Missing, ..self }
    }

    /// The sentence that the caller is shown.
    pub fn message(self, message: impl Into<String>) -> Self {
        let message = message.into().into();
        self.with(|rest| rest.message = Some(message))
    }

    /// What exactly was wrong, for the operator's eyes only.
    pub fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into().into()), ..self }
    }

    /// Why the request is denied.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// The status as it is sent.
    pub fn status(&self) -> StatusCode {
        match self.mask {
            Mask::None => self.unmasked,
            Mask::Missing => StatusCode::NOT_FOUND,
            Mask::MethodNotListed => StatusCode::METHOD_NOT_ALLOWED,
        }
    }

    /// The status that says what is the case.
    pub fn unmasked_status(&self) -> StatusCode {
        self.unmasked
    }

    /// What the answer pretends.
    pub fn mask(&self) -> Mask {
        self.mask
    }

    /// What exactly was wrong, for the operator.
    pub fn get_detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// The sentence that the caller is shown, the rule's or the handler's. Masked answers show none.
    pub fn get_message(&self) -> Option<&str> {
        let own = self.rest().and_then(|rest| rest.message.as_deref());
        own.or_else(|| self.rule.as_ref()?.message.as_deref())
    }

    /// The name of the rule that denied, or its route key.
    pub fn rule(&self) -> Option<&str> {
        Some(&self.rule.as_ref()?.name)
    }

    /// The path of the key that denied, such as `/users/{id}`.
    pub fn route(&self) -> Option<&str> {
        let of_rule = || Some(&*self.rule.as_ref()?.pattern);
        self.route.as_deref().or_else(of_rule)
    }

    /// What is needed to be let in, in words.
    pub fn required(&self) -> Option<&str> {
        let own = self.rest().and_then(|rest| rest.required.as_deref());
        own.or_else(|| Some(&self.rule.as_ref()?.required))
    }

    /// The roles and permissions that the caller lacks.
    pub fn missing(&self) -> impl Iterator<Item = &str> {
        self.missing.iter().flat_map(|names| names.iter()).map(AsRef::as_ref)
    }

    /// The methods of an `Allow` header, comma-separated (RFC 9110, section 10.2.1), where the answer is 405.
    pub fn allow(&self) -> Option<&str> {
        self.rest()?.allow.as_deref()
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "access denied: {}", self.reason)
    }
}

impl std::error::Error for Denial {}
