use http::{StatusCode, header::CONTENT_LENGTH};

use super::{REASONS, Responder, SECRETS, denial, header, render, renderer, show};
use crate::decision::{Denial, Reason};

const GRPC: (&str, &str) = ("content-type", "application/grpc+proto");

fn all(changes: &[(&str, &str)]) -> String {
    let renderer = renderer(Responder::new());
    let answers = REASONS.map(|reason| {
        let answer = show(&render(&renderer, &denial(reason), changes));
        format!("--- {reason}\n{answer}")
    });
    answers.join("\n\n")
}

#[test]
fn every_reason_as_a_problem_document() {
    insta::assert_snapshot!(all(&[]));
}

#[test]
fn every_reason_as_a_page() {
    insta::assert_snapshot!(all(&[("accept", "text/html,*/*;q=0.8")]));
}

#[test]
fn every_reason_as_plain_text() {
    insta::assert_snapshot!(all(&[("accept", "text/plain")]));
}

#[test]
fn every_reason_to_a_grpc_call() {
    insta::assert_snapshot!(all(&[GRPC]));
}

#[test]
fn an_answer_to_head_has_the_headers_of_get_and_no_body() {
    let renderer = renderer(Responder::new());
    for reason in REASONS {
        for accept in ["*/*", "text/html", "text/plain"] {
            let get = render(&renderer, &denial(reason), &[("accept", accept)]);
            let head = render(&renderer, &denial(reason), &[("accept", accept), ("method", "HEAD")]);
            assert_eq!(head.status(), get.status());
            assert_eq!(format!("{:?}", head.headers()), format!("{:?}", get.headers()));
            assert_eq!(get.headers()[CONTENT_LENGTH], get.body().len().to_string());
            assert!(head.body().is_empty() && !get.body().is_empty());
        }
    }
}

#[test]
fn grpc_content_types_are_told_from_others() {
    let renderer = renderer(Responder::new());
    let table = [
        ("application/grpc", true),
        ("application/grpc+proto", true),
        ("Application/GRPC+json", true),
        ("application/grpc; charset=utf-8", true),
        ("application/grpc;x=y", true),
        ("application/grpc-web", false),
        ("application/grpc-web+proto", false),
        ("application/grpcx", false),
        ("application/json", false),
        ("application/grp", false),
        ("", false),
    ];
    for (content_type, is_grpc) in table {
        let answer = render(&renderer, &denial(Reason::NotListed), &[("content-type", content_type)]);
        let status = if is_grpc { StatusCode::OK } else { StatusCode::NOT_FOUND };
        assert_eq!(answer.status(), status, "{content_type}");
        assert_eq!(header(&answer, "grpc-status"), is_grpc.then_some("12"), "{content_type}");
    }
}

#[test]
fn a_grpc_message_is_percent_encoded() {
    let denial = Denial::forbidden().message("100% nö\r\ngrpc-status: 0");
    let answer = render(&renderer(Responder::new()), &denial, &[GRPC]);
    assert_eq!(header(&answer, "grpc-message"), Some("100%25 n%C3%B6%0D%0Agrpc-status: 0"));
    assert_eq!(header(&answer, "grpc-status"), Some("7"));
}

#[test]
fn a_message_is_shown_escaped_in_every_format() {
    let renderer = renderer(Responder::new());
    let denial = Denial::forbidden().message("\"<b>&'\\\n");
    let show = |accept| {
        let answer = render(&renderer, &denial, &[("accept", accept)]);
        String::from_utf8(answer.body().to_vec()).unwrap()
    };
    assert_eq!(show("*/*"), r#"{"type":"about:blank","title":"Forbidden","status":403,"detail":"\"<b>&'\\\n"}"#);
    assert_eq!(show("text/plain"), "\"<b>&'\\\n\n");
    assert!(show("text/html").contains("<p>&quot;&lt;b&gt;&amp;&#39;\\<br>"), "{}", show("text/html"));
}

#[test]
fn a_rule_has_a_message_and_a_handler_overrides_it() {
    let renderer = renderer(Responder::new());
    let mut denial = denial(Reason::InsufficientRole);
    let mut rule = (**denial.rule.as_ref().unwrap()).clone();
    rule.message = Some("Deleting users requires the 'admin' role.".into());
    denial.rule = Some(rule.into());
    let answer = |denial: &Denial| show(&render(&renderer, denial, &[]));
    assert!(answer(&denial).contains("\"detail\":\"Deleting users requires the 'admin' role.\""));
    assert!(answer(&denial.message("Ask Ada.")).contains("\"detail\":\"Ask Ada.\""));
}

#[test]
fn a_message_is_about_rights_and_not_about_faults() {
    let renderer = renderer(Responder::new());
    for reason in REASONS {
        let shown = show(&render(&renderer, &denial(reason).message("Ask Ada."), &[])).contains("Ask Ada.");
        let about_rights = matches!(reason.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        assert_eq!(shown, about_rights, "{reason}");
    }
}

#[test]
fn unlisted_paths_are_answered_with_the_status_that_the_policy_chose() {
    let renderer = renderer(Responder::new());
    for status in [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN] {
        let denial = Denial { unmasked: status, ..Denial::new(Reason::NotListed) };
        let answer = render(&renderer, &denial, &[]);
        assert_eq!(answer.status(), status);
        assert_eq!(header(&answer, "www-authenticate").is_some(), status == StatusCode::UNAUTHORIZED);
    }
}

#[test]
fn clients_are_told_when_to_try_again() {
    let renderer = renderer(Responder::new());
    let table = [(None, "5"), (Some(0), "1"), (Some(1500), "2"), (Some(30_000), "30")];
    for (after, seconds) in table {
        let retry_after = after.map(std::time::Duration::from_millis);
        let denial = Denial::new(Reason::AuthenticatorUnavailable).with(|rest| rest.retry_after = retry_after);
        assert_eq!(header(&render(&renderer, &denial, &[]), "retry-after"), Some(seconds), "{after:?}");
    }
}

#[test]
fn a_denied_method_is_answered_with_an_allow_header_even_if_nothing_is_allowed() {
    let renderer = renderer(Responder::new());
    let answer = render(&renderer, &Denial::new(Reason::MethodNotListed), &[]);
    assert_eq!(header(&answer, "allow"), Some(""));
}

#[test]
fn no_answer_names_what_is_for_the_operator() {
    let renderer = renderer(Responder::new());
    let requests: [&[(&str, &str)]; 4] = [&[], &[("accept", "text/html")], &[("accept", "text/plain")], &[GRPC]];
    for (reason, changes) in REASONS.into_iter().flat_map(|reason| requests.map(|changes| (reason, changes))) {
        let answer = show(&render(&renderer, &denial(reason), changes));
        assert!(!SECRETS.iter().any(|secret| answer.contains(secret)), "{answer}");
        assert!(!answer.contains("invoice:write"), "{answer}");
    }
}

#[test]
fn nothing_is_rendered_twice() {
    let renderer = renderer(Responder::new());
    for reason in REASONS {
        let bodies = [(); 2].map(|()| render(&renderer, &denial(reason), &[]).into_body());
        assert_eq!(bodies[0].as_ptr(), bodies[1].as_ptr(), "{reason}");
    }
}
