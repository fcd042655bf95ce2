//! Grants, part by part.

use std::{ops::ControlFlow, slice, sync::Arc};

use super::explanation::{ExplainedGrant, ExplainedPart, Rank};
use crate::{
    policy::{
        Caller, Case, Compiled, Distance, Part, Scrutiny, Trial,
        compiled::{Conditions, Grant},
        in_rfc_3339, in_words, part_in_words,
    },
    role::{NameId, NameKind, NameSet, NameTable},
};

/// Marks the parts of grants as a caller holds them. Nobody is a caller who holds nothing.
pub(super) struct Marker<'a> {
    pub(super) trial: &'a Trial<'a>,
    pub(super) case: Case<'a>,
    /// The caller, or one who has nothing in the place of nobody.
    pub(super) caller: &'a Caller<'a>,
}

impl Marker<'_> {
    pub(super) fn grants(&self, grants: &[Grant]) -> Vec<ExplainedGrant> {
        grants.iter().map(|grant| self.grant(grant)).collect()
    }

    fn policy(&self) -> &Compiled {
        self.trial.policy
    }

    fn grant(&self, grant: &Grant) -> ExplainedGrant {
        let parts = match grant {
            Grant::Public => Vec::new(),
            Grant::Nobody => vec![part("nobody", Some("the grant lets nobody in".to_owned()), None)],
            Grant::Authenticated => self.callers_parts(),
            Grant::Conditions(conditions) => {
                let mut parts = self.callers_parts();
                parts.extend(self.conditions(conditions));
                parts
            }
        };
        let held = parts.iter().all(|part| part.held);
        let needs = in_words(&self.policy().names, &self.case.route.params, slice::from_ref(grant));
        ExplainedGrant { needs, held, parts }
    }

    /// What every grant but `public` implies.
    fn callers_parts(&self) -> Vec<ExplainedPart> {
        let anonymous = self.trial.caller.is_none();
        let why = anonymous.then(|| "the caller is anonymous".to_owned());
        let mut parts = vec![part("authenticated", why, Some("authenticate".to_owned()))];
        if self.caller.conflicting {
            let why = "the caller has roles that exclude each other".to_owned();
            parts.push(part("no conflicting roles", Some(why), Some("give up all but one of them".to_owned())));
        }
        parts
    }

    fn conditions(&self, conditions: &Conditions) -> Vec<ExplainedPart> {
        let mut parts = Vec::new();
        let judge = self.trial.judge_of(self.case);
        let _ = conditions.visit(|each| {
            let distance = judge.distance(each, self.caller, Scrutiny::Full);
            let needs = part_in_words(&self.policy().names, &self.case.route.params, each);
            let why = distance.map(|distance| self.why(each, distance));
            let distance = distance.map(rank).unwrap_or_default();
            parts.push(ExplainedPart { distance, ..part(needs, why, self.remedy(each)) });
            ControlFlow::Continue(())
        });
        parts
    }

    fn why(&self, part: Part<'_>, distance: Distance<'_>) -> String {
        match (part, distance) {
            (Part::NoneOf(set), Distance::Condition(_)) if set.any_in(self.caller.held) => {
                let held = set.ids().iter().copied().filter(|id| self.caller.held.contains(*id));
                format!("{} held", listed(&self.policy().names, held.collect(), "and"))
            }
            (_, Distance::Condition(unmet)) => unmet.detail().to_string(),
            (_, Distance::Broken(broken)) => broken.as_str().to_owned(),
            (_, Distance::StepUp(_)) => "the authentication is too weak, too old, or does not say".to_owned(),
            (Part::AllOf(set), _) => format!("without {}", self.lacking(set, "and")),
            (Part::AnyOf(set), _) => format!("without {}", self.lacking(set, "or")),
            (_, Distance::Permission | Distance::Role) => "not held".to_owned(),
        }
    }

    /// What would have to be otherwise for a part to hold.
    fn remedy(&self, part: Part<'_>) -> Option<String> {
        let names = &self.policy().names;
        let params = &self.case.route.params;
        Some(match part {
            Part::AllOf(set) => format!("have {}", self.lacking(set, "and")),
            Part::AnyOf(set) => format!("have {}", self.lacking(set, "or")),
            Part::NoneOf(set) => format!("be without {}", listed(names, set.ids().to_vec(), "and")),
            Part::Claim(_) => format!("have the {}", part_in_words(names, params, part)),
            Part::From(time) => format!("wait until {}", in_rfc_3339(time)),
            Part::Until(_) => return None,
            Part::Networks(_) => format!("call from {}", part_in_words(names, params, part)),
            Part::StepUp(_) => format!("authenticate anew with {}", part_in_words(names, params, part)),
            Part::Check(check) => format!("pass the check `{check}`, which the application answers"),
        })
    }

    fn lacking(&self, set: &NameSet, conjunction: &str) -> String {
        let names = &self.policy().names;
        let one = |id: NameId| {
            if self.is_withheld(id) {
                let text = names.text(id).map_or("", |text| text);
                format!("permission `{text}` (which the roles give and the scopes of the token leave out)")
            } else {
                named(names, id)
            }
        };
        set.lacking(self.caller.held).map(one).collect::<Vec<_>>().join(&format!(" {conjunction} "))
    }

    /// Whether a role of the caller gives a permission that its token does not let it have.
    fn is_withheld(&self, permission: NameId) -> bool {
        let names = &self.policy().names;
        let gives = |id: NameId| self.caller.held.contains(id) && names.includes(id, permission);
        names.kind(permission) == Some(NameKind::Permission)
            && names.iter().any(|(id, _, kind)| kind == NameKind::Role && gives(id))
    }
}

/// A part that is held unless there is a reason why not.
fn part(needs: impl Into<String>, why: Option<String>, remedy: Option<String>) -> ExplainedPart {
    let held = why.is_none();
    ExplainedPart { needs: needs.into(), held, remedy: remedy.filter(|_| !held), why, distance: Rank::default() }
}

fn rank(distance: Distance<'_>) -> Rank {
    match distance {
        Distance::StepUp(step_up) => (1, Some(Arc::clone(step_up))),
        Distance::Broken(_) => (2, None),
        Distance::Condition(_) => (3, None),
        Distance::Permission => (4, None),
        Distance::Role => (5, None),
    }
}

/// Such as "role `admin` and permission `invoice:write` (of `editor`, `admin`)".
fn listed(names: &NameTable, ids: Vec<NameId>, conjunction: &str) -> String {
    ids.into_iter().map(|id| named(names, id)).collect::<Vec<_>>().join(&format!(" {conjunction} "))
}

fn named(names: &NameTable, id: NameId) -> String {
    let text = names.text(id).map_or("", |text| text);
    match names.kind(id) {
        Some(NameKind::Permission) => format!("permission `{text}`{}", givers(names, id)),
        _ => format!("role `{text}`"),
    }
}

/// The roles that give a permission.
fn givers(names: &NameTable, permission: NameId) -> String {
    const MOST: usize = 4;
    let gives = |(id, _, kind): &(NameId, _, NameKind)| *kind == NameKind::Role && names.includes(*id, permission);
    let mut roles: Vec<_> = names.iter().filter(gives).map(|(_, text, _)| format!("`{text}`")).collect();
    if roles.len() > MOST {
        roles.truncate(MOST);
        roles.push("…".to_owned());
    }
    if roles.is_empty() { String::new() } else { format!(" (of {})", roles.join(", ")) }
}
