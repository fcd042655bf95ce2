//! Which facts can hold together: an address is in a network and in all around it, and time passes one way.

use std::{
    collections::BTreeSet,
    net::IpAddr,
    time::{Duration, SystemTime},
};

use ipnet::IpNet;

use super::{
    facts::{ClaimText, Fact, Facts},
    function::Function,
};

impl Facts {
    /// That the facts on which `function` depends can hold together as they do. Facts of different kinds can.
    pub(crate) fn possible(&mut self, function: Function) -> Function {
        let facts = self.behind(function);
        let parts = [self.addresses(&facts), self.times(&facts), self.classes(&facts)];
        self.functions.all(parts)
    }

    /// Every address is in the networks that contain it and in no other; the client may also be in none.
    fn addresses(&mut self, facts: &[Fact]) -> Function {
        let networks: Vec<_> = facts.iter().filter_map(network).collect();
        if networks.len() < 2 {
            return Function::ALWAYS;
        }
        let inside = networks.iter().map(|network| representative(*network, &networks)).collect::<Vec<_>>();
        let places: Vec<_> = inside.into_iter().flatten().map(Some).chain([None]).collect();
        let ways: Vec<_> = places.iter().map(|place| self.address(*place, &networks)).collect();
        self.functions.any(ways)
    }

    fn address(&mut self, place: Option<IpAddr>, networks: &[IpNet]) -> Function {
        let parts: Vec<_> = networks
            .iter()
            .map(|network| {
                let holds = self.holds(Fact::Network(*network));
                if place.is_some_and(|place| network.contains(&place)) { holds } else { self.functions.not(holds) }
            })
            .collect();
        self.functions.all(parts)
    }

    /// A later time comes after an earlier one, and who authenticated lately did so not long ago.
    fn times(&mut self, facts: &[Fact]) -> Function {
        let times: BTreeSet<_> = facts.iter().filter_map(since).collect();
        let ages: BTreeSet<_> = facts.iter().filter_map(fresh).collect();
        let times: Vec<_> = times.into_iter().rev().map(Fact::Since).collect();
        let ages: Vec<_> = ages.into_iter().map(Fact::Fresh).collect();
        let chains = [self.chain(&times), self.chain(&ages)];
        self.functions.all(chains)
    }

    /// Each of these facts implies the next.
    fn chain(&mut self, facts: &[Fact]) -> Function {
        let links: Vec<_> = facts
            .iter()
            .zip(facts.iter().skip(1))
            .map(|(one, next)| {
                let (one, next) = (self.holds(one.clone()), self.holds(next.clone()));
                let broken = self.functions.without(one, next);
                self.functions.not(broken)
            })
            .collect();
        self.functions.all(links)
    }

    /// A caller has authenticated in one class at most, and then the claim `acr` is that alone.
    fn classes(&mut self, facts: &[Fact]) -> Function {
        let classes: Vec<_> = facts.iter().filter_map(class).collect();
        let mut broken = Vec::new();
        for class in &classes {
            let holds = self.holds(Fact::Class(class.clone()));
            for fact in facts {
                let other = match fact {
                    Fact::Class(other) if other != class => self.holds(fact.clone()),
                    Fact::Claim(claim, value) if &**claim == "acr" => {
                        let has = self.holds(fact.clone());
                        let is_it = matches!(value, ClaimText::Text(text) if text == class);
                        if is_it { self.functions.not(has) } else { has }
                    }
                    _ => continue,
                };
                broken.push(self.functions.and(holds, other));
            }
        }
        let broken = self.functions.any(broken);
        self.functions.not(broken)
    }
}

fn network(fact: &Fact) -> Option<IpNet> {
    if let Fact::Network(network) = fact { Some(*network) } else { None }
}

fn since(fact: &Fact) -> Option<SystemTime> {
    if let Fact::Since(time) = fact { Some(*time) } else { None }
}

fn fresh(fact: &Fact) -> Option<Duration> {
    if let Fact::Fresh(age) = fact { Some(*age) } else { None }
}

fn class(fact: &Fact) -> Option<Box<str>> {
    if let Fact::Class(class) = fact { Some(class.clone()) } else { None }
}

/// An address of `network` that is in none of the smaller `networks` inside it; nothing if they fill it.
pub(crate) fn representative(network: IpNet, networks: &[IpNet]) -> Option<IpAddr> {
    let inner: Vec<_> = networks.iter().filter(|other| **other != network && network.contains(*other)).collect();
    let behind = inner.iter().filter_map(|inner| following(inner.broadcast()));
    let mut starts = std::iter::once(network.network()).chain(behind);
    starts.find(|address| network.contains(address) && !inner.iter().any(|inner| inner.contains(address)))
}

fn following(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(address) => address.to_bits().checked_add(1).map(|bits| IpAddr::V4(bits.into())),
        IpAddr::V6(address) => address.to_bits().checked_add(1).map(|bits| IpAddr::V6(bits.into())),
    }
}
