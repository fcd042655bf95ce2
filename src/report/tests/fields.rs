use http::{Method, Request, StatusCode};

use super::{GET, capture, denial, rule};
use crate::{
    decision::{Denial, Reason},
    principal::Principal,
    report::{Event, EventKind, Mode, Reporter, TracingReporter, preflight},
    target::Head,
};

fn assert_fields(event: &Event<'_>, expected: &[(&str, &str)]) {
    let captured = capture(event);
    assert_eq!(captured.target, "tower_authz");
    let fields: Vec<_> = captured.fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(fields, expected);
}

#[test]
fn a_denial_tells_everything_that_is_known() {
    let ada = Principal::new("ada").roles(["viewer", "intern"]).claim("secret", "claim");
    let denial = Denial {
        missing: Some(["admin".into(), "user:delete".into()].into()),
        ..denial(Reason::InsufficientRole).detail("not on call").masked()
    };
    let event = Event::denied(&denial, &Method::DELETE, "/users/7")
        .with_principal(Some(&ada))
        .with_client(Some([192, 0, 2, 1].into()))
        .with_request_id(Some("01J-7"))
        .with_revision("5f3a")
        .with_hint(Some("look here"));
    assert_fields(
        &event,
        &[
            ("message", "access denied"),
            ("event.name", "str authz.denied"),
            ("authz.reason", "str insufficient-role"),
            ("authz.detail", "str not on call"),
            ("authz.rule", "str delete users"),
            ("authz.required", "str admin"),
            ("authz.missing", "str admin, user:delete"),
            ("authz.mode", "str enforce"),
            ("authz.policy.revision", "str 5f3a"),
            ("authz.hint", "str look here"),
            ("http.request.method", "str DELETE"),
            ("http.route", "str /users/{id}"),
            ("url.path", "str /users/7"),
            ("http.response.status_code", "u64 404"),
            ("authz.status.unmasked", "u64 403"),
            ("user.id", "str ada"),
            ("user.roles", "str viewer, intern"),
            ("client.address", "192.0.2.1"),
            ("http.request.id", "str 01J-7"),
        ],
    );
}

#[test]
fn what_is_not_known_is_no_field() {
    let denial = Denial::new(Reason::NotListed);
    assert_fields(
        &Event::denied(&denial, &GET, "/x"),
        &[
            ("message", "access denied"),
            ("event.name", "str authz.denied"),
            ("authz.reason", "str not-listed"),
            ("authz.mode", "str enforce"),
            ("authz.policy.revision", "str "),
            ("http.request.method", "str GET"),
            ("url.path", "str /x"),
            ("http.response.status_code", "u64 404"),
            ("authz.status.unmasked", "u64 404"),
        ],
    );
}

#[test]
fn the_status_is_that_which_was_sent() {
    let denial = Denial::new(Reason::NoCredentials);
    let captured = capture(&Event::denied(&denial, &GET, "/x").with_status(StatusCode::SEE_OTHER));
    assert_eq!(captured.get("http.response.status_code"), Some("u64 303"));
    assert_eq!(captured.get("authz.status.unmasked"), Some("u64 401"));
}

#[test]
fn a_denial_that_is_only_reported_says_so_and_claims_no_status() {
    let denial = denial(Reason::InsufficientRole);
    let captured = capture(&Event::denied(&denial, &GET, "/x").report_only());
    assert_eq!(captured.get("authz.mode"), Some("str report-only"));
    assert_eq!(captured.get("http.response.status_code"), None);
    assert_eq!(captured.get("authz.status.unmasked"), Some("u64 403"));
}

#[test]
fn an_allowed_request_tells_by_which_rule() {
    let (ada, rule) = (Principal::new("ada"), rule());
    let event = Event::allowed(Some(&rule), &GET, "/users/7").with_principal(Some(&ada)).with_revision("5f3a");
    assert_fields(
        &event,
        &[
            ("message", "access allowed"),
            ("event.name", "str authz.allowed"),
            ("authz.rule", "str delete users"),
            ("authz.required", "str admin"),
            ("authz.mode", "str enforce"),
            ("authz.policy.revision", "str 5f3a"),
            ("http.request.method", "str GET"),
            ("http.route", "str /users/{id}"),
            ("url.path", "str /users/7"),
            ("user.id", "str ada"),
            ("user.roles", "str "),
        ],
    );
}

#[test]
fn a_shadow_difference_tells_what_the_candidates_say() {
    let (rule, denial) = (rule(), denial(Reason::InsufficientRole));
    for (denial, candidate, reason) in
        [(Some(&denial), "str deny", Some("str insufficient-role")), (None, "str allow", None)]
    {
        let captured = capture(&Event::shadow_differs(Some(&rule), denial, &GET, "/x"));
        assert_eq!(captured.get("message"), Some("shadow grants decide differently"));
        assert_eq!(captured.get("event.name"), Some("str authz.shadow_differs"));
        assert_eq!(captured.get("authz.mode"), Some("str shadow"));
        assert_eq!(captured.get("authz.candidate"), Some(candidate));
        assert_eq!(captured.get("authz.reason"), reason);
        assert_eq!(captured.get("http.response.status_code"), None);
    }
}

#[test]
fn invented_methods_are_one() {
    let denial = Denial::new(Reason::MethodNotListed);
    for (method, expected) in
        [("PATCH", "str PATCH"), ("TRACE", "str TRACE"), ("get", "str _OTHER"), ("X", "str _OTHER")]
    {
        let method = method.parse().unwrap();
        assert_eq!(capture(&Event::denied(&denial, &method, "/x")).get("http.request.method"), Some(expected));
    }
}

#[test]
fn a_denied_preflight_is_hinted_at() {
    let table: [(&str, &[&str], bool); 5] = [
        ("OPTIONS", &["origin", "access-control-request-method"], true),
        ("OPTIONS", &["origin"], false),
        ("OPTIONS", &["access-control-request-method"], false),
        ("GET", &["origin", "access-control-request-method"], false),
        ("OPTIONS", &[], false),
    ];
    for (method, headers, hinted) in table {
        let mut request = Request::builder().method(method);
        for name in headers {
            request = request.header(*name, "x");
        }
        let hint = preflight(Head::from(&request.body(()).unwrap()));
        assert_eq!(hint.is_some_and(|hint| hint.contains("`CorsLayer` outside")), hinted, "{method} {headers:?}");
    }
}

#[test]
fn other_sinks_see_the_same_event() {
    let ada = Principal::new("ada");
    let denial = denial(Reason::InsufficientRole);
    let look = |event: &Event<'_>| {
        assert_eq!((event.kind(), event.mode()), (EventKind::Denied, Mode::Enforce));
        assert_eq!(event.reason(), Some(Reason::InsufficientRole));
        assert_eq!((event.rule(), event.route()), (Some("delete users"), Some("/users/{id}")));
        assert_eq!((event.method(), event.path(), event.revision()), (&GET, "/users/7", "5f3a"));
        assert_eq!(event.principal().map(Principal::subject), Some("ada"));
        assert_eq!(event.client(), Some([192, 0, 2, 1].into()));
        assert_eq!(event.status(), Some(StatusCode::FORBIDDEN));
    };
    let event = Event::denied(&denial, &GET, "/users/7")
        .with_principal(Some(&ada))
        .with_client(Some([192, 0, 2, 1].into()))
        .with_revision("5f3a");
    Reporter::report(&look, &event);
}

#[test]
fn allowed_requests_are_of_interest_only_while_somebody_listens_at_debug() {
    for (level, wanted) in [(tracing::Level::INFO, false), (tracing::Level::DEBUG, true)] {
        let subscriber = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::sink).finish();
        super::listening(subscriber, || {
            assert_eq!(TracingReporter::new().wants_allowed(), wanted);
        });
    }
}
