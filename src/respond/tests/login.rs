use http::{Request, StatusCode};

use super::{REASONS, Responder, denial, header, render, renderer, show};
use crate::{decision::Denial, respond::Renderer};

const HTML: (&str, &str) = ("accept", "text/html,*/*;q=0.8");

fn browsers() -> Renderer {
    renderer(Responder::new().login_redirect("/login"))
}

fn location(renderer: &Renderer, uri: &str) -> Option<String> {
    let request = Request::get(uri).header("accept", "text/html").body(()).unwrap();
    let answer = renderer.render(&Denial::unauthenticated(), &renderer.preferences((&request).into()));
    header(&answer, "location").map(ToOwned::to_owned)
}

#[test]
fn a_navigation_is_sent_to_the_login_page() {
    let answer = render(&browsers(), &Denial::unauthenticated(), &[HTML]);
    assert_eq!(show(&answer), "303\nlocation: /login?next=/a%3Fb%3Dc\nvary: accept\ncache-control: no-store\n\n");
}

#[test]
fn only_navigations_of_browsers_that_lack_credentials_are_sent_there() {
    let table: [(&[(&str, &str)], bool); 12] = [
        (&[HTML], true),
        (&[HTML, ("method", "HEAD")], true),
        (&[HTML, ("sec-fetch-mode", "navigate")], true),
        (&[HTML, ("sec-fetch-mode", "cors")], false),
        (&[HTML, ("method", "POST")], false),
        (&[HTML, ("method", "OPTIONS")], false),
        (&[], false),
        (&[("accept", "*/*")], false),
        (&[("accept", "application/json")], false),
        (&[HTML, ("content-type", "application/grpc")], false),
        (&[HTML, ("hx-request", "true")], false),
        (&[HTML, ("hx-request", "false")], true),
    ];
    for (changes, redirected) in table {
        let status = render(&browsers(), &Denial::unauthenticated(), changes).status();
        assert_eq!(status == StatusCode::SEE_OTHER, redirected, "{changes:?}");
    }
}

#[test]
fn every_401_is_a_reason_to_log_in_and_nothing_else_is() {
    for reason in REASONS {
        let is_401 = reason.status() == StatusCode::UNAUTHORIZED;
        for (denial, redirected) in [(denial(reason), is_401), (denial(reason).masked(), false)] {
            let navigation = render(&browsers(), &denial, &[HTML]);
            assert_eq!(navigation.headers().contains_key("location"), redirected, "{denial:?}");
            let htmx = render(&browsers(), &denial, &[("hx-request", "true")]);
            assert_eq!(htmx.headers().contains_key("hx-redirect"), redirected, "{denial:?}");
        }
    }
}

#[test]
fn next_stays_on_the_origin() {
    let table = [
        ("/", "/login?next=/"),
        ("/a/b", "/login?next=/a/b"),
        ("/a?b=c&next=/d", "/login?next=/a%3Fb%3Dc%26next%3D/d"),
        ("/a%2Fb", "/login?next=/a%252Fb"),
        ("//evil.example/", "/login"),
        ("//evil.example", "/login"),
        ("///evil.example", "/login"),
        ("/\\evil.example", "/login"),
        ("https://evil.example/a?b", "/login?next=/a%3Fb"),
    ];
    for (uri, expected) in table {
        assert_eq!(location(&browsers(), uri).as_deref(), Some(expected), "{uri}");
    }
}

#[test]
fn the_login_page_itself_is_no_reason_to_go_there() {
    assert_eq!(location(&browsers(), "/login?next=/x"), None);
    assert_eq!(location(&renderer(Responder::new().login_redirect("/login?a=b")), "/login"), None);
}

#[test]
fn the_place_of_the_login_page_may_have_a_query_and_is_made_fit_for_a_header() {
    let table = [
        ("/login?a=b", "/login?a=b&next=/x"),
        ("/log in\r\nx: y", "/log%20in%0D%0Ax:%20y?next=/x"),
        ("/anmeldung-für-alle", "/anmeldung-f%C3%BCr-alle?next=/x"),
        ("https://id.example/login", "https://id.example/login?next=/x"),
    ];
    for (place, expected) in table {
        let renderer = renderer(Responder::new().login_redirect(place));
        assert_eq!(location(&renderer, "/x").as_deref(), Some(expected));
    }
}

#[test]
fn htmx_is_told_to_go_there_and_to_come_back_to_its_page() {
    let table = [
        (Some("https://app.example/page?x=1#y"), "/login?next=/page%3Fx%3D1"),
        (Some("https://evil.example//evil.example"), "/login"),
        (Some("/page"), "/login?next=/page"),
        (Some("no url"), "/login"),
        (Some("javascript:alert(1)"), "/login"),
        (None, "/login"),
    ];
    for (page, expected) in table {
        let mut changes = vec![("method", "POST"), ("hx-request", "true")];
        changes.extend(page.map(|page| ("hx-current-url", page)));
        let answer = render(&browsers(), &Denial::unauthenticated(), &changes);
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(header(&answer, "hx-redirect"), Some(expected), "{page:?}");
        assert!(answer.headers().contains_key("www-authenticate"));
        assert!(!answer.body().is_empty());
    }
}

#[cfg(feature = "axum")]
#[test]
fn next_is_the_path_that_the_browser_sent() {
    let mut request = Request::get("/inner").header("accept", "text/html").body(()).unwrap();
    request.extensions_mut().insert(axum::extract::OriginalUri("/outer/inner?q".parse().unwrap()));
    let renderer = browsers();
    let denial = Denial::new(crate::decision::Reason::NoCredentials);
    let answer = renderer.render(&denial, &renderer.preferences((&request).into()));
    assert_eq!(header(&answer, "location"), Some("/login?next=/outer/inner%3Fq"));
}

#[test]
fn credentials_in_the_query_are_not_carried_along() {
    let secret = ["access_token".to_owned(), "b".to_owned()].into();
    let renderer = browsers().without_parameters(secret);
    for (target, next) in [
        ("/a?access_token=x.y.z", "/a"),
        ("/a?x=1&access_token=x.y.z", "/a%3Fx%3D1"),
        ("/a?access_token=x.y.z&x=1&b&y", "/a%3Fx%3D1%26y"),
        ("/a?access_token=x&access_token=y", "/a"),
        ("/a?access_tokens=1&Access_token", "/a%3Faccess_tokens%3D1%26Access_token"),
        ("/a?x=access_token=1", "/a%3Fx%3Daccess_token%3D1"),
        ("/a", "/a"),
    ] {
        assert_eq!(location(&renderer, target).unwrap(), format!("/login?next={next}"), "{target}");
        let page = format!("https://api.example{target}");
        let answer =
            render(&renderer, &Denial::unauthenticated(), &[HTML, ("hx-request", "true"), ("hx-current-url", &page)]);
        assert_eq!(header(&answer, "hx-redirect").unwrap(), format!("/login?next={next}"), "{target}");
    }
}
