//! Requirements for single routes, with or without a policy.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::{
    answering::{Answering, Sender},
    body::DenialBody,
    context::{Audience, Found},
    future::GuardedFuture,
    service::take_ready,
};
use crate::{
    decision::{Denial, Reason},
    policy::{Name, Requirement, Terms},
    role::NameKind,
    target::Head,
};

/// What the caller of a single route must have, as a layer.
///
/// Behind an [`AuthzLayer`](crate::AuthzLayer) roles and permissions count as the policy grants them, inheritance
/// included; behind [`Identify`](crate::Identify), or any layer that puts a [`Principal`](crate::Principal) into
/// the extensions, they count literally. A guard that finds that no identity layer ran answers 500, and its event
/// names the fix. An empty list lets nobody in.
///
/// ```
/// use axum::{Router, routing::{delete, get}};
/// use tower_authz::{Guard, Identify, Head, Principal, authn};
///
/// let may_delete = Guard::role("admin").or(Guard::role("editor").and(Guard::permission("user:delete")));
/// let app: Router = Router::new()
///     .route("/me", get(|| async {}).route_layer(Guard::authenticated()))
///     .route("/users/{id}", delete(|| async {}).route_layer(may_delete))
///     .layer(Identify::new(authn::from_fn(|head: Head<'_>| {
///         head.headers().get("x-user").map(|_| Principal::new("ada").roles(["admin"]))
///     })));
/// ```
#[derive(Clone)]
pub struct Guard {
    terms: Vec<Terms>,
    requirement: Arc<Requirement>,
    message: Option<Arc<str>>,
    masked: bool,
}

impl Guard {
    fn new(terms: Vec<Terms>) -> Self {
        Self { requirement: Arc::new(Requirement::new(&terms)), terms, message: None, masked: false }
    }

    /// A caller who is known.
    pub fn authenticated() -> Self {
        Self::new(vec![Terms::default()])
    }

    /// A caller with this role.
    pub fn role(role: impl AsRef<str>) -> Self {
        Self::all_of([role])
    }

    /// A caller with this permission.
    pub fn permission(permission: impl AsRef<str>) -> Self {
        let all_of = names([permission], NameKind::Permission);
        Self::new(vec![Terms { all_of, ..Terms::default() }])
    }

    /// A caller with any of these roles.
    pub fn any_of<I>(roles: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        Self::of(roles, |any_of| Terms { any_of, ..Terms::default() })
    }

    /// A caller with all of these roles.
    pub fn all_of<I>(roles: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        Self::of(roles, |all_of| Terms { all_of, ..Terms::default() })
    }

    /// A caller who is known and has none of these roles.
    pub fn none_of<I>(roles: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        Self::of(roles, |none_of| Terms { none_of, ..Terms::default() })
    }

    fn of<I>(roles: I, terms: impl Fn(Vec<Name>) -> Terms) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let roles = names(roles, NameKind::Role);
        Self::new(if roles.is_empty() { Vec::new() } else { vec![terms(roles)] })
    }

    /// A caller who satisfies both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let terms = self.terms.iter().flat_map(|one| other.terms.iter().flat_map(|two| one.and(two))).collect();
        Self { message: self.message.or(other.message), masked: self.masked || other.masked, ..Self::new(terms) }
    }

    /// A caller who satisfies either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let terms = [self.terms, other.terms].concat();
        Self { message: self.message.or(other.message), masked: self.masked || other.masked, ..Self::new(terms) }
    }

    /// The sentence that a denied caller is shown.
    #[must_use]
    pub fn message(self, message: impl Into<String>) -> Self {
        Self { message: Some(message.into().into()), ..self }
    }

    /// Answers as if the path did not exist. It holds only behind an [`AuthzLayer`](crate::AuthzLayer) around the
    /// whole router, since axum adds headers to what is answered inside its routing.
    #[must_use]
    pub fn masked(self) -> Self {
        Self { masked: true, ..self }
    }

    /// Nothing if the caller satisfies the guard.
    fn judge(&self, found: Option<Found<'_>>) -> Option<Denial> {
        let Some(found) = found else {
            return Some(
                Denial::new(Reason::InternalError).detail(
                    "a guard found no identity: put `Identify`, or an `AuthzLayer`, outside the guarded routes",
                ),
            );
        };
        let denial = found.unusable();
        if denial.is_some() {
            return denial;
        }
        let denial = self.requirement.judge(found.principal())?;
        let denial = denial.with(|rest| rest.message.clone_from(&self.message));
        Some(if self.masked { denial.masked() } else { denial })
    }
}

fn names<I>(names: I, kind: NameKind) -> Vec<Name>
where
    I: IntoIterator,
    I::Item: AsRef<str>,
{
    names.into_iter().map(|text| Name { text: text.as_ref().into(), kind }).collect()
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("required", &self.requirement.required()).finish_non_exhaustive()
    }
}

impl<S> Layer<S> for Guard {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Guarded { inner, guard: Arc::new(self.clone()) }
    }
}

/// A service behind a [`Guard`].
#[derive(Clone, Debug)]
pub struct Guarded<S> {
    inner: S,
    /// Routers clone a service for every request.
    guard: Arc<Guard>,
}

impl<S, B, R> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    R: DenialBody,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = GuardedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let found = Found::of(request.extensions());
        match self.guard.judge(found) {
            None => GuardedFuture::forwarded(self.inner.call(request)),
            Some(denial) => {
                drop(take_ready(&mut self.inner));
                GuardedFuture::denied(answer(denial, found, Head::from(&request)))
            }
        }
    }
}

/// Reports the denial where nobody outside will.
fn answer(denial: Denial, found: Option<Found<'_>>, head: Head<'_>) -> Response<Bytes> {
    let answering = Answering::standalone();
    let sender = Sender::of(found.map(Found::identity).unwrap_or_default(), head, &answering.renderer);
    match found.map(Found::audience) {
        Some(Audience::Gates) => answering.pass_outside(denial, &sender),
        Some(audience) => answering.deny(denial, &sender, audience),
        None => answering.deny(denial, &sender, Audience::Gates),
    }
}
