use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_auth::parser::ChallengeParser;
use proptest::prelude::*;

use super::{Renderer, Responder, denial, render};
use crate::{
    challenge::Challenge,
    decision::{Denial, Reason, StepUp},
};

type Params = Vec<(String, String)>;

/// What a third party reads: one challenge a line.
fn read_back(answer: &Response<Bytes>) -> Vec<(String, Params)> {
    let lines = answer.headers().get_all("www-authenticate").iter();
    let challenges = lines.map(|line| {
        let mut challenges = ChallengeParser::new(line.to_str().unwrap());
        let challenge = challenges.next().unwrap().unwrap();
        assert!(challenges.next().is_none(), "two challenges in {line:?}");
        let params = challenge.params.iter().map(|(name, value)| ((*name).to_owned(), value.to_unescaped()));
        (challenge.scheme.to_owned(), params.collect())
    });
    challenges.collect()
}

fn params<'a>(list: &[(&'a str, &'a str)]) -> Params {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn challenged(ways: Vec<Challenge>, realm: Option<&str>, denial: &Denial) -> Vec<(String, Params)> {
    read_back(&render(&Renderer::new(Responder::new(), ways, realm), denial, &[]))
}

fn error(name: &str) -> impl Fn(&(String, Params)) -> bool {
    move |(_, params)| params.iter().any(|(param, value)| param == "error" && value == name)
}

#[test]
fn an_anonymous_caller_is_shown_every_way_in_and_no_error() {
    let ways = vec![Challenge::bearer(), Challenge::new("DPoP").param("algs", "ES256 PS256").realm("own")];
    assert_eq!(
        challenged(ways, Some("billing"), &denial(Reason::NoCredentials)),
        [
            ("Bearer".to_owned(), params(&[("realm", "billing")])),
            ("DPoP".to_owned(), params(&[("algs", "ES256 PS256"), ("realm", "own")])),
        ]
    );
}

#[test]
fn without_a_registered_scheme_there_is_a_private_one() {
    for (realm, shown) in [(Some("billing"), "billing"), (None, "api"), (Some(""), "api")] {
        for reason in [Reason::NoCredentials, Reason::InvalidCredentials] {
            let session = ("Session".to_owned(), params(&[("realm", shown)]));
            assert_eq!(challenged(Vec::new(), realm, &denial(reason)), [session]);
        }
    }
}

#[test]
fn errors_are_told_in_the_schemes_that_have_them() {
    let table = [
        (Reason::InvalidCredentials, "invalid_token", [true, true, false, false]),
        (Reason::StepUpRequired, "insufficient_user_authentication", [true, true, true, false]),
    ];
    for (reason, name, expected) in table {
        let ways = ["bearer", "DPoP", "Session", "Hawk"].map(Challenge::new).to_vec();
        let challenges = challenged(ways, None, &denial(reason));
        assert_eq!(challenges.iter().map(error(name)).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn ambiguous_credentials_are_an_invalid_request_of_tokens_only() {
    let ways = vec![Challenge::bearer(), Challenge::session()];
    let challenges = challenged(ways, None, &denial(Reason::AmbiguousCredentials));
    assert!(challenges.len() == 1 && error("invalid_request")(&challenges[0]), "{challenges:?}");
    assert_eq!(challenged(Vec::new(), None, &denial(Reason::AmbiguousCredentials)), []);
    assert_eq!(challenged(vec![Challenge::bearer()], None, &denial(Reason::PathRejected)), []);
}

#[test]
fn a_step_up_says_how_and_how_recently() {
    let mfa = || vec!["mfa".into(), "phr".into()];
    let five_minutes = Some(Duration::from_secs(300));
    let table = [
        (mfa(), five_minutes, params(&[("acr_values", "mfa phr"), ("max_age", "300")])),
        (mfa(), None, params(&[("acr_values", "mfa phr")])),
        (Vec::new(), five_minutes, params(&[("max_age", "300")])),
        (Vec::new(), None, params(&[])),
    ];
    for (acr, max_age, expected) in table {
        let step_up = Some(StepUp { acr, max_age }.into());
        let denial = Denial::new(Reason::StepUpRequired).with(|rest| rest.step_up = step_up);
        for way in [Challenge::bearer(), Challenge::session()] {
            let (_, params) = challenged(vec![way], None, &denial).remove(0);
            let names = |name: &str| ["acr_values", "max_age"].contains(&name);
            assert_eq!(params.into_iter().filter(|(name, _)| names(name)).collect::<Params>(), expected);
        }
    }
}

#[test]
fn parameters_of_an_authenticator_survive_every_error() {
    for reason in [Reason::NoCredentials, Reason::InvalidCredentials, Reason::StepUpRequired] {
        let ways = vec![Challenge::bearer().param("resource_metadata", "https://a.example/x")];
        let (_, params) = challenged(ways, None, &denial(reason)).remove(0);
        assert!(params.contains(&("resource_metadata".to_owned(), "https://a.example/x".to_owned())));
    }
}

/// What a header can hold of a text.
fn writable(text: &str) -> String {
    text.chars().filter(|c| (' '..='~').contains(c)).collect()
}

proptest! {
    #[test]
    fn hostile_challenges_are_read_back_as_meant(
        scheme in any::<String>(),
        name in "x|\\PC{0,6}",
        value in any::<String>(),
        realm in "[\\PC\r\n\t\u{0}\"\\\\,=]{1,20}",
        invalid in any::<bool>(),
    ) {
        let reason = if invalid { Reason::InvalidCredentials } else { Reason::NoCredentials };
        let ways = vec![Challenge::bearer(), Challenge::new(&scheme).param(&name, &value)];
        let challenges = challenged(ways, Some(&realm), &denial(reason));
        prop_assert_eq!(challenges.len(), 2);
        prop_assert!(challenges[0].1.contains(&("realm".to_owned(), writable(&realm))));
        prop_assert_eq!(error("invalid_token")(&challenges[0]), invalid);
        prop_assert!(challenges[1].1.len() <= 4);
        if name == "x" {
            prop_assert!(challenges[1].1.contains(&("x".to_owned(), writable(&value))));
        }
    }
}
