use super::{REASONS, Responder, SECRETS, denial, header, render, renderer, show};
use crate::decision::Reason;

#[test]
fn names_are_told_where_that_is_wanted() {
    let renderer = renderer(Responder::new().disclose(true));
    let formats = ["*/*", "text/html", "text/plain"];
    let answers =
        formats.map(|accept| show(&render(&renderer, &denial(Reason::InsufficientPermission), &[("accept", accept)])));
    insta::assert_snapshot!(answers.join("\n\n"));
}

#[test]
fn missing_permissions_are_scopes_and_missing_roles_are_not() {
    let table = [
        (Reason::InsufficientPermission, true, Some((r#"error="insufficient_scope""#, true))),
        (Reason::InsufficientRole, true, Some((r#"error="insufficient_scope""#, false))),
        (Reason::ConditionFailed, true, None),
        (Reason::DeniedByRule, true, None),
        (Reason::InsufficientPermission, false, None),
        (Reason::InsufficientRole, false, None),
    ];
    for (reason, disclose, expected) in table {
        let answer = render(&renderer(Responder::new().disclose(disclose)), &denial(reason), &[]);
        let challenge = header(&answer, "www-authenticate");
        assert_eq!(challenge.is_some(), expected.is_some(), "{reason}");
        if let Some((error, scope)) = expected {
            let challenge = challenge.unwrap();
            assert!(challenge.starts_with("Bearer ") && challenge.contains(error), "{challenge}");
            assert_eq!(challenge.contains(r#"scope="secret-missing invoice:write""#), scope, "{challenge}");
        }
    }
}

#[test]
fn only_answers_of_403_name_anything_and_none_tells_rule_or_detail() {
    let renderer = renderer(Responder::new().disclose(true));
    for reason in REASONS {
        let answer = show(&render(&renderer, &denial(reason), &[]));
        assert!(!answer.contains(SECRETS[0]) && !answer.contains(SECRETS[1]), "{answer}");
        assert_eq!(answer.contains("secret-required"), answer.starts_with("403"), "{answer}");
    }
}
