//! The half of a gate inside a router, where it is known which route has matched.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::{
    answering::{Sender, default_answer, report_at_once},
    body::DenialBody,
    context::Gated,
    future::GuardedFuture,
    gate::{Gate, Position},
};
use crate::{
    decision::{Denial, Reason},
    target::Head,
};

/// Puts the inner half of a gate into a router.
#[derive(Clone, Debug)]
pub(crate) struct RouteCheckLayer(pub(crate) Arc<Gate>);

impl<S> Layer<S> for RouteCheckLayer {
    type Service = RouteCheck<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RouteCheck { inner, gate: Arc::clone(&self.0) }
    }
}

/// Judges again, by the snapshot and the identity of the outer half, where a router has matched another route
/// than the path selected.
#[derive(Clone, Debug)]
pub(crate) struct RouteCheck<S> {
    inner: S,
    gate: Arc<Gate>,
}

impl<S, B, R> Service<Request<B>> for RouteCheck<S>
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

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let Some(gated) = self.take_gated(&mut request) else {
            let detail = "a route of a protected router was reached without passing the gate around it";
            let denial = Denial::new(Reason::InternalError).detail(detail);
            return GuardedFuture::denied(default_answer(report_at_once(denial, Head::from(&request))));
        };
        let head = Head::from(&request);
        let is_incomplete = !gated.waived && gated.is_incomplete(head);
        let Gated { gate, policy, identity, waived, .. } = gated;
        if !is_incomplete {
            if !waived {
                gate.compare_passed(&policy, head, identity);
            }
            return GuardedFuture::forwarded(self.inner.call(request));
        }
        let mut sender = Sender::unknown(identity);
        let judgment = gate.judge_known(&policy, head, &mut sender, Position::Inside);
        match gate.admit(judgment, policy, &sender, &mut request, Position::Inside) {
            Ok(()) => GuardedFuture::forwarded(self.inner.call(request)),
            Err(answer) => GuardedFuture::denied(answer),
        }
    }
}

impl<S> RouteCheck<S> {
    /// What the outer half of this very gate has left.
    fn take_gated<B>(&self, request: &mut Request<B>) -> Option<Gated> {
        request.extensions_mut().remove::<Gated>().filter(|gated| Arc::ptr_eq(&gated.gate, &self.gate))
    }
}

impl Gated {
    /// Whether the key that a router has matched is not the one that every reading of the path selected.
    fn is_incomplete(&self, head: Head<'_>) -> bool {
        let selected = self.route.as_deref();
        let matched = head.matched().filter(|pattern| Some(*pattern) != selected);
        let key = matched.and_then(|pattern| self.gate.key_of(&self.policy, pattern));
        key.is_some_and(|key| Some(key) != selected)
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, sync::Arc};

    use axum::body::Body;
    use http::{Request, Response, StatusCode};
    use tower::{Layer, ServiceExt, service_fn};

    use super::RouteCheckLayer;
    use crate::{
        identity::Identity,
        middleware::{AuthzLayer, context::Gated},
        policy::Policy,
    };

    fn layer() -> AuthzLayer {
        let policy = Policy::from_json_str(r#"{ "version": 1, "routes": { "GET /": "public" } }"#).unwrap();
        AuthzLayer::builder(policy).build().unwrap()
    }

    fn left_by(layer: &AuthzLayer) -> Gated {
        let gate = Arc::clone(layer.gate());
        let policy = gate.snapshot();
        Gated { gate, policy, identity: Identity::Anonymous, route: None, waived: false }
    }

    #[tokio::test]
    async fn a_route_that_is_reached_around_its_gate_fails() {
        let (own, other) = (layer(), layer());
        for (name, gated, status) in [
            ("no gate", None, StatusCode::INTERNAL_SERVER_ERROR),
            ("another gate", Some(left_by(&other)), StatusCode::INTERNAL_SERVER_ERROR),
            ("its gate", Some(left_by(&own)), StatusCode::OK),
        ] {
            let inner = service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(Body::empty())) });
            let check = RouteCheckLayer(Arc::clone(own.gate())).layer(inner);
            let mut request = Request::new(());
            if let Some(gated) = gated {
                request.extensions_mut().insert(gated);
            }
            assert_eq!(check.oneshot(request).await.unwrap().status(), status, "{name}");
        }
    }
}
