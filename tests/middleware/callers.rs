//! Who is calling, as the tests say it in one header.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::Request;
use tower_authz::{
    Authentication, Authenticator, AuthzLayer, AuthzLayerBuilder, Challenge, CredentialError, CredentialErrorKind,
    Head, Identity, Policy, Principal, Unavailable,
};

/// `authorization: Role a,b`, `Scope a,b`, `Bad`, `Two`, `Down` or `Broken`; nobody without it.
pub(crate) fn caller(head: Head<'_>) -> Identity {
    let Some(text) = head.headers().get("authorization").and_then(|value| value.to_str().ok()) else {
        return Identity::Anonymous;
    };
    match text.split_once(' ').unwrap_or((text, "")) {
        ("", _) => Identity::Anonymous,
        ("Role", roles) => Principal::new("ada").roles(roles.split(',')).into(),
        ("Scope", names) => Principal::new("ada").permissions(names.split(',')).into(),
        ("Bad", _) => CredentialError::new(CredentialErrorKind::Expired).into(),
        ("Two", _) => CredentialError::new(CredentialErrorKind::Ambiguous).into(),
        ("Down", _) => Unavailable::new().retry_after(Duration::from_secs(7)).detail("the directory is down").into(),
        ("Broken", _) => Identity::failed("the session layer did not run"),
        other => panic!("{other:?}"),
    }
}

/// The same caller, who is known only after some waiting.
pub(crate) fn awaited_caller(head: Head<'_>) -> Authentication {
    let identity = caller(head);
    Authentication::pending(async move {
        tokio::task::yield_now().await;
        identity
    })
}

/// Counts how often it is asked, and has a challenge.
#[derive(Clone, Default)]
pub(crate) struct Counted(pub(crate) Arc<AtomicUsize>);

impl Counted {
    /// How often it was asked since this was asked last.
    pub(crate) fn take(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }
}

impl Authenticator for Counted {
    fn authenticate(&self, head: Head<'_>) -> Authentication {
        self.0.fetch_add(1, Ordering::SeqCst);
        caller(head).into()
    }

    fn challenges(&self) -> Vec<Challenge> {
        vec![Challenge::bearer()]
    }
}

pub(crate) fn policy(json: &str) -> Policy {
    Policy::from_json_str(json).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn builder(json: &str) -> AuthzLayerBuilder {
    AuthzLayer::builder(policy(json)).authenticator(caller)
}

pub(crate) fn layer(json: &str) -> AuthzLayer {
    builder(json).build().unwrap()
}

/// A request by whoever `authorization` says; nobody if it is empty.
pub(crate) fn request<B: Default>(method: &str, path: &str, authorization: &str) -> Request<B> {
    let mut request = Request::builder().method(method).uri(path);
    if !authorization.is_empty() {
        request = request.header("authorization", authorization);
    }
    request.body(B::default()).unwrap()
}
