//! The decision: a pure function of the policy, what the path selects, the identity and the circumstances.

use std::{ptr, sync::Arc};

use http::{Method, StatusCode};

use super::{
    compiled::{Compiled, Grant, Grants, Route, Rule, Unlisted},
    judge::{Caller, Case, Circumstances, Judge, Scrutiny, Standing},
    part::Distance,
    pattern::Pattern,
    select::{Selection, Selections},
};
use crate::{
    decision::{Denial, Mask, Reason, RuleInfo},
    identity::{CredentialErrorKind, Identity},
    path::Rejected,
    role::{Held, Remembered, Words},
};

/// How a request was judged.
#[derive(Debug)]
pub(crate) enum Decision {
    Allow(Permit),
    Deny(Denial),
}

impl Decision {
    pub(crate) fn denial(&self) -> Option<&Denial> {
        match self {
            Self::Allow(_) => None,
            Self::Deny(denial) => Some(denial),
        }
    }

    /// The status of the answer; none where the request is forwarded.
    pub(crate) fn status(&self) -> Option<StatusCode> {
        self.denial().map(Denial::status)
    }
}

/// The proof that a request was allowed. Only [`decide`] makes one, and forwarding takes one.
#[derive(Debug)]
#[must_use = "a permit is there to be forwarded with"]
pub(crate) struct Permit(());

/// Whether decisions are enforced. It is chosen in code, never in a policy file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Enforcement {
    /// Denied requests are answered.
    #[default]
    Enforce,
    /// Denied requests are reported and forwarded all the same. This is how a service that is in use adopts a
    /// policy; a warning at start says that nothing is protected.
    ReportOnly,
}

impl Enforcement {
    /// The permit for a denied request where nothing is enforced.
    pub(crate) fn waive(self) -> Option<Permit> {
        (self == Self::ReportOnly).then_some(Permit(()))
    }
}

impl From<Rejected> for Denial {
    fn from(rejected: Rejected) -> Self {
        Self::new(Reason::PathRejected).detail(rejected.as_str())
    }
}

/// Judges a request in the order of the design's section 6. Most decisions ask for no `circumstances`.
#[inline]
pub(crate) fn decide<'c>(
    policy: &Compiled,
    selections: &Selections<'_>,
    identity: &Identity,
    circumstances: impl FnOnce() -> Circumstances<'c>,
) -> Decision {
    let is_open = match identity.principal() {
        None => Some(selections.all(|selection| is_plainly_open(policy, selection, None::<&Held>))),
        Some(principal) => {
            let is_open =
                |held: Remembered<'_>| selections.all(|selection| is_plainly_open(policy, selection, Some(&held)));
            policy.names.recall_of(principal, is_open)
        }
    };
    match is_open {
        Some(true) => Decision::Allow(Permit(())),
        unknown_or_not => try_all(policy, selections, identity, &circumstances(), unknown_or_not.is_none()),
    }
}

/// Judges everything that the path selects, where it is not plain that all is open, or not known yet, since it is
/// the first time that the caller meets the policy.
#[inline(never)]
fn try_all(
    policy: &Compiled,
    selections: &Selections<'_>,
    identity: &Identity,
    circumstances: &Circumstances<'_>,
    is_first: bool,
) -> Decision {
    let Some(principal) = identity.principal() else {
        return match unusable(identity) {
            Some(denial) => Decision::Deny(denial),
            None => Trial { policy, selections, circumstances, caller: None }.decision(),
        };
    };
    let mut held = Held::empty(policy.names.words());
    policy.names.resolve_into(principal, &mut held);
    if is_first && selections.all(|selection| is_plainly_open(policy, selection, Some(&held))) {
        return Decision::Allow(Permit(()));
    }
    let caller = &Caller::new(policy, principal, &held);
    Trial { policy, selections, circumstances, caller: Some(caller) }.decision()
}

/// The rules with candidate grants that would decide otherwise than the enforced ones.
pub(crate) fn shadow_differences(
    policy: &Compiled,
    selections: &Selections<'_>,
    identity: &Identity,
    circumstances: &Circumstances<'_>,
) -> Vec<ShadowDifference> {
    if selections.all(|selection| selection.rule().is_none_or(|rule| rule.shadow.is_none())) {
        return Vec::new();
    }
    let principal = identity.principal();
    let held = principal.map(|principal| policy.names.resolve(principal));
    let caller = principal.zip(held.as_ref()).map(|(principal, held)| Caller::new(policy, principal, held));
    let trial = Trial { policy, selections, circumstances, caller: caller.as_ref() };
    selections.iter().filter_map(|selection| trial.shadow_difference(selection)).collect()
}

/// A rule whose candidate grants would decide otherwise.
#[derive(Debug)]
pub(crate) struct ShadowDifference {
    pub(crate) rule: Arc<RuleInfo>,
    /// What the caller would be told under the candidates; nothing if it would be let in.
    pub(crate) candidate: Option<Denial>,
}

/// Whether a reading is open to everyone, or to those who have `held` for their roles and permissions alone: what most
/// requests come to, which need no trial.
#[inline(always)]
fn is_plainly_open(policy: &Compiled, selection: &Selection<'_>, held: Option<&impl Words>) -> bool {
    match selection {
        Selection::Unlisted => policy.unlisted == Unlisted::Public,
        Selection::Listed { rule, .. } => rule.is_some_and(|rule| {
            let is_held = |held| rule.allow.are_plainly_held(held) && !policy.names.conflicting(held);
            rule.allow.is_public() || held.is_some_and(is_held)
        }),
    }
}

/// What is wrong with an identity that is neither good nor absent.
pub(crate) fn unusable(identity: &Identity) -> Option<Denial> {
    match identity {
        Identity::Anonymous | Identity::Authenticated(_) => None,
        Identity::Rejected(error) => {
            let ambiguous = error.kind() == CredentialErrorKind::Ambiguous;
            let reason = if ambiguous { Reason::AmbiguousCredentials } else { Reason::InvalidCredentials };
            let detail = match error.get_detail() {
                Some(detail) => format!("{error}: {detail}"),
                None => error.to_string(),
            };
            Some(Denial::new(reason).detail(detail))
        }
        Identity::Failed(failure) => Some(Denial::new(Reason::InternalError).detail(failure.to_string())),
        Identity::Unavailable(unavailable) => {
            let denial = Denial::new(Reason::AuthenticatorUnavailable);
            let denial = match unavailable.get_retry_after() {
                Some(after) => denial.with(|rest| rest.retry_after = Some(after)),
                None => denial,
            };
            Some(match unavailable.get_detail() {
                Some(detail) => denial.detail(detail),
                None => denial,
            })
        }
    }
}

/// The most severe first: by the status as sent, then by the order of reasons.
fn severity(denial: &Denial) -> (u8, Reason) {
    let status = match denial.status() {
        StatusCode::NOT_FOUND => 0,
        StatusCode::METHOD_NOT_ALLOWED => 1,
        StatusCode::INTERNAL_SERVER_ERROR => 2,
        StatusCode::FORBIDDEN => 3,
        _ => 4,
    };
    (status, denial.reason())
}

/// Everything that the rules of one request are judged by.
pub(crate) struct Trial<'a> {
    pub(crate) policy: &'a Compiled,
    pub(crate) selections: &'a Selections<'a>,
    pub(crate) circumstances: &'a Circumstances<'a>,
    pub(crate) caller: Option<&'a Caller<'a>>,
}

impl<'a> Trial<'a> {
    /// Of several denials the first of the most severe.
    #[inline]
    fn decision(&self) -> Decision {
        let mut decision = Decision::Allow(Permit(()));
        for denial in self.selections.iter().filter_map(|selection| self.judge(selection)) {
            match &decision {
                Decision::Deny(worst) if severity(worst) <= severity(&denial) => {}
                _ => decision = Decision::Deny(denial),
            }
        }
        decision
    }

    /// Nothing if the caller satisfies what this reading selects.
    #[inline]
    pub(crate) fn judge(&self, selection: &'a Selection<'a>) -> Option<Denial> {
        let Some(case) = self.case(selection) else { return self.unlisted() };
        let Some(rule) = selection.rule() else { return Some(self.method_not_listed(case)) };
        let mut denial = self.shortfall(rule, &rule.allow, case)?;
        self.mask(&mut denial, rule, case);
        Some(denial)
    }

    pub(crate) fn case(&self, selection: &'a Selection<'a>) -> Option<Case<'a>> {
        match selection {
            Selection::Unlisted => None,
            Selection::Listed { route, .. } => Some(Case { route, params: self.selections.params(selection) }),
        }
    }

    fn unlisted(&self) -> Option<Denial> {
        let status = match (self.policy.unlisted, self.caller) {
            (Unlisted::NotFound, _) => StatusCode::NOT_FOUND,
            (Unlisted::Forbidden, _) => StatusCode::FORBIDDEN,
            (Unlisted::Authenticated, None) => StatusCode::UNAUTHORIZED,
            (Unlisted::Authenticated, Some(caller)) if caller.conflicting => StatusCode::FORBIDDEN,
            (Unlisted::Authenticated, Some(_)) | (Unlisted::Public, _) => return None,
        };
        Some(Denial { unmasked: status, ..Denial::new(Reason::NotListed) })
    }

    fn method_not_listed(&self, case: Case<'a>) -> Denial {
        let route = Some(Arc::clone(&case.route.pattern));
        let denial = Denial { route, ..Denial::new(Reason::MethodNotListed) };
        if case.route.masked && !self.is_visible(case) {
            return denial.masked();
        }
        denial.with(|rest| rest.allow = Some(self.allow(case)))
    }

    pub(crate) fn judge_of(&self, case: Case<'a>) -> Judge<'_> {
        Judge { names: &self.policy.names, circumstances: self.circumstances, case }
    }

    /// What the caller lacks for `grants`, which are those of `rule` or its candidates.
    #[inline(always)]
    fn shortfall(&self, rule: &Rule, grants: &Grants, case: Case<'a>) -> Option<Denial> {
        let judge = self.judge_of(case);
        let standing = judge.standing(grants, self.caller, Scrutiny::Full);
        let mut denial = denial_of(standing, grants, &judge, self.caller)?;
        denial.rule = Some(Arc::clone(&rule.info));
        Some(denial)
    }

    /// Section 7: nothing tells an invisible route from a path that does not exist, nor on a visible one a masked
    /// method from one that is not listed; but who lacks only the step-up is told so.
    #[inline(always)]
    fn mask(&self, denial: &mut Denial, rule: &Rule, case: Case<'a>) {
        if case.route.masked && !self.is_visible_beside(rule, case) {
            denial.mask = Mask::Missing;
        } else if rule.masked && denial.reason() != Reason::StepUpRequired {
            denial.mask = Mask::MethodNotListed;
            denial.rest.get_or_insert_default().allow = Some(self.allow(case));
        }
    }

    pub(crate) fn is_visible(&self, case: Case<'a>) -> bool {
        case.route.rules(self.policy).any(|rule| self.may(rule, case, Scrutiny::Visibility))
    }

    /// Whether the route is visible to a caller who does not satisfy `denied`. What that takes is not looked at twice: it would
    /// tell a masked route from a missing one by the time that it takes.
    fn is_visible_beside(&self, denied: &Rule, case: Case<'a>) -> bool {
        let is_known = |rule: &Rule| ptr::eq(rule, denied) && !rule.allow.ask_to_step_up();
        let mut others = case.route.rules(self.policy).filter(|rule| !is_known(rule));
        others.any(|rule| self.may(rule, case, Scrutiny::Visibility))
    }

    fn may(&self, rule: &Rule, case: Case<'a>, scrutiny: Scrutiny) -> bool {
        self.judge_of(case).standing(&rule.allow, self.caller, scrutiny) == Standing::Held
    }

    /// The methods of the route, without masked ones that this caller may not use.
    fn allow(&self, case: Case<'a>) -> Arc<str> {
        let shown = |method: &Method| {
            let rule = case.route.rule_for(self.policy, method);
            rule.is_some_and(|rule| !rule.masked || self.may(rule, case, Scrutiny::Full))
        };
        let methods: Vec<_> = case.route.listed_methods().into_iter().filter(shown).collect();
        let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
        names.join(", ").into()
    }

    fn shadow_difference(&self, selection: &'a Selection<'a>) -> Option<ShadowDifference> {
        let case = self.case(selection)?;
        let rule = selection.rule()?;
        let candidate = self.shortfall(rule, rule.shadow.as_ref()?, case);
        let enforced = self.shortfall(rule, &rule.allow, case);
        let differs = candidate.is_some() != enforced.is_some();
        differs.then(|| ShadowDifference { rule: Arc::clone(&rule.info), candidate })
    }
}

/// The denial that says how a caller stands to `grants`; nothing if it holds one.
#[inline(always)]
pub(super) fn denial_of(
    standing: Standing<'_>,
    grants: &[Grant],
    judge: &Judge<'_>,
    caller: Option<&Caller<'_>>,
) -> Option<Denial> {
    let because = |reason| Some(Denial::new(reason));
    let (grant, distance) = match standing {
        Standing::Held => return None,
        Standing::Nobody => return because(Reason::DeniedByRule),
        Standing::Anonymous => return because(Reason::NoCredentials),
        Standing::Conflicting => return because(Reason::ConflictingRoles),
        Standing::Short { grant, distance } => (grants.get(grant).and_then(Grant::conditions), distance),
    };
    let lacking = |reason| {
        let mut denial = Denial::new(reason);
        if let Some((grant, caller)) = grant.zip(caller) {
            denial.missing = Some(grant.missing(caller.held, judge.names));
        }
        denial
    };
    Some(match distance {
        Distance::StepUp(step_up) => {
            Denial::new(Reason::StepUpRequired).with(|rest| rest.step_up = Some(Arc::clone(step_up)))
        }
        Distance::Broken(broken) => Denial::new(Reason::InternalError).detail(broken.as_str()),
        Distance::Condition(unmet) => Denial { detail: Some(unmet.detail()), ..Denial::new(Reason::ConditionFailed) },
        Distance::Permission => lacking(Reason::InsufficientPermission),
        Distance::Role => lacking(Reason::InsufficientRole),
    })
}

impl Route {
    /// A route without a path, for what is judged without one.
    pub(super) fn nowhere() -> Self {
        Self {
            index: usize::MAX,
            pattern: "".into(),
            key: Pattern::default(),
            params: Vec::new(),
            methods: Vec::new(),
            any: None,
            masked: false,
        }
    }

    /// The rule for `method`: its own, that of `GET` for `HEAD`, or that of `ANY`.
    #[inline]
    pub(crate) fn rule_of(&self, method: &Method) -> Option<usize> {
        let own = |method: &Method| self.methods.iter().find(|(other, _)| other == method).map(|(_, rule)| *rule);
        own(method).or_else(|| if *method == Method::HEAD { own(&Method::GET) } else { None }).or(self.any)
    }

    #[inline]
    pub(crate) fn rule_for<'p>(&self, policy: &'p Compiled, method: &Method) -> Option<&'p Rule> {
        policy.rules.get(self.rule_of(method)?)
    }

    /// Every rule of the route.
    pub(crate) fn rules<'p>(&self, policy: &'p Compiled) -> impl Iterator<Item = &'p Rule> {
        self.methods.iter().map(|(_, rule)| *rule).chain(self.any).filter_map(|index| policy.rules.get(index))
    }

    pub(crate) fn allows_encoded_slash(&self, policy: &Compiled, method: &Method) -> bool {
        self.rule_for(policy, method).is_some_and(|rule| rule.encoded_slash)
    }

    /// The methods that the route answers, sorted: `HEAD` wherever `GET` is listed, the standard ones for `ANY`.
    pub(crate) fn listed_methods(&self) -> Vec<Method> {
        let mut methods: Vec<Method> = self.methods.iter().map(|(method, _)| method.clone()).collect();
        if methods.contains(&Method::GET) {
            methods.push(Method::HEAD);
        }
        if self.any.is_some() {
            methods.extend(STANDARD);
        }
        methods.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        methods.dedup();
        methods
    }
}

/// What `ANY` is shown as in an `Allow` header.
const STANDARD: [Method; 7] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
