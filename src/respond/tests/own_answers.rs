use bytes::Bytes;
use http::{Response, StatusCode};

use super::{Responder, denial, render, renderer, show};
use crate::decision::{Denial, Reason};

type Changes = &'static [(&'static str, &'static str)];

fn own(status: u16, headers: Changes, body: &'static str) -> Responder {
    Responder::new().custom(move |_, _| {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        response.body(Bytes::from_static(body.as_bytes())).unwrap()
    })
}

#[test]
fn an_own_answer_is_completed_and_otherwise_left_alone() {
    let table: [(Responder, Denial, Changes, &str); 7] = [
        (
            own(403, &[("x-own", "1")], "no"),
            denial(Reason::InsufficientRole),
            &[],
            "403\nx-own: 1\ncache-control: no-store\ncontent-length: 2\n\nno",
        ),
        (
            own(401, &[], "no"),
            Denial::unauthenticated(),
            &[],
            "401\ncache-control: no-store\n\
             www-authenticate: Bearer resource_metadata=\"https://api.example/meta\", realm=\"billing\"\n\
             www-authenticate: Hawk realm=\"billing\"\ncontent-length: 2\n\nno",
        ),
        (
            own(401, &[("www-authenticate", "Own")], ""),
            Denial::unauthenticated(),
            &[],
            "401\nwww-authenticate: Own\ncache-control: no-store\n\n",
        ),
        (
            own(401, &[], ""),
            Denial::forbidden(),
            &[("accept", "text/html")],
            "401\ncache-control: no-store\n\
             www-authenticate: Bearer resource_metadata=\"https://api.example/meta\", realm=\"billing\"\n\
             www-authenticate: Hawk realm=\"billing\"\n\n",
        ),
        (
            own(403, &[("cache-control", "private"), ("content-length", "99")], "no"),
            Denial::forbidden(),
            &[],
            "403\ncache-control: private\ncontent-length: 2\n\nno",
        ),
        (
            own(403, &[], "no"),
            Denial::forbidden(),
            &[("method", "HEAD")],
            "403\ncache-control: no-store\ncontent-length: 2\n\n",
        ),
        (
            own(303, &[("location", "/x")], ""),
            Denial::unauthenticated(),
            &[],
            "303\nlocation: /x\ncache-control: no-store\n\n",
        ),
    ];
    for (responder, denial, changes, expected) in table {
        assert_eq!(show(&render(&renderer(responder), &denial, changes)), expected);
    }
}

#[test]
fn an_own_404_is_for_unlisted_paths_alone() {
    let responder = Responder::new()
        .not_found(|_| Response::builder().status(StatusCode::NOT_FOUND).body(Bytes::from_static(b"own")).unwrap());
    let renderer = renderer(responder);
    for (denial, is_own) in [
        (Denial::new(Reason::NotListed), true),
        (Denial::forbidden().masked(), true),
        (Denial::forbidden(), false),
        (Denial::new(Reason::MethodNotListed), false),
    ] {
        assert_eq!(render(&renderer, &denial, &[]).body() == "own", is_own, "{denial:?}");
    }
    let grpc = render(&renderer, &Denial::new(Reason::NotListed), &[("content-type", "application/grpc")]);
    assert_eq!((grpc.status(), grpc.body().len()), (StatusCode::OK, 0));
}

/// For whoever denies outside of any layer.
#[test]
fn a_responder_answers_by_itself_as_in_a_layer_that_has_it() {
    let challenges = || vec![crate::challenge::Challenge::bearer()];
    for responder in [Responder::new(), own(403, &[("x-own", "1")], "no"), Responder::new().login_redirect("/login")] {
        for denial in [Denial::unauthenticated(), Denial::forbidden(), Denial::forbidden().masked()] {
            let request = super::request(&[("accept", "text/html")]);
            let layer = crate::respond::Renderer::new(responder.clone(), challenges(), Some("billing"));
            let in_layer = layer.render(&denial, &layer.preferences((&request).into()));
            let alone = responder.answer(&denial, (&request).into(), challenges(), Some("billing"));
            assert_eq!(show(&alone), show(&in_layer), "{responder:?} {denial:?}");
        }
    }
}
