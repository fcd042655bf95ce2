//! From a request to its explanation.

use std::{borrow::Cow, time::SystemTime};

use super::{
    caller,
    explanation::{ExplainedGrant, ExplainedReading, ExplainedRule, Explanation, Selected},
    grants::Marker,
};
use crate::{
    analysis::{evaluate::evaluate, probe::Probe},
    decision::{Denial, Reason},
    policy::{Caller, Case, Policy, Selection, Selections, Trial, compiled::Rule, in_rfc_3339},
    principal::Principal,
};

/// Says why a request is allowed or denied.
///
/// ```
/// use http::Method;
/// use tower_authz::{Policy, Principal, analysis::{Probe, explain}};
///
/// let policy = Policy::from_json_str(r#"{
///     "version": 1,
///     "roles": { "viewer": {}, "admin": { "inherits": ["viewer"] } },
///     "routes": { "GET /users/{id}": ["admin", { "all_of": ["viewer"], "claims": { "sub": "{id}" } }] }
/// }"#)?;
/// let bob = Principal::new("bob").roles(["viewer"]);
/// let explanation = explain(&policy, &Probe::new(Method::GET, "/users/ada").identity(bob));
/// assert!(!explanation.verdict.is_allowed());
/// assert_eq!(explanation.selected[0].nearest, ["have the claim sub = {id}"]);
/// # Ok::<(), tower_authz::PolicyError>(())
/// ```
pub fn explain(policy: &Policy, probe: &Probe) -> Explanation {
    let compiled = policy.compiled();
    let verdict = evaluate(policy, probe);
    let principal = probe.who().principal();
    let held = principal.map(|principal| compiled.names.resolve(principal));
    let caller = principal.zip(held.as_ref()).map(|(principal, held)| Caller::new(compiled, principal, held));
    let circumstances = probe.circumstances();
    let mut explanation = Explanation {
        revision: policy.revision().to_owned(),
        method: probe.method().to_string(),
        path: probe.path().to_owned(),
        client: probe.address(),
        time: in_rfc_3339(circumstances.now.unwrap_or(SystemTime::UNIX_EPOCH)),
        caller: caller::explained(compiled, probe.who(), caller.as_ref()),
        rejected: None,
        readings: Vec::new(),
        selected: Vec::new(),
        detail: verdict.denial().and_then(Denial::get_detail).map(ToOwned::to_owned),
        verdict,
    };
    match probe.select(compiled) {
        Err(rejected) => explanation.rejected = Some(rejected.to_string()),
        Ok(selections) => {
            let trial = Trial {
                policy: compiled,
                selections: &selections,
                circumstances: &circumstances,
                caller: caller.as_ref(),
            };
            explanation.readings = readings(&selections);
            explanation.selected = selected(&trial);
        }
    }
    explanation
}

fn readings(selections: &Selections<'_>) -> Vec<ExplainedReading> {
    let read = selections.readings().map(|(reading, text)| {
        let routes = selections.iter().filter_map(|selection| match selection {
            Selection::Listed { route, reading: other, .. } if *other == reading => Some(route.pattern.to_string()),
            _ => None,
        });
        ExplainedReading { path: lossy(text), routes: routes.collect() }
    });
    read.collect()
}

/// What is selected; readings that select the same with the same parameters are one.
fn selected(trial: &Trial<'_>) -> Vec<Selected> {
    let mut all: Vec<Selected> = Vec::new();
    for selection in trial.selections.iter() {
        let one = one(trial, selection);
        match all.iter_mut().find(|other| other.route == one.route && other.params == one.params) {
            Some(other) => other.readings.extend(one.readings),
            None => all.push(one),
        }
    }
    all
}

fn one(trial: &Trial<'_>, selection: &Selection<'_>) -> Selected {
    let denial = trial.judge(selection);
    let mut selected = Selected {
        satisfied: denial.is_none(),
        reason: denial.as_ref().map(|denial| denial.reason().as_str()),
        status: denial.as_ref().map(|denial| denial.status().as_u16()),
        ..Selected::default()
    };
    match trial.case(selection) {
        None => selected.readings = unlisted(trial.selections),
        Some(case) => describe(&mut selected, trial, selection, case),
    }
    if let Some(denial) = denial {
        selected.nearest = nearest(&selected, &denial);
    }
    selected
}

/// The readings that no key matches.
fn unlisted(selections: &Selections<'_>) -> Vec<String> {
    readings(selections).into_iter().filter(|reading| reading.routes.is_empty()).map(|reading| reading.path).collect()
}

fn describe(selected: &mut Selected, trial: &Trial<'_>, selection: &Selection<'_>, case: Case<'_>) {
    let params = case.route.params.iter().enumerate();
    selected.readings = vec![lossy(case.params.reading())];
    selected.route = Some(case.route.pattern.to_string());
    selected.params =
        params.map(|(index, name)| (name.to_string(), case.params.get(index).map(Cow::into_owned))).collect();
    selected.methods = case.route.listed_methods().iter().map(ToString::to_string).collect();
    selected.visible = case.route.masked.then(|| trial.is_visible(case));
    selected.rule = selection.rule().map(|rule| explained(trial, case, rule));
}

fn explained(trial: &Trial<'_>, case: Case<'_>, rule: &Rule) -> ExplainedRule {
    let nobody = Principal::new("");
    let held = trial.policy.names.resolve(&nobody);
    let nobody = Caller::new(trial.policy, &nobody, &held);
    let marker = Marker { trial, case, caller: trial.caller.unwrap_or(&nobody) };
    ExplainedRule {
        name: rule.info.name.to_string(),
        message: rule.info.message.as_ref().map(ToString::to_string),
        masked: rule.masked,
        index: rule.info.index,
        grants: marker.grants(&rule.allow),
        shadow: marker.grants(rule.shadow.as_deref().unwrap_or_default()),
    }
}

/// The least that would have to be otherwise.
fn nearest(selected: &Selected, denial: &Denial) -> Vec<String> {
    match (&selected.rule, denial.reason()) {
        (Some(rule), _) => steps(&rule.grants),
        (None, Reason::MethodNotListed) => {
            vec![format!("use {}, or list the method in the policy", selected.methods.join(", "))]
        }
        (None, _) => vec!["list the path in the policy".to_owned()],
    }
}

/// What the nearest grant asks for, among those of which every part can be mended.
fn steps(grants: &[ExplainedGrant]) -> Vec<String> {
    let steps = grants.iter().filter_map(|grant| {
        let unheld = || grant.parts.iter().filter(|part| !part.held);
        let steps = unheld().map(|part| part.remedy.clone()).collect::<Option<Vec<_>>>()?;
        Some((unheld().map(|part| &part.distance).max(), steps))
    });
    let nearest = steps.min_by_key(|(distance, steps)| (*distance, steps.len()));
    nearest.map_or_else(|| vec!["nobody is let in: change the rule".to_owned()], |(_, steps)| steps)
}

fn lossy(reading: &[u8]) -> String {
    String::from_utf8_lossy(reading).into_owned()
}
