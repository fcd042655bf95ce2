use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use http::{HeaderName, Request};
use tower_authz::{Authentication, Authenticator, Challenge, CredentialError, Head, Identity, Principal, authn};
use tower_authz::{CredentialErrorKind, Failure, Unavailable};

use super::{identify, outcome};

/// Finds in the header of its own name what it is to answer, at once or later.
struct Member {
    name: &'static str,
    waits: bool,
}

fn answer(name: &str, word: Option<&str>) -> Identity {
    match word {
        None => Identity::Anonymous,
        Some("bad") => CredentialError::new(CredentialErrorKind::Expired).into(),
        Some("down") => Unavailable::new().into(),
        Some("broken") => Failure::new("broken").into(),
        Some(_) => Principal::new(name).into(),
    }
}

impl Authenticator for Member {
    fn authenticate(&self, head: Head<'_>) -> Authentication {
        let identity = answer(self.name, head.headers().get(self.name).map(|value| value.to_str().unwrap()));
        if !self.waits {
            return identity.into();
        }
        Authentication::pending(async {
            tokio::task::yield_now().await;
            identity
        })
    }

    fn challenges(&self) -> Vec<Challenge> {
        vec![Challenge::bearer(), Challenge::new(self.name)]
    }

    fn consumed_headers(&self) -> Vec<HeaderName> {
        vec![HeaderName::from_static("x-shared"), HeaderName::from_static(self.name)]
    }

    fn consumed_protocols(&self) -> Vec<String> {
        vec!["shared".to_owned(), format!("{}.bearer", self.name)]
    }

    fn credential_parameters(&self) -> Vec<String> {
        vec!["shared".to_owned(), self.name.to_owned()]
    }
}

/// A chain whose cookie comes first, and is nevertheless the last resort.
fn chain(waits: [bool; 3]) -> authn::Chain {
    let member = |name, waits| Member { name, waits };
    let [cookie, token, key] = waits;
    authn::Chain::new(authn::ambient(member("cookie", cookie))).or(member("token", token)).or(member("key", key))
}

#[tokio::test]
async fn one_member_decides_whether_or_not_members_wait() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[], "anonymous"),
        (&[("token", "good")], "token"),
        (&[("key", "good")], "key"),
        (&[("cookie", "good")], "cookie"),
        (&[("token", "bad")], "rejected: expired"),
        (&[("cookie", "bad")], "rejected: expired"),
        (&[("cookie", "broken")], "failed"),
        // What is no good never falls through, not even to a good cookie.
        (&[("token", "bad"), ("cookie", "good")], "rejected: expired"),
        // A cookie loses, good or bad.
        (&[("cookie", "good"), ("token", "good")], "token"),
        (&[("cookie", "bad"), ("key", "good")], "key"),
        // Two kinds sent on purpose.
        (&[("token", "good"), ("key", "good")], "rejected: ambiguous"),
        (&[("token", "bad"), ("key", "good")], "rejected: ambiguous"),
        (&[("token", "good"), ("key", "bad"), ("cookie", "good")], "rejected: ambiguous"),
        // What is wrong on our side comes first.
        (&[("token", "good"), ("key", "down")], "unavailable"),
        (&[("token", "broken"), ("key", "down")], "failed"),
        (&[("token", "down"), ("key", "broken")], "failed"),
        (&[("token", "down"), ("cookie", "good")], "unavailable"),
    ];
    for pattern in 0..8 {
        let waits = [pattern & 1 != 0, pattern & 2 != 0, pattern & 4 != 0];
        let chain = chain(waits);
        for (headers, expected) in cases {
            let builder =
                headers.iter().fold(Request::get("/"), |builder, (name, value)| builder.header(*name, *value));
            let found = identify(&chain, &builder.body(()).unwrap()).await;
            assert_eq!(outcome(&found), *expected, "{headers:?}, waits {waits:?}");
        }
    }
}

#[tokio::test]
async fn the_first_of_several_ambient_members_decides() {
    for waits in [[false, false], [false, true], [true, false], [true, true]] {
        let ambient = |name, waits| authn::ambient(Member { name, waits });
        let chain = authn::Chain::new(ambient("one", waits[0])).or(ambient("two", waits[1]));
        assert!(chain.is_ambient());
        for (headers, expected) in [(["one", "two"], "one"), (["x", "two"], "two"), (["x", "y"], "anonymous")] {
            let builder = headers.iter().fold(Request::get("/"), |builder, name| builder.header(*name, "good"));
            assert_eq!(outcome(&identify(&chain, &builder.body(()).unwrap()).await), expected);
        }
    }
}

/// Asking may count attempts, or cost a query.
#[tokio::test]
async fn no_member_is_asked_twice() {
    for waits in [false, true] {
        let asked = Arc::<[AtomicUsize; 2]>::default();
        let counted = |index: usize, name: &'static str| {
            let (asked, member) = (Arc::clone(&asked), Member { name, waits });
            authn::from_fn(move |head: Head<'_>| {
                asked[index].fetch_add(1, Ordering::Relaxed);
                member.authenticate(head)
            })
        };
        let chain = authn::Chain::new(authn::ambient(counted(0, "cookie"))).or(counted(1, "token"));
        for (headers, times) in [(&[][..], [1, 1]), (&["cookie"], [1, 1]), (&["token"], [usize::from(waits), 1])] {
            let builder = headers.iter().fold(Request::get("/"), |builder, name| builder.header(*name, "good"));
            identify(&chain, &builder.body(()).unwrap()).await;
            let counts = asked.each_ref().map(|count| count.swap(0, Ordering::Relaxed));
            assert_eq!(counts, times, "{headers:?}, waits: {waits}");
        }
    }
}

#[test]
fn a_chain_without_waiting_members_answers_at_once() {
    let request = Request::get("/").header("token", "good").body(()).unwrap();
    let at_once = chain([true, false, false]).authenticate(Head::from(&request));
    assert!(matches!(at_once, Authentication::Ready(_)), "the cookie is not asked");
}

#[test]
fn challenges_and_consumed_headers_are_joined_in_order_once_each() {
    let chain = chain([false; 3]);
    let challenges: Vec<_> = chain.challenges().iter().map(ToString::to_string).collect();
    assert_eq!(challenges, ["Bearer", "cookie", "token", "key"]);
    assert_eq!(chain.consumed_headers(), ["x-shared", "cookie", "token", "key"]);
    assert!(!chain.is_ambient());
}

/// Above all which headers and protocols no service behind may see.
#[test]
fn whatever_wraps_an_authenticator_tells_what_it_tells() {
    let token = || Member { name: "token", waits: false };
    let rows: [(&str, Box<dyn Authenticator>, bool); 6] = [
        ("itself", Box::new(token()), false),
        ("ambient", Box::new(authn::ambient(token())), true),
        ("shared", Box::new(Arc::new(token()) as Arc<dyn Authenticator>), false),
        ("shared and ambient", Box::new(Arc::new(authn::ambient(token())) as Arc<dyn Authenticator>), true),
        (
            "a chain of ambient ones",
            Box::new(authn::Chain::new(authn::ambient(token())).or(authn::ambient(token()))),
            true,
        ),
        ("a chain with one that is not", Box::new(authn::Chain::new(authn::ambient(token())).or(token())), false),
    ];
    for (name, wrapped, ambient) in rows {
        let challenges: Vec<_> = wrapped.challenges().iter().map(ToString::to_string).collect();
        assert_eq!(challenges, ["Bearer", "token"], "{name}");
        assert_eq!(wrapped.consumed_headers(), ["x-shared", "token"], "{name}");
        assert_eq!(wrapped.consumed_protocols(), ["shared", "token.bearer"], "{name}");
        assert_eq!(wrapped.credential_parameters(), ["shared", "token"], "{name}");
        assert_eq!(wrapped.is_ambient(), ambient, "{name}");
    }
}
