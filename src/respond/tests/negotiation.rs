use proptest::prelude::*;

use super::{Responder, render, renderer, request};
use crate::{
    decision::{Denial, Reason},
    respond::{Format, negotiate::negotiate},
};

#[test]
fn the_preferred_format_is_found() {
    let table = [
        ("*/*", Format::Problem),
        ("", Format::Problem),
        ("application/json", Format::Problem),
        ("application/problem+json", Format::Problem),
        ("application/*", Format::Problem),
        ("APPLICATION/JSON", Format::Problem),
        ("image/png", Format::Problem),
        ("text/html", Format::Html),
        ("Text/HTML", Format::Html),
        ("text/*", Format::Html),
        ("text/plain", Format::Text),
        ("text/plain, text/html;q=0.9", Format::Text),
        ("text/plain;q=0.1, text/html;q=0.11", Format::Html),
        ("text/*;q=0.5, text/html;q=0.4", Format::Text),
        ("text/html;level=1;q=0.5, text/plain;q=0.4", Format::Html),
        ("application/json, text/plain, */*", Format::Problem),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", Format::Html),
        ("*/*, text/html;q=0.1", Format::Problem),
        ("application/json;q=0, */*", Format::Html),
        ("application/json;q=0, text/html;q=0, */*;q=0.1", Format::Text),
        ("application/*;q=0.2, application/problem+json;q=0.9, text/html;q=0.5", Format::Problem),
        ("application/json;q=0.2, application/problem+json;q=0.9, text/html;q=0.5", Format::Problem),
        ("text/html;q=0", Format::Problem),
        ("text/html;Q=1.000, */*;q=0.999", Format::Html),
        ("*/*;q=0", Format::Problem),
        ("text/html;q=1.001, text/plain;q=0.5", Format::Text),
        ("text/html;q=2, text/plain;q=0.5", Format::Text),
        ("text/html;q=nan, text/plain;q=0.5", Format::Text),
        ("text/html;q=-1, text/plain;q=0.5", Format::Text),
        ("text/html;q=0.5000, text/plain;q=0.1", Format::Text),
        ("text/html;q=0.0500, text/plain;q=0.01", Format::Text),
        ("text/html;q=.5, text/plain;q=0.1", Format::Text),
        ("text/html;q=00.5, text/plain;q=0.1", Format::Text),
        ("text/html;q=0.x, text/plain;q=0.1", Format::Text),
        ("text/html;q=, text/plain;q=0.1", Format::Text),
        ("text/html;q=1., text/plain;q=0.1", Format::Html),
        (" ,, text/html ; q=0.7 ,;,", Format::Html),
        ("text/html/x, text", Format::Problem),
    ];
    for (accept, format) in table {
        assert_eq!(negotiate(accept.as_bytes()), format, "{accept}");
    }
}

#[test]
fn only_so_many_ranges_are_read() {
    assert_eq!(negotiate(("a/b,".repeat(63) + "text/html").as_bytes()), Format::Html);
    assert_eq!(negotiate(("a/b,".repeat(64) + "text/html").as_bytes()), Format::Problem);
}

#[test]
fn several_lines_are_one_list() {
    let renderer = renderer(Responder::new());
    let lines = [("accept", "application/json;q=0.1"), ("accept", "text/html;q=0.2"), ("accept", "text/plain")];
    let formats = [1, 2, 3].map(|count| renderer.preferences((&request(&lines[..count])).into()).format());
    assert_eq!(formats, [Format::Problem, Format::Html, Format::Text]);
}

#[test]
fn the_answer_always_says_that_it_depends_on_accept() {
    let renderer = renderer(Responder::new());
    for changes in [&[][..], &[("accept", "*/*")], &[("accept", "text/html")], &[("accept", ";;;")]] {
        assert_eq!(render(&renderer, &Denial::new(Reason::NotListed), changes).headers()["vary"], "accept");
    }
}

#[test]
fn ranges_that_are_no_text_are_passed_over() {
    let renderer = renderer(Responder::new());
    for (accept, format) in [(&b"\xff"[..], Format::Problem), (b"\xff/html, text/html", Format::Html)] {
        let mut request = request(&[]);
        request.headers_mut().insert("accept", http::HeaderValue::from_bytes(accept).unwrap());
        let preferences = renderer.preferences((&request).into());
        assert_eq!((preferences.format(), preferences.accept()), (format, None));
    }
}

proptest! {
    #[test]
    fn no_accept_header_panics(accept in "[ -~]{0,200}|([*a-z/;=,.q01 ]{0,8}){0,40}") {
        let renderer = renderer(Responder::new());
        prop_assert_eq!(render(&renderer, &Denial::forbidden(), &[("accept", &accept)]).status().as_u16(), 403);
    }
}
