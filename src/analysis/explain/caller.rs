//! Who is calling, in words.

use super::explanation::ExplainedCaller;
use crate::{
    identity::Identity,
    policy::{Caller, Compiled, unusable},
    principal::Principal,
    role::{NameId, NameKind, NameTable},
};

pub(super) fn explained(policy: &Compiled, identity: &Identity, caller: Option<&Caller<'_>>) -> ExplainedCaller {
    let Some(caller) = caller else {
        let problem = unusable(identity).and_then(|denial| denial.get_detail().map(ToOwned::to_owned));
        return ExplainedCaller { problem, ..ExplainedCaller::default() };
    };
    let names = &policy.names;
    let held = |kind: NameKind| {
        let of_kind = names.iter().filter(|(id, _, other)| *other == kind && caller.held.contains(*id));
        of_kind.map(|(_, text, _)| text.to_string()).collect()
    };
    ExplainedCaller {
        subject: Some(caller.principal.subject().to_owned()),
        roles: held(NameKind::Role),
        permissions: held(NameKind::Permission),
        limit: caller.principal.permission_limit().map(|limit| limit.map(ToOwned::to_owned).collect()),
        inert: inert(names, caller.principal),
        conflicting: conflicts(names, caller),
        malformed: caller.principal.malformed_sources().map(ToOwned::to_owned).collect(),
        problem: None,
    }
}

fn inert(names: &NameTable, principal: &Principal) -> Vec<String> {
    let roles = principal.role_names().filter(|name| names.is_role(name) != Some(true));
    let permissions = principal.permission_names().filter(|name| names.is_role(name) != Some(false));
    roles.chain(permissions).map(ToOwned::to_owned).collect()
}

fn conflicts(names: &NameTable, caller: &Caller<'_>) -> Vec<Vec<String>> {
    let held = |ids: &[NameId]| -> Vec<String> {
        let held = ids.iter().filter(|id| caller.held.contains(**id));
        held.filter_map(|id| names.text(*id)).map(ToString::to_string).collect()
    };
    names.exclusive().iter().map(|set| held(set.ids())).filter(|held| held.len() > 1).collect()
}
