use http::Request;
use tower_authz::{
    Authentication, Authenticator, CredentialError, CredentialErrorKind, Head, Identity, Principal, Unavailable, authn,
};

use super::{identify, outcome};

fn by_mood(mood: &str) -> Result<Option<Principal>, Identity> {
    match mood {
        "good" => Ok(Some(Principal::new("ada"))),
        "none" => Ok(None),
        "bad" => Err(CredentialError::new(CredentialErrorKind::Revoked).into()),
        _ => Err(Unavailable::new().into()),
    }
}

#[tokio::test]
async fn what_a_closure_returns_is_the_identity_at_once_or_later() {
    let sync = authn::from_fn(|head| by_mood(head.headers().get("mood").unwrap().to_str().unwrap()));
    let later = authn::from_async_fn(|head| {
        let mood = head.headers().get("mood").unwrap().to_str().unwrap().to_owned();
        async move {
            tokio::task::yield_now().await;
            by_mood(&mood)
        }
    });
    let cases = [("good", "ada"), ("none", "anonymous"), ("bad", "rejected: revoked"), ("down", "unavailable")];
    for (mood, expected) in cases {
        let request = Request::get("/").header("mood", mood).body(()).unwrap();
        assert_eq!(outcome(&identify(&sync, &request).await), expected);
        assert_eq!(outcome(&identify(&later, &request).await), expected);
    }
}

#[tokio::test]
async fn a_closure_may_decide_whether_to_wait() {
    let authenticator = authn::from_fn(|head: Head<'_>| match head.uri().path() {
        "/now" => Authentication::from(Principal::new("now")),
        _ => Authentication::pending(async { Principal::new("later").into() }),
    });
    for path in ["now", "later"] {
        let request = Request::get(format!("/{path}")).body(()).unwrap();
        assert_eq!(outcome(&identify(&authenticator, &request).await), path);
    }
}

#[tokio::test]
async fn none_knows_nobody() {
    let request =
        Request::get("/").header("authorization", "Bearer x").extension(Principal::new("ada")).body(()).unwrap();
    assert_eq!(outcome(&identify(&authn::none(), &request).await), "anonymous");
}

/// Who has no more to tell than who is calling takes nothing out of requests, and is asked before any cookie.
#[test]
fn a_closure_has_nothing_to_tell_but_who_is_calling() {
    let closure = authn::from_fn(|_| Principal::new("ada"));
    assert!(closure.challenges().is_empty() && closure.consumed_headers().is_empty());
    assert!(closure.consumed_protocols().is_empty() && !closure.is_ambient());
    let shared = std::sync::Arc::new(closure) as std::sync::Arc<dyn Authenticator>;
    let cookie = authn::ambient(|_: Head<'_>| Principal::new("cookie"));
    assert!(cookie.is_ambient() && !authn::Chain::new(cookie).or(shared).is_ambient());
}
