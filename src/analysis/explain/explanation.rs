//! What an explanation says.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use super::super::evaluate::Verdict;
use crate::decision::StepUp;

/// Why a request is allowed or denied. Nothing is cut short: every reading of the path, every rule that one of them
/// selects, every grant of it and every part of that.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Explanation {
    /// The revision of the policy.
    pub revision: String,
    /// The method.
    pub method: String,
    /// The path, without its query.
    pub path: String,
    /// The address of the client, where it is known.
    pub client: Option<IpAddr>,
    /// When the request is sent (RFC 3339).
    pub time: String,
    /// Who is calling.
    pub caller: ExplainedCaller,
    /// Why the path is rejected, whoever asks; nothing else counts then.
    pub rejected: Option<String>,
    /// Every way in which a service might read the path.
    pub readings: Vec<ExplainedReading>,
    /// What the readings select. The request must satisfy all of it.
    pub selected: Vec<Selected>,
    /// The decision, by the very code that enforces it.
    pub verdict: Verdict,
    /// What exactly was wrong, as the event tells the operator.
    pub detail: Option<String>,
}

/// What is known of the caller.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ExplainedCaller {
    /// Who it is; none where nobody is known.
    pub subject: Option<String>,
    /// The roles, with those that are inherited.
    pub roles: Vec<String>,
    /// The permissions, with those that roles give.
    pub permissions: Vec<String>,
    /// The scopes to which the token limits what the roles give; none where it does not.
    pub limit: Option<Vec<String>>,
    /// Roles and permissions that were claimed and have no effect, since the policy does not declare them so.
    pub inert: Vec<String>,
    /// Sets of roles of which the caller has two or more, and may not.
    pub conflicting: Vec<Vec<String>>,
    /// Sources of roles or permissions that had the wrong shape.
    pub malformed: Vec<String>,
    /// What is wrong with the credentials.
    pub problem: Option<String>,
}

/// One way in which a service might read the path.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ExplainedReading {
    /// The path as it is read so.
    pub path: String,
    /// The paths of the keys that it selects: more than one where routers differ.
    pub routes: Vec<String>,
}

/// What one or more readings select.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Selected {
    /// The readings that select it.
    pub readings: Vec<String>,
    /// The path of the key; none where no key matches.
    pub route: Option<String>,
    /// The parameters of the path, percent-decoded once; none for what is not UTF-8.
    pub params: BTreeMap<String, Option<String>>,
    /// The methods that the route lists.
    pub methods: Vec<String>,
    /// The rule of the method; none where it is not listed.
    pub rule: Option<ExplainedRule>,
    /// Where a rule of the route is masked: whether the caller may see that the route exists.
    pub visible: Option<bool>,
    /// Whether the caller satisfies what is selected.
    pub satisfied: bool,
    /// Why it does not: the stable name of the reason.
    pub reason: Option<&'static str>,
    /// The status that this alone would be answered with.
    pub status: Option<u16>,
    /// The least that would have to be otherwise for this to be satisfied.
    pub nearest: Vec<String>,
}

/// A rule, grant by grant.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ExplainedRule {
    /// Its name, or the route key.
    pub name: String,
    /// The sentence that a denial shows the caller.
    pub message: Option<String>,
    /// Whether denials pretend that the route does not exist.
    pub masked: bool,
    /// The grants, any of which suffices.
    pub grants: Vec<ExplainedGrant>,
    /// The candidate grants, which are never enforced.
    pub shadow: Vec<ExplainedGrant>,
    /// Its place among the rules of the policy.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(in crate::analysis) index: usize,
}

/// One way to satisfy a rule.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ExplainedGrant {
    /// What it needs, in words.
    pub needs: String,
    /// Whether the caller holds it.
    pub held: bool,
    /// Its parts, all of which must hold.
    pub parts: Vec<ExplainedPart>,
}

/// How far a caller is from holding a part, 0 where it is held; and which step-up that is, since of several the least is
/// asked for.
pub(super) type Rank = (u8, Option<Arc<StepUp>>);

/// One part of a grant.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ExplainedPart {
    /// What it needs, in words.
    pub needs: String,
    /// Whether it holds.
    pub held: bool,
    /// Why it does not.
    pub why: Option<String>,
    /// What would have to be otherwise.
    pub remedy: Option<String>,
    /// How far the caller is from holding it, in the order by which the nearest grant is found.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(super) distance: Rank,
}
