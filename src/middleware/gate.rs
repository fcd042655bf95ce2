//! What the services of one layer share, and the way of a request through it.

use std::{
    collections::HashSet,
    fmt,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{Extensions, Request, Response, StatusCode};

use super::{
    answering::{Answering, Sender},
    builder::{BuildError, lack},
    context::{Audience, Caller, Gated},
};
use crate::{
    authn::{Authentication, Authenticator, Client, ConsumedHeaders},
    clock::Clock,
    decision::{Denial, RuleInfo},
    identity::Identity,
    path::{Rejected, Tolerance},
    policy::{
        Checks, Circumstances, ClientAddress, Compiled, Decision, Enforcement, Permit, PolicyHandle, PolicyUser,
        Selections, decide, select, shadow_differences,
    },
    report::Event,
    target::{Head, Target},
};

/// Patterns that are remembered so as to be reported once.
const MOST_PATTERNS: usize = 1024;

/// What the services of one layer share.
pub(crate) struct Gate {
    pub(super) id: GateId,
    pub(super) policy: PolicyHandle,
    /// The candidate that is judged by beside the policy in force.
    pub(super) shadow: Option<PolicyHandle>,
    /// Whether an authenticator was set.
    pub(super) authenticates: bool,
    pub(super) authenticator: Arc<dyn Authenticator>,
    pub(super) consumed: ConsumedHeaders,
    pub(super) client: Option<Client>,
    pub(super) checks: Checks,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) answering: Answering,
    pub(super) enforcement: Enforcement,
    pub(super) tolerance: Tolerance,
    pub(super) notices: Notices,
}

/// Tells a gate from every other in the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GateId(u64);

impl GateId {
    pub(super) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// What has been said once and need not be said again.
#[derive(Default)]
pub(super) struct Notices {
    inside_routing: AtomicBool,
    failed: AtomicBool,
    stale: Patterns,
    #[cfg(feature = "axum")]
    unnamed: Patterns,
}

impl Notices {
    /// Whether it has not been told yet that a layer inside routing cannot mask.
    #[inline]
    fn may_tell_of_masks(&self, position: Position) -> bool {
        position == Position::Layer && !self.inside_routing.load(Ordering::Relaxed)
    }
}

/// Patterns that were met. Looking one up takes no lock.
#[derive(Default)]
struct Patterns(ArcSwap<HashSet<Box<str>>>);

/// Where a gate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    /// Around some service, maybe inside the routing of another.
    Layer,
    /// Around a router that has the other half of the gate inside, which is told what this half knows.
    Around,
    /// Inside the router, where it is known which route has matched.
    Inside,
}

/// What a request asks for, by one snapshot of the policy.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) policy: &'a Compiled,
    pub(super) head: Head<'a>,
    pub(super) target: Target<'a>,
}

/// What the path of a request selects, if it is not rejected.
type Selected<'a> = Result<Selections<'a>, Rejected>;

/// How a request was judged.
pub(super) struct Judgment {
    decision: Decision,
    /// For the half of the gate inside a router: the route that every reading of the path selected, if it is one.
    route: Option<usize>,
}

/// A request that was judged, as those see it who report more than the decision.
#[derive(Clone, Copy)]
struct View<'a> {
    asked: &'a Asked<'a>,
    selections: &'a Selections<'a>,
    sender: &'a Sender,
    position: Position,
}

impl<'a> Asked<'a> {
    #[inline(always)]
    pub(super) fn new(policy: &'a Compiled, head: Head<'a>) -> Self {
        Self { policy, head, target: Target::from(head) }
    }
}

impl Gate {
    /// The policy in force: read once for each request.
    pub(super) fn snapshot(&self) -> Arc<Compiled> {
        self.policy.load_full()
    }

    /// Which rules the request must satisfy.
    #[inline]
    pub(super) fn select<'a>(&self, asked: &Asked<'a>) -> Selected<'a> {
        select(asked.policy, &asked.target, self.tolerance)
    }

    /// Who asks. A rejected path gets the same answer whoever asks: nobody need be authenticated for it.
    #[inline]
    pub(super) fn authenticate(&self, asked: &Asked<'_>, selected: &Selected<'_>) -> Authentication {
        if selected.is_err() && self.enforcement == Enforcement::Enforce {
            return Authentication::Ready(Identity::Anonymous);
        }
        self.authenticator.authenticate(asked.head)
    }

    /// Decides by what the path selects, takes down who asks for what and from where, and reports what is not a denial.
    #[inline(always)]
    pub(super) fn judge(
        &self,
        asked: &Asked<'_>,
        selected: &Selected<'_>,
        identity: Identity,
        sender: &mut Sender,
        position: Position,
    ) -> Judgment {
        self.note(sender, asked);
        let decision = match selected {
            Ok(selections) => decide(asked.policy, selections, &identity, || self.circumstances(asked, sender.client)),
            Err(rejected) => Decision::Deny((*rejected).into()),
        };
        sender.identity = identity;
        let Ok(selections) = selected else { return Judgment { decision, route: None } };
        let view = View { asked, selections, sender, position };
        if self.has_more_to_say(view, &decision) {
            self.say_more(view, &decision);
        }
        Judgment { decision, route: selections.only_route().map(|route| route.index) }
    }

    /// Makes the request ready for the inner service, or gives back why it is to be refused: where the two ways of a
    /// request part.
    #[inline(always)]
    pub(super) fn admit<B>(
        &self,
        judgment: Judgment,
        policy: Arc<Compiled>,
        sender: &Sender,
        request: &mut Request<B>,
        position: Position,
    ) -> Result<(), Denial> {
        let (permit, waived) = match judgment.decision {
            Decision::Allow(permit) => (permit, false),
            Decision::Deny(denial) => (self.waive(denial, sender)?, true),
        };
        if position == Position::Around {
            let (policy, identity) = (Arc::clone(&policy), sender.identity.clone());
            request.extensions_mut().insert(Gated { gate: self.id, policy, identity, route: judgment.route, waived });
        }
        self.forward(permit, policy, sender, request);
        Ok(())
    }

    /// The permit for a denied request where nothing is enforced.
    fn waive(&self, denial: Denial, sender: &Sender) -> Result<Permit, Denial> {
        let Some(permit) = self.enforcement.waive() else { return Err(denial) };
        self.answering.report_waived(&denial, sender);
        Ok(permit)
    }

    /// The answer to a denied request.
    #[inline(never)]
    pub(super) fn refuse(
        &self,
        denial: Denial,
        sender: &Sender,
        extensions: &Extensions,
        position: Position,
    ) -> Response<Bytes> {
        match position {
            Position::Inside => self.answering.pass_outside(denial, sender),
            Position::Layer | Position::Around => self.answering.deny(denial, sender, Audience::of(extensions)),
        }
    }

    /// Makes a request ready for the inner service. Nothing is forwarded without a permit.
    #[inline(always)]
    fn forward<B>(&self, _: Permit, policy: Arc<Compiled>, sender: &Sender, request: &mut Request<B>) {
        self.consumed.strip(request.headers_mut());
        Caller::leave(sender.identity.principal(), policy, request.extensions_mut());
    }

    #[inline]
    fn circumstances<'a>(&'a self, asked: &Asked<'a>, client: Option<IpAddr>) -> Circumstances<'a> {
        let client = client.map_or(ClientAddress::Missing, ClientAddress::Known);
        let now = asked.policy.uses_time.then(|| self.clock.now());
        Circumstances { method: asked.head.method(), client, now, checks: &self.checks }
    }

    /// Takes down what the request tells, where it comes from, and by which policy it is judged.
    #[inline(always)]
    fn note(&self, sender: &mut Sender, asked: &Asked<'_>) {
        if let Some(client) = &self.client {
            sender.client = client.address(asked.head).ok();
        }
        sender.revision = Some(asked.policy.revision);
        sender.note(asked.head, &asked.target, &self.answering.renderer);
    }

    /// Whether there may be something to say beside the denial that the decision is: mostly there is not.
    #[inline]
    fn has_more_to_say(&self, view: View<'_>, decision: &Decision) -> bool {
        let View { asked, selections, sender, position } = view;
        asked.policy.has_candidates
            || self.shadow.is_some()
            || (asked.policy.masks && asked.target.matched.is_some() && self.notices.may_tell_of_masks(position))
            || selections.stale_match()
            || matches!(sender.identity, Identity::Failed(_))
            || (matches!(decision, Decision::Allow(_)) && self.answering.reporter.wants_allowed())
    }

    /// Reports what is not a denial.
    #[inline(never)]
    fn say_more(&self, view: View<'_>, decision: &Decision) {
        if view.position == Position::Inside {
            let Asked { policy, target, .. } = view.asked;
            let matched = target.matched.and_then(|pattern| policy.key_of(pattern));
            self.report_shadow(view, |rule| matched == Some(&*rule.pattern));
        } else {
            self.report(view, decision);
        }
        // What is let into a router is compared inside it, where it is known which route has matched.
        let goes_inside = view.position == Position::Around && matches!(decision, Decision::Allow(_));
        if !goes_inside {
            self.compare(decision.status(), view.asked.head, view.sender);
        }
        self.notice(view);
        self.notice_failure(&view.sender.identity, decision);
    }

    fn report(&self, view: View<'_>, decision: &Decision) {
        let (reporter, sender) = (&self.answering.reporter, view.sender);
        if matches!(decision, Decision::Allow(_)) && reporter.wants_allowed() {
            let rule = view.selections.first_rule().map(|rule| &*rule.info);
            reporter.report(&sender.event(Event::allowed(rule, &sender.method, sender.path())));
        }
        self.report_shadow(view, |_| true);
    }

    /// Reports the rules `of` interest whose candidate grants would decide otherwise.
    fn report_shadow(&self, view: View<'_>, of: impl Fn(&RuleInfo) -> bool) {
        let View { asked, selections, sender, .. } = view;
        let circumstances = self.circumstances(asked, sender.client);
        let differences = shadow_differences(asked.policy, selections, &sender.identity, &circumstances);
        for difference in differences.into_iter().filter(|difference| of(&difference.rule)) {
            let event = Event::shadow_differs(
                Some(&difference.rule),
                difference.candidate.as_ref(),
                &sender.method,
                sender.path(),
            );
            self.answering.reporter.report(&sender.event(event));
        }
    }

    /// Judges what has passed by a candidate policy, too, inside the router where it is known which route has matched.
    #[cfg(feature = "axum")]
    pub(super) fn compare_passed(&self, policy: &Compiled, head: Head<'_>, identity: Identity) {
        if self.shadow.is_some() {
            let mut sender = Sender::unknown();
            sender.identity = identity;
            self.note(&mut sender, &Asked::new(policy, head));
            self.compare(None, head, &sender);
        }
    }

    /// Judges by a candidate policy, too, and reports it where its answer would be another than `status`, which is none
    /// for what is forwarded.
    fn compare(&self, status: Option<StatusCode>, head: Head<'_>, sender: &Sender) {
        let Some(candidate) = self.shadow.as_ref().map(PolicyHandle::load_full) else { return };
        let asked = Asked::new(&candidate, head);
        let selected = self.select(&asked);
        let (rule, would_be) = match &selected {
            Ok(selections) => {
                let circumstances = || self.circumstances(&asked, sender.client);
                (selections.first_rule(), decide(&candidate, selections, &sender.identity, circumstances))
            }
            Err(rejected) => (None, Decision::Deny((*rejected).into())),
        };
        if would_be.status() == status {
            return;
        }
        let rule = rule.map(|rule| &*rule.info);
        let event = Event::shadow_differs(rule, would_be.denial(), &sender.method, sender.path());
        let event = sender.event(event).with_candidate(&candidate.revision);
        self.answering.reporter.report(&event);
    }

    /// Says once what the operator should know about the set-up.
    fn notice(&self, View { asked, selections, position, .. }: View<'_>) {
        let Some(pattern) = asked.target.matched else { return };
        if selections.stale_match() && self.notices.stale.is_first(pattern) {
            tracing::warn!(
                target: "tower_authz",
                { http.route = pattern },
                "the route that a router has matched does not match the path, so its rule is not applied"
            );
        }
        if asked.policy.masks
            && position == Position::Layer
            && !self.notices.inside_routing.swap(true, Ordering::Relaxed)
        {
            tracing::error!(
                target: "tower_authz",
                "the policy masks routes, but the layer is inside axum's routing, which adds headers to masked \
                 answers: use `authz.protect(router)`, or put the layer around the whole router"
            );
        }
    }

    /// The key that the pattern of a router's route is, parameter names aside; says once of a pattern that it is none.
    #[cfg(feature = "axum")]
    pub(super) fn key_of<'a>(&self, policy: &'a Compiled, pattern: &str) -> Option<&'a str> {
        let key = policy.key_of(pattern);
        if key.is_none() && self.notices.unnamed.is_first(pattern) {
            tracing::info!(
                target: "tower_authz",
                { event.name = "authz.route_not_named", http.route = pattern, authz.policy.revision = &*policy.revision },
                "no key of the policy names this route of the router: only keys that cover more hold for it"
            );
        }
        key
    }

    /// On public routes nobody is told that authentication is set up wrongly, so the operator is.
    fn notice_failure(&self, identity: &Identity, decision: &Decision) {
        if let (Identity::Failed(failure), Decision::Allow(_)) = (identity, decision)
            && !self.notices.failed.swap(true, Ordering::Relaxed)
        {
            tracing::error!(
                target: "tower_authz",
                { authz.detail = failure.detail() },
                "authentication is set up wrongly: whatever is not public is answered 500"
            );
        }
    }
}

impl Patterns {
    /// Whether a pattern was not met before. None is the first once there are too many.
    fn is_first(&self, pattern: &str) -> bool {
        let met = self.0.load();
        if met.len() >= MOST_PATTERNS || met.contains(pattern) {
            return false;
        }
        let mut is_first = false;
        self.0.rcu(|met| {
            let mut met = HashSet::clone(met);
            is_first = met.insert(pattern.into());
            met
        });
        is_first
    }
}

impl PolicyUser for Gate {
    fn lack(&self, policy: &Compiled) -> Option<String> {
        let lack = lack(policy, self.authenticates, self.client.is_some(), &self.checks)?;
        Some(BuildError::from(lack).to_string())
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("policy", &self.policy.current())
            .field("enforcement", &self.enforcement)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_PATTERNS, Patterns};

    #[test]
    fn a_pattern_is_first_once_and_few_are_remembered() {
        let patterns = Patterns::default();
        for index in 0..MOST_PATTERNS {
            let pattern = format!("/{index}");
            assert_eq!([patterns.is_first(&pattern), patterns.is_first(&pattern)], [true, false], "{pattern}");
        }
        assert!(!patterns.is_first("/one/more"));
    }
}
