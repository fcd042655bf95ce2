use http::{HeaderValue, Request};
use tower_authz::{
    Authenticator, CredentialErrorKind, Identity,
    authn::{Separator, TrustedHeaders},
};

use super::{identify, outcome, rejected, request_from};

const PROXY: &str = "10.0.0.2:40000";

fn authenticator() -> TrustedHeaders {
    TrustedHeaders::from_proxies(["10.0.0.0/8", "2001:db8::7"])
        .subject("X-Auth-User")
        .roles("x-auth-roles", Separator::Comma)
        .permissions("x-auth-scopes", Separator::Space)
        .build()
        .unwrap()
}

fn request(headers: &[(&str, &[u8])]) -> Request<()> {
    let add = |builder: http::request::Builder, (name, value): &(&str, &[u8])| {
        builder.header(*name, HeaderValue::from_bytes(value).unwrap())
    };
    headers.iter().fold(request_from(PROXY), add).body(()).unwrap()
}

#[tokio::test]
async fn only_connections_from_the_listed_networks_are_believed() {
    let cases = [
        (PROXY, "ada"),
        ("[::ffff:10.0.0.2]:40000", "ada"),
        ("[2001:db8::7]:40000", "ada"),
        ("[2001:db8::8]:40000", "anonymous"),
        ("203.0.113.7:40000", "anonymous"),
        ("[::ffff:203.0.113.7]:40000", "anonymous"),
    ];
    for (peer, expected) in cases {
        let request = request_from(peer).header("x-auth-user", "ada").header("x-auth-roles", "admin").body(()).unwrap();
        assert_eq!(outcome(&identify(&authenticator(), &request).await), expected, "{peer}");
    }
}

#[tokio::test]
async fn a_missing_peer_address_is_a_failure_that_names_the_fix() {
    let request = Request::get("/").header("x-auth-user", "ada").body(()).unwrap();
    let identity = identify(&authenticator(), &request).await;
    let Identity::Failed(failure) = identity else { panic!("{identity:?}") };
    assert!(failure.detail().contains("into_make_service_with_connect_info"), "{failure}");
}

#[cfg(feature = "axum")]
#[tokio::test]
async fn the_peer_address_of_axum_is_read() {
    use std::net::SocketAddr;

    use axum::extract::{ConnectInfo, connect_info::MockConnectInfo};

    let peer: SocketAddr = PROXY.parse().unwrap();
    let builder = || Request::get("/").header("x-auth-user", "ada");
    for request in [builder().extension(ConnectInfo(peer)), builder().extension(MockConnectInfo(peer))] {
        assert_eq!(outcome(&identify(&authenticator(), &request.body(()).unwrap()).await), "ada");
    }
}

#[tokio::test]
async fn the_subject_is_read_as_it_stands_or_not_at_all() {
    let malformed = rejected(CredentialErrorKind::Malformed);
    let cases: &[(&[u8], &str)] = &[
        (b"ada", "ada"),
        (b"CN=Ada Lovelace,O=Acme", "CN=Ada Lovelace,O=Acme"),
        (b"", "anonymous"),
        (b" ada", &malformed),
        (b"ada ", &malformed),
        (b" ", &malformed),
        (b"a\tda", &malformed),
        ("ad\u{e4}".as_bytes(), &malformed),
        (b"\xff", &malformed),
    ];
    for (value, expected) in cases {
        let found = identify(&authenticator(), &request(&[("x-auth-user", value)])).await;
        assert_eq!(outcome(&found), *expected, "{value:?}");
    }
    let roles_alone = request(&[("x-auth-roles", b"admin")]);
    assert_eq!(outcome(&identify(&authenticator(), &roles_alone).await), "anonymous");
}

#[tokio::test]
async fn headers_that_might_be_the_clients_are_ambiguous() {
    let cases: &[&[(&str, &[u8])]] = &[
        &[("x-auth-user", b"ada"), ("x-auth-user", b"ada")],
        &[("x-auth-user", b"ada"), ("x_auth_user", b"bob")],
        &[("x_auth_user", b"ada")],
        &[("x-auth-user", b"ada"), ("x-auth_user", b"")],
        &[("x-auth-user", b"ada"), ("x.auth.user", b"bob")],
        &[("x-auth-user", b"ada"), ("connection", b"close, X-Auth-User")],
        &[("x-auth-user", b"ada"), ("connection", b"close"), ("connection", b"x_auth_roles")],
        &[("connection", b"x-auth-user")],
        &[("x-auth-user", b"ada"), ("x-auth-roles", b"viewer"), ("x-auth-roles", b"admin")],
        &[("x-auth-user", b"ada"), ("x-auth-roles", b"viewer"), ("x_auth_roles", b"admin")],
        &[("x-auth-user", b"ada"), ("x_auth_scopes", b"a")],
    ];
    for headers in cases {
        let found = identify(&authenticator(), &request(headers)).await;
        assert_eq!(outcome(&found), rejected(CredentialErrorKind::Ambiguous), "{headers:?}");
    }
    let other = request(&[("x-auth-user", b"ada"), ("x-auth-users", b"bob"), ("connection", b"keep-alive")]);
    assert_eq!(outcome(&identify(&authenticator(), &other).await), "ada");
}

#[tokio::test]
async fn role_headers_give_roles_and_scope_headers_permissions() {
    let headers: &[(&str, &[u8])] = &[
        ("x-auth-user", b"ada"),
        ("x-auth-roles", b" editor ,,Billing Admin,"),
        ("x-auth-scopes", b"invoice:read  invoice:write "),
    ];
    let identity = identify(&authenticator(), &request(headers)).await;
    let principal = identity.principal().unwrap();
    assert_eq!(principal.role_names().collect::<Vec<_>>(), ["editor", "Billing Admin"]);
    assert_eq!(principal.permission_names().collect::<Vec<_>>(), ["invoice:read", "invoice:write"]);
    assert_eq!(principal.malformed_sources().count(), 0);
}

#[tokio::test]
async fn a_list_that_cannot_be_read_is_a_malformed_source() {
    let headers: &[(&str, &[u8])] =
        &[("x-auth-user", b"ada"), ("x-auth-roles", b"admin,\xff"), ("x-auth-scopes", b"a")];
    let identity = identify(&authenticator(), &request(headers)).await;
    let principal = identity.principal().unwrap();
    assert_eq!(principal.role_names().count(), 0);
    assert_eq!(principal.malformed_sources().collect::<Vec<_>>(), ["x-auth-roles"]);
    assert!(principal.has_permission("a"));
}

#[test]
fn every_header_it_reads_is_consumed() {
    assert_eq!(authenticator().consumed_headers(), ["x-auth-user", "x-auth-roles", "x-auth-scopes"]);
    assert!(authenticator().challenges().is_empty());
}
