//! The work: routes, who may call them, and the requests that ask.

use std::{collections::HashSet, convert::Infallible, fmt::Write as _, net::Ipv4Addr, sync::LazyLock};

use axum::{Router, body::Body, response::Response, routing::get};
use http::{HeaderName, HeaderValue, Request, header};
use tower::Service;
use tower_authz::{Policy, Principal, authn::PeerAddr};

use crate::case::Case;

/// The rules of most policies.
pub const RULES: usize = 1_000;

/// The rule that nobody is asked for.
const PUBLIC: usize = 0;
/// The rule of a route that is to look as if it did not exist to those who may not.
const MASKED: usize = 1;

/// The pattern of a route, as axum, matchit and policies of ours spell it.
pub fn pattern(index: usize) -> String {
    format!("/route-{index}/{{id}}")
}

/// What a rule asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    Nothing,
    Admin,
    AdminMasked,
}

/// What the rule with this index asks for.
pub fn asks(index: usize) -> Asks {
    match index {
        PUBLIC => Asks::Nothing,
        MASKED => Asks::AdminMasked,
        _ => Asks::Admin,
    }
}

/// A path whose rule decides as the case wants it.
pub fn path(case: Case, rules: usize) -> String {
    let index = match case {
        Case::Public => PUBLIC,
        Case::Masked => MASKED,
        _ => rules / 2,
    };
    format!("/route-{index}/ada")
}

/// A policy of ours with so many rules and roles.
pub fn document(rules: usize, roles: usize) -> String {
    written(rules, roles, r#""admin""#)
}

/// The same, where rules have conditions.
pub fn document_with_conditions(rules: usize) -> String {
    let claims = r#"{ "sub": "{id}", "plan": ["free", "pro"] }"#;
    let grant = format!(
        r#"{{ "all_of": ["admin"], "none_of": ["viewer"], "claims": {claims}, "until": "2100-01-01T00:00:00Z" }}"#
    );
    written(rules, 4, &grant)
}

fn written(rules: usize, roles: usize, grant: &str) -> String {
    let mut text = r#"{ "version": 1, "roles": { "viewer": {}, "admin": {}"#.to_owned();
    for role in 2..roles {
        let _ = write!(text, r#", "role-{role}": {{}}"#);
    }
    text.push_str(" }, \"routes\": {");
    for index in 0..rules {
        let comma = if index == 0 { "" } else { "," };
        let _ = write!(text, "{comma}\n\"GET {}\": ", pattern(index));
        match asks(index) {
            Asks::Nothing => text.push_str(r#"{ "public": "probe" }"#),
            Asks::Admin => text.push_str(grant),
            Asks::AdminMasked => {
                let _ = write!(text, r#"{{ "allow": {grant}, "deny_as": "not_found" }}"#);
            }
        }
    }
    text.push_str("\n} }");
    text
}

/// A policy of ours.
pub fn policy(rules: usize, roles: usize) -> Policy {
    Policy::from_json_str(&document(rules, roles)).expect("the policy is sound")
}

/// An axum router with a handler for every route.
pub fn router() -> Router {
    (0..RULES).fold(Router::new(), |router, index| router.route(&pattern(index), get(async || ())))
}

/// The service in the middle, which answers at once.
pub async fn leaf(_: Request<Body>) -> Result<Response, Infallible> {
    Ok(Response::default())
}

/// What axum can serve.
pub trait AppService:
    Service<Request<Body>, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

impl<S> AppService for S where
    S: Service<Request<Body>, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

/// The identity of those who write the least that is possible: bits.
#[derive(Clone, Copy, Debug)]
pub struct Bits(pub u64);

impl Bits {
    pub const VIEWER: Self = Self(1);
    pub const ADMIN: Self = Self(2);
}

/// The identity as services have it: text.
#[derive(Clone, Debug)]
pub struct User {
    pub name: String,
    pub roles: HashSet<String>,
}

/// Who is calling, in the form of every contender.
#[derive(Clone, Debug)]
pub struct Known {
    pub principal: Principal,
    pub bits: Bits,
    pub user: User,
    pub token: HeaderValue,
}

impl Known {
    fn new(name: &str, role: &str, bits: Bits) -> Self {
        let bearer = format!("Bearer {}", crate::token::signed(name, role));
        Self {
            principal: Principal::new(name).roles([role]).claim("plan", "pro"),
            bits,
            user: User { name: name.to_owned(), roles: HashSet::from([role.to_owned()]) },
            token: HeaderValue::try_from(bearer).expect("tokens are visible ASCII"),
        }
    }
}

/// Those who call. Every thread has its own, as every thread serves other people.
#[derive(Debug)]
pub struct Callers {
    pub admin: Known,
    pub viewer: Known,
}

impl Callers {
    pub fn new() -> Self {
        Self { admin: Known::new("ada", "admin", Bits::ADMIN), viewer: Known::new("vera", "viewer", Bits::VIEWER) }
    }

    /// Who calls in this case, if that is known.
    pub fn of(&self, case: Case) -> Option<&Known> {
        match case {
            Case::Allowed => Some(&self.admin),
            Case::Public | Case::Anonymous => None,
            Case::Forbidden | Case::Masked => Some(&self.viewer),
        }
    }
}

static USER: HeaderName = HeaderName::from_static("x-auth-user");
static ROLES: HeaderName = HeaderName::from_static("x-auth-roles");

/// The headers of an ordinary request by way of a proxy.
static HEADERS: LazyLock<[(HeaderName, HeaderValue); 5]> = LazyLock::new(|| {
    [
        (header::HOST, HeaderValue::from_static("api.example")),
        (header::ACCEPT, HeaderValue::from_static("application/json")),
        (header::USER_AGENT, HeaderValue::from_static("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101")),
        (header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, deflate, br, zstd")),
        (HeaderName::from_static("x-request-id"), HeaderValue::from_static("6f1c2f7e-1d52-4b7e-9b4e-0c9f5a3b1d2e")),
    ]
});

/// A request without identity.
pub fn bare<B: Default>(case: Case, rules: usize) -> Request<B> {
    let mut request = Request::get(path(case, rules)).body(B::default()).expect("paths are sound");
    request.headers_mut().extend(HEADERS.iter().cloned());
    request
}

/// A request with the identity in the extensions, in everybody's form, so that all carry the same.
pub fn with_extensions(callers: &mut Callers, case: Case) -> Option<Request<Body>> {
    let mut request = bare(case, RULES);
    if let Some(known) = callers.of(case) {
        request.extensions_mut().insert(known.bits);
        request.extensions_mut().insert(known.user.clone());
        request.extensions_mut().insert(known.principal.clone());
    }
    Some(request)
}

/// A request with the identity in headers that a proxy sets, and in the extensions.
pub fn with_headers(callers: &mut Callers, case: Case, rules: usize) -> Request<Body> {
    let mut request = bare(case, rules);
    request.extensions_mut().insert(PeerAddr((Ipv4Addr::new(10, 0, 0, 2), 40_000).into()));
    if let Some(known) = callers.of(case) {
        request.extensions_mut().insert(known.bits);
        request.extensions_mut().insert(known.principal.clone());
        let role = if known.bits.0 == Bits::ADMIN.0 { "admin" } else { "viewer" };
        let name = HeaderValue::from_str(&known.user.name).expect("names are visible ASCII");
        request.headers_mut().insert(USER.clone(), name);
        request.headers_mut().insert(ROLES.clone(), HeaderValue::from_static(role));
    }
    request
}

/// A request with a bearer token, if anybody is known.
pub fn with_token<B: Default>(callers: &mut Callers, case: Case) -> Option<Request<B>> {
    let mut request = bare(case, RULES);
    if let Some(known) = callers.of(case) {
        request.headers_mut().insert(header::AUTHORIZATION, known.token.clone());
    }
    Some(request)
}
