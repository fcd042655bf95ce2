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
    gate::{Asked, Gate, Position},
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
        if gated.waived || gated.is_complete(&self.gate, head) {
            if !gated.waived {
                self.gate.compare_passed(&gated.policy, head, gated.identity);
            }
            return GuardedFuture::forwarded(self.inner.call(request));
        }
        let Gated { policy, identity, .. } = gated;
        let mut sender = Sender::unknown();
        let asked = Asked::new(&policy, head);
        let selected = self.gate.select(&asked);
        let judgment = self.gate.judge(&asked, &selected, identity, &mut sender, Position::Inside);
        match self.gate.admit(judgment, policy, &sender, &mut request, Position::Inside) {
            Ok(()) => GuardedFuture::forwarded(self.inner.call(request)),
            Err(denial) => {
                let answer = self.gate.refuse(denial, &sender, request.extensions(), Position::Inside);
                GuardedFuture::denied(answer)
            }
        }
    }
}

impl<S> RouteCheck<S> {
    /// What the outer half of this very gate has left.
    fn take_gated<B>(&self, request: &mut Request<B>) -> Option<Gated> {
        request.extensions_mut().remove::<Gated>().filter(|gated| gated.gate == self.gate.id)
    }
}

impl Gated {
    /// Whether the key that a router has matched, if it is one, is the only one that the readings of the path selected.
    fn is_complete(&self, gate: &Gate, head: Head<'_>) -> bool {
        let selected = self.route.and_then(|index| self.policy.routes.get(index)).map(|route| &*route.pattern);
        let matched = head.matched().filter(|pattern| Some(*pattern) != selected);
        let key = matched.and_then(|pattern| gate.key_of(&self.policy, pattern));
        key.is_none_or(|key| Some(key) == selected)
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
        let policy = layer.gate().snapshot();
        Gated { gate: layer.gate().id, policy, identity: Identity::Anonymous, route: None, waived: false }
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
