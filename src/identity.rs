//! What authentication found out: the [`Identity`] behind a request.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use crate::principal::Principal;

/// What authentication found out about a request.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Identity {
    /// There were no credentials.
    #[default]
    Anonymous,
    /// The credentials are good.
    Authenticated(Principal),
    /// There were credentials, and they are no good.
    Rejected(CredentialError),
    /// Whether the credentials are good cannot be found out now. This is never a denial of rights: it is answered 503.
    Unavailable(Unavailable),
    /// Authentication is set up wrongly. This says nothing about the caller: it is answered 500, and only what is public
    /// is still served.
    Failed(Failure),
}

/// An identity that is neither good nor absent, left in the extensions of a request by authentication alone, so that
/// a gate inside does not take it for anonymous.
#[derive(Clone, Debug)]
pub(crate) struct Unusable(pub(crate) Identity);

impl Identity {
    /// The principal, if the credentials were good.
    pub fn principal(&self) -> Option<&Principal> {
        match self {
            Self::Authenticated(principal) => Some(principal),
            _ => None,
        }
    }

    /// Authentication is not possible now; `Retry-After` is left to the responder.
    pub fn unavailable() -> Self {
        Self::Unavailable(Unavailable::default())
    }

    /// Authentication is set up wrongly; `detail` tells the operator what to mend.
    pub fn failed(detail: impl Into<String>) -> Self {
        Self::Failed(Failure::new(detail))
    }

    /// Whether there were no credentials.
    pub fn is_anonymous(&self) -> bool {
        matches!(self, Self::Anonymous)
    }
}

impl From<Principal> for Identity {
    fn from(principal: Principal) -> Self {
        Self::Authenticated(principal)
    }
}

impl From<CredentialError> for Identity {
    fn from(error: CredentialError) -> Self {
        Self::Rejected(error)
    }
}

impl From<Unavailable> for Identity {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
    }
}

impl From<Failure> for Identity {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl<T: Into<Identity>> From<Option<T>> for Identity {
    fn from(found: Option<T>) -> Self {
        found.map_or(Self::Anonymous, Into::into)
    }
}

impl<T: Into<Identity>, E: Into<Identity>> From<Result<T, E>> for Identity {
    fn from(found: Result<T, E>) -> Self {
        match found {
            Ok(found) => found.into(),
            Err(error) => error.into(),
        }
    }
}

/// The backend that knows who is calling cannot be asked now.
#[derive(Clone, Debug, Default)]
pub struct Unavailable {
    retry_after: Option<Duration>,
    detail: Option<Arc<str>>,
}

impl Unavailable {
    /// Nothing is known about when to try again.
    pub fn new() -> Self {
        Self::default()
    }

    /// When the client should try again (`Retry-After`, RFC 9110, section 10.2.3), in whole seconds.
    #[must_use]
    pub fn retry_after(self, after: Duration) -> Self {
        Self { retry_after: Some(after), ..self }
    }

    /// What went wrong, for the operator's eyes only.
    #[must_use]
    pub fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into().into()), ..self }
    }

    /// When the client should try again, if known.
    pub fn get_retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// What went wrong, for the operator.
    pub fn get_detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }
}

/// Authentication is set up wrongly: a layer that it relies on is missing, or it broke.
///
/// ```
/// use tower_authz::{Failure, Identity};
///
/// let failure = Failure::new("the session layer did not run: put it outside the authorization layer");
/// assert_eq!(failure.to_string(), "the session layer did not run: put it outside the authorization layer");
/// assert!(matches!(Identity::from(failure), Identity::Failed(_)));
/// ```
#[derive(Clone, Debug)]
pub struct Failure {
    detail: Arc<str>,
}

impl Failure {
    /// A failure; `detail` is for the operator's eyes only and names what to mend. Put no secret into it.
    pub fn new(detail: impl Into<String>) -> Self {
        Self { detail: detail.into().into() }
    }

    /// What to mend.
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl Error for Failure {}

/// Why credentials are no good.
///
/// The kind is a stable word; the detail is for the operator's log and never part of an answer.
#[derive(Clone, Debug)]
pub struct CredentialError {
    kind: CredentialErrorKind,
    detail: Option<Arc<str>>,
}

/// The closed set of reasons why credentials are no good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CredentialErrorKind {
    /// The time of the credentials is over.
    Expired,
    /// The time of the credentials has not come.
    NotYetValid,
    /// The signature does not fit.
    BadSignature,
    /// They cannot be read.
    Malformed,
    /// They come from an issuer that is not trusted.
    WrongIssuer,
    /// They are meant for someone else.
    WrongAudience,
    /// They are signed with a key that is not known.
    UnknownKey,
    /// They are signed with an algorithm that is not allowed.
    AlgorithmNotAllowed,
    /// They were withdrawn.
    Revoked,
    /// They are of a kind that cannot be accepted here.
    NotAccepted,
    /// There are several, and it is not clear which of them counts. Answered 400 rather than 401.
    Ambiguous,
}

impl CredentialErrorKind {
    /// The stable name, in kebab-case, as events carry it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::NotYetValid => "not-yet-valid",
            Self::BadSignature => "bad-signature",
            Self::Malformed => "malformed",
            Self::WrongIssuer => "wrong-issuer",
            Self::WrongAudience => "wrong-audience",
            Self::UnknownKey => "unknown-key",
            Self::AlgorithmNotAllowed => "algorithm-not-allowed",
            Self::Revoked => "revoked",
            Self::NotAccepted => "not-accepted",
            Self::Ambiguous => "ambiguous",
        }
    }
}

impl CredentialError {
    /// Credentials that are no good for the reason `kind`.
    pub fn new(kind: CredentialErrorKind) -> Self {
        Self { kind, detail: None }
    }

    /// What exactly is wrong, for the operator's eyes only. Put no secret into it.
    #[must_use]
    pub fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into().into()), ..self }
    }

    /// Why the credentials are no good.
    pub fn kind(&self) -> CredentialErrorKind {
        self.kind
    }

    /// What exactly is wrong, for the operator.
    pub fn get_detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }
}

impl From<CredentialErrorKind> for CredentialError {
    fn from(kind: CredentialErrorKind) -> Self {
        Self::new(kind)
    }
}

impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.as_str())
    }
}

impl Error for CredentialError {}
