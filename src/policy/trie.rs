//! A radix trie over bytes, in one array (a "double array").
//!
//! The nodes to which bytes lead from one node stand as far behind a common base as the bytes say, among those of other
//! nodes; each knows which node it is below. So a step takes one look at memory.

use std::num::NonZeroU32;

use super::{capture::EmptySegment, pattern};

/// What a key is made of. Of those that stand at one place, the earlier is the more literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Symbol {
    Byte(u8),
    Param,
    Rest,
}

/// A key and the number of its route, which is never 0.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) symbols: Vec<Symbol>,
    pub(super) route: NonZeroU32,
}

/// Keys, found by the paths that they match.
#[derive(Debug)]
pub(super) struct Trie {
    /// The root first.
    nodes: Vec<Node>,
}

/// The most bytes of text that lead to one node; they are compared at once.
const TEXT: usize = size_of::<u64>();

#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
struct Node {
    /// The text that leads here.
    text: [u8; TEXT],
    /// Its length.
    length: u8,
    /// How many bits are left for more of it.
    free_bits: u8,
    /// The node from which a text leads here.
    above: u32,
    /// From where the places are counted to which bytes lead from here.
    base: u32,
    /// The root is below no other.
    param: Option<NonZeroU32>,
    rest: Option<NonZeroU32>,
    route: Option<NonZeroU32>,
}

/// A node to which no text leads.
const NOWHERE: Node =
    Node { text: [0; TEXT], length: 0, free_bits: 64, above: u32::MAX, base: 0, param: None, rest: None, route: None };

/// A node, and its place.
type Placed<'n> = (u32, &'n Node);

impl Trie {
    /// The trie of `keys`, which are sorted; of the same symbols the first key counts.
    pub(super) fn of(keys: &[Key]) -> Self {
        let root = Branch { place: 0, keys, at: 0 };
        let mut builder = Builder { nodes: vec![NOWHERE], taken: vec![true], vacant: 1, todo: vec![root] };
        while let Some(branch) = builder.todo.pop() {
            builder.grow(&branch);
        }
        builder.nodes.shrink_to_fit();
        Self { nodes: builder.nodes }
    }

    /// The route of the key that matches `path` and is the most literal from left to right.
    #[inline]
    pub(super) fn find(&self, path: &[u8], empty: EmptySegment) -> Option<NonZeroU32> {
        self.visit((0, self.nodes.first()?), path, empty)
    }

    /// Goes on in a loop where there is one way, and by recursion where there may be a way back. Depth is bounded by
    /// the depth of the trie, which the policy's longest key bounds. `rest` is an end of the path.
    fn visit<'n>(&'n self, mut here: Placed<'n>, mut rest: &[u8], empty: EmptySegment) -> Option<NonZeroU32> {
        loop {
            let (_, node) = here;
            if rest.is_empty() {
                return self.at_end(node, empty);
            }
            (here, rest) = match self.by_text(here, rest) {
                Some(next) if node.param.is_none() && node.rest.is_none() => next,
                None if node.rest.is_none() => self.by_param(node, rest, empty)?,
                _ => return self.visit_all(here, rest, empty),
            };
        }
    }

    /// Goes every way in turn.
    fn visit_all(&self, here: Placed<'_>, rest: &[u8], empty: EmptySegment) -> Option<NonZeroU32> {
        let (_, node) = here;
        let by_text = self.by_text(here, rest).and_then(|(below, rest)| self.visit(below, rest, empty));
        let by_param = || self.by_param(node, rest, empty).and_then(|(below, rest)| self.visit(below, rest, empty));
        by_text.or_else(by_param).or(node.rest.filter(|_| empty != EmptySegment::IsLast))
    }

    /// The node to which text leads, and what is behind it.
    #[inline]
    fn by_text<'n, 'p>(&'n self, (above, node): Placed<'_>, rest: &'p [u8]) -> Option<(Placed<'n>, &'p [u8])> {
        let word = word(rest);
        let [first, ..] = word.to_le_bytes();
        let place = node.place_of(first);
        let below = self.nodes.get(place as usize)?;
        if below.above != above {
            return None;
        }
        let difference = (word ^ u64::from_le_bytes(below.text)).wrapping_shl(below.free_bits.into());
        let tail = rest.get(usize::from(below.length)..)?;
        (difference == 0).then_some(((place, below), tail))
    }

    /// The node to which a parameter leads, and what is behind it.
    #[inline]
    fn by_param<'n, 'p>(&'n self, node: &Node, rest: &'p [u8], empty: EmptySegment) -> Option<(Placed<'n>, &'p [u8])> {
        let place = node.param?.get();
        let tail = rest.get(pattern::segment(rest, empty)?..)?;
        Some(((place, self.nodes.get(place as usize)?), tail))
    }

    fn at_end(&self, node: &Node, empty: EmptySegment) -> Option<NonZeroU32> {
        if empty == EmptySegment::IsLast { self.nodes.get(node.param?.get() as usize)?.route } else { node.route }
    }
}

impl Node {
    fn place_of(&self, byte: u8) -> u32 {
        self.base.wrapping_add(byte.into())
    }
}

/// The first bytes of a text, and zeros where there are fewer.
#[inline]
fn word(text: &[u8]) -> u64 {
    match text.first_chunk() {
        Some(bytes) => u64::from_le_bytes(*bytes),
        None => text.iter().rev().fold(0, |word, byte| word << u8::BITS | u64::from(*byte)),
    }
}

struct Builder<'k> {
    nodes: Vec<Node>,
    /// Which places have a node.
    taken: Vec<bool>,
    /// No place before this one is looked at any more.
    vacant: usize,
    /// Nodes that are there, and nothing below them yet. The last one comes first, so that branches stand together.
    todo: Vec<Branch<'k>>,
}

/// A node, the keys that lead there, and how many of their symbols do.
struct Branch<'k> {
    place: u32,
    keys: &'k [Key],
    at: usize,
}

/// In so many places room is looked for before some is made: building takes no longer than there are nodes.
const WINDOW: usize = 512;

impl<'k> Builder<'k> {
    /// Adds what is below a node.
    fn grow(&mut self, branch: &Branch<'k>) {
        let &Branch { place, keys, at } = branch;
        let symbol = |key: &Key| key.symbols.get(at).copied();
        let groups = || keys.chunk_by(|a, b| symbol(a) == symbol(b)).filter_map(|group| Some((group.first()?, group)));
        let bytes = groups().filter_map(|(first, _)| match symbol(first)? {
            Symbol::Byte(byte) => Some(byte),
            Symbol::Param | Symbol::Rest => None,
        });
        let mut node = Node { base: self.base_for(&bytes.collect::<Vec<_>>()), ..self.node(place) };
        for (first, group) in groups() {
            match symbol(first) {
                None => node.route = Some(first.route),
                Some(Symbol::Byte(byte)) => self.add_text(node.place_of(byte), place, group, at),
                Some(Symbol::Param) => node.param = self.add_param(group, at + 1),
                Some(Symbol::Rest) => node.rest = Some(first.route),
            }
        }
        self.put(place, node);
    }

    /// Adds a node to which the text leads that `keys` have in common.
    fn add_text(&mut self, place: u32, above: u32, keys: &'k [Key], mut at: usize) {
        let mut node = Node { above, ..NOWHERE };
        for (slot, byte) in node.text.iter_mut().zip(common_text(keys, at)) {
            *slot = byte;
            node.length += 1;
            node.free_bits -= 8;
        }
        at += usize::from(node.length);
        self.put(place, node);
        self.todo.push(Branch { place, keys, at });
    }

    fn add_param(&mut self, keys: &'k [Key], at: usize) -> Option<NonZeroU32> {
        let place = self.base_for(&[0]);
        self.put(place, NOWHERE);
        self.todo.push(Branch { place, keys, at });
        NonZeroU32::new(place)
    }

    fn node(&self, place: u32) -> Node {
        self.nodes.get(place as usize).copied().unwrap_or(NOWHERE)
    }

    fn put(&mut self, place: u32, node: Node) {
        let index = place as usize;
        if self.nodes.len() <= index {
            self.nodes.resize(index + 1, NOWHERE);
            self.taken.resize(index + 1, false);
        }
        if let Some((known, taken)) = self.nodes.get_mut(index).zip(self.taken.get_mut(index)) {
            (*known, *taken) = (node, true);
        }
    }

    /// A base from which all `bytes`, which are sorted, lead to places without a node.
    fn base_for(&mut self, bytes: &[u8]) -> u32 {
        let Some(least) = bytes.first() else { return 0 };
        let is_taken = |place: usize| self.taken.get(place).is_some_and(|taken| *taken);
        let end = self.taken.len();
        let begin = self.vacant.max(end.saturating_sub(WINDOW));
        let vacant = (begin..end).find(|place| !is_taken(*place)).unwrap_or(end);
        let fits = |place: &usize| bytes.iter().all(|byte| !is_taken(place + usize::from(byte - least)));
        let place = (vacant..end).find(fits).unwrap_or(end);
        self.vacant = vacant;
        u32::try_from(place).unwrap_or(u32::MAX).wrapping_sub(u32::from(*least))
    }
}

/// The text behind the first `at` symbols of keys that have these in common; in sorted ones all have what the first and
/// the last one have.
fn common_text(keys: &[Key], at: usize) -> impl Iterator<Item = u8> {
    let [first, last] = [keys.first(), keys.last()].map(|key| key.map_or(&[][..], |key| &key.symbols));
    first.iter().zip(last).skip(at).map_while(|pair| match pair {
        (Symbol::Byte(a), Symbol::Byte(b)) if a == b => Some(*a),
        _ => None,
    })
}
