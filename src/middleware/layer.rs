//! The layer.

use std::sync::Arc;

use tower_layer::Layer;

use super::{
    body::AnyBodyService,
    builder::AuthzLayerBuilder,
    gate::{Gate, Position},
    service::Authz,
};
use crate::policy::PolicyHandle;

/// Enforces a policy around any service. Cloning is cheap.
///
/// ```
/// use tower::{Layer, ServiceExt, service_fn};
/// use http_body_util::Full;
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use tower_authz::{AuthzLayer, Head, Policy, Principal, authn};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let policy = Policy::from_json_str(r#"{
///     "version": 1,
///     "roles": { "admin": {} },
///     "routes": { "GET /health": { "public": "probe" }, "GET /users": "admin" }
/// }"#)?;
/// let authz = AuthzLayer::builder(policy)
///     .authenticator(authn::from_fn(|head: Head<'_>| {
///         head.headers().contains_key("x-admin").then(|| Principal::new("ada").roles(["admin"]))
///     }))
///     .build()?;
/// let service = authz.layer(service_fn(|_: Request<()>| async {
///     Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default()))
/// }));
///
/// for (path, admin, status) in [("/health", false, 200), ("/users", false, 401), ("/users", true, 200)] {
///     let mut request = Request::get(path).body(())?;
///     if admin {
///         request.headers_mut().insert("x-admin", "1".parse()?);
///     }
///     assert_eq!(service.clone().oneshot(request).await?.status(), status);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct AuthzLayer {
    pub(super) gate: Arc<Gate>,
}

impl AuthzLayer {
    /// Begins a layer that enforces `policy`: a [`Policy`](crate::Policy), or a [`PolicyHandle`] whose policy can
    /// be replaced while requests are served.
    pub fn builder(policy: impl Into<PolicyHandle>) -> AuthzLayerBuilder {
        AuthzLayerBuilder::new(policy.into())
    }

    /// For services whose response bodies cannot hold the bytes of a denial: wraps them in
    /// [`AnyBody`](super::AnyBody).
    pub fn any_body(&self) -> AnyBodyLayer {
        AnyBodyLayer(self.clone())
    }

    #[cfg(feature = "axum")]
    pub(crate) fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }
}

impl<S> Layer<S> for AuthzLayer {
    type Service = Authz<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Authz::new(inner, Arc::clone(&self.gate), Position::Layer)
    }
}

/// An [`AuthzLayer`] for services with any response body; see [`AuthzLayer::any_body`].
#[derive(Clone, Debug)]
pub struct AnyBodyLayer(AuthzLayer);

impl<S> Layer<S> for AnyBodyLayer {
    type Service = Authz<AnyBodyService<S>>;

    fn layer(&self, inner: S) -> Self::Service {
        self.0.layer(AnyBodyService(inner))
    }
}
