//! Which shapes can have paths in common with another, found without a look at every one.

use std::collections::HashMap;

use super::shape::{Segment, Shape};

/// Shapes by their segments.
#[derive(Debug, Default)]
pub(crate) struct Index {
    root: Node,
}

#[derive(Debug, Default)]
struct Node {
    statics: HashMap<Box<str>, Node>,
    prefixed: HashMap<Box<str>, Node>,
    /// The shapes that end here.
    ends: Vec<usize>,
    /// The shapes whose paths go on from here with anything.
    open: Vec<usize>,
}

impl Index {
    /// Shapes, known by their places.
    pub(crate) fn of<'s>(shapes: impl IntoIterator<Item = &'s Shape>) -> Self {
        let mut index = Self::default();
        for (place, shape) in shapes.into_iter().enumerate() {
            let mut node = &mut index.root;
            for segment in &shape.segments {
                node = match segment {
                    Segment::Static(text) => node.statics.entry(text.clone()).or_default(),
                    Segment::Prefixed(text) => node.prefixed.entry(text.clone()).or_default(),
                };
            }
            if shape.rest.is_some() { &mut node.open } else { &mut node.ends }.push(place);
        }
        index
    }

    /// The places of all shapes that may meet `shape`, in their order; among them may be some that do not.
    pub(crate) fn near(&self, shape: &Shape) -> Vec<usize> {
        let mut found = Vec::new();
        self.root.near(&shape.segments, shape.rest.is_some(), &mut found);
        found.sort_unstable();
        found
    }
}

impl Node {
    fn near(&self, segments: &[Segment], goes_on: bool, found: &mut Vec<usize>) {
        found.extend(&self.open);
        match segments.split_first() {
            None if goes_on => self.children().for_each(|child| child.everything(found)),
            None => found.extend(&self.ends),
            Some((Segment::Static(text), rest)) => {
                let prefixed = self.prefixed.iter().filter(|(prefix, _)| text.starts_with(&***prefix));
                let next = self.statics.get(text).into_iter().chain(prefixed.map(|(_, child)| child));
                next.for_each(|child| child.near(rest, goes_on, found));
            }
            Some((Segment::Prefixed(_), rest)) => self.children().for_each(|child| child.near(rest, goes_on, found)),
        }
    }

    fn everything(&self, found: &mut Vec<usize>) {
        found.extend(self.open.iter().chain(&self.ends));
        self.children().for_each(|child| child.everything(found));
    }

    fn children(&self) -> impl Iterator<Item = &Self> {
        self.statics.values().chain(self.prefixed.values())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Index, Shape};
    use crate::policy::Pattern;

    fn shapes() -> impl Strategy<Value = Vec<Shape>> {
        let segment = prop_oneof![
            3 => "[ab]{0,2}",
            2 => Just("{x}".to_owned()),
            1 => "[ab]{1,2}".prop_map(|text| format!("{text}{{x}}")),
        ];
        let rest =
            prop_oneof![2 => Just(String::new()), 1 => Just("/{*rest}".to_owned()), 1 => Just("/a{*rest}".to_owned())];
        let path = (prop::collection::vec(segment, 1..4), rest).prop_map(|(segments, rest)| {
            let named =
                segments.iter().enumerate().map(|(index, segment)| segment.replace("{x}", &format!("{{x{index}}}")));
            format!("/{}{rest}", named.collect::<Vec<_>>().join("/"))
        });
        prop::collection::vec(path, 1..12)
            .prop_map(|paths| paths.iter().filter_map(|path| Some(Shape::of(&Pattern::parse(path).ok()?))).collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn whatever_meets_is_found(shapes in shapes()) {
            let index = Index::of(&shapes);
            for shape in &shapes {
                let near = index.near(shape);
                prop_assert!(near.is_sorted_by(|a, b| a < b));
                for (place, other) in shapes.iter().enumerate().filter(|(_, other)| shape.meet(other).is_some()) {
                    prop_assert!(near.contains(&place), "{shape:?} {other:?}");
                }
            }
        }
    }
}
