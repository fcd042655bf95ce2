//! Which route has a key, parameter names aside.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::pattern::{Pattern, shape};

/// Routes by a hash of the shape of their keys, sorted.
#[derive(Debug)]
pub(crate) struct Shapes(Vec<(u64, usize)>);

impl Shapes {
    /// Of the patterns of all routes, in their order.
    pub(crate) fn of(patterns: &[&Pattern]) -> Self {
        let mut shapes: Vec<_> = patterns.iter().map(|pattern| hash(pattern.text())).zip(0..).collect();
        shapes.sort_unstable();
        Self(shapes)
    }

    /// The routes whose keys may have the shape of `path`.
    pub(crate) fn candidates(&self, path: &str) -> impl Iterator<Item = usize> {
        let hash = hash(path);
        let begin = self.0.partition_point(|(known, _)| *known < hash);
        let same = self.0.iter().skip(begin).take_while(move |(known, _)| *known == hash);
        same.map(|(_, route)| *route)
    }
}

fn hash(path: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    shape(path).for_each(|c| c.hash(&mut hasher));
    hasher.finish()
}
