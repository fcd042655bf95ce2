//! Invariant 6: no path, header or document panics, and none gets through where nobody may.

use http::{HeaderName, HeaderValue, Method, Request, Uri};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::Value;
use tower_authz::{
    AuthzLayer, Policy, Principal,
    authn::{Client, PeerAddr, Separator, TrustedHeaders},
    respond::Responder,
};

use super::{
    arbitrary,
    gate::{self, ask, gate, http_request},
    naive,
    property::holds,
};

/// Whatever a server might take for a path.
fn paths() -> impl Strategy<Value = String> {
    let pieces = select(
        &[
            "/", "//", "%2F", "%2f", "%5C", "%00", ".", "..", "%2e", ";", "%3B", "%3F", "%23", "%25", "%", "%zz", "a",
            "b", "%61", "\u{e9}", "%C3%A9", "%C0%AF", "%FF", "~", "{x}", ":", "*",
        ][..],
    );
    let spliced = vec(pieces, 0..12).prop_map(|pieces| format!("/{}", pieces.concat()));
    let any = vec(any::<u8>(), 0..40).prop_map(|bytes| {
        let text: String = bytes
            .iter()
            .map(|byte| if byte.is_ascii_graphic() { char::from(*byte).to_string() } else { format!("%{byte:02X}") })
            .collect();
        format!("/{text}")
    });
    prop_oneof![4 => spliced, 2 => any, 1 => "\\PC{0,30}"]
}

fn uri(path: &str) -> Option<Uri> {
    Uri::builder().path_and_query(path).build().ok().or_else(|| path.parse().ok())
}

fn methods() -> impl Strategy<Value = Method> {
    "[A-Za-z!#$%&'*+.^_`|~-]{1,12}".prop_map(|name| Method::from_bytes(name.as_bytes()).unwrap())
}

/// Headers that somebody reads, with whatever a header can hold.
fn headers() -> impl Strategy<Value = Vec<(HeaderName, HeaderValue)>> {
    let name = select(
        &[
            "accept",
            "content-type",
            "authorization",
            "cookie",
            "x-forwarded-for",
            "forwarded",
            "x-user",
            "x-roles",
            "hx-request",
            "hx-current-url",
            "sec-fetch-mode",
            "x-request-id",
            "origin",
            "access-control-request-method",
            "host",
            "te",
        ][..],
    );
    let value = prop_oneof![
        vec(any::<u8>(), 0..40),
        "[a-z/*;,=. \"\\\\]{0,40}".prop_map(String::into_bytes),
        select(&["text/html;q=0.5,*/*;q=2", "for=\"[::1]:80\", for=_x", "true", "1.1.1.1,,", "GET"][..])
            .prop_map(|text| text.as_bytes().to_vec()),
    ];
    let header = (name, value).prop_filter_map("no header can hold it", |(name, value)| {
        Some((HeaderName::from_static(name), HeaderValue::from_bytes(&value).ok()?))
    });
    vec(header, 0..6)
}

/// A valid document, and its text after some damage.
pub(super) fn spliced() -> impl Strategy<Value = (Value, String)> {
    let splice = (any::<prop::sample::Index>(), 0..6_usize, "[{}\\[\\]\",:a-z*/ \\\\]{0,4}|\\PC");
    (arbitrary::policies(), vec(splice, 1..4)).prop_map(|(document, splices)| {
        let mut text: Vec<char> = document.to_string().chars().collect();
        for (at, length, new) in splices {
            let at = at.index(text.len() + 1);
            text.splice(at..text.len().min(at + length), new.chars());
        }
        (document, text.into_iter().collect())
    })
}

#[test]
fn whatever_comes_is_answered_and_nothing_passes_a_policy_of_nobody() {
    holds("invariant 6, requests", 512, &(paths(), methods(), headers()), |(path, method, headers)| {
        let policy = r#"{ "version": 1, "routes": {
            "ANY /": "nobody", "ANY /{*rest}": "nobody", "GET /a/": { "any_of": ["r"], "networks": ["10.0.0.0/8"] }
        }, "roles": { "r": {} } }"#;
        let proxies = TrustedHeaders::from_proxies(["10.0.0.0/8"]).subject("x-user").roles("x-roles", Separator::Comma);
        let layer = AuthzLayer::builder(Policy::from_json_str(policy).unwrap())
            .authenticator(proxies.build().unwrap())
            .client(Client::forwarded(["10.0.0.0/8"]).unwrap())
            .responder(Responder::new().login_redirect("/login"))
            .build()
            .unwrap();
        let Some(uri) = uri(&path) else { return Ok(0) };
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .extension(PeerAddr(([10, 0, 0, 1], 80).into()))
            .body(())
            .unwrap();
        request.headers_mut().extend(headers.into_iter().map(|(name, value)| (Some(name), value)));
        let answer = ask(&layer, request);
        prop_assert!(!answer.is_forwarded());
        prop_assert!([200, 303, 400, 401, 403, 404, 405, 503].contains(&answer.status.as_u16()), "{answer:?}");
        Ok(1)
    });
}

#[test]
fn whatever_path_comes_is_read_as_the_page_says() {
    holds("invariant 6, paths", 512, &(arbitrary::sieges(), vec(paths(), 8)), |((document, siege), paths)| {
        let (policy, mut asked) = (gate::load(&document), 0);
        for ((request, options), path) in siege.into_iter().zip(paths) {
            let request = naive::Request { path, original_path: None, ..gate::outside_of_routers(request) };
            let Some(sent) = http_request(&request) else { continue };
            let (layer, denials) = gate(&policy, &request, options);
            let answer = ask(&layer, sent);
            let expected = naive::decide(&document, &request, options);
            let reason = denials.lock().unwrap().first().map(|(reason, _)| *reason);
            prop_assert_eq!((answer.status.as_u16(), reason), (expected.status, expected.reason), "{:?}", request);
            asked += 1;
        }
        Ok(asked)
    });
}

#[test]
fn whatever_stands_in_a_document_is_loaded_or_refused() {
    holds("invariant 6, documents", 512, &spliced(), |(_, text)| {
        if let Err(error) = Policy::from_json_str(&text) {
            prop_assert!(!error.to_string().is_empty());
            prop_assert_ne!(error.diagnostics().len(), 0, "{}", text);
        }
        Ok(1)
    });
}

#[test]
fn a_principal_of_nothing_but_strange_names_is_nobody_in_particular() {
    let policy = r#"{ "version": 1, "roles": { "r": {} }, "routes": { "GET /": "r", "GET /me": "authenticated" } }"#;
    let layer = AuthzLayer::builder(Policy::from_json_str(policy).unwrap())
        .authenticator(tower_authz::authn::principal_extension())
        .build()
        .unwrap();
    for name in ["", " ", "*", " r", "r ", "R", "\u{440}", "r\0", "admin", "public", "nobody", "authenticated"] {
        for (path, forwarded) in [("/", false), ("/me", true)] {
            let principal = Principal::new(name).roles([name]).permissions([name]).claim("roles", name);
            let answer = ask(&layer, Request::get(path).extension(principal).body(()).unwrap());
            assert_eq!(answer.is_forwarded(), forwarded, "{name:?} {path}");
        }
    }
}
