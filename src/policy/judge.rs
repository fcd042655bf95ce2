//! Whether a caller holds a grant, and how far it is from one it does not hold.

use std::{
    borrow::Cow,
    net::IpAddr,
    time::{Duration, SystemTime},
};

use http::Method;
use percent_encoding::percent_decode;
use serde_json::{Number, Value};

use super::{
    capture::Captures,
    check::{CheckContext, CheckOutcome, Checks},
    compiled::{ClaimTest, ClaimValue, Compiled, Conditions, Grant, Route},
};
use crate::{
    decision::StepUp,
    principal::Principal,
    role::{Held, NameId, NameKind, NameSet, NameTable},
};

/// How far a clock of an identity provider may be ahead of ours.
const CLOCK_SKEW: Duration = Duration::from_secs(60);

/// Where the client is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ClientAddress {
    Known(IpAddr),
    /// Nobody has asked for it: no network holds.
    #[default]
    Unknown,
    /// It was asked for, and the server did not tell: a mistake of the set-up.
    Missing,
}

/// What a decision depends on beside the policy, the path and the identity.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances<'a> {
    pub(crate) method: &'a Method,
    pub(crate) client: ClientAddress,
    /// Told where the policy uses time.
    pub(crate) now: Option<SystemTime>,
    pub(crate) checks: &'a Checks,
}

/// An authenticated caller, as a policy sees it.
#[derive(Debug)]
pub(crate) struct Caller<'a> {
    pub(crate) principal: &'a Principal,
    pub(crate) held: Held,
    /// Two roles that exclude each other.
    pub(crate) conflicting: bool,
}

impl<'a> Caller<'a> {
    pub(crate) fn new(policy: &Compiled, principal: &'a Principal) -> Self {
        let held = policy.names.resolve(principal);
        let conflicting = policy.names.conflicting(&held);
        Self { principal, held, conflicting }
    }
}

/// Why a grant is not held, from the nearest to the farthest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Distance {
    StepUp,
    /// A predicate panicked, or the address of the client is missing.
    Broken(&'static str),
    Condition(Cow<'static, str>),
    Permission,
    Role,
}

/// How strictly a grant is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scrutiny {
    /// As enforced.
    Full,
    /// As far as visibility goes: `check`s count as not held, `step_up` as held.
    Visibility,
}

/// A route that is judged: its parameters and the reading that they were captured from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case<'a> {
    pub(crate) route: &'a Route,
    pub(crate) captures: &'a Captures,
    pub(crate) reading: &'a [u8],
}

impl<'a> Case<'a> {
    /// The value of a parameter, percent-decoded once, if it is UTF-8.
    fn param(&self, index: usize) -> Option<Cow<'a, str>> {
        let raw = self.reading.get(self.captures.get(index)?)?;
        match Cow::from(percent_decode(raw)) {
            Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
        }
    }
}

/// A pair of the circumstances and the case, against which grants are judged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judge<'a> {
    pub(crate) names: &'a NameTable,
    pub(crate) circumstances: &'a Circumstances<'a>,
    pub(crate) case: Case<'a>,
}

/// How a rule's grants came out for a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Held,
    /// All grants are `nobody`.
    Nobody,
    Anonymous,
    Conflicting,
    /// The grant that came nearest, and how far it was.
    Short {
        grant: usize,
        distance: Distance,
    },
}

impl Judge<'_> {
    /// Judges the grants of a rule, any of which suffices.
    ///
    /// Grants without predicates come first, so that a predicate which panics cannot make the order matter.
    pub(crate) fn standing(&self, grants: &[Grant], caller: Option<&Caller<'_>>, scrutiny: Scrutiny) -> Standing {
        if grants.iter().any(|grant| matches!(grant, Grant::Public)) {
            return Standing::Held;
        }
        if grants.iter().all(|grant| matches!(grant, Grant::Nobody)) {
            return Standing::Nobody;
        }
        let Some(caller) = caller else { return Standing::Anonymous };
        if caller.conflicting {
            return Standing::Conflicting;
        }
        self.nearest(grants, caller, scrutiny)
    }

    fn nearest(&self, grants: &[Grant], caller: &Caller<'_>, scrutiny: Scrutiny) -> Standing {
        let mut nearest: Option<(usize, Distance)> = None;
        for (index, grant) in grants.iter().enumerate() {
            match self.distance(grant, caller, scrutiny) {
                Some(None) => return Standing::Held,
                Some(Some(distance)) if nearest.as_ref().is_none_or(|(_, best)| distance < *best) => {
                    nearest = Some((index, distance));
                }
                _ => {}
            }
        }
        self.ask_checks(grants, caller, scrutiny).unwrap_or_else(|| match nearest {
            Some((grant, distance)) => Standing::Short { grant, distance },
            None => Standing::Nobody,
        })
    }

    /// How far `caller` is from a grant: nothing for `nobody`, no distance if it holds it without a predicate.
    /// A predicate that is still to be asked counts as a condition that fails.
    fn distance(&self, grant: &Grant, caller: &Caller<'_>, scrutiny: Scrutiny) -> Option<Option<Distance>> {
        match grant {
            Grant::Nobody => None,
            Grant::Public | Grant::Authenticated => Some(None),
            Grant::Conditions(conditions) => {
                let unchecked = || {
                    conditions.check.as_ref().map(|name| Distance::Condition(format!("check `{name}` failed").into()))
                };
                Some(self.unmet(conditions, caller, scrutiny).or_else(unchecked))
            }
        }
    }

    /// Asks the predicates of grants whose other parts hold; none if there are none or all say no.
    fn ask_checks(&self, grants: &[Grant], caller: &Caller<'_>, scrutiny: Scrutiny) -> Option<Standing> {
        if scrutiny == Scrutiny::Visibility {
            return None;
        }
        let mut held = None;
        for (grant, conditions) in
            grants.iter().enumerate().filter_map(|(index, grant)| Some((index, grant.conditions()?)))
        {
            let Some(check) = &conditions.check else { continue };
            if self.unmet(conditions, caller, scrutiny).is_some() {
                continue;
            }
            match self.ask(check, caller) {
                CheckOutcome::True => held = Some(Standing::Held),
                CheckOutcome::False => {}
                CheckOutcome::Panicked => {
                    return Some(Standing::Short { grant, distance: Distance::Broken("a check panicked") });
                }
            }
        }
        held
    }

    fn ask(&self, check: &str, caller: &Caller<'_>) -> CheckOutcome {
        let values: Vec<_> = (0..self.case.route.params.len()).map(|index| self.case.param(index)).collect();
        let params: Vec<_> =
            self.case.route.params.iter().zip(&values).map(|(name, value)| (&**name, value.as_deref())).collect();
        let context = CheckContext {
            principal: caller.principal,
            method: self.circumstances.method,
            route: &self.case.route.pattern,
            params: &params,
        };
        self.circumstances.checks.ask(check, &context)
    }

    /// The farthest part of an object grant that is not met, predicates aside.
    fn unmet(&self, grant: &Conditions, caller: &Caller<'_>, scrutiny: Scrutiny) -> Option<Distance> {
        (self.unmet_names(grant, &caller.held))
            .or_else(|| self.unmet_condition(grant, caller))
            .or_else(|| self.unmet_step_up(grant, caller, scrutiny))
    }

    fn unmet_names(&self, grant: &Conditions, held: &Held) -> Option<Distance> {
        let all = (!grant.all_of.all_in(held)).then(|| {
            let is_role = |id: &NameId| !held.contains(*id) && self.names.kind(*id) == Some(NameKind::Role);
            if grant.all_of.ids().iter().any(is_role) { Distance::Role } else { Distance::Permission }
        });
        let any = (!grant.any_of.is_empty() && !grant.any_of.any_in(held)).then(|| {
            let is_permission = |id: &NameId| self.names.kind(*id) == Some(NameKind::Permission);
            if grant.any_of.ids().iter().any(is_permission) { Distance::Permission } else { Distance::Role }
        });
        all.max(any)
    }

    fn unmet_condition(&self, grant: &Conditions, caller: &Caller<'_>) -> Option<Distance> {
        let condition = |text: &'static str| Some(Distance::Condition(text.into()));
        if !grant.none_of.is_empty() && caller.principal.malformed_sources().next().is_some() {
            return condition("`none_of` is not held, since a source of roles was malformed");
        }
        if grant.none_of.any_in(&caller.held) {
            return condition("a name of `none_of` is held");
        }
        if let Some(test) = grant.claims.iter().find(|test| !self.claim_holds(test, caller.principal)) {
            return Some(Distance::Condition(format!("claim `{}` does not match", test.claim).into()));
        }
        self.unmet_time(grant).map_or_else(|| self.unmet_network(grant), condition)
    }

    fn unmet_time(&self, grant: &Conditions) -> Option<&'static str> {
        if grant.from.is_none() && grant.until.is_none() {
            return None;
        }
        let Some(now) = self.circumstances.now else { return Some("the time is not known") };
        if grant.from.is_some_and(|from| now < from) {
            Some("the time of the grant has not come")
        } else if grant.until.is_some_and(|until| now >= until) {
            Some("the time of the grant is over")
        } else {
            None
        }
    }

    fn unmet_network(&self, grant: &Conditions) -> Option<Distance> {
        if grant.networks.is_empty() {
            return None;
        }
        match self.circumstances.client {
            ClientAddress::Known(client) if grant.networks.iter().any(|network| network.contains(&client)) => None,
            ClientAddress::Known(_) => {
                Some(Distance::Condition("the client address is in none of the networks".into()))
            }
            ClientAddress::Unknown => Some(Distance::Condition("the client address is not known".into())),
            ClientAddress::Missing => Some(Distance::Broken(
                "the client address is missing: serve with `into_make_service_with_connect_info::<SocketAddr>()`",
            )),
        }
    }

    fn unmet_step_up(&self, grant: &Conditions, caller: &Caller<'_>, scrutiny: Scrutiny) -> Option<Distance> {
        let step_up = grant.step_up.as_ref().filter(|_| scrutiny == Scrutiny::Full)?;
        (!self.has_stepped_up(step_up, caller.principal)).then_some(Distance::StepUp)
    }

    /// RFC 9470, section 3: the class of the authentication, and its age.
    fn has_stepped_up(&self, step_up: &StepUp, principal: &Principal) -> bool {
        let acr = principal.get_claim("acr").and_then(Value::as_str);
        let acr_holds = step_up.acr.is_empty() || acr.is_some_and(|acr| step_up.acr.iter().any(|any| **any == *acr));
        acr_holds && step_up.max_age.is_none_or(|max_age| self.is_fresh(principal, max_age))
    }

    fn is_fresh(&self, principal: &Principal, max_age: Duration) -> bool {
        let auth_time = principal.get_claim("auth_time").and_then(Value::as_u64);
        let Some(at) = auth_time.and_then(|secs| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(secs))) else {
            return false;
        };
        self.circumstances.now.is_some_and(|now| match now.duration_since(at) {
            Ok(age) => age <= max_age,
            Err(ahead) => ahead.duration() <= CLOCK_SKEW,
        })
    }

    fn claim_holds(&self, test: &ClaimTest, principal: &Principal) -> bool {
        let equals = |claim: &Value| test.any_of.iter().any(|wanted| self.claim_equals(wanted, claim));
        match principal.get_claim(&test.claim) {
            Some(Value::Array(claims)) => claims.iter().any(equals),
            Some(claim) => equals(claim),
            None if &*test.claim == "sub" => {
                let subject = principal.subject();
                test.any_of.iter().any(|wanted| self.text_equals(wanted, subject))
            }
            None => false,
        }
    }

    fn claim_equals(&self, wanted: &ClaimValue, claim: &Value) -> bool {
        match (wanted, claim) {
            (_, Value::String(claim)) => self.text_equals(wanted, claim),
            (ClaimValue::Parameter(index), Value::Number(claim)) => {
                self.case.param(*index).is_some_and(|param| is_decimal(claim, &param))
            }
            (ClaimValue::Literal(Value::Number(wanted)), Value::Number(claim)) => is_same_number(wanted, claim),
            (ClaimValue::Literal(Value::Bool(wanted)), Value::Bool(claim)) => wanted == claim,
            _ => false,
        }
    }

    /// An empty text equals nothing.
    fn text_equals(&self, wanted: &ClaimValue, claim: &str) -> bool {
        !claim.is_empty()
            && match wanted {
                ClaimValue::Literal(wanted) => wanted.as_str() == Some(claim),
                ClaimValue::Parameter(index) => self.case.param(*index).is_some_and(|param| param == claim),
            }
    }

    /// The names that `caller` lacks for `grant`.
    pub(crate) fn missing<'g>(&self, grant: &'g Conditions, held: &Held) -> impl Iterator<Item = NameId> + use<'g> {
        let lacking = |set: &'g NameSet, held: &Held| -> Vec<NameId> {
            set.ids().iter().copied().filter(|id| !held.contains(*id)).collect()
        };
        let any = if grant.any_of.any_in(held) { Vec::new() } else { lacking(&grant.any_of, held) };
        lacking(&grant.all_of, held).into_iter().chain(any)
    }
}

/// Whether `text` is the decimal form of an integer claim.
fn is_decimal(claim: &Number, text: &str) -> bool {
    (claim.is_i64() || claim.is_u64()) && claim.to_string() == text
}

fn is_same_number(a: &Number, b: &Number) -> bool {
    a == b || ((a.is_f64() || b.is_f64()) && a.as_f64() == b.as_f64())
}
