//! The grammar of a policy document: from the tree as it was written to rules, noting every problem on the way.

mod at;
mod claims;
mod conditions;
mod grant;
mod route_key;
mod rule;
#[cfg(test)]
mod schema;

pub(crate) use at::{At, Object};
pub(crate) use grant::GrantReader;
pub(crate) use route_key::{RouteKey, Verb};
pub(crate) use rule::{RuleDraft, check_silence, read_rule};
