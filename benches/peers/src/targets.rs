//! What is to be reached, and whether it is.

use crate::{
    case::{Case, Group},
    contender::Kind,
    loopback::{Answered, Traffic},
    results::Results,
};

const OURS: &str = "tower-authz";
const AROUND: &str = "tower-authz around the router";

/// One thing to reach.
pub struct Target {
    pub what: String,
    pub measured: f64,
    pub limit: f64,
    /// Whether more is better.
    pub at_least: bool,
}

impl Target {
    fn at_most(what: impl Into<String>, measured: Option<f64>, limit: f64) -> Option<Self> {
        Some(Self { what: what.into(), measured: measured?, limit, at_least: false })
    }

    fn at_least(what: impl Into<String>, measured: Option<f64>, limit: f64) -> Option<Self> {
        Some(Self { what: what.into(), measured: measured?, limit, at_least: true })
    }

    pub fn is_met(&self) -> bool {
        if self.at_least { self.measured >= self.limit } else { self.measured <= self.limit }
    }
}

/// Every target whose numbers were measured.
pub fn all(results: &Results) -> Vec<Target> {
    let all = [
        allowed(results),
        inside_routing(results),
        sizes(results),
        tokens(results),
        denials(results),
        threads(results),
        by_hand(results),
        loopback(results),
        compiling(results),
    ];
    all.into_iter().flatten().flatten().collect()
}

fn difference(results: &Results, group: Group, one: &str, other: &str) -> Option<f64> {
    let best = |name| Some(results.row(group, name, Case::Allowed)?.measured.best());
    Some(best(one)? - best(other)?)
}

fn allowed(results: &Results) -> Vec<Option<Target>> {
    let row = results.row(Group::Router, AROUND, Case::Allowed);
    vec![
        Target::at_most(
            "allowed around a router of 1,000 routes: ns above no middleware",
            row.map(|row| row.above()),
            60.0,
        ),
        Target::at_most("the same: instructions", row.and_then(|row| row.instructions()), 650.0),
        Target::at_most("the same: allocations", row.map(|row| row.allocations()), 0.0),
    ]
}

fn inside_routing(results: &Results) -> Vec<Option<Target>> {
    let (ours, passing) = ("tower-authz `route_layer`", "a pass-through `route_layer`");
    let allocations = |name| Some(results.row(Group::Inside, name, Case::Allowed)?.measured.allocations);
    let more = allocations(ours).zip(allocations(passing)).map(|(ours, passing)| ours - passing);
    let above = difference(results, Group::Inside, ours, passing);
    vec![
        Target::at_most("allowed as `route_layer`: ns above a pass-through one", above, 120.0),
        Target::at_most("the same: allocations", more, 1.0),
    ]
}

fn sizes(results: &Results) -> Vec<Option<Target>> {
    let more = |one, other| difference(results, Group::Sizes, one, other);
    let rules = more("tower-authz, 100,000 rules", "tower-authz, 10 rules");
    let roles = more("tower-authz, 1,000 roles", "tower-authz, 1,000 rules");
    vec![
        Target::at_most("10 to 100,000 rules: ns more", rules, 25.0),
        Target::at_most("4 to 1,000 roles: ns more, which is to be noise", roles, 5.0),
    ]
}

fn tokens(results: &Results) -> Vec<Option<Target>> {
    let cached = results.row(Group::Token, "tower-authz, cached", Case::Allowed);
    let handed_over = results.row(Group::Token, "a principal, put into the extensions", Case::Allowed);
    let more = cached.zip(handed_over).map(|(ours, least)| ours.allocations() - least.allocations());
    let best = |name| Some(results.row(Group::Token, name, Case::Allowed)?.measured.best());
    let times = |bare| best("tower-authz, uncached").zip(best(bare)).map(|(ours, bare)| ours / bare);
    let (all, some) = ("`jsonwebtoken::decode`, all claims", "`jsonwebtoken::decode`, seven claims");
    vec![
        Target::at_most("cached token of 800 bytes: ns above no middleware", cached.map(|row| row.above()), 150.0),
        Target::at_most("the same: allocations beyond those of handing a principal over", more, 0.0),
        Target::at_most(format!("uncached token: times {all}"), times(all), 1.05),
        Target::at_most(format!("uncached token: times {some}"), times(some), 1.05),
    ]
}

fn denials(results: &Results) -> Vec<Option<Target>> {
    let around = |case| results.row(Group::Router, AROUND, case);
    let above = |case| around(case).map(|row| row.above());
    let total = |case| around(case).map(|row| row.measured.best());
    let cheaper = |case| total(Case::Allowed).zip(total(case)).map(|(allowed, denied)| allowed / denied);
    let silent = "tower-authz, reports to a closure";
    let best = |name| Some(results.row(Group::Service, name, Case::Forbidden)?.measured.best());
    let event = best(OURS).zip(best(silent)).map(|(told, silent)| told - silent);
    vec![
        Target::at_most("403 around the router: ns above an immediate answer", above(Case::Forbidden), 70.0),
        Target::at_most("401 around the router: ns above an immediate answer", above(Case::Anonymous), 90.0),
        Target::at_most("an event that nobody listens to: ns more than a closure that does nothing", event, 3.0),
        Target::at_least("403 around the router: times cheaper than allowed", cheaper(Case::Forbidden), 3.0),
        Target::at_least("401 around the router: times cheaper than allowed", cheaper(Case::Anonymous), 3.0),
    ]
}

fn threads(results: &Results) -> Vec<Option<Target>> {
    let ours = results.scaling.iter().filter(|scaling| results.contenders[scaling.contender].kind == Kind::Ours);
    let target = |scaling: &crate::threads::Scaling| {
        let contender = &results.contenders[scaling.contender];
        let what = format!("two threads against one, {} ({})", contender.name, contender.group.name());
        Target::at_most(what, Some(scaling.ratio), 1.10)
    };
    ours.map(target).collect()
}

fn by_hand(results: &Results) -> Vec<Option<Target>> {
    let above = |name| Some(results.row(Group::Router, name, Case::Allowed)?.above());
    let times = above("`from_fn` by hand").zip(above(AROUND)).map(|(hand, ours)| hand / ours);
    vec![Target::at_least("allowed around the router: times less overhead than `from_fn` by hand", times, 10.0)]
}

fn loopback(results: &Results) -> Vec<Option<Target>> {
    let of = |wanted: &dyn Fn(&Answered) -> bool| results.loopback.iter().find(|answered| wanted(answered));
    let target = |traffic, name: &'static str, case, limit| {
        let ours = of(&|answered| answered.traffic == traffic && answered.name == name && answered.case == case);
        let ratio = ours.map(|ours| ours.efficiency().unwrap_or(ours.rate()));
        Target::at_least(
            format!(
                "loopback, {name}, {}: requests a second of the server's processor, times no middleware",
                Case::name(case)
            ),
            ratio,
            limit,
        )
    };
    vec![
        target(Traffic::Identity, AROUND, Case::Allowed, 0.95),
        target(Traffic::Identity, "tower-authz `protect`", Case::Allowed, 0.95),
        target(Traffic::Token, "tower-authz, cached", Case::Allowed, 0.95),
        target(Traffic::Token, "tower-authz `protect`, cached", Case::Allowed, 0.95),
        target(Traffic::Identity, AROUND, Case::Forbidden, 1.0),
        target(Traffic::Identity, AROUND, Case::Anonymous, 1.0),
        target(Traffic::Identity, AROUND, Case::Masked, 1.0),
    ]
}

fn compiling(results: &Results) -> Vec<Option<Target>> {
    let most = results.compiled.last().map(|compiled| compiled.seconds);
    vec![Target::at_most("100,000 routes compiled: seconds", most, 1.0)]
}

/// Peers and hand-written code that take less than the form of ours in the same place, by nanoseconds a request.
pub fn beaten(results: &Results) -> Vec<String> {
    let places = [
        (Group::Service, OURS),
        (Group::Router, AROUND),
        (Group::Inside, "tower-authz `route_layer`"),
        (Group::Sizes, "tower-authz, 1,000 rules"),
        (Group::Token, "tower-authz, cached"),
    ];
    let mut beaten = Vec::new();
    for (group, name) in places {
        for case in Case::ALL {
            let Some(ours) = results.row(group, name, case) else { continue };
            let others = results.rows(group, case).into_iter();
            let faster = others
                .filter(|row| matches!(row.contender.kind, Kind::Peer | Kind::ByHand))
                .filter(|row| row.measured.best() < ours.measured.best());
            beaten.extend(faster.map(|row| {
                let (theirs, own) = (row.measured.best(), ours.measured.best());
                let (place, note) = (group.title(), row.contender.note);
                format!(
                    "{place}, {}: {} takes {theirs:.0} ns, {name} {own:.0} ns ({note})",
                    case.name(),
                    row.contender.name
                )
            }));
        }
    }
    beaten
}
