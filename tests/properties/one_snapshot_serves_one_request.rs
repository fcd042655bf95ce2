//! Invariant 5: a document that fails to load never replaces a good one, and one snapshot serves one request.

use std::{
    convert::Infallible,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    thread,
};

use axum::extract::OriginalUri;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use proptest::prelude::*;
use tower::{Layer, ServiceExt, service_fn};
use tower_authz::{AuthzLayer, Identity, Policy, PolicyError, PolicyHandle, Principal, authn};

use super::{
    arbitrary,
    gate::{self, ask, gate, http_request},
    no_input_panics::spliced,
    property::{holds, tell},
};

/// A viewer may call `/a`, is on the `side` of the policy, and finds one path shut which is open on the other.
fn policy(side: &str, shut: &str, open: &str) -> String {
    format!(
        r#"{{ "version": 1, "roles": {{ "{side}": {{}}, "viewer": {{ "inherits": ["{side}"] }} }}, "routes": {{
            "GET /a": "{side}", "GET {shut}": "nobody", "GET {open}": "viewer"
        }} }}"#
    )
}

fn reload(handle: &PolicyHandle, text: &str) -> Result<(), PolicyError> {
    handle.replace(Policy::from_json_str(text)?);
    Ok(())
}

/// A layer whose authenticator lets others run before it answers.
fn layer(handle: &PolicyHandle) -> AuthzLayer {
    let viewer = Principal::new("ada").roles(["viewer"]);
    let authenticator = authn::from_async_fn(move |_| {
        let viewer = viewer.clone();
        async move {
            tokio::task::yield_now().await;
            thread::yield_now();
            Identity::from(viewer)
        }
    });
    AuthzLayer::builder(handle).authenticator(authenticator).build().unwrap()
}

#[test]
fn answers_given_while_policies_are_replaced_belong_to_one_of_them() {
    let (left, right) = (policy("left", "/x", "/y"), policy("right", "/y", "/x"));
    let handle = PolicyHandle::new(Policy::from_json_str(&left).unwrap());
    let layer = layer(&handle);
    let (done, left_seen, right_seen) = (AtomicBool::new(false), AtomicU32::new(0), AtomicU32::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                for text in [&right, &left] {
                    reload(&handle, text).unwrap();
                    assert!(reload(&handle, "{}").is_err());
                    thread::yield_now();
                }
            }
        });
        let asked: Vec<_> = (0..3).map(|_| scope.spawn(|| ask_often(&layer, &left_seen, &right_seen))).collect();
        let asked = asked.into_iter().map(thread::ScopedJoinHandle::join).collect::<Vec<_>>();
        done.store(true, Ordering::Relaxed);
        for asked in asked {
            asked.unwrap();
        }
    });
    let (left, right) = (left_seen.into_inner(), right_seen.into_inner());
    assert!(left > 0 && right > 0);
    tell(&format!(
        "invariant 5, one snapshot: {} cases, {left} by the one policy and {right} by the other",
        left + right
    ));
}

fn ask_often(layer: &AuthzLayer, left_seen: &AtomicU32, right_seen: &AtomicU32) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for _ in 0..4000 {
        let request = Request::get("/a").body(()).unwrap();
        let (status, sides) = runtime.block_on(sides(layer, request));
        assert_eq!(status, 200);
        match sides {
            Some((true, false)) => left_seen.fetch_add(1, Ordering::Relaxed),
            Some((false, true)) => right_seen.fetch_add(1, Ordering::Relaxed),
            other => panic!("the policy that let the request in is neither: {other:?}"),
        };
        let mut both = Request::get("/x").body(()).unwrap();
        both.extensions_mut().insert(OriginalUri("/y".parse().unwrap()));
        if cfg!(feature = "axum") {
            assert_eq!(runtime.block_on(self::sides(layer, both)), (403, None), "the rules of two policies were mixed");
        }
    }
}

/// The status, and on which side the service behind sees the caller, if it is reached.
async fn sides(layer: &AuthzLayer, request: Request<()>) -> (u16, Option<(bool, bool)>) {
    let service = layer.layer(service_fn(|request: Request<()>| async move {
        tokio::task::yield_now().await;
        let principal = request.extensions().get::<Principal>().unwrap();
        let sides = (principal.has_role("left"), principal.has_role("right"));
        Ok::<_, Infallible>(Response::builder().extension(sides).body(Full::<Bytes>::default()).unwrap())
    }));
    let response = service.oneshot(request).await.unwrap();
    (response.status().as_u16(), response.extensions().get().copied())
}

#[test]
fn documents_that_are_damaged_leave_the_policy_in_force_and_every_answer_as_it_was() {
    let cases = (arbitrary::sieges(), spliced());
    holds("invariant 5, the last good policy", 192, &cases, |((document, siege), (_, damaged))| {
        let handle = PolicyHandle::new(gate::load(&document));
        let before = handle.current();
        let refused = reload(&handle, &damaged).is_err();
        prop_assert_eq!(handle.current().revision() == before.revision(), refused, "{}", damaged);
        let mut asked = 0;
        for (request, options) in siege.into_iter().filter(|_| refused) {
            let request = gate::outside_of_routers(request);
            let Some(sent) = http_request(&request) else { continue };
            let answer = |policy| ask(&gate(policy, &request, options).0, sent.clone());
            prop_assert_eq!(answer(&before), answer(&handle.current()), "{:?}", request);
            asked += 1;
        }
        Ok(asked)
    });
}

#[test]
fn documents_that_fail_to_load_leave_the_policy_in_force() {
    let good = policy("left", "/x", "/y");
    let handle = PolicyHandle::new(Policy::from_json_str(&good).unwrap());
    let before = handle.current();
    for cut in (0..good.len()).filter(|cut| good.is_char_boundary(*cut)) {
        assert!(reload(&handle, &good[..cut]).is_err(), "{}", &good[..cut]);
        assert_eq!(handle.current().revision(), before.revision());
    }
    let request = Request::get("/a").body(()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(sides(&layer(&handle), request)), (200, Some((true, false))));
}
