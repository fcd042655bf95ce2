//! Which rules and grants of a policy some requests have reached.

use std::slice;

use super::explain::{ExplainedRule, Explanation};
use crate::policy::{Compiled, Policy, compiled::Grant, in_words};

/// Which rules and grants of a policy some requests have reached.
///
/// A rule is reached by a request that selects it; a grant by one whose caller holds it. What lets nobody in is
/// reached with its rule.
///
/// ```
/// use http::Method;
/// use tower_authz::{Policy, Principal, analysis::{Coverage, Probe, explain}};
///
/// let policy = Policy::from_json_str(r#"{
///     "version": 1,
///     "roles": { "viewer": {}, "admin": {} },
///     "routes": { "GET /a": ["viewer", "admin"], "GET /b": "admin" }
/// }"#)?;
/// let mut coverage = Coverage::new(&policy);
/// let viewer = Principal::new("ada").roles(["viewer"]);
/// coverage.record(&explain(&policy, &Probe::new(Method::GET, "/a").identity(viewer)));
/// assert_eq!((coverage.reached(), coverage.all()), (2, 5));
/// # Ok::<(), tower_authz::PolicyError>(())
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct Coverage {
    rules: Vec<CoveredRule>,
}

/// A rule, and whether it was reached.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct CoveredRule {
    /// Its name, or the route key.
    pub name: String,
    /// Whether a request selected it.
    pub reached: bool,
    /// Its grants.
    pub grants: Vec<CoveredGrant>,
}

/// A grant, and whether it was reached.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct CoveredGrant {
    /// What it needs, in words.
    pub needs: String,
    /// Whether a caller held it.
    pub reached: bool,
    #[cfg_attr(feature = "serde", serde(skip))]
    nobody: bool,
}

impl Coverage {
    /// Nothing of `policy` is reached yet.
    pub fn new(policy: &Policy) -> Self {
        let compiled = policy.compiled();
        let mut rules = Vec::with_capacity(compiled.rules.len());
        for rule in &compiled.rules {
            let grants = rule.allow.iter().map(|grant| unreached(compiled, &rule.info.pattern, grant)).collect();
            rules.push(CoveredRule { name: rule.info.name.to_string(), reached: false, grants });
        }
        Self { rules }
    }

    /// Counts what a request reached. The explanation is one of the same policy.
    pub fn record(&mut self, explanation: &Explanation) {
        for rule in explanation.selected.iter().filter_map(|selected| selected.rule.as_ref()) {
            if let Some(covered) = self.rules.get_mut(rule.index) {
                covered.record(rule);
            }
        }
    }

    /// Every rule of the policy.
    pub fn rules(&self) -> &[CoveredRule] {
        &self.rules
    }

    /// How many rules and grants there are.
    pub fn all(&self) -> usize {
        self.rules.iter().map(|rule| 1 + rule.grants.len()).sum()
    }

    /// How many rules and grants were reached.
    pub fn reached(&self) -> usize {
        let of_rule =
            |rule: &CoveredRule| usize::from(rule.reached) + rule.grants.iter().filter(|grant| grant.reached).count();
        self.rules.iter().map(of_rule).sum()
    }

    /// The share of what was reached, in percent.
    pub fn percent(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "no policy has that many rules")]
        let share = self.reached() as f64 / self.all().max(1) as f64;
        share * 100.0
    }
}

impl CoveredRule {
    fn record(&mut self, rule: &ExplainedRule) {
        self.reached = true;
        for (covered, grant) in self.grants.iter_mut().zip(&rule.grants) {
            covered.reached |= grant.held || covered.nobody;
        }
    }
}

fn unreached(policy: &Compiled, pattern: &str, grant: &Grant) -> CoveredGrant {
    let found = policy.routes.binary_search_by(|route| (*route.pattern).cmp(pattern));
    let route = found.ok().and_then(|index| policy.routes.get(index));
    let params = route.map_or(&[][..], |route| &route.params);
    CoveredGrant {
        needs: in_words(&policy.names, params, slice::from_ref(grant)),
        reached: false,
        nobody: matches!(grant, Grant::Nobody),
    }
}
