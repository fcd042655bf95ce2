//! Which route a path selects: a radix trie over bytes.
//!
//! Precedence and backtracking are matchit's, which axum routes with; unlike it the trie lets `{x}` and `{*x}`
//! stand at one place. Time depends on the length of the path, not on the number of routes.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use super::{
    capture::{Captures, EmptySegment},
    pattern::{self, Pattern, Piece},
    spelling::other_spellings,
};

/// A route, and what its parameters captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) route: usize,
    pub(crate) captures: Captures,
}

/// The routes of a policy.
#[derive(Debug, Default)]
pub(crate) struct Lookup {
    root: Node,
    patterns: HashMap<usize, Pattern>,
    /// Routes by a hash of their shape.
    shapes: HashMap<u64, Vec<usize>>,
    /// Whether a key ends in `/`, so that paths must also be read with one.
    trailing_slash: bool,
    /// The most segments that a key has.
    depth: usize,
    /// Whether a key has text before a parameter in its segment, as `/img{id}`.
    prefixed_params: bool,
}

#[derive(Debug, Default)]
struct Node {
    /// The first bytes of the static continuations, sorted; no two begin alike.
    firsts: Vec<u8>,
    /// The static continuations, in the order of their first bytes.
    statics: Vec<(Box<[u8]>, Node)>,
    param: Option<Box<Node>>,
    rest: Option<usize>,
    route: Option<usize>,
}

impl Lookup {
    /// Adds a route. A route of the same shape is replaced, and its other spellings give way to keys that are
    /// written so.
    pub(crate) fn insert(&mut self, pattern: &Pattern, route: usize) {
        self.trailing_slash |= ends_in_slash(pattern);
        self.prefixed_params |= has_prefixed_param(pattern);
        self.depth = self.depth.max(pattern.text().matches('/').count());
        self.shapes.entry(shape_hash(pattern.text())).or_default().push(route);
        self.patterns.insert(route, pattern.clone());
        *self.root.place(pattern.pieces()) = Some(route);
        for spelling in other_spellings(pattern.pieces()) {
            self.root.place(&spelling).get_or_insert(route);
        }
    }

    pub(crate) fn has_trailing_slash(&self) -> bool {
        self.trailing_slash
    }

    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    /// The route that `path` selects: from left to right static beats `{x}` beats `{*x}`, with backtracking.
    #[inline]
    pub(crate) fn find(&self, path: &[u8], empty: EmptySegment) -> Option<Hit> {
        let mut search = Search { path, empty, captures: Captures::default() };
        let route = search.visit(&self.root, path)?;
        Some(Hit { route, captures: search.captures })
    }

    /// Whether the two ways to look at empty segments may select different routes for `path`: between two slashes,
    /// which a clean path does not have, or behind the text of `/img{id}`, which an empty parameter leaves standing
    /// alone.
    #[inline]
    pub(crate) fn ways_differ(&self, path: &[u8], clean: bool) -> bool {
        self.prefixed_params || (!clean && path.windows(2).any(|pair| pair == b"//"))
    }

    /// The route whose nest serves `path`, which ends in a slash behind a parameter that stands for nothing.
    pub(crate) fn find_nest(&self, path: &[u8]) -> Option<Hit> {
        let inside = path.strip_suffix(b"/").filter(|inside| self.prefixed_params || inside.ends_with(b"/"))?;
        self.find(inside, EmptySegment::IsLast)
    }

    /// The route whose key is `path`, parameter names aside.
    pub(crate) fn route_of(&self, path: &str) -> Option<usize> {
        let same = |route: &&usize| {
            self.patterns.get(route).is_some_and(|pattern| pattern::shape(pattern.text()).eq(pattern::shape(path)))
        };
        self.shapes.get(&shape_hash(path))?.iter().find(same).copied()
    }

    pub(crate) fn pattern(&self, route: usize) -> Option<&Pattern> {
        self.patterns.get(&route)
    }
}

fn has_prefixed_param(pattern: &Pattern) -> bool {
    let prefixed = |pair: &[Piece]| match pair {
        [Piece::Literal(text), Piece::Param(_)] => !text.ends_with('/'),
        _ => false,
    };
    pattern.pieces().windows(2).any(prefixed)
}

fn shape_hash(path: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    pattern::shape(path).for_each(|c| c.hash(&mut hasher));
    hasher.finish()
}

fn ends_in_slash(pattern: &Pattern) -> bool {
    matches!(pattern.pieces().last(), Some(Piece::Literal(text)) if text.ends_with('/') && pattern.text().len() > 1)
}

impl Node {
    /// Where the route of `pieces` stands.
    fn place(&mut self, pieces: &[Piece]) -> &mut Option<usize> {
        let mut node = self;
        for piece in pieces {
            match piece {
                Piece::Literal(text) => node = node.descend(text.as_bytes()),
                Piece::Param(_) => node = node.param.get_or_insert_default(),
                Piece::Rest(_) => return &mut node.rest,
            }
        }
        &mut node.route
    }

    /// The node behind `text`, which is made where it is missing.
    fn descend(&mut self, text: &[u8]) -> &mut Self {
        let Some(&first) = text.first() else { return self };
        let index = match self.firsts.binary_search(&first) {
            Ok(index) => index,
            Err(index) => {
                self.firsts.insert(index, first);
                self.statics.insert(index, (text.into(), Self::default()));
                index
            }
        };
        #[expect(clippy::indexing_slicing, reason = "the search above has found or made this place")]
        let (prefix, node) = &mut self.statics[index];
        let common = prefix.iter().zip(text).take_while(|(a, b)| a == b).count();
        if let Some((head, tail)) = prefix.split_at_checked(common)
            && let Some(&first) = tail.first()
        {
            let (head, tail) = (Box::from(head), Box::from(tail));
            let below = std::mem::take(node);
            *node = Self { firsts: vec![first], statics: vec![(tail, below)], ..Self::default() };
            *prefix = head;
        }
        node.descend(text.get(common..).unwrap_or_default())
    }

    /// The static continuation that `rest`, which begins with `first`, begins with, and what follows it.
    #[inline]
    fn static_child<'p>(&self, first: u8, rest: &'p [u8]) -> Option<(&Self, &'p [u8])> {
        let index = place_of(&self.firsts, first)?;
        let (prefix, node) = self.statics.get(index)?;
        let (head, tail) = rest.split_at_checked(prefix.len())?;
        (head.len() == 1 || head == &**prefix).then_some((node, tail))
    }

    /// Whether there is another way than the static one.
    fn has_wildcard(&self) -> bool {
        self.param.is_some() || self.rest.is_some()
    }
}

/// Where `byte` is among `sorted` bytes, mostly a few.
#[inline]
fn place_of(sorted: &[u8], byte: u8) -> Option<usize> {
    const FEW: usize = 16;
    if sorted.len() <= FEW { sorted.iter().position(|other| *other == byte) } else { sorted.binary_search(&byte).ok() }
}

struct Search<'a> {
    path: &'a [u8],
    empty: EmptySegment,
    captures: Captures,
}

impl Search<'_> {
    /// Goes on in a loop where there is one way, and by recursion where there may be a way back. Depth is bounded by
    /// the depth of the trie, which the policy's longest key bounds. `rest` is an end of the path.
    fn visit(&mut self, mut node: &Node, mut rest: &[u8]) -> Option<usize> {
        loop {
            let Some(&first) = rest.first() else { return self.at_end(node, rest) };
            match node.static_child(first, rest) {
                Some((child, tail)) if node.has_wildcard() => {
                    let before = self.captures.len();
                    if let Some(route) = self.visit(child, tail) {
                        return Some(route);
                    }
                    self.captures.truncate(before);
                }
                Some(next) => {
                    (node, rest) = next;
                    continue;
                }
                None => {}
            }
            let param = node.param.as_deref().zip(pattern::segment(rest, self.empty));
            let Some((child, (segment, tail))) =
                param.and_then(|(child, length)| Some((child, rest.split_at_checked(length)?)))
            else {
                return self.take_rest(node, rest);
            };
            let before = self.captures.len();
            self.capture(segment, tail);
            if node.rest.is_none() {
                (node, rest) = (child, tail);
                continue;
            }
            if let Some(route) = self.visit(child, tail) {
                return Some(route);
            }
            self.captures.truncate(before);
            return self.take_rest(node, rest);
        }
    }

    fn at_end(&mut self, node: &Node, rest: &[u8]) -> Option<usize> {
        if self.empty != EmptySegment::IsLast {
            return node.route;
        }
        self.capture(rest, rest);
        node.param.as_deref().and_then(|param| param.route)
    }

    fn take_rest(&mut self, node: &Node, rest: &[u8]) -> Option<usize> {
        let route = node.rest.filter(|_| self.empty != EmptySegment::IsLast)?;
        self.capture(rest, &[]);
        Some(route)
    }

    /// Captures the part of the path that `tail` follows.
    fn capture(&mut self, part: &[u8], tail: &[u8]) {
        let end = self.path.len() - tail.len();
        self.captures.push(end - part.len(), end);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{EmptySegment, Lookup, Pattern};

    fn lookup(keys: &[&str]) -> Lookup {
        let mut lookup = Lookup::default();
        for (route, key) in keys.iter().enumerate() {
            lookup.insert(&Pattern::parse(key).unwrap(), route);
        }
        lookup
    }

    fn find<'a>(keys: &[&'a str], path: &str) -> Option<(&'a str, Vec<String>)> {
        let hit = lookup(keys).find(path.as_bytes(), EmptySegment::Matches)?;
        let captures = (0..).map_while(|index| hit.captures.get(index)).map(|place| path[place].to_owned()).collect();
        Some((keys[hit.route], captures))
    }

    #[test]
    fn the_most_literal_key_wins_and_a_dead_end_is_left_again() {
        let keys = [
            "/a/{x}",
            "/a/b",
            "/a/{*rest}",
            "/a/b/{y}/c",
            "/{*all}",
            "/img{n}",
            "/",
            "/u/{x}/b/{y}/d",
            "/u/{x}/{*rest}",
            "/s/{a}/{b}/{c}/{d}/{e}/{f}",
        ];
        for (path, key, captures) in [
            ("/a/b", "/a/b", &[][..]),
            ("/a/bc", "/a/{x}", &["bc"]),
            ("/a/b/c/d", "/a/{*rest}", &["b/c/d"]),
            ("/a/b/1/c", "/a/b/{y}/c", &["1"]),
            ("/a//c", "/a/{*rest}", &["/c"]),
            ("/z", "/{*all}", &["z"]),
            ("/img7", "/img{n}", &["7"]),
            ("/img", "/{*all}", &["img"]),
            ("/", "/", &[]),
            ("/u/1/b/2/e", "/u/{x}/{*rest}", &["1", "b/2/e"]),
            ("/s/1/2/3/4/5/6", "/s/{a}/{b}/{c}/{d}/{e}/{f}", &["1", "2", "3", "4", "5", "6"]),
        ] {
            let found = find(&keys, path).unwrap();
            assert_eq!((found.0, found.1), (key, captures.iter().map(|&c| c.to_owned()).collect()), "{path}");
        }
        assert_eq!(find(&["/a", "/a/{*x}"], "/a/"), None);
        assert_eq!(find(&["/{x}"], "/"), None);
    }

    #[test]
    fn routers_disagree_on_empty_segments_and_both_ways_can_be_asked() {
        let lookup = lookup(&["/a/{x}/b"]);
        assert!(lookup.find(b"/a//b", EmptySegment::Matches).is_some());
        assert!(lookup.find(b"/a//b", EmptySegment::Fails).is_none());
    }

    #[test]
    fn a_nest_serves_the_slash_behind_an_empty_parameter() {
        let lookup = lookup(&["/{t}", "/a/{t}", "/a/", "/v{t}", "/{t}/{u}", "/b/{*rest}"]);
        for (path, route) in [
            ("/", Some(0)),
            ("/a/", Some(1)),
            ("/v", Some(3)),
            ("/x/", Some(4)),
            ("//", Some(4)),
            ("/b/x", None),
            ("/x", None),
        ] {
            let hit = lookup.find(path.as_bytes(), EmptySegment::IsLast);
            assert_eq!(hit.map(|hit| hit.route), route, "{path}");
        }
    }

    fn key() -> impl Strategy<Value = String> {
        let segment = prop_oneof![
            4 => "[ab]{1,2}",
            1 => Just(String::new()),
            3 => "[xy]".prop_map(|name| format!("{{{name}}}")),
            1 => "[ab][xy]".prop_map(|text| format!("{}{{{}}}", &text[..1], &text[1..])),
        ];
        (prop::collection::vec(segment, 1..4), prop::bool::weighted(0.2)).prop_map(|(segments, rest)| {
            let tail = if rest { "/{*z}" } else { "" };
            format!("/{}{tail}", segments.join("/"))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]
        #[test]
        fn wherever_matchit_accepts_the_keys_the_trie_agrees_with_it(
            keys in prop::collection::vec(key(), 1..8),
            paths in prop::collection::vec("/[ab/]{0,8}", 1..8),
        ) {
            let mut router = matchit::Router::new();
            let (mut lookup, mut taken) = (Lookup::default(), Vec::new());
            for key in keys {
                let Ok(pattern) = Pattern::parse(&key) else { continue };
                if router.insert(key.clone(), taken.len()).is_ok() {
                    lookup.insert(&pattern, taken.len());
                    taken.push(key);
                }
            }
            for path in paths {
                let expected = router.at(&path).ok().map(|found| {
                    (*found.value, found.params.iter().map(|(_, value)| value.to_owned()).collect::<Vec<_>>())
                });
                let hit = lookup.find(path.as_bytes(), EmptySegment::Matches).map(|hit| {
                    let captures = (0..).map_while(|index| hit.captures.get(index));
                    (hit.route, captures.map(|place| path[place].to_owned()).collect::<Vec<_>>())
                });
                if let Some((route, _)) = hit {
                    let alone = lookup.pattern(route).unwrap().captures(path.as_bytes(), EmptySegment::Matches);
                    let hit = lookup.find(path.as_bytes(), EmptySegment::Matches);
                    prop_assert_eq!(alone, hit.map(|hit| hit.captures));
                    prop_assert_eq!(lookup.route_of(&taken[route].replace("{x", "{other")), Some(route));
                }
                prop_assert_eq!(hit, expected, "{} among {:?}", path, taken);
            }
        }
    }
}
