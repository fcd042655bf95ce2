//! Sections 3, 6 and 7: what a rule wants, and what its denial looks like.

use std::collections::BTreeSet;

use ipnet::IpNet;
use jiff::Timestamp;
use serde_json::Value;

use super::{
    CheckOutcome, Principal, Request, Verdict,
    keys::{Captures, Route, Selection},
    policy::{Policy, Rule, list, members, texts},
    readings::decode,
};

/// What a caller may lack, nearest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Lack {
    StepUp,
    /// The address of the client, which is not known: a mistake of the set-up.
    Address,
    Condition,
    Permission,
    Role,
}

pub(super) struct Caller<'a> {
    policy: Policy<'a>,
    principal: Option<&'a Principal>,
    held: BTreeSet<&'a str>,
    conflicting: bool,
    request: &'a Request,
}

impl<'a> Caller<'a> {
    pub(super) fn new(policy: Policy<'a>, principal: Option<&'a Principal>, request: &'a Request) -> Self {
        let held = principal.map(|principal| policy.held(principal)).unwrap_or_default();
        let conflicting = principal.is_some_and(|principal| policy.conflicting(principal));
        Self { policy, principal, held, conflicting, request }
    }

    pub(super) fn judge(&self, selection: &Selection) -> Option<Verdict> {
        match selection {
            Selection::Unlisted => self.judge_unlisted(),
            Selection::Listed { route, captures, rule } => {
                let reason = rule.map_or(Err("method-not-listed"), |rule| self.satisfies(rule, captures)).err()?;
                Some(self.answer(reason, route, captures, rule.is_some_and(|rule| rule.masked)))
            }
        }
    }

    fn judge_unlisted(&self) -> Option<Verdict> {
        let status = match (self.policy.unlisted(), self.principal) {
            ("public", _) => return None,
            ("authenticated", None) => 401,
            ("authenticated", Some(_)) if !self.conflicting => return None,
            ("authenticated" | "forbidden", _) => 403,
            _ => 404,
        };
        Some(Verdict::denied(status, "not-listed"))
    }

    fn answer(&self, reason: &'static str, route: &Route, captures: &Captures, masked: bool) -> Verdict {
        let status = match reason {
            "method-not-listed" => 405,
            "no-credentials" | "step-up-required" => 401,
            "internal-error" => 500,
            _ => 403,
        };
        let denial = Verdict::denied(status, reason);
        let visible = route.rules.values().any(|rule| self.sees(rule, captures));
        if !visible && route.rules.values().any(|rule| rule.masked) {
            return denial.masked(404, None);
        }
        let allow = Some(self.usable_methods(route, captures));
        match reason {
            "method-not-listed" => Verdict { allow, ..denial },
            _ if masked && reason != "step-up-required" => denial.masked(405, allow),
            _ => denial,
        }
    }

    fn usable_methods(&self, route: &Route, captures: &Captures) -> BTreeSet<String> {
        const STANDARD: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
        let mut methods: BTreeSet<&str> = route.rules.keys().copied().collect();
        if methods.contains("GET") {
            methods.insert("HEAD");
        }
        if methods.remove("ANY") {
            methods.extend(STANDARD);
        }
        let usable = |rule: &Rule| !rule.masked || self.satisfies(rule, captures).is_ok();
        methods.retain(|method| route.rule(method).is_some_and(usable));
        methods.into_iter().map(Into::into).collect()
    }

    fn satisfies(&self, rule: &Rule, captures: &Captures) -> Result<(), &'static str> {
        if rule.is_public() {
            return Ok(());
        }
        if rule.holdable().next().is_none() {
            return Err("denied-by-rule");
        }
        let Some(principal) = self.principal else { return Err("no-credentials") };
        if self.conflicting {
            return Err("conflicting-roles");
        }
        let grants = || rule.holdable().map(|grant| (self.lacks(principal, grant, captures), check(grant)));
        if grants().any(|(lacks, check)| lacks.is_empty() && check.is_none()) {
            return Ok(());
        }
        let checks: Vec<_> = grants()
            .filter(|(lacks, _)| lacks.is_empty())
            .filter_map(|(_, check)| self.request.checks.get(check?).copied())
            .collect();
        if checks.contains(&CheckOutcome::Panics) {
            return Err("internal-error");
        }
        if checks.contains(&CheckOutcome::True) {
            return Ok(());
        }
        let farthest = |lacks: BTreeSet<Lack>| lacks.last().copied().unwrap_or(Lack::Condition);
        Err(match grants().map(|(lacks, _)| farthest(lacks)).min() {
            Some(Lack::StepUp) => "step-up-required",
            Some(Lack::Address) => "internal-error",
            Some(Lack::Permission) => "insufficient-permission",
            Some(Lack::Role) => "insufficient-role",
            Some(Lack::Condition) | None => "condition-failed",
        })
    }

    /// Whether a rule makes its route visible: checks count as not held, step-up as held.
    fn sees(&self, rule: &Rule, captures: &Captures) -> bool {
        let holds = |principal, grant| {
            let lacks = self.lacks(principal, grant, captures);
            check(grant).is_none() && lacks.iter().all(|lack| *lack == Lack::StepUp)
        };
        let principal = self.principal.filter(|_| !self.conflicting);
        rule.is_public() || principal.is_some_and(|principal| rule.holdable().any(|grant| holds(principal, grant)))
    }

    /// What is missing of a grant, its check aside.
    fn lacks(&self, principal: &Principal, grant: &Value, captures: &Captures) -> BTreeSet<Lack> {
        let mut lacks = BTreeSet::new();
        let mut want = |holds: bool, lack: Lack| lacks.extend((!holds).then_some(lack));
        let is_name = grant.is_string() && grant != "authenticated";
        let all_of = if is_name { Some(grant) } else { grant.get("all_of") };
        for name in texts(all_of) {
            want(self.held.contains(name), if self.policy.is_role(name) { Lack::Role } else { Lack::Permission });
        }
        if let Some(any_of) = grant.get("any_of") {
            let only_roles = texts(Some(any_of)).all(|name| self.policy.is_role(name));
            let lack = if only_roles { Lack::Role } else { Lack::Permission };
            want(texts(Some(any_of)).any(|name| self.held.contains(name)), lack);
        }
        if let Some(none_of) = grant.get("none_of") {
            let unlimited = Principal { permission_limit: None, ..principal.clone() };
            let given = self.policy.held(&unlimited);
            let any = texts(Some(none_of)).any(|name| given.contains(name));
            want(!any && !principal.malformed, Lack::Condition);
        }
        for (claim, wanted) in members(grant.get("claims")) {
            let held = claim_of(principal, claim);
            want(list(Some(wanted)).iter().any(|wanted| claim_fits(&held, wanted, captures)), Lack::Condition);
        }
        if grant.get("networks").is_some() {
            let lack = if self.request.client.is_none() { Lack::Address } else { Lack::Condition };
            want(texts(grant.get("networks")).any(|network| self.is_in(network)), lack);
        }
        let time = |part: &str| grant.get(part)?.as_str()?.parse::<Timestamp>().ok();
        want(time("from").is_none_or(|from| self.request.now >= from), Lack::Condition);
        want(time("until").is_none_or(|until| self.request.now < until), Lack::Condition);
        want(grant.get("step_up").is_none_or(|wanted| self.stepped_up(principal, wanted)), Lack::StepUp);
        lacks
    }

    fn is_in(&self, network: &str) -> bool {
        let Some(client) = self.request.client else { return false };
        network.parse::<IpNet>().is_ok_and(|network| network.contains(&client.to_canonical()))
    }

    fn stepped_up(&self, principal: &Principal, wanted: &Value) -> bool {
        let acr = claim_of(principal, "acr");
        let acr_fits = wanted.get("acr").is_none_or(|_| texts(wanted.get("acr")).any(|wanted| acr == wanted));
        let age_fits = wanted.get("max_age_seconds").and_then(Value::as_i64).is_none_or(|max_age| {
            let now = self.request.now.as_second();
            claim_of(principal, "auth_time").as_i64().is_some_and(|at| at <= now + 60 && now - at <= max_age)
        });
        acr_fits && age_fits
    }
}

fn check(grant: &Value) -> Option<&str> {
    grant.get("check")?.as_str()
}

fn claim_of(principal: &Principal, name: &str) -> Value {
    let subject = (name == "sub").then(|| Value::from(principal.subject.as_str()));
    principal.claims.get(name).cloned().or(subject).unwrap_or_default()
}

fn claim_fits(held: &Value, wanted: &Value, captures: &Captures) -> bool {
    let parameter = wanted.as_str().and_then(|text| text.strip_prefix('{')?.strip_suffix('}'));
    let fits = |held: &Value| match parameter {
        Some(name) => captures.get(name).is_some_and(|raw| is_parameter(held, &decode(raw, |_| true))),
        None => equals(held, wanted),
    };
    match held {
        Value::Array(values) => values.iter().any(fits),
        held => fits(held),
    }
}

fn is_parameter(held: &Value, parameter: &[u8]) -> bool {
    let text = match held {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
        _ => return false,
    };
    !text.is_empty() && text.as_bytes() == parameter
}

fn equals(held: &Value, wanted: &Value) -> bool {
    match (held, wanted) {
        (Value::String(held), Value::String(wanted)) => !held.is_empty() && held == wanted,
        (Value::Bool(held), Value::Bool(wanted)) => held == wanted,
        (Value::Number(held), Value::Number(wanted)) if held.is_f64() || wanted.is_f64() => {
            held.as_f64() == wanted.as_f64()
        }
        (Value::Number(held), Value::Number(wanted)) => held == wanted,
        _ => false,
    }
}
