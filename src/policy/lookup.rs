//! Which route a path selects: a radix trie over bytes.
//!
//! Precedence and backtracking are matchit's, which axum routes with; unlike it the trie lets `{x}` and `{*x}`
//! stand at one place. Time depends on the length of the path, not on the number of routes.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    mem,
    num::NonZeroU32,
};

use super::{
    capture::EmptySegment,
    pattern::{self, Pattern, Piece},
    spelling::other_spellings,
};

/// The routes of a policy.
#[derive(Debug)]
pub(crate) struct Lookup {
    /// The root first.
    nodes: Vec<Node>,
    patterns: Vec<Option<Pattern>>,
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
    /// The text that leads here, without its first byte, by which the node above knows this one.
    text: Box<[u8]>,
    statics: Statics,
    param: Option<Place>,
    rest: Option<u32>,
    route: Option<u32>,
}

/// The place of a node; the root is below no other.
type Place = NonZeroU32;

/// The static continuations of a node by their first byte.
#[derive(Debug, Default)]
struct Statics {
    /// The first byte of the first one.
    low: u8,
    /// From that byte on.
    places: Vec<Option<Place>>,
}

impl Default for Lookup {
    fn default() -> Self {
        Self {
            nodes: vec![Node::default()],
            patterns: Vec::new(),
            shapes: HashMap::new(),
            trailing_slash: false,
            depth: 0,
            prefixed_params: false,
        }
    }
}

impl Lookup {
    /// Adds a route. A route of the same shape is replaced, and its other spellings give way to keys that are
    /// written so.
    pub(crate) fn insert(&mut self, pattern: &Pattern, route: usize) {
        self.trailing_slash |= ends_in_slash(pattern);
        self.prefixed_params |= has_prefixed_param(pattern);
        self.depth = self.depth.max(pattern.text().matches('/').count());
        self.shapes.entry(shape_hash(pattern.text())).or_default().push(route);
        if self.patterns.len() <= route {
            self.patterns.resize(route + 1, None);
        }
        if let Some(place) = self.patterns.get_mut(route) {
            *place = Some(pattern.clone());
        }
        let number = u32::try_from(route).ok();
        if let Some(end) = self.end_of(pattern.pieces()) {
            *end = number;
        }
        for spelling in other_spellings(pattern.pieces()) {
            if let Some(end) = self.end_of(&spelling) {
                *end = end.or(number);
            }
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
    pub(crate) fn find(&self, path: &[u8], empty: EmptySegment) -> Option<usize> {
        let route = self.visit(self.nodes.first()?, path, empty)?;
        Some(route as usize)
    }

    /// Whether the path may select other routes than that which [`Lookup::find`] finds with
    /// [`EmptySegment::Matches`]: not where nothing in it is empty. Behind the text of `/img{id}` an empty parameter
    /// leaves nothing to be seen.
    #[inline]
    pub(crate) fn is_ambiguous(&self, path: &[u8], is_clean: bool) -> bool {
        self.prefixed_params || (!is_clean && path.windows(2).any(|pair| pair == b"//"))
    }

    /// The route whose nest serves `path`, which ends in a slash behind a parameter that stands for nothing.
    pub(crate) fn find_nest(&self, path: &[u8]) -> Option<usize> {
        let inside = path.strip_suffix(b"/").filter(|inside| self.prefixed_params || inside.ends_with(b"/"))?;
        self.find(inside, EmptySegment::IsLast)
    }

    /// The route whose key is `path`, parameter names aside.
    pub(crate) fn route_of(&self, path: &str) -> Option<usize> {
        let same = |route: &&usize| {
            self.pattern(**route).is_some_and(|pattern| pattern::shape(pattern.text()).eq(pattern::shape(path)))
        };
        self.shapes.get(&shape_hash(path))?.iter().find(same).copied()
    }

    #[inline]
    pub(crate) fn pattern(&self, route: usize) -> Option<&Pattern> {
        self.patterns.get(route)?.as_ref()
    }

    /// Goes on in a loop where there is one way, and by recursion where there may be a way back. Depth is bounded by
    /// the depth of the trie, which the policy's longest key bounds. `rest` is an end of the path.
    fn visit<'n>(&'n self, mut node: &'n Node, mut rest: &[u8], empty: EmptySegment) -> Option<u32> {
        loop {
            let Some((&first, behind)) = rest.split_first() else { return self.at_end(node, empty) };
            if let Some(child) = self.node(node.statics.get(first))
                && let Some(tail) = child.behind(behind)
            {
                if node.param.is_none() && node.rest.is_none() {
                    (node, rest) = (child, tail);
                    continue;
                }
                if let Some(route) = self.visit(child, tail, empty) {
                    return Some(route);
                }
            }
            let param = self.node(node.param).zip(pattern::segment(rest, empty));
            let Some((child, tail)) = param.and_then(|(child, length)| Some((child, rest.get(length..)?))) else {
                return node.rest_of(empty);
            };
            if node.rest.is_none() {
                (node, rest) = (child, tail);
                continue;
            }
            return self.visit(child, tail, empty).or_else(|| node.rest_of(empty));
        }
    }

    fn at_end(&self, node: &Node, empty: EmptySegment) -> Option<u32> {
        if empty == EmptySegment::IsLast { self.node(node.param)?.route } else { node.route }
    }

    #[inline]
    fn node(&self, place: Option<Place>) -> Option<&Node> {
        self.nodes.get(place?.get() as usize)
    }

    fn node_mut(&mut self, place: Option<Place>) -> Option<&mut Node> {
        self.nodes.get_mut(place.map_or(0, Place::get) as usize)
    }

    /// Where the route of `pieces` stands.
    fn end_of(&mut self, pieces: &[Piece]) -> Option<&mut Option<u32>> {
        let mut place = None;
        for piece in pieces {
            place = match piece {
                Piece::Literal(text) => self.descend(place, text.as_bytes()),
                Piece::Param(_) => self.descend_param(place),
                Piece::Rest(_) => return Some(&mut self.node_mut(place)?.rest),
            };
        }
        Some(&mut self.node_mut(place)?.route)
    }

    /// The place behind `text`, which is made where it is missing; none is the root.
    fn descend(&mut self, mut above: Option<Place>, mut text: &[u8]) -> Option<Place> {
        while let Some((&first, behind)) = text.split_first() {
            let Some(below) = self.node_mut(above)?.statics.get(first) else {
                let below = self.add(Node { text: behind.into(), ..Node::default() });
                self.node_mut(above)?.statics.insert(first, below?);
                return below;
            };
            let node = self.node_mut(Some(below))?;
            let common = node.text.iter().zip(behind).take_while(|(a, b)| a == b).count();
            if let Some(&first) = node.text.get(common) {
                self.split(below, common, first)?;
            }
            (above, text) = (Some(below), behind.get(common..)?);
        }
        above
    }

    /// Parts the text that leads to a node before its byte `next`, which is at `length`.
    fn split(&mut self, place: Place, length: usize, next: u8) -> Option<()> {
        let node = self.node_mut(Some(place))?;
        let (head, tail) = (node.text.get(..length)?.into(), node.text.get(length + 1..)?.into());
        let lower = Node { text: tail, ..mem::take(node) };
        let lower = self.add(lower)?;
        let upper = self.node_mut(Some(place))?;
        upper.text = head;
        upper.statics.insert(next, lower);
        Some(())
    }

    fn descend_param(&mut self, above: Option<Place>) -> Option<Place> {
        let known = self.node_mut(above)?.param;
        if known.is_none() {
            let below = self.add(Node::default());
            self.node_mut(above)?.param = below;
            return below;
        }
        known
    }

    fn add(&mut self, node: Node) -> Option<Place> {
        let place = u32::try_from(self.nodes.len()).ok().and_then(Place::new);
        self.nodes.push(node);
        place
    }
}

impl Node {
    /// What is behind the text that leads here.
    #[inline]
    fn behind<'p>(&self, rest: &'p [u8]) -> Option<&'p [u8]> {
        if self.text.is_empty() { Some(rest) } else { rest.strip_prefix(&*self.text) }
    }

    fn rest_of(&self, empty: EmptySegment) -> Option<u32> {
        self.rest.filter(|_| empty != EmptySegment::IsLast)
    }
}

impl Statics {
    #[inline]
    fn get(&self, first: u8) -> Option<Place> {
        *self.places.get(usize::from(first.wrapping_sub(self.low)))?
    }

    fn insert(&mut self, first: u8, place: Place) {
        if self.places.is_empty() {
            self.low = first;
        }
        let lower = usize::from(self.low.saturating_sub(first));
        self.places.splice(..0, std::iter::repeat_n(None, lower));
        self.low = self.low.min(first);
        let index = usize::from(first - self.low);
        if self.places.len() <= index {
            self.places.resize(index + 1, None);
        }
        if let Some(known) = self.places.get_mut(index) {
            *known = Some(place);
        }
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

    fn found<'k>(lookup: &Lookup, keys: &[&'k str], path: &str) -> Option<(&'k str, Vec<String>)> {
        let route = lookup.find(path.as_bytes(), EmptySegment::Matches)?;
        let captures = lookup.pattern(route)?.captures_as_spelled(path.as_bytes(), EmptySegment::Matches).unwrap();
        let captures = (0..).map_while(|index| captures.get(index)).map(|place| path[place].to_owned()).collect();
        Some((keys[route], captures))
    }

    fn find<'k>(keys: &[&'k str], path: &str) -> Option<(&'k str, Vec<String>)> {
        found(&lookup(keys), keys, path)
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
            assert_eq!(hit, route, "{path}");
            // Alone, a key matches the whole path, with the slash behind the parameter.
            let path = format!("{path}/");
            let alone = hit.map(|hit| lookup.pattern(hit).unwrap().captures(path.as_bytes(), EmptySegment::IsLast));
            assert!(alone.is_none_or(|alone| alone.is_some()), "{path}");
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
                let texts: Vec<_> = taken.iter().map(String::as_str).collect();
                let hit = found(&lookup, &texts, &path).map(|(key, captures)| {
                    (texts.iter().position(|text| *text == key).unwrap(), captures)
                });
                if let Some((route, _)) = hit {
                    prop_assert_eq!(lookup.route_of(&taken[route].replace("{x", "{other")), Some(route));
                }
                prop_assert_eq!(hit, expected, "{} among {:?}", path, taken);
            }
        }
    }
}
