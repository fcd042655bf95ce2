//! What everyone may do.

use http::Method;

use super::{
    catalogue::{OPEN_UNLISTED, PUBLIC_WITHOUT_REASON, PUBLIC_WRITE},
    finding::Finding,
    survey::{Key, Survey},
};
use crate::{
    diagnostic::{Severity, quoted},
    policy::{CompiledGrant, Unlisted, Verb},
};

pub(super) fn find(survey: &Survey<'_>, findings: &mut Vec<Finding>) {
    for key in &survey.keys {
        find_in(key, findings);
    }
    let Some(spot) = &survey.unlisted else { return };
    let whom = match survey.policy.unlisted {
        Unlisted::NotFound | Unlisted::Forbidden => return,
        Unlisted::Authenticated => "every authenticated caller",
        Unlisted::Public => "everyone",
    };
    let message = format!("what the policy does not list is open to {whom}");
    let help = "leave out `unlisted`, so that a path which no key matches does not exist";
    findings.push(Finding::new(&OPEN_UNLISTED, spot, message, help));
}

fn find_in(key: &Key<'_>, findings: &mut Vec<Finding>) {
    let Some(public) = key.grants.iter().find(|grant| matches!(grant.grant, CompiledGrant::Public)) else { return };
    let rule = key.rule.info.index;
    if !public.has_reason {
        let message = format!("{} is public, and the policy does not say why", quoted(&key.text));
        let help = "write `{ \"public\": \"why\" }`";
        findings.push(Finding::new(&PUBLIC_WITHOUT_REASON, &public.spot, message, help).of_rule(rule));
    }
    let Some(method) = unsafe_method(&key.verb) else { return };
    let message = format!("{} is public, and {method} is there to change things", quoted(&key.text));
    let help = "ask for `\"authenticated\"` or a permission; if it must be public, silence this with the reason";
    let finding = Finding::new(&PUBLIC_WRITE, &public.spot, message, help).of_rule(rule);
    findings.push(if public.has_reason { finding.severity(Severity::Note) } else { finding });
}

/// The first method that is not safe (RFC 9110, section 9.2.1).
fn unsafe_method(verb: &Verb) -> Option<String> {
    let Verb::These(methods) = verb else { return Some("`ANY`".to_owned()) };
    let is_safe = |method: &&Method| method.is_safe();
    methods.iter().find(|method| !is_safe(method)).map(|method| quoted(method.as_str()).to_string())
}
