//! Every way in which two policies can select: one path for each pair of keys that can meet.
//!
//! A lookup takes, of the keys that match a path, the one that is the most literal from left to right. That order
//! belongs to the keys and not to the path. So whether one key takes a path from another is the same for all paths
//! that both match, and a path of their common shape with texts that no key knows stands for all of them. The paths
//! are told apart by four lookups: of the path and of the path with a slash at its end, in either policy, since
//! each is a reading of the other.

use http::uri::PathAndQuery;

use super::{
    index::Index,
    shape::{Segment, Shape, Strangers},
};
use crate::policy::{ClaimValue, Compiled, CompiledGrant, EmptySegment};

/// Paths for which the lookups find the same routes.
#[derive(Debug)]
pub(crate) struct Class {
    /// The routes; classes differ in them, but for the spelling of the paths.
    pub(crate) routes: Vec<Option<usize>>,
    /// One of the paths, that stands for all.
    pub(crate) path: String,
    /// The path with an encoded slash in one of its parameters, each in turn.
    pub(crate) encoded: Vec<String>,
}

/// Paths that are told apart so far, and what the lookups find for them.
struct Branch {
    shape: Shape,
    routes: Vec<Option<usize>>,
}

/// The paths to look at.
#[derive(Debug)]
pub(crate) struct Classes<'p> {
    policies: [&'p Compiled; 2],
    strangers: Strangers,
}

/// A key as one of the four lookups meets it.
struct Key {
    shape: Shape,
    route: usize,
}

impl<'p> Classes<'p> {
    pub(crate) fn new(old: &'p Compiled, new: &'p Compiled) -> Self {
        let policies = [old, new];
        let shapes: Vec<_> = policies.iter().flat_map(|policy| keys(policy).map(|key| key.shape)).collect();
        let texts = policies.iter().flat_map(|policy| literals(policy));
        Self { policies, strangers: Strangers::new(shapes.iter(), texts) }
    }

    /// The paths of every class, without the slash at their end.
    pub(crate) fn all(&self) -> Vec<Class> {
        let mut branches = vec![Branch { shape: Shape::anything(), routes: Vec::new() }];
        for lookup in 0..4 {
            let keys = self.keys(lookup);
            branches = self.refined(&branches, &keys);
        }
        let mut all: Vec<_> = branches.iter().filter_map(|branch| self.plainest(branch)).collect();
        let root = "/".to_owned();
        all.push(Class { routes: self.lookups(&root).to_vec(), path: root, encoded: Vec::new() });
        // Of the spellings of a key only those count that a request can have.
        all.retain(|class| class.path.parse::<PathAndQuery>().is_ok());
        all.sort_by(|a, b| a.path.cmp(&b.path));
        all
    }

    fn policy(&self, lookup: usize) -> &'p Compiled {
        let [old, new] = self.policies;
        if lookup < 2 { old } else { new }
    }

    /// The keys that a lookup can find, as shapes of the path without a slash at its end.
    fn keys(&self, lookup: usize) -> Vec<Key> {
        let keys = keys(self.policy(lookup));
        let with_slash = lookup % 2 == 1;
        keys.flat_map(|key| {
            let open = key.shape.rest.is_some();
            let bare = key.shape.without_slash();
            let (shape, more) = match (with_slash, bare) {
                (false, None) => {
                    let more = without_parameters(&key.shape);
                    (Some(key.shape), more)
                }
                (true, Some(bare)) => (Some(bare), None),
                (true, None) if open => (Some(key.shape), None),
                _ => (None, None),
            };
            shape.into_iter().chain(more).map(move |shape| Key { shape, route: key.route })
        })
        .collect()
    }

    /// The branches, told apart by what one more lookup finds.
    fn refined(&self, branches: &[Branch], keys: &[Key]) -> Vec<Branch> {
        let index = Index::of(keys.iter().map(|key| &key.shape));
        let mut refined = Vec::new();
        for branch in branches {
            let own = std::iter::once((Some(branch.shape.clone()), None));
            let near = index.near(&branch.shape).into_iter().filter_map(|place| keys.get(place));
            let met = near.map(|key| (branch.shape.meet(&key.shape), Some(key.route)));
            for (shape, route) in own.chain(met) {
                let Some(shape) = shape else { continue };
                let routes: Vec<_> = branch.routes.iter().copied().chain([route]).collect();
                let found = self.strangers.path(&shape, self.strangers.long()).map(|path| self.lookups(&path));
                if found.is_some_and(|found| found.starts_with(&routes)) {
                    refined.push(Branch { shape, routes });
                }
            }
        }
        refined
    }

    fn lookups(&self, path: &str) -> [Option<usize>; 4] {
        let slash = format!("{path}/");
        [(0, path), (1, &slash), (2, path), (3, &slash)]
            .map(|(lookup, path)| self.policy(lookup).lookup.find(path.as_bytes(), EmptySegment::Matches))
    }

    /// The class with its shortest path.
    fn plainest(&self, branch: &Branch) -> Option<Class> {
        let is_it = |segments: &Vec<(String, bool)>| branch.routes == self.lookups(&join(segments));
        let segments = (1..=self.strangers.long()).filter_map(|rest| self.strangers.segments(&branch.shape, rest));
        let segments = segments.into_iter().find(is_it)?;
        let strangers = segments.iter().enumerate().filter(|(_, (_, is_stranger))| *is_stranger);
        let encoded = strangers.map(|(index, _)| {
            let mut segments = segments.clone();
            segments.iter_mut().skip(index).take(1).for_each(|(text, _)| text.push_str("%2F_0"));
            join(&segments)
        });
        Some(Class { routes: branch.routes.clone(), encoded: encoded.collect(), path: join(&segments) })
    }
}

fn join(segments: &[(String, bool)]) -> String {
    segments.iter().flat_map(|(text, _)| ["/", text]).collect()
}

/// The keys of a policy in every spelling.
fn keys(policy: &Compiled) -> impl Iterator<Item = Key> {
    policy.routes.iter().enumerate().flat_map(|(index, route)| {
        route.key.spellings().map(move |pieces| Key { shape: Shape::of_pieces(&pieces), route: index })
    })
}

/// The shape where all parameters behind a text in the same segment are empty: some routers take that for a match.
fn without_parameters(shape: &Shape) -> Option<Shape> {
    let mut shape = shape.clone();
    let mut changed = false;
    let last = shape.segments.len().saturating_sub(1);
    let open = shape.rest.is_some();
    for (index, segment) in shape.segments.iter_mut().enumerate() {
        if let Segment::Prefixed(text) = segment
            && !text.is_empty()
            && (open || index < last)
        {
            changed = true;
            *segment = Segment::Static(text.clone());
        }
    }
    changed.then_some(shape)
}

/// The texts that claims are compared with.
fn literals(policy: &Compiled) -> impl Iterator<Item = Box<str>> {
    let conditions = policy.rules.iter().flat_map(|rule| &rule.allow).filter_map(CompiledGrant::conditions);
    let values = conditions.flat_map(|conditions| &conditions.claims).flat_map(|test| &test.any_of);
    values.filter_map(|value| match value {
        ClaimValue::Literal(value) => Some(value.as_str()?.into()),
        ClaimValue::Parameter(_) => None,
    })
}
