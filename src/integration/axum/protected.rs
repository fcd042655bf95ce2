//! A whole axum app behind a policy.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    Router,
    body::Body,
    extract::connect_info::IntoMakeServiceWithConnectInfo,
    response::{IntoResponse, Response},
    routing::IntoMakeService,
};
use http::Request;
use tower_layer::Layer;
use tower_service::Service;

use super::response::Answered;
use crate::middleware::{Authz, AuthzLayer, Position, RouteCheckLayer};

impl AuthzLayer {
    /// Puts the policy around a whole router, and inside it the check of which route has matched.
    ///
    /// Around the router, a masked route cannot be told from a path that does not exist: inside its routing axum
    /// adds headers to what a layer answers. What comes back is opaque, since a route that were added later would
    /// not be guarded.
    ///
    /// ```
    /// use axum::{Router, routing::get};
    /// use tower_authz::{AuthzLayer, Policy, authn};
    ///
    /// let policy = Policy::from_json_str(r#"{ "version": 1, "routes": { "GET /me": "authenticated" } }"#)?;
    /// let authz = AuthzLayer::builder(policy).authenticator(authn::principal_extension()).build()?;
    /// let app = authz.protect(Router::new().route("/me", get(|| async { "you" })));
    /// # let _ = async {
    /// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// axum::serve(listener, app).await
    /// # };
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn protect(&self, router: Router) -> Protected {
        // With its state a router makes its routes once, and not for every request: `axum::serve` does this to routers, but
        // not to what is around them.
        let inside = router.layer(RouteCheckLayer(Arc::clone(self.gate()))).with_state(());
        Protected { service: Authz::new(inside, Arc::clone(self.gate()), Position::Around) }
    }
}

/// An axum app behind a policy, made by [`AuthzLayer::protect`]: a service that can be layered and served.
#[derive(Clone, Debug)]
pub struct Protected<S = Authz<Router>> {
    service: S,
}

impl<S> Protected<S> {
    /// Puts a layer around the app: what is added last sees requests first.
    ///
    /// ```
    /// # use axum::Router;
    /// # use tower_authz::{AuthzLayer, Policy};
    /// # use tower_http::cors::CorsLayer;
    /// # let policy = Policy::from_json_str(r#"{ "version": 1, "routes": { "GET /": { "public": "home" } } }"#)?;
    /// # let authz = AuthzLayer::builder(policy).build()?;
    /// let app = authz.protect(Router::new()).layer(CorsLayer::permissive());
    /// # let _ = app.into_make_service();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn layer<L>(self, layer: L) -> Protected<Answered<L::Service>>
    where
        L: Layer<S>,
        L::Service: Service<Request<Body>, Response: IntoResponse, Error = Infallible>,
    {
        Protected { service: Answered(layer.layer(self.service)) }
    }
}

impl<S> Protected<S>
where
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    /// For `axum::serve`.
    pub fn into_make_service(self) -> IntoMakeService<Self> {
        <Self as axum::ServiceExt<Request<Body>>>::into_make_service(self)
    }

    /// For `axum::serve`, with the address of the peer for [`Client`](crate::authn::Client) and
    /// [`TrustedHeaders`](crate::authn::TrustedHeaders): `C` is `SocketAddr`.
    pub fn into_make_service_with_connect_info<C>(self) -> IntoMakeServiceWithConnectInfo<Self, C> {
        <Self as axum::ServiceExt<Request<Body>>>::into_make_service_with_connect_info(self)
    }

    /// For those who must have a router. Routes that are added to it are not guarded, and masks no longer hold
    /// against a caller who compares headers with those of such routes.
    pub fn into_router(self) -> Router {
        Router::new().fallback_service(self)
    }
}

impl<S> Service<Request<Body>> for Protected<S>
where
    S: Service<Request<Body>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.service.call(request)
    }
}
