use bytes::Bytes;
use http::{Response, StatusCode};

use super::{REASONS, Responder, denial, renderer, request};
use crate::decision::{Denial, Mask, Reason};

/// An answer that leaks everything it is given.
fn leak(denial: &Denial) -> Response<Bytes> {
    let mut response = Response::new(format!("{denial:?}").into());
    *response.status_mut() = denial.status();
    response
}

fn responders() -> [Responder; 5] {
    [
        Responder::new(),
        Responder::new().disclose(true).login_redirect("/login"),
        Responder::new().custom(|denial, _| leak(denial)),
        Responder::new().not_found(|preferences| {
            let mut response = Response::new(format!("{:?}", preferences.format()).into());
            *response.status_mut() = StatusCode::NOT_FOUND;
            response
        }),
        Responder::new().custom(|denial, _| leak(denial)).not_found(|_| Response::new(Bytes::from_static(b"own"))),
    ]
}

const REQUESTS: [&[(&str, &str)]; 7] = [
    &[],
    &[("accept", "text/html"), ("sec-fetch-mode", "navigate")],
    &[("accept", "text/plain")],
    &[("method", "HEAD")],
    &[("method", "POST"), ("content-type", "application/grpc")],
    &[("hx-request", "true"), ("hx-current-url", "https://a.example/page")],
    &[("method", "DELETE"), ("accept", "text/html")],
];

/// Every responder, request and denial whose answer is to be that to another one.
fn assert_indistinguishable(table: impl Fn(Reason) -> (Denial, Denial)) {
    for (responder, changes) in responders().into_iter().flat_map(|one| REQUESTS.map(|changes| (one.clone(), changes)))
    {
        let renderer = renderer(responder.clone());
        let request = request(changes);
        let preferences = renderer.preferences((&request).into());
        for reason in REASONS {
            let (masked, plain) = table(reason);
            let answers = [masked, plain].map(|denial| format!("{:?}", renderer.render(&denial, &preferences)));
            assert_eq!(answers[0], answers[1], "{responder:?} {changes:?} {reason}");
        }
    }
}

#[test]
fn a_masked_denial_cannot_be_told_from_an_unlisted_path() {
    assert_indistinguishable(|reason| {
        let masked = denial(reason).message("secret").masked();
        (masked, Denial::new(Reason::NotListed))
    });
}

#[test]
fn a_masked_method_cannot_be_told_from_one_that_is_not_listed() {
    assert_indistinguishable(|reason| {
        let masked = Denial { mask: Mask::MethodNotListed, ..denial(reason).message("secret") };
        (masked, Denial::new(Reason::MethodNotListed).with(|rest| rest.allow = Some("GET, HEAD".into())))
    });
}
