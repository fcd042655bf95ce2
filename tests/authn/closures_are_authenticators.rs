use http::Request;
use tower_authz::{
    Authentication, CredentialError, CredentialErrorKind, Head, Identity, Principal, Unavailable, authn,
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
