//! Whether a caller holds a grant, and how far it is from one it does not hold.

use std::{
    borrow::Cow,
    net::IpAddr,
    ops::ControlFlow,
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::Method;
use ipnet::IpNet;
use serde_json::{Number, Value};

use super::{
    capture::Params,
    check::{CheckContext, CheckOutcome, Checks},
    compiled::{ClaimTest, ClaimValue, Compiled, Conditions, Grant, Grants, Route},
    part::{Broken, Distance, Part, Unmet},
};
use crate::{
    clock::numeric_date,
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
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller<'a> {
    pub(crate) principal: &'a Principal,
    pub(crate) held: &'a Held,
    /// Two roles that exclude each other.
    pub(crate) conflicting: bool,
}

impl<'a> Caller<'a> {
    /// A caller who has `held`, which stays where it is since it is large.
    pub(crate) fn new(policy: &Compiled, principal: &'a Principal, held: &'a Held) -> Self {
        Self { principal, held, conflicting: policy.names.conflicting(held) }
    }
}

/// How strictly a grant is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scrutiny {
    /// As enforced.
    Full,
    /// As enforced, but no predicate is asked: `check`s count as not held.
    Unasked,
    /// As far as visibility goes: `check`s count as not held, `step_up` as held.
    Visibility,
}

/// A route that is judged, and its parameters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case<'a> {
    pub(crate) route: &'a Route,
    pub(crate) params: Params<'a>,
}

/// A pair of the circumstances and the case, against which grants are judged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judge<'a> {
    pub(crate) names: &'a NameTable,
    pub(crate) circumstances: &'a Circumstances<'a>,
    pub(crate) case: Case<'a>,
}

/// How a rule's grants came out for a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing<'p> {
    Held,
    /// All grants are `nobody`.
    Nobody,
    Anonymous,
    Conflicting,
    /// The grant that came nearest, and how far it was.
    Short {
        grant: usize,
        distance: Distance<'p>,
    },
}

impl Judge<'_> {
    /// Judges the grants of a rule, any of which suffices.
    ///
    /// Grants without predicates come first, so that a predicate which panics cannot make the order matter.
    pub(crate) fn standing<'p>(
        &self,
        grants: &'p Grants,
        caller: Option<&Caller<'_>>,
        scrutiny: Scrutiny,
    ) -> Standing<'p> {
        if grants.is_public() {
            return Standing::Held;
        }
        if grants.is_nobody() {
            return Standing::Nobody;
        }
        let Some(caller) = caller else { return Standing::Anonymous };
        if caller.conflicting {
            return Standing::Conflicting;
        }
        self.nearest(grants, caller, scrutiny)
    }

    fn nearest<'p>(&self, grants: &'p [Grant], caller: &Caller<'_>, scrutiny: Scrutiny) -> Standing<'p> {
        let unasked = if scrutiny == Scrutiny::Full { Scrutiny::Unasked } else { scrutiny };
        let mut nearest: Option<(usize, Distance<'p>)> = None;
        let mut must_ask = false;
        for (index, grant) in grants.iter().enumerate() {
            let distance = match grant {
                Grant::Nobody => continue,
                Grant::Public | Grant::Authenticated => return Standing::Held,
                Grant::Conditions(conditions) => self.farthest(conditions, caller, unasked),
            };
            let Some(distance) = distance else { return Standing::Held };
            must_ask |= matches!(distance, Distance::Condition(Unmet::Check(_)));
            if nearest.is_none_or(|(_, best)| distance < best) {
                nearest = Some((index, distance));
            }
        }
        let asked = if must_ask && scrutiny == Scrutiny::Full { self.ask_checks(grants, caller) } else { None };
        asked.unwrap_or(match nearest {
            Some((grant, distance)) => Standing::Short { grant, distance },
            None => Standing::Nobody,
        })
    }

    /// Asks the predicates of grants whose other parts hold; none if all say no.
    fn ask_checks<'p>(&self, grants: &'p [Grant], caller: &Caller<'_>) -> Option<Standing<'p>> {
        let mut held = None;
        for (grant, conditions) in
            grants.iter().enumerate().filter_map(|(index, grant)| Some((index, grant.conditions()?)))
        {
            match self.farthest(conditions, caller, Scrutiny::Full) {
                None => held = Some(Standing::Held),
                Some(distance @ Distance::Broken(Broken::CheckPanicked)) => {
                    return Some(Standing::Short { grant, distance });
                }
                Some(_) => {}
            }
        }
        held
    }

    /// How far `caller` is from a grant: the farthest of its parts that are not held, none if all are. Nothing is farther
    /// than a name, and of the other parts each is farther than those after it.
    fn farthest<'p>(&self, grant: &'p Conditions, caller: &Caller<'_>, scrutiny: Scrutiny) -> Option<Distance<'p>> {
        if let Some(lacking) = self.lacks_name(grant, caller.held) {
            return Some(Distance::of_name(lacking));
        }
        let mut farthest = None;
        let _ = grant.visit(|part| {
            farthest = if part.is_of_names() { None } else { self.distance(part, caller, scrutiny) };
            if farthest.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        farthest
    }

    /// Whether a role is lacking, or else a permission.
    fn lacks_name(&self, grant: &Conditions, held: &Held) -> Option<NameKind> {
        let lacks_any = || if grant.any_of.is_empty() { None } else { self.lacks_any(&grant.any_of, held) };
        match self.lacks_all(&grant.all_of, held) {
            Some(NameKind::Role) => Some(NameKind::Role),
            permission => lacks_any().or(permission),
        }
    }

    /// How far `caller` is from a part of a grant; none if it is held.
    pub(crate) fn distance<'p>(&self, part: Part<'p>, caller: &Caller<'_>, scrutiny: Scrutiny) -> Option<Distance<'p>> {
        match part {
            Part::AllOf(names) => self.lacks_all(names, caller.held).map(Distance::of_name),
            Part::AnyOf(names) => self.lacks_any(names, caller.held).map(Distance::of_name),
            Part::NoneOf(names) => self.has_one(names, caller).map(Distance::Condition),
            Part::Claim(test) => {
                (!self.claim_holds(test, caller.principal)).then_some(Distance::Condition(Unmet::Claim(&test.unmet)))
            }
            Part::From(_) | Part::Until(_) => self.off_time(part).map(Distance::Condition),
            Part::Networks(networks) => self.off_network(networks),
            Part::StepUp(step_up) => (scrutiny != Scrutiny::Visibility
                && !self.has_stepped_up(step_up, caller.principal))
            .then_some(Distance::StepUp(step_up)),
            Part::Check(check) if scrutiny == Scrutiny::Full => self.refused(check, caller),
            Part::Check(check) => Some(Distance::Condition(Unmet::Check(check))),
        }
    }

    fn lacks_all(&self, names: &NameSet, held: &Held) -> Option<NameKind> {
        if names.all_in(held) {
            return None;
        }
        let is_role = |id: &NameId| !held.contains(*id) && self.names.kind(*id) == Some(NameKind::Role);
        Some(if names.ids().iter().any(is_role) { NameKind::Role } else { NameKind::Permission })
    }

    fn lacks_any(&self, names: &NameSet, held: &Held) -> Option<NameKind> {
        if names.any_in(held) {
            return None;
        }
        let is_permission = |id: &NameId| self.names.kind(*id) == Some(NameKind::Permission);
        Some(if names.ids().iter().any(is_permission) { NameKind::Permission } else { NameKind::Role })
    }

    /// What the scopes of the token leave out of the roles counts as had: who asks for less is not let in for it.
    fn has_one(&self, names: &NameSet, caller: &Caller<'_>) -> Option<Unmet<'static>> {
        if caller.principal.malformed_sources().next().is_some() {
            return Some(Unmet::Malformed);
        }
        let is_given = |id: &NameId| self.names.is_given(*id, caller.held);
        let is_limited = caller.principal.permission_limit().is_some();
        let has_one = names.any_in(caller.held) || (is_limited && names.ids().iter().any(is_given));
        has_one.then_some(Unmet::NoneOf)
    }

    fn refused<'p>(&self, check: &'p str, caller: &Caller<'_>) -> Option<Distance<'p>> {
        match self.ask(check, caller) {
            CheckOutcome::True => None,
            CheckOutcome::False => Some(Distance::Condition(Unmet::Check(check))),
            CheckOutcome::Panicked => Some(Distance::Broken(Broken::CheckPanicked)),
        }
    }

    fn ask(&self, check: &str, caller: &Caller<'_>) -> CheckOutcome {
        let values: Vec<_> = (0..self.case.route.params.len()).map(|index| self.case.params.get(index)).collect();
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

    fn off_time(&self, part: Part<'_>) -> Option<Unmet<'static>> {
        let Some(now) = self.circumstances.now else { return Some(Unmet::TimeUnknown) };
        match part {
            Part::From(from) if now < from => Some(Unmet::NotYet),
            Part::Until(until) if now >= until => Some(Unmet::Over),
            _ => None,
        }
    }

    fn off_network(&self, networks: &[IpNet]) -> Option<Distance<'static>> {
        match self.circumstances.client {
            ClientAddress::Known(client) if networks.iter().any(|network| network.contains(&client)) => None,
            ClientAddress::Known(_) => Some(Distance::Condition(Unmet::OtherNetwork)),
            ClientAddress::Unknown => Some(Distance::Condition(Unmet::AddressUnknown)),
            ClientAddress::Missing => Some(Distance::Broken(Broken::AddressMissing)),
        }
    }

    /// RFC 9470, section 3: the class of the authentication, and its age.
    fn has_stepped_up(&self, step_up: &StepUp, principal: &Principal) -> bool {
        let acr = principal.get_claim("acr").and_then(Value::as_str);
        let acr_holds = step_up.acr.is_empty() || acr.is_some_and(|acr| step_up.acr.iter().any(|any| **any == *acr));
        acr_holds && step_up.max_age.is_none_or(|max_age| self.is_fresh(principal, max_age))
    }

    fn is_fresh(&self, principal: &Principal, max_age: Duration) -> bool {
        let Some(at) = principal.get_claim("auth_time").and_then(numeric_date) else { return false };
        self.circumstances.now.is_some_and(|now| match now.duration_since(at) {
            Ok(age) => age <= max_age,
            Err(ahead) => ahead.duration() <= CLOCK_SKEW,
        })
    }

    fn claim_holds(&self, test: &ClaimTest, principal: &Principal) -> bool {
        let claim = principal.get_claim(&test.claim);
        let subject = || (&*test.claim == "sub").then(|| principal.subject());
        test.any_of.iter().filter_map(|wanted| self.wanted(wanted)).any(|wanted| match claim {
            Some(Value::Array(claims)) => claims.iter().any(|claim| wanted.equals(claim)),
            Some(claim) => wanted.equals(claim),
            None => subject().is_some_and(|subject| wanted.equals_text(subject)),
        })
    }

    /// What a claim is to be; none if the path does not tell.
    fn wanted<'v>(&'v self, value: &'v ClaimValue) -> Option<Wanted<'v>> {
        match value {
            ClaimValue::Literal(value) => Some(Wanted::Literal(value)),
            ClaimValue::Parameter(index) => self.case.params.get(*index).map(Wanted::Parameter),
        }
    }
}

/// What a claim is compared with.
enum Wanted<'v> {
    Literal(&'v Value),
    Parameter(Cow<'v, str>),
}

impl Wanted<'_> {
    fn equals(&self, claim: &Value) -> bool {
        match (self, claim) {
            (_, Value::String(claim)) => self.equals_text(claim),
            (Self::Parameter(wanted), Value::Number(claim)) => is_decimal(claim, wanted),
            (Self::Literal(Value::Number(wanted)), Value::Number(claim)) => is_same_number(wanted, claim),
            (Self::Literal(Value::Bool(wanted)), Value::Bool(claim)) => wanted == claim,
            _ => false,
        }
    }

    /// An empty text equals nothing.
    fn equals_text(&self, claim: &str) -> bool {
        !claim.is_empty()
            && match self {
                Self::Literal(wanted) => wanted.as_str() == Some(claim),
                Self::Parameter(wanted) => wanted == claim,
            }
    }
}

impl Conditions {
    /// The names that a caller lacks who has `held`.
    pub(crate) fn missing(&self, held: &Held, names: &NameTable) -> Arc<[Arc<str>]> {
        if !self.all_of.any_in(held) && !self.any_of.any_in(held) {
            return Arc::clone(&self.wanted);
        }
        let any = if self.any_of.any_in(held) { None } else { Some(&self.any_of) };
        let lacking = [Some(&self.all_of), any].into_iter().flatten().flat_map(|wanted| wanted.lacking(held));
        lacking.filter_map(|id| names.text(id).cloned()).collect()
    }
}

/// Whether `text` is the decimal form of an integer claim.
fn is_decimal(claim: &Number, text: &str) -> bool {
    (claim.is_i64() || claim.is_u64()) && claim.to_string() == text
}

fn is_same_number(a: &Number, b: &Number) -> bool {
    a == b || ((a.is_f64() || b.is_f64()) && a.as_f64() == b.as_f64())
}
