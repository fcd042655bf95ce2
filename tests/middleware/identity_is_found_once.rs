//! Who is calling is what the gate has found out, and nothing else: no stale principal and no header survives.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Body, extract::Request, middleware::Next, response::Response, routing::get};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tower::{Layer, ServiceExt};
use tower_authz::{
    Authentication, Authenticator, AuthzLayer, Guard, Head, Identify, Principal,
    authn::{self, Chain},
};
use tracing::Level;

use super::{
    callers::{Counted, caller, layer, policy, request},
    support::{Ask, Events, serve},
};

const POLICY: &str = r#"{ "version": 1, "roles": { "viewer": {}, "admin": { "inherits": ["viewer"] } }, "routes": {
    "GET /open": "public", "GET /doc": "authenticated", "GET /admin": "admin" } }"#;

async fn who(caller: Option<Principal>) -> String {
    caller.map_or("nobody".into(), |caller| caller.subject().to_owned())
}

fn router() -> Router {
    Router::new().route("/open", get(who)).route("/doc", get(who)).route("/admin", get(who))
}

/// A layer outside that believes anything.
async fn stale(mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(Principal::new("stale").roles(["admin"]));
    next.run(request).await
}

#[tokio::test]
async fn a_principal_that_the_gate_has_not_found_does_not_get_through() {
    let outside = axum::middleware::from_fn(stale);
    for (name, app) in [
        ("layer", outside.layer(layer(POLICY).layer(router())).map_response(|r| r).boxed_clone()),
        ("protect", layer(POLICY).protect(router()).layer(outside.clone()).boxed_clone()),
    ] {
        for (path, who, status, text) in [
            ("/open", "", 200, "nobody"),
            ("/open", "Bad", 200, "nobody"),
            ("/open", "Down", 200, "nobody"),
            ("/open", "Broken", 200, "nobody"),
            ("/open", "Role viewer", 200, "ada"),
            ("/doc", "Role viewer", 200, "ada"),
            ("/doc", "", 401, ""),
            ("/admin", "", 401, ""),
            ("/admin", "Role viewer", 403, ""),
        ] {
            let answer = app.clone().oneshot(request::<Body>("GET", path, who)).await.unwrap();
            assert_eq!(answer.status(), status, "{name} {path} {who}");
            let body = axum::body::to_bytes(answer.into_body(), 9999).await.unwrap();
            assert!(status != 200 || body == text, "{name} {path} {who}: {body:?}");
        }
    }
}

#[tokio::test]
async fn identity_alone_removes_a_stale_principal_too() {
    let app = Router::new()
        .route("/open", get(who))
        .route("/admin", get(who).route_layer(Guard::role("admin")))
        .layer(Identify::new(caller))
        .layer(axum::middleware::from_fn(stale));
    let to = serve(app).await;
    for (path, who, status, text) in [
        ("/open", "", 200, "nobody"),
        ("/open", "Role viewer", 200, "ada"),
        ("/admin", "", 401, ""),
        ("/admin", "Bad", 401, ""),
        ("/admin", "Role viewer", 403, ""),
        ("/admin", "Role admin", 200, "ada"),
    ] {
        let answer = Ask::get(path).header("authorization", who).send(to).await;
        assert_eq!(answer.status, status, "{path} {who}");
        assert!(status != 200 || answer.text() == text, "{path} {who}");
    }
}

/// Believes `x-user`, and consumes it.
struct ByHeader;

impl Authenticator for ByHeader {
    fn authenticate(&self, head: Head<'_>) -> Authentication {
        head.headers().get("x-user").map(|user| Principal::new(user.to_str().unwrap()).roles(["admin"])).into()
    }

    fn consumed_headers(&self) -> Vec<HeaderName> {
        vec![HeaderName::from_static("x-user"), HeaderName::from_static("x-user-roles")]
    }
}

async fn headers(headers: HeaderMap) -> String {
    let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).filter(|name| name.starts_with('x')).collect();
    names.sort_unstable();
    names.join(" ")
}

#[tokio::test]
async fn consumed_headers_are_removed_from_whatever_is_forwarded() {
    let router = || Router::new().route("/open", get(headers)).route("/doc", get(headers));
    let authz = AuthzLayer::builder(policy(POLICY)).authenticator(Chain::new(ByHeader).or(Counted::default()));
    let authz = authz.build().unwrap();
    let waived = AuthzLayer::builder(policy(POLICY)).authenticator(ByHeader);
    let waived = waived.enforcement(tower_authz::Enforcement::ReportOnly).build().unwrap();
    for app in [
        authz.protect(router()).boxed_clone(),
        authz.layer(router()).boxed_clone(),
        waived.protect(router()).boxed_clone(),
        router().layer(Identify::new(ByHeader)).boxed_clone(),
    ] {
        let to = serve(app).await;
        for (path, name) in [("/open", "x-user"), ("/doc", "x-user"), ("/open", "x-other")] {
            let answer = Ask::get(path)
                .header(name, "ada")
                .header("x_user", "root")
                .header("x-user_roles", "admin")
                .header("X-USER-ROLES", "admin")
                .header("x-users", "stays")
                .send(to)
                .await;
            let expected = if name == "x-other" { "x-other x-users" } else { "x-users" };
            assert_eq!((answer.status.as_u16(), answer.text()), (200, expected), "{path}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_known_is_never_a_denial_of_rights() {
    let to = serve(layer(POLICY).protect(router())).await;
    for (who, status, retry_after, level, reason, detail) in [
        ("Down", 503, Some("7"), Level::ERROR, "authenticator-unavailable", Some("the directory is down")),
        ("Broken", 500, None, Level::ERROR, "internal-error", Some("the session layer did not run")),
        ("Bad", 401, None, Level::WARN, "invalid-credentials", Some("expired")),
        ("", 401, None, Level::INFO, "no-credentials", None),
    ] {
        for path in ["/doc", "/admin"] {
            let events = Events::record();
            let answer = Ask::get(path).header("authorization", who).send(to).await;
            assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (status, retry_after), "{path} {who}");
            assert!(detail.is_none_or(|detail| !answer.holds(detail)), "{path} {who}");
            let denial = events.denial();
            assert_eq!((denial.level, denial.field("authz.reason")), (level, Some(reason)), "{path} {who}");
            assert_eq!(denial.field("authz.detail"), detail, "{path} {who}");
        }
    }
}

#[tokio::test]
async fn a_missing_session_layer_is_told_to_the_operator() {
    #[derive(Clone)]
    struct Session;
    let authenticator = || authn::from_extension(|_: &Session| Principal::new("ada"));
    let authz = AuthzLayer::builder(policy(POLICY)).authenticator(authenticator()).build().unwrap();
    let guarded = router().route_layer(Guard::authenticated()).layer(Identify::new(authenticator()));
    for app in [authz.protect(router()).boxed_clone(), guarded.boxed_clone()] {
        let to = serve(app).await;
        let events = Events::record();
        assert_eq!(Ask::get("/doc").send(to).await.status, StatusCode::INTERNAL_SERVER_ERROR);
        let denial = events.denial();
        let detail = denial.field("authz.detail").unwrap();
        assert!(detail.contains("put the layer that inserts it outside the authorization layer"), "{detail}");
    }
}

#[tokio::test]
async fn each_layer_authenticates_once() {
    let counted = Counted::default();
    let authz = AuthzLayer::builder(policy(POLICY)).authenticator(counted.clone()).build().unwrap();
    let ambient = AuthzLayer::builder(policy(POLICY)).authenticator(authn::principal_extension()).build().unwrap();
    for (name, app) in [
        ("layer", authz.layer(router()).boxed_clone()),
        ("protect", authz.protect(router()).boxed_clone()),
        ("identify", Identify::new(counted.clone()).layer(router()).boxed_clone()),
        ("identify around a gate", Identify::new(counted.clone()).layer(ambient.protect(router())).boxed_clone()),
        ("a gate around a gate", authz.layer(ambient.protect(router())).boxed_clone()),
    ] {
        let answer = app.oneshot(request::<Body>("GET", "/admin", "Role admin")).await.unwrap();
        assert_eq!((answer.status().as_u16(), counted.take()), (200, 1), "{name}");
    }
}

/// A principal that was let in by one policy means under another what that one says.
#[tokio::test]
async fn a_principal_is_bound_to_the_gate_it_met_last() {
    let outer = layer(
        r#"{ "version": 1, "roles": { "boss": { "inherits": ["viewer"] }, "viewer": {} },
        "routes": { "ANY /{*path}": "viewer" } }"#,
    );
    let inner = AuthzLayer::builder(policy(
        r#"{ "version": 1, "roles": { "boss": {}, "viewer": {} },
        "routes": { "GET /boss": "boss", "GET /viewer": "viewer" } }"#,
    ));
    let inner = inner.authenticator(authn::principal_extension()).build().unwrap();
    let roles = |caller: Principal| async move { format!("{} {}", caller.has_role("boss"), caller.has_role("viewer")) };
    let to =
        serve(outer.layer(inner.protect(Router::new().route("/boss", get(roles)).route("/viewer", get(roles))))).await;
    let boss = Ask::get("/boss").header("authorization", "Role boss").send(to).await;
    assert_eq!((boss.status.as_u16(), boss.text()), (200, "true false"));
    assert_eq!(Ask::get("/viewer").header("authorization", "Role boss").send(to).await.status, 403);
}

/// Who authenticates again behind a gate still asks by its policy: inheritance counts, exclusive roles bind.
#[tokio::test]
async fn identity_alone_behind_a_gate_keeps_its_policy() {
    const ROLES: &str = r#"{ "version": 1, "roles": { "viewer": {}, "admin": { "inherits": ["viewer"] }, "auditor": {} },
        "exclusive_roles": [["admin", "auditor"]], "routes": { "ANY /{*path}": "public" } }"#;
    let router = Router::new()
        .route("/viewer", get(who).route_layer(Guard::role("viewer")))
        .route("/outsider", get(who).route_layer(Guard::none_of(["viewer"])))
        .route("/anyone", get(who).route_layer(Guard::authenticated()));
    let to = serve(layer(ROLES).protect(router.layer(Identify::new(caller)))).await;
    for (path, who, status) in [
        ("/viewer", "Role admin", 200),
        ("/outsider", "Role admin", 403),
        ("/anyone", "Role admin", 200),
        ("/anyone", "Role admin,auditor", 403),
        ("/anyone", "", 401),
    ] {
        assert_eq!(Ask::get(path).header("authorization", who).send(to).await.status, status, "{path} {who}");
    }
}

/// A principal that an application has kept since a gate let it in brings no policy along.
#[tokio::test]
async fn a_principal_that_was_kept_means_literally_what_it_says() {
    let kept = Arc::<Mutex<Option<Principal>>>::default();
    let keep = Arc::clone(&kept);
    let handler = move |caller: Principal| async move { *keep.lock().unwrap() = Some(caller) };
    let gated = layer(POLICY).protect(Router::new().route("/doc", get(handler)));
    assert_eq!(gated.oneshot(request::<Body>("GET", "/doc", "Role admin")).await.unwrap().status(), 200);
    let kept = kept.lock().unwrap().clone().unwrap();
    assert!(kept.has_role("viewer"));
    let app = Router::new().route("/", get(who).route_layer(Guard::role("viewer")));
    let to = serve(app.layer(Identify::new(move |_: Head<'_>| kept.clone()))).await;
    assert_eq!(Ask::get("/").send(to).await.status, 403);
}

#[test]
fn a_header_value_that_is_no_text_is_no_caller() {
    let mut request = request::<()>("GET", "/", "");
    request.headers_mut().insert("authorization", HeaderValue::from_bytes(b"\xff").unwrap());
    assert!(caller(Head::from(&request)).is_anonymous());
}

/// What a principal effectively has is remembered with it, and requests that follow are judged by what is remembered.
#[tokio::test]
async fn whoever_is_remembered_has_the_rights_that_were_found_and_no_others() {
    for declared in [4, 64, 65, 130, 500, 2_048, 2_100] {
        let roles: Vec<_> = (0..declared).map(|role| format!(r#""r{role}": {{}}"#)).collect();
        let routes: Vec<_> = (0..declared).map(|role| format!(r#""GET /r{role}": "r{role}""#)).collect();
        let text = format!(
            r#"{{ "version": 1, "roles": {{ {} }}, "routes": {{ {} }} }}"#,
            roles.join(", "),
            routes.join(", ")
        );
        let authenticator = authn::principal_extension();
        let authz = AuthzLayer::builder(policy(&text)).authenticator(authenticator).build().unwrap();
        let app = authz.layer(Router::new().fallback(|| async {}));
        let asked = [0, 1, 2, 3, 62, 63, 64, 65, 127, 128, 2_047, 2_048].map(|role| role % declared);
        for held in asked.map(Some).into_iter().chain([None]) {
            let ada = Principal::new("ada").roles(held.map(|role| format!("r{role}")));
            for time in ["first", "second"] {
                for role in asked {
                    let mut request = request::<Body>("GET", &format!("/r{role}"), "");
                    request.extensions_mut().insert(ada.clone());
                    let answer = app.clone().oneshot(request).await.unwrap();
                    let expected = if held == Some(role) { 200 } else { 403 };
                    assert_eq!(answer.status(), expected, "{held:?} of {declared} asks for {role}, the {time} time");
                }
            }
        }
    }
}

/// A policy may declare so many names that those of one grant, or of one exclusive set, are kept far apart.
#[tokio::test]
async fn the_names_of_one_grant_count_together_however_many_are_declared() {
    let roles: Vec<_> = (0..200).map(|role| format!(r#""r{role:03}": {{}}"#)).collect();
    let text = format!(
        r#"{{ "version": 1, "roles": {{ {} }}, "exclusive_roles": [["r002", "r066", "r132"]], "routes": {{
            "GET /all": {{ "all_of": ["r000", "r064", "r129"] }}, "GET /any": ["r001", "r065"] }} }}"#,
        roles.join(", ")
    );
    let to = serve(layer(&text).protect(Router::new().fallback(|| async {}))).await;
    for (path, held, status) in [
        ("/all", "r000", 403),
        ("/all", "r064", 403),
        ("/all", "r129", 403),
        ("/all", "r000,r064", 403),
        ("/all", "r000,r129", 403),
        ("/all", "r000,r065,r129", 403),
        ("/all", "r000,r064,r129", 200),
        ("/any", "r001", 200),
        ("/any", "r065", 200),
        ("/any", "r000,r064,r129", 403),
        ("/any", "r001,r002", 200),
        ("/any", "r001,r066,r130", 200),
        ("/any", "r001,r002,r066", 403),
        ("/any", "r001,r066,r132", 403),
    ] {
        let answer = Ask::get(path).header("authorization", &format!("Role {held}")).send(to).await;
        assert_eq!(answer.status, status, "{path} {held}");
    }
}

/// Scopes limit permissions alone, also where one is called like a role.
#[tokio::test]
async fn a_limit_takes_permissions_away_and_no_roles() {
    let limited = |head: Head<'_>| {
        let limit = head.headers().get("x-scope")?.to_str().ok()?;
        Some(
            Principal::new("ada").roles(["editor"]).limit_permissions(limit.split(' ').filter(|name| !name.is_empty())),
        )
    };
    let text = r#"{ "version": 1,
        "roles": { "editor": { "permissions": ["doc:read", "doc:write"] } },
        "routes": { "GET /editor": "editor", "GET /read": "doc:read", "GET /write": "doc:write" } }"#;
    let authz = AuthzLayer::builder(policy(text)).authenticator(limited).build().unwrap();
    let to = serve(authz.protect(Router::new().fallback(|| async {}))).await;
    for (scope, statuses) in [
        ("", [200, 403, 403]),
        ("doc:read", [200, 200, 403]),
        ("editor", [200, 403, 403]),
        ("editor doc:write", [200, 403, 200]),
        ("doc:read doc:write unknown", [200, 200, 200]),
    ] {
        for (path, status) in ["/editor", "/read", "/write"].into_iter().zip(statuses) {
            assert_eq!(Ask::get(path).header("x-scope", scope).send(to).await.status, status, "{path} `{scope}`");
        }
    }
}
