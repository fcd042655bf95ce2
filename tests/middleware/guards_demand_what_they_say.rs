//! What guards let through, held to brute force; and that every denial is reported exactly once.

use std::convert::Infallible;

use axum::{
    Router,
    body::Body,
    routing::{any, get},
};
use http::{Request, StatusCode};
use tower::{Layer, ServiceExt, util::BoxCloneSyncService};
use tower_authz::{AuthzLayer, Guard, Identify, Principal, authn};
use tracing::Level;

use super::{
    callers::{caller, layer, policy, request},
    support::{Ask, Events, serve},
};

const ROLES: [&str; 4] = ["a", "b", "c", "d"];

/// A guard and what it means, over the literal roles `a` to `d` and the permissions `a` and `p`.
type Meaning = fn(&[&str], &[&str]) -> bool;

fn guards() -> Vec<(&'static str, Guard, Meaning)> {
    const NONE: [&str; 0] = [];
    let (a, b) = (|| Guard::role("a"), || Guard::role("b"));
    vec![
        ("authenticated", Guard::authenticated(), |_, _| true),
        ("role", a(), |r, _| r.contains(&"a")),
        ("permission", Guard::permission("p"), |_, p| p.contains(&"p")),
        ("permission of a role's name", Guard::permission("a"), |_, p| p.contains(&"a")),
        ("any_of", Guard::any_of(["a", "b"]), |r, _| r.contains(&"a") || r.contains(&"b")),
        ("all_of", Guard::all_of(["a", "b"]), |r, _| r.contains(&"a") && r.contains(&"b")),
        ("none_of", Guard::none_of(["a", "b"]), |r, _| !r.contains(&"a") && !r.contains(&"b")),
        ("any_of nothing", Guard::any_of(NONE), |_, _| false),
        ("all_of nothing", Guard::all_of(NONE), |_, _| false),
        ("none_of nothing", Guard::none_of(NONE), |_, _| false),
        ("and", a().and(b()), |r, _| r.contains(&"a") && r.contains(&"b")),
        ("or", a().or(b()), |r, _| r.contains(&"a") || r.contains(&"b")),
        ("and nothing", a().and(Guard::any_of(NONE)), |_, _| false),
        ("or nothing", a().or(Guard::any_of(NONE)), |r, _| r.contains(&"a")),
        ("or authenticated", a().or(Guard::authenticated()), |_, _| true),
        ("and authenticated", a().and(Guard::authenticated()), |r, _| r.contains(&"a")),
        ("two any_of", Guard::any_of(["a", "b"]).and(Guard::any_of(["c", "d"])), |r, _| {
            (r.contains(&"a") || r.contains(&"b")) && (r.contains(&"c") || r.contains(&"d"))
        }),
        ("any_of and none_of", Guard::any_of(["a", "b"]).and(Guard::none_of(["c"])), |r, _| {
            (r.contains(&"a") || r.contains(&"b")) && !r.contains(&"c")
        }),
        ("or of ands and ors", a().and(b().or(Guard::role("c"))).or(Guard::role("d").and(Guard::none_of(["a"]))), {
            |r, _| {
                (r.contains(&"a") && (r.contains(&"b") || r.contains(&"c"))) || (r.contains(&"d") && !r.contains(&"a"))
            }
        }),
        ("role and permission of one name", a().and(Guard::permission("a")), |r, p| {
            r.contains(&"a") && p.contains(&"a")
        }),
        ("role or permission", a().or(Guard::permission("p")), |r, p| r.contains(&"a") || p.contains(&"p")),
        ("contradiction", a().and(Guard::none_of(["a"])), |_, _| false),
    ]
}

fn subsets<'a>(names: &[&'a str]) -> Vec<Vec<&'a str>> {
    let chosen = |bits: usize| names.iter().enumerate().filter(move |(i, _)| bits >> i & 1 == 1).map(|(_, n)| *n);
    (0..1 << names.len()).map(|bits| chosen(bits).collect()).collect()
}

#[tokio::test]
async fn literal_roles_and_permissions_agree_with_brute_force() {
    for (name, guard, meaning) in guards() {
        let app = guard.layer(any(|| async {}));
        for roles in subsets(&ROLES) {
            for permissions in subsets(&["a", "p"]) {
                let mut request = request::<Body>("GET", "/", "");
                request.extensions_mut().insert(Principal::new("ada").roles(&roles).permissions(&permissions));
                let status = app.clone().oneshot(request).await.unwrap().status();
                let expected = if meaning(&roles, &permissions) { StatusCode::OK } else { StatusCode::FORBIDDEN };
                assert_eq!(status, expected, "{name}: {roles:?} {permissions:?}");
            }
        }
    }
}

const POLICY: &str = r#"{ "version": 1,
    "roles": { "viewer": { "permissions": ["doc:read"] }, "editor": { "inherits": ["viewer"] },
               "admin": { "inherits": ["editor"] }, "auditor": {} },
    "exclusive_roles": [["editor", "auditor"]],
    "routes": { "ANY /{*path}": "authenticated", "GET /open": "public" } }"#;

#[tokio::test]
async fn behind_a_policy_inheritance_counts_and_exclusive_roles_bind() {
    for (guard, who, behind_policy, literally) in [
        (Guard::role("viewer"), "Role viewer", 200, 200),
        (Guard::role("viewer"), "Role admin", 200, 403),
        (Guard::none_of(["viewer"]), "Role admin", 403, 200),
        (Guard::all_of(["viewer", "editor"]), "Role admin", 200, 403),
        (Guard::permission("doc:read"), "Role admin", 200, 403),
        (Guard::permission("doc:read"), "Scope doc:read", 200, 200),
        (Guard::permission("viewer"), "Role viewer", 403, 403),
        (Guard::role("doc:read"), "Scope doc:read", 403, 403),
        (Guard::role("stranger"), "Role stranger", 403, 200),
        (Guard::permission("strange:thing"), "Scope strange:thing", 403, 200),
        (Guard::authenticated(), "Role auditor,editor", 403, 200),
        (Guard::role("auditor"), "Role auditor,admin", 403, 200),
        (Guard::authenticated(), "", 401, 401),
        (Guard::any_of::<[&str; 0]>([]), "", 401, 403),
    ] {
        let app = || Router::new().route("/x", any(|| async {}).layer(guard.clone()));
        let status = |app: BoxCloneSyncService<_, axum::response::Response, Infallible>| async {
            app.oneshot(request::<Body>("GET", "/x", who)).await.unwrap().status().as_u16()
        };
        let alone = status(BoxCloneSyncService::new(app().layer(Identify::new(caller)))).await;
        let policed = status(BoxCloneSyncService::new(layer(POLICY).protect(app()))).await;
        assert_eq!((policed, alone), (behind_policy, literally), "{guard:?} {who}");
    }
}

type App = BoxCloneSyncService<Request<Body>, axum::response::Response, Infallible>;

fn guarded() -> Router {
    Router::new()
        .route("/x", get(|| async {}).route_layer(Guard::role("admin").message("for admins")))
        .route("/open", get(|| async {}).route_layer(Guard::role("admin").message("for admins")))
}

/// Every arrangement in which a guard denies somebody.
fn arrangements() -> Vec<(&'static str, App)> {
    let bare = |head: tower_authz::Head<'_>| caller(head).principal().cloned();
    let session = || {
        axum::middleware::from_fn(move |mut request: axum::extract::Request, next: axum::middleware::Next| {
            if let Some(principal) = bare(tower_authz::Head::from(&request)) {
                request.extensions_mut().insert(principal);
            }
            next.run(request)
        })
    };
    let ambient = || AuthzLayer::builder(policy(POLICY)).authenticator(authn::principal_extension()).build().unwrap();
    vec![
        ("behind a bare principal", App::new(guarded().layer(session()))),
        ("in identify", App::new(guarded().layer(Identify::new(caller)))),
        ("in identify in identify", App::new(guarded().layer(Identify::new(caller)).layer(Identify::new(caller)))),
        ("in a gate", App::new(layer(POLICY).layer(guarded()))),
        ("in a gate inside the routing", App::new(guarded().layer(layer(POLICY)))),
        ("in protect", App::new(layer(POLICY).protect(guarded()))),
        ("in a gate in a gate", App::new(layer(POLICY).layer(layer(POLICY).protect(guarded())))),
        ("in identify in a gate", App::new(layer(POLICY).protect(guarded().layer(Identify::new(caller))))),
        ("in a gate in identify", App::new(Identify::new(caller).layer(ambient().layer(guarded())))),
    ]
}

#[tokio::test]
async fn a_denial_is_reported_exactly_once_in_every_arrangement() {
    for (name, app) in arrangements() {
        let to = serve(app).await;
        let events = Events::record();
        let answer = Ask::get("/x").header("authorization", "Role viewer").send(to).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{name}");
        assert_eq!(answer.json()["detail"], "for admins", "{name}");
        let denial = events.denial();
        assert_eq!(denial.level, Level::WARN, "{name}");
        for (field, value) in [
            ("authz.reason", "insufficient-role"),
            ("authz.required", "admin"),
            ("authz.missing", "admin"),
            ("url.path", "/x"),
            ("http.response.status_code", "403"),
            ("user.id", "ada"),
            ("user.roles", "viewer"),
        ] {
            assert_eq!(denial.field(field), Some(value), "{name}: {field}");
        }
        let allowed = Ask::get("/x").header("authorization", "Role admin").send(to).await;
        assert_eq!(
            (allowed.status, events.take().iter().filter(|e| e.level < Level::DEBUG).count()),
            (StatusCode::OK, 0)
        );
    }
}

#[tokio::test]
async fn anonymous_callers_of_a_guard_on_a_public_route_are_challenged() {
    for (name, app) in arrangements().into_iter().filter(|(name, _)| *name != "behind a bare principal") {
        let to = serve(app).await;
        let events = Events::record();
        let answer = Ask::get("/open").send(to).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{name}");
        assert_eq!(answer.all("www-authenticate").len(), 1, "{name}");
        assert_eq!(events.denial().field("authz.reason"), Some("no-credentials"), "{name}");
    }
}

#[tokio::test]
async fn without_an_identity_layer_a_guard_fails_loudly() {
    for guard in [Guard::role("admin"), Guard::authenticated().masked(), Guard::any_of::<[&str; 0]>([])] {
        let to = serve(Router::new().route("/", get(|| async {}).route_layer(guard))).await;
        let events = Events::record();
        let answer = Ask::get("/").header("authorization", "Role admin").send(to).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!answer.text().contains("Identify"), "{}", answer.text());
        let denial = events.denial();
        assert_eq!(denial.level, Level::ERROR);
        assert!(denial.field("authz.detail").unwrap().contains("put `Identify`, or an `AuthzLayer`, outside"));
    }
}

/// Section 6: bad credentials and a backend that fails come before everything that depends on the route.
#[tokio::test]
async fn what_is_wrong_with_the_credentials_comes_before_mask_and_message() {
    let guard = Guard::role("admin").message("for admins").masked();
    let app = Router::new().route("/x", get(|| async {}).route_layer(guard)).layer(Identify::new(caller));
    let to = serve(app).await;
    for (who, status) in [("Bad", 401), ("Down", 503), ("Broken", 500), ("Role viewer", 404), ("Role admin", 200)] {
        let events = Events::record();
        let answer = Ask::get("/x").header("authorization", who).send(to).await;
        assert_eq!(answer.status, status, "{who}");
        assert!(!answer.holds("for admins"), "{who}");
        if status != 200 {
            assert_eq!(events.denial().field("http.response.status_code"), Some(&*status.to_string()), "{who}");
        }
    }
}

#[tokio::test]
async fn a_masked_guard_behind_the_layer_is_a_path_that_does_not_exist() {
    const MASKS: &str = r#"{ "version": 1, "roles": { "viewer": {} },
        "routes": { "ANY /secret": "authenticated", "ANY /open": "public" } }"#;
    let app = || {
        let secret = || async { ([("set-cookie", "seen=1")], "secret") };
        Router::new()
            .route("/secret", get(secret).route_layer(Guard::role("admin").masked()))
            .route("/open", any(|| async {}).layer(Guard::role("admin").message("no").masked()))
    };
    for app in [App::new(layer(MASKS).protect(app())), App::new(layer(MASKS).layer(app()))] {
        let to = serve(app).await;
        for (method, path) in [("GET", "/secret"), ("HEAD", "/secret"), ("GET", "/open"), ("POST", "/open")] {
            for accept in ["*/*", "text/html", "text/plain"] {
                let ask = |path| Ask::new(method, path).header("authorization", "Role viewer").header("accept", accept);
                let masked = ask(path).raw_without_date(to).await;
                assert!(masked.starts_with("HTTP/1.1 404"), "{masked}");
                assert_eq!(masked, ask("/none").raw_without_date(to).await, "{method} {path} {accept}");
            }
        }
    }
}

#[tokio::test]
async fn guards_that_are_joined_keep_the_mask_and_the_message_of_either() {
    let (plain, masked) = (|| Guard::role("admin"), || Guard::role("admin").masked());
    let told = || Guard::role("admin").message("for admins");
    for (name, guard, status, text) in [
        ("masked and plain", masked().and(plain()), 404, ""),
        ("plain and masked", plain().and(masked()), 404, ""),
        ("masked or plain", masked().or(plain()), 404, ""),
        ("plain or masked", plain().or(masked()), 404, ""),
        ("plain and plain", plain().and(plain()), 403, ""),
        ("plain or plain", plain().or(plain()), 403, ""),
        ("told and plain", told().and(plain()), 403, "for admins"),
        ("plain and told", plain().and(told()), 403, "for admins"),
        ("told or plain", told().or(plain()), 403, "for admins"),
        ("plain or told", plain().or(told()), 403, "for admins"),
    ] {
        let app = Router::new().route("/x", get(|| async {}).layer(guard)).layer(Identify::new(caller));
        let answer = Ask::get("/x").header("authorization", "Role viewer").send(serve(app).await).await;
        assert_eq!(answer.status, status, "{name}");
        assert!(answer.text().contains(text), "{name}: {}", answer.text());
    }
}
