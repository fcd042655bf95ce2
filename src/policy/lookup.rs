//! Which route a path selects: a radix trie over bytes.
//!
//! Precedence and backtracking are matchit's, which axum routes with; unlike it the trie lets `{x}` and `{*x}`
//! stand at one place. Time depends on the length of the path, not on the number of routes.

use std::num::NonZeroU32;

use super::{
    capture::EmptySegment,
    pattern::{Pattern, Piece},
    spelling::other_spellings,
    trie::{Key, Symbol, Trie},
};
use crate::path::Wanted;

/// The routes of a policy.
#[derive(Debug)]
pub(crate) struct Lookup {
    trie: Trie,
    /// What keys make it necessary to read: with a slash where one ends in `/`, with capital escapes where one has some.
    wanted: Wanted,
    /// The most segments that a key has.
    depth: usize,
    /// Whether a key has text before a parameter in its segment, as `/img{id}`.
    prefixed_params: bool,
}

impl Lookup {
    /// Of the patterns of all routes, in their order. The other spellings of a pattern give way to patterns that are
    /// written so.
    pub(crate) fn of(patterns: &[&Pattern]) -> Self {
        let segments = |pattern: &&Pattern| pattern.text().matches('/').count();
        let keys = keys(patterns);
        Self {
            trie: Trie::of(&keys),
            wanted: Wanted {
                trailing_slash: patterns.iter().any(|pattern| ends_in_slash(pattern)),
                capital_escapes: keys.iter().any(has_capital_escape),
            },
            depth: patterns.iter().map(segments).max().unwrap_or_default(),
            prefixed_params: patterns.iter().any(|pattern| has_prefixed_param(pattern)),
        }
    }

    pub(crate) fn wanted(&self) -> Wanted {
        self.wanted
    }

    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    /// The route that `path` selects: from left to right static beats `{x}` beats `{*x}`, with backtracking.
    #[inline]
    pub(crate) fn find(&self, path: &[u8], empty: EmptySegment) -> Option<usize> {
        Some(self.trie.find(path, empty)?.get() as usize - 1)
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
}

/// The keys under which patterns are found, sorted; as they are written first.
fn keys(patterns: &[&Pattern]) -> Vec<Key> {
    let routes = || (1..).map_while(NonZeroU32::new).zip(patterns);
    let written = routes().map(|(route, pattern)| Key { symbols: symbols(pattern.pieces()), route });
    let others = routes().flat_map(|(route, pattern)| {
        let spellings = other_spellings(pattern.pieces()).into_iter();
        spellings.map(move |pieces| Key { symbols: symbols(&pieces), route })
    });
    let mut keys: Vec<_> = written.chain(others).collect();
    keys.sort_by(|a, b| a.symbols.cmp(&b.symbols));
    keys
}

fn symbols(pieces: &[Piece]) -> Vec<Symbol> {
    let length = |piece: &Piece| if let Piece::Literal(text) = piece { text.len() } else { 1 };
    let mut symbols = Vec::with_capacity(pieces.iter().map(length).sum());
    for piece in pieces {
        match piece {
            Piece::Literal(text) => symbols.extend(text.bytes().map(Symbol::Byte)),
            Piece::Param(_) => symbols.push(Symbol::Param),
            Piece::Rest(_) => symbols.push(Symbol::Rest),
        }
    }
    symbols
}

fn has_capital_escape(key: &Key) -> bool {
    let is_capital_escape = |window: &[Symbol]| match window {
        [Symbol::Byte(b'%'), Symbol::Byte(high), Symbol::Byte(low)] => {
            let digits = [high, low];
            digits.iter().all(|digit| digit.is_ascii_hexdigit())
                && digits.iter().any(|digit| digit.is_ascii_uppercase())
        }
        _ => false,
    };
    key.symbols.windows(3).any(is_capital_escape)
}

fn has_prefixed_param(pattern: &Pattern) -> bool {
    let prefixed = |pair: &[Piece]| match pair {
        [Piece::Literal(text), Piece::Param(_)] => !text.ends_with('/'),
        _ => false,
    };
    pattern.pieces().windows(2).any(prefixed)
}

fn ends_in_slash(pattern: &Pattern) -> bool {
    matches!(pattern.pieces().last(), Some(Piece::Literal(text)) if text.ends_with('/') && pattern.text().len() > 1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::{EmptySegment, Lookup, Pattern};

    fn patterns(keys: &[&str]) -> Vec<Pattern> {
        keys.iter().map(|key| Pattern::parse(key).unwrap()).collect()
    }

    fn lookup(keys: &[&str]) -> Lookup {
        Lookup::of(&patterns(keys).iter().collect::<Vec<_>>())
    }

    fn found<'k>(lookup: &Lookup, keys: &[&'k str], path: &str) -> Option<(&'k str, Vec<String>)> {
        let route = lookup.find(path.as_bytes(), EmptySegment::Matches)?;
        let pattern = Pattern::parse(keys[route]).unwrap();
        let captures = pattern.captures_as_spelled(path.as_bytes(), EmptySegment::Matches).unwrap();
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

    /// A key of each length, in which a key of another letter at the end is found as well as what is between.
    #[test]
    fn texts_of_any_length_are_compared_as_a_whole() {
        let text = |length: usize| format!("/{}", "abcdefgh".repeat(8).get(..length).unwrap());
        let longest = text(40);
        for length in 0..40 {
            let keys = [format!("{}~", text(length)), longest.clone(), format!("{longest}/{{id}}/{}", text(length))];
            let keys = [&*keys[0], &*keys[1], &*keys[2]];
            let lookup = lookup(&keys);
            let deep = keys[2].replace("{id}", "1");
            for (route, path) in [keys[0], keys[1], &*deep].into_iter().enumerate() {
                let find = |path: &[u8]| lookup.find(path, EmptySegment::Matches);
                assert_eq!(find(path.as_bytes()), Some(route), "{path}");
                assert_eq!(find(format!("{path}a").as_bytes()), None, "{path}a");
                for at in 0..path.len() {
                    assert!(find(&path.as_bytes()[..at]).is_none_or(|other| other != route), "{}", &path[..at]);
                    let mut other = path.as_bytes().to_vec();
                    other[at] ^= 1;
                    let is_id = route == 2 && at == longest.len() + 1;
                    assert_eq!(find(&other) == Some(route), is_id, "{}", String::from_utf8_lossy(&other));
                }
            }
        }
    }

    /// So many that their nodes fill the gaps between one another.
    #[test]
    fn of_many_keys_each_is_found_and_nothing_beside_them() {
        let letters: Vec<char> = ('a'..='z').chain('0'..='9').chain("-_~éÿ日".chars()).collect();
        let mut state = 1_u64;
        let mut next = |most: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from(state >> 33).unwrap() % most
        };
        let mut segment = || -> String { (0..=next(3)).map(|_| letters[next(letters.len())]).collect() };
        let texts: BTreeSet<_> = (0..3000).map(|_| format!("/{}/{}", segment(), segment())).collect();
        let texts: Vec<_> = texts.iter().map(String::as_str).collect();
        let lookup = lookup(&texts);
        for (route, text) in texts.iter().enumerate() {
            assert_eq!(lookup.find(text.as_bytes(), EmptySegment::Matches), Some(route), "{text}");
            for letter in &letters {
                let path = format!("{text}{letter}");
                let known = texts.binary_search(&&*path).ok();
                assert_eq!(lookup.find(path.as_bytes(), EmptySegment::Matches), known, "{path}");
            }
        }
    }

    #[test]
    fn routers_disagree_on_empty_segments_and_both_ways_can_be_asked() {
        let lookup = lookup(&["/a/{x}/b"]);
        assert!(lookup.find(b"/a//b", EmptySegment::Matches).is_some());
        assert!(lookup.find(b"/a//b", EmptySegment::Fails).is_none());
    }

    #[test]
    fn a_nest_serves_the_slash_behind_an_empty_parameter() {
        let keys = ["/{t}", "/a/{t}", "/a/", "/v{t}", "/{t}/{u}", "/b/{*rest}"];
        let (patterns, lookup) = (patterns(&keys), lookup(&keys));
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
            let alone = hit.map(|hit| patterns[hit].captures(path.as_bytes(), EmptySegment::IsLast));
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
            let mut taken = Vec::new();
            for key in &keys {
                if Pattern::parse(key).is_ok() && router.insert(key, taken.len()).is_ok() {
                    taken.push(key.as_str());
                }
            }
            let lookup = lookup(&taken);
            for path in paths {
                let expected = router.at(&path).ok().map(|found| {
                    (*found.value, found.params.iter().map(|(_, value)| value.to_owned()).collect::<Vec<_>>())
                });
                let hit = found(&lookup, &taken, &path).map(|(key, captures)| {
                    (taken.iter().position(|text| *text == key).unwrap(), captures)
                });
                prop_assert_eq!(hit, expected, "{} among {:?}", path, taken);
            }
        }
    }
}
