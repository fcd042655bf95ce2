//! Services of every shape that hold something behind `/admin` and `/admin/key`, and the ways to attach a layer to them.

use std::{convert::Infallible, fs, path::PathBuf};

use axum::{
    Router,
    body::Body,
    extract::Path,
    response::{IntoResponse, Response},
    routing::any,
};
use http::{Request, StatusCode, Uri};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use tower::{Layer, ServiceExt, service_fn, util::BoxCloneSyncService};
use tower_authz::{AuthzLayer, Head, Policy, Principal};
use tower_http::{normalize_path::NormalizePath, services::ServeDir};

use super::{
    Answer,
    readers::{
        backslashes, c_string, decode, decode_to_the_end, dots, many_dots, merge, overlong, parameterless, queryless,
        trim, uncontrolled,
    },
};

/// What nobody may see who is not an admin.
pub(crate) const SECRET: &str = "PROTECTED";

pub(crate) type Served = BoxCloneSyncService<Request<Body>, Response, Infallible>;

/// Believes the header `authorization: Role NAME`.
pub(crate) fn by_header(head: Head<'_>) -> Option<Principal> {
    let role = head.headers().get("authorization")?.to_str().ok()?.strip_prefix("Role ")?;
    Some(Principal::new("ada").roles([role]))
}

pub(crate) fn layer(policy: &str) -> AuthzLayer {
    let policy = Policy::from_json_str(policy).unwrap_or_else(|error| panic!("{error}"));
    AuthzLayer::builder(policy).authenticator(by_header).build().unwrap_or_else(|error| panic!("{error}"))
}

/// Policies that all keep everybody but admins from `/admin` and `/admin/key`, the more open elsewhere the worse.
pub(crate) const POLICIES: &[(&str, &str)] = &[
    (
        "only what is listed",
        r#"{ "version": 1, "roles": { "admin": {}, "viewer": {} }, "routes": {
            "ANY /open/{*rest}": "public", "ANY /admin": "admin", "ANY /admin/{*rest}": "admin" } }"#,
    ),
    (
        "everything but an exception",
        r#"{ "version": 1, "roles": { "admin": {}, "viewer": {} }, "routes": {
            "ANY /": "public", "ANY /{*rest}": "public", "ANY /admin": "admin", "ANY /admin/key": "admin" } }"#,
    ),
    (
        "any segments but an exception",
        r#"{ "version": 1, "roles": { "admin": {}, "viewer": {} }, "routes": {
            "ANY /{a}": "public", "ANY /{a}/{b}": "public", "ANY /{a}/{b}/{c}": "public", "ANY /{a}/{b}/{c}/{*d}": "public",
            "ANY /admin": "admin", "ANY /admin/key": "admin" } }"#,
    ),
    (
        "everything that is not listed",
        r#"{ "version": 1, "roles": { "admin": {}, "viewer": {} }, "unlisted": "public", "routes": {
            "ANY /admin": "admin", "ANY /admin/key": "admin" } }"#,
    ),
    (
        "everything but an exception with a slash at its end",
        r#"{ "version": 1, "roles": { "admin": {}, "viewer": {} }, "routes": {
            "ANY /{*rest}": "public", "ANY /admin/": "admin", "ANY /admin/key/": "admin",
            "ANY /admin": "admin", "ANY /admin/key": "admin" } }"#,
    ),
];

/// Whether an answer comes from what nobody may reach who is not an admin.
pub(crate) fn reached(answer: &Answer) -> bool {
    answer.holds(SECRET) || answer.header("x-reached").is_some()
}

async fn secret() -> Response {
    ([("x-reached", "yes")], SECRET).into_response()
}

async fn open() -> &'static str {
    "open"
}

fn judge(path: &str) -> Response {
    let is_secret = path == "/admin" || path == "/admin/key";
    if is_secret { SECRET.into_response() } else { "open".into_response() }
}

/// A service and how many of the confusing targets it is known to be deceived by, at least.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) app: fn() -> Router,
    pub(crate) deceived: usize,
}

pub(crate) const SHAPES: &[Shape] = &[
    Shape { name: "routes", app: routes, deceived: 13 },
    Shape { name: "parameters", app: parameters, deceived: 22 },
    Shape { name: "wildcard", app: wildcard, deceived: 22 },
    Shape { name: "nest", app: nest, deceived: 13 },
    Shape { name: "nest_service with files", app: nested_files, deceived: 14 },
    Shape { name: "fallback_service with files", app: files, deceived: 23 },
    Shape { name: "fallback that dispatches in process", app: dispatching, deceived: 13 },
    Shape { name: "normalizing inside", app: normalizing, deceived: 20 },
    Shape { name: "proxy that decodes", app: || proxy(&[decode]), deceived: 22 },
    Shape { name: "proxy that decodes twice", app: || proxy(&[decode, decode]), deceived: 29 },
    Shape { name: "proxy that decodes to the end", app: || proxy(&[decode_to_the_end]), deceived: 34 },
    Shape { name: "proxy that merges slashes", app: || proxy(&[merge]), deceived: 14 },
    Shape { name: "proxy that decodes and merges", app: || proxy(&[decode, merge, trim]), deceived: 39 },
    Shape { name: "proxy that drops parameters", app: || proxy(&[parameterless]), deceived: 21 },
    Shape {
        name: "proxy that drops parameters and decodes",
        app: || proxy(&[parameterless, decode, dots]),
        deceived: 53,
    },
    Shape {
        name: "proxy that decodes and drops parameters",
        app: || proxy(&[decode, parameterless, dots]),
        deceived: 56,
    },
    Shape {
        name: "proxy that drops, decodes, drops, merges",
        app: || proxy(&[parameterless, decode, parameterless, merge, trim]),
        deceived: 58,
    },
    Shape { name: "proxy that resolves dot segments", app: || proxy(&[dots]), deceived: 24 },
    Shape { name: "proxy that decodes and resolves", app: || proxy(&[decode, dots]), deceived: 40 },
    Shape {
        name: "proxy that decodes and takes many dots for one",
        app: || proxy(&[decode, many_dots, dots]),
        deceived: 45,
    },
    Shape {
        name: "proxy that resolves and decodes and resolves",
        app: || proxy(&[dots, decode_to_the_end, dots]),
        deceived: 56,
    },
    Shape {
        name: "proxy that turns backslashes",
        app: || proxy(&[backslashes, decode, backslashes, dots]),
        deceived: 46,
    },
    Shape { name: "proxy that reads C strings", app: || proxy(&[decode, c_string]), deceived: 26 },
    Shape { name: "proxy that drops control characters", app: || proxy(&[decode, uncontrolled]), deceived: 33 },
    Shape { name: "proxy that decodes before the query", app: || proxy(&[decode, queryless]), deceived: 31 },
    Shape {
        name: "proxy that decodes twice before the query",
        app: || proxy(&[decode, decode, queryless, trim]),
        deceived: 50,
    },
    Shape { name: "proxy that reads overlong UTF-8", app: || proxy(&[overlong, decode, dots]), deceived: 47 },
    Shape { name: "proxy that trims", app: || proxy(&[trim]), deceived: 19 },
    Shape {
        name: "proxy that does it all",
        app: || proxy(&[backslashes, decode_to_the_end, backslashes, parameterless, queryless, dots, merge, trim]),
        deceived: 126,
    },
];

pub(crate) fn routes() -> Router {
    Router::new().route("/admin", any(secret)).route("/admin/key", any(secret)).fallback(open)
}

fn parameters() -> Router {
    let one = |Path(area): Path<String>| async move { judge(&format!("/{area}")) };
    let two = |Path((area, item)): Path<(String, String)>| async move { judge(&format!("/{area}/{item}")) };
    Router::new().route("/{area}", any(one)).route("/{area}/{item}", any(two)).fallback(open)
}

fn wildcard() -> Router {
    Router::new().route("/{*path}", any(|Path(path): Path<String>| async move { judge(&format!("/{path}")) }))
}

fn nest() -> Router {
    let inner = Router::new().route("/", any(secret)).route("/key", any(secret)).fallback(open);
    Router::new().nest("/admin", inner).fallback(open)
}

fn nested_files() -> Router {
    Router::new().nest_service("/admin", ServeDir::new(folder().join("admin"))).fallback(open)
}

fn files() -> Router {
    Router::new().fallback_service(ServeDir::new(folder()))
}

/// A folder with `admin/key` and `open/x`.
pub(crate) fn folder() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("files");
    for (name, text) in [("admin/key", SECRET), ("open/x", "open")] {
        let file = folder.join(name);
        if !file.exists() {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
    }
    folder
}

fn dispatching() -> Router {
    Router::new().fallback(|request: Request<Body>| routes().oneshot(request))
}

fn normalizing() -> Router {
    Router::new().fallback_service(NormalizePath::trim_trailing_slash(routes()))
}

/// A service that reads the path in its own way, as upstreams in other languages do.
fn proxy(steps: &'static [fn(&str) -> String]) -> Router {
    Router::new().fallback(move |uri: Uri| async move {
        let path = steps.iter().fold(uri.path().to_owned(), |path, step| step(&path));
        judge(&path)
    })
}

/// A way to put a layer, or nothing, between a client and a service.
pub(crate) struct Form {
    pub(crate) name: &'static str,
    /// What stands before every path outside, and in the policy.
    pub(crate) prefix: &'static str,
    pub(crate) attach: fn(Router, Option<AuthzLayer>) -> Served,
}

pub(crate) const FORMS: &[Form] = &[
    Form { name: "protect", prefix: "", attach: protect },
    Form { name: "around", prefix: "", attach: around },
    Form { name: "inside", prefix: "", attach: inside },
    Form { name: "any body", prefix: "", attach: any_body },
    Form { name: "behind a router", prefix: "", attach: behind_a_router },
    Form { name: "behind a nest", prefix: "/outer", attach: behind_a_nest },
    Form { name: "protect, behind NormalizePath", prefix: "", attach: behind_normalizing },
    Form { name: "around, behind a decoder", prefix: "", attach: behind_a_decoder },
    Form { name: "inside, behind a decoder", prefix: "", attach: inside_behind_a_decoder },
    Form { name: "behind a router and a decoder", prefix: "", attach: behind_a_router_and_a_decoder },
];

impl Form {
    /// A target as a client outside must send it.
    pub(crate) fn target(&self, target: &[u8]) -> Vec<u8> {
        let host: &[u8] = b"http://example";
        match target.strip_prefix(host) {
            Some(path) => [host, self.prefix.as_bytes(), path].concat(),
            None if target.starts_with(b"/") => [self.prefix.as_bytes(), target].concat(),
            None => target.to_vec(),
        }
    }

    /// The layer that enforces `policy`, whose keys say the paths without the prefix.
    pub(crate) fn layer(&self, policy: &str) -> AuthzLayer {
        layer(&policy.replace("ANY /", &format!("ANY {}/", self.prefix)))
    }
}

fn protect(app: Router, layer: Option<AuthzLayer>) -> Served {
    match layer {
        Some(layer) => Served::new(layer.protect(app)),
        None => Served::new(app),
    }
}

fn around(app: Router, layer: Option<AuthzLayer>) -> Served {
    match layer {
        Some(layer) => Served::new(layer.layer(app)),
        None => Served::new(app),
    }
}

fn inside(app: Router, layer: Option<AuthzLayer>) -> Served {
    Served::new(match layer {
        Some(layer) => app.layer(layer),
        None => app,
    })
}

fn any_body(app: Router, layer: Option<AuthzLayer>) -> Served {
    match layer {
        Some(layer) => Served::new(
            layer
                .any_body()
                .layer(Served::new(app))
                .map_response(|response: http::Response<_>| response.map(Body::new)),
        ),
        None => Served::new(app),
    }
}

fn behind_a_router(app: Router, layer: Option<AuthzLayer>) -> Served {
    Served::new(Router::new().route("/elsewhere", any(open)).fallback_service(around(app, layer)))
}

/// The prefix is stripped before the layer sees the path; the client's path is put behind it outside.
fn behind_a_nest(app: Router, layer: Option<AuthzLayer>) -> Served {
    Served::new(Router::new().nest("/outer", Router::new().fallback_service(around(app, layer))).fallback(open))
}

fn behind_normalizing(app: Router, layer: Option<AuthzLayer>) -> Served {
    Served::new(NormalizePath::trim_trailing_slash(protect(app, layer)))
}

fn behind_a_decoder(app: Router, layer: Option<AuthzLayer>) -> Served {
    Served::new(around(app, layer).map_request(decoded))
}

fn inside_behind_a_decoder(app: Router, layer: Option<AuthzLayer>) -> Served {
    Served::new(inside(app, layer).map_request(decoded))
}

fn behind_a_router_and_a_decoder(app: Router, layer: Option<AuthzLayer>) -> Served {
    Served::new(Router::new().fallback_service(behind_a_decoder(app, layer)))
}

/// Rewrites the path to what it says when decoded once, as far as a URI can say it.
fn decoded(mut request: Request<Body>) -> Request<Body> {
    const UNSAFE: &AsciiSet = &CONTROLS.add(b' ').add(b'?').add(b'#').add(b'"').add(b'<').add(b'>');
    let path = utf8_percent_encode(&decode(request.uri().path()), UNSAFE).to_string();
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    if let Ok(uri) = format!("{path}{query}").parse::<Uri>()
        && uri.path() == path
    {
        *request.uri_mut() = uri;
    }
    request
}

/// A service without axum that answers what it is told.
pub(crate) fn constant(text: &'static str) -> Served {
    Served::new(service_fn(move |_: Request<Body>| async move { Ok((StatusCode::OK, text).into_response()) }))
}
