use http::Request;
use tower_authz::{Authenticator, Identity, Principal, authn};

use super::{identify, outcome};

#[derive(Clone)]
struct Session {
    user: Option<&'static str>,
}

fn sync() -> impl Authenticator {
    authn::from_extension(|session: &Session| session.user.map(|user| Principal::new(user).roles(["editor"])))
}

fn later() -> impl Authenticator {
    authn::from_extension_async(|session: Session| async move {
        tokio::task::yield_now().await;
        session.user.map(|user| Principal::new(user).roles(["editor"]))
    })
}

#[tokio::test]
async fn the_extension_says_who_is_calling() {
    for (user, expected) in [(Some("ada"), "ada"), (None, "anonymous")] {
        let request = Request::get("/").extension(Session { user }).body(()).unwrap();
        for identity in [identify(&sync(), &request).await, identify(&later(), &request).await] {
            assert_eq!(outcome(&identity), expected);
            assert!(identity.principal().is_none_or(|principal| principal.has_role("editor")));
        }
    }
}

#[tokio::test]
async fn a_missing_extension_is_a_failure_that_names_it_and_the_fix() {
    let request = Request::get("/").body(()).unwrap();
    for identity in [identify(&sync(), &request).await, identify(&later(), &request).await] {
        let Identity::Failed(failure) = identity else { panic!("{identity:?}") };
        assert!(failure.detail().contains("Session`"), "{failure}");
        assert!(failure.detail().contains("outside the authorization layer"), "{failure}");
    }
}

#[tokio::test]
async fn a_principal_in_the_extensions_is_the_caller_and_none_is_anonymous() {
    let absent = Request::get("/").body(()).unwrap();
    assert_eq!(outcome(&identify(&authn::principal_extension(), &absent).await), "anonymous");
    let present = Request::get("/").extension(Principal::new("ada")).body(()).unwrap();
    assert_eq!(outcome(&identify(&authn::principal_extension(), &present).await), "ada");
}

#[test]
fn what_outer_layers_found_out_is_ambient() {
    assert!(sync().is_ambient());
    assert!(later().is_ambient());
    assert!(authn::principal_extension().is_ambient());
    assert!(!authn::none().is_ambient());
}
