//! Names that are easily taken for one another.

use std::collections::HashMap;

use super::{catalogue::CONFUSABLE_NAMES, finding::Finding, survey::Survey};
use crate::{diagnostic::quoted, policy::KEYWORDS};

pub(super) fn find(survey: &Survey<'_>, findings: &mut Vec<Finding>) {
    let mut known = Known::default();
    for keyword in KEYWORDS {
        known.add(keyword);
    }
    for declared in survey.roles.iter().chain(&survey.permissions) {
        if let Some(other) = known.like(&declared.name) {
            let what = if KEYWORDS.contains(&other) { "the keyword " } else { "" };
            let message = format!("{} is easily taken for {what}{}", quoted(&declared.name), quoted(other));
            let help = "rename one of them, or keep only one";
            findings.push(Finding::new(&CONFUSABLE_NAMES, &declared.spot, message, help));
        }
        known.add(&declared.name);
    }
}

/// Names, by what a reader takes them for.
#[derive(Default)]
struct Known<'n> {
    skeletons: HashMap<String, &'n str>,
    /// By the text of their letters and digits, and by that without one of the letters.
    texts: HashMap<String, &'n str>,
    shortened: HashMap<String, &'n str>,
}

impl<'n> Known<'n> {
    fn add(&mut self, name: &'n str) {
        self.skeletons.entry(skeleton(name)).or_insert(name);
        let text = text(name);
        self.shortened.extend(shortened(&text).into_iter().map(|short| (short, name)));
        self.texts.insert(text, name);
    }

    /// A known name that looks the same, or has a letter more or less, or two of them exchanged.
    fn like(&self, name: &str) -> Option<&'n str> {
        let text = text(name);
        let near = || shortened(&text).iter().chain(&exchanged(&text)).find_map(|near| self.texts.get(near)).copied();
        let same = self.skeletons.get(&skeleton(name)).copied();
        same.or_else(near).or_else(|| self.shortened.get(&text).copied())
    }
}

/// Shorter names than this are not compared letter by letter.
const SHORTEST: usize = 5;

fn text(name: &str) -> String {
    folded(name).chars().filter(|c| !is_separator(*c)).collect()
}

/// The text without one of its letters, each in turn.
fn shortened(text: &str) -> Vec<String> {
    let letters: Vec<_> = text.char_indices().filter(|(_, c)| c.is_alphabetic()).collect();
    if text.chars().count() < SHORTEST {
        return Vec::new();
    }
    let without = |(index, letter): &(usize, char)| {
        let (before, rest) = text.split_at_checked(*index)?;
        Some([before, rest.get(letter.len_utf8()..)?].concat())
    };
    letters.iter().filter_map(without).collect()
}

/// The text with two neighbouring letters exchanged, each pair in turn.
fn exchanged(text: &str) -> Vec<String> {
    let letters: Vec<_> = text.chars().collect();
    if letters.len() < SHORTEST {
        return Vec::new();
    }
    let exchanged = |index: usize| {
        let mut letters = letters.clone();
        letters.swap(index, index + 1);
        letters.into_iter().collect()
    };
    let both = |pair: &[char]| pair.iter().all(|c| c.is_alphabetic());
    let pairs = letters.windows(2).enumerate().filter(|(_, pair)| both(pair) && pair.first() != pair.last());
    pairs.map(|(index, _)| exchanged(index)).collect()
}

/// The text in lower case, with the Latin letters that those of other alphabets look like.
pub(super) fn folded(text: &str) -> String {
    text.chars().map(latin).flat_map(char::to_lowercase).collect()
}

/// What is left of a name when everything is taken away that a reader overlooks: letter case, separators, and the
/// difference between letters that look alike.
fn skeleton(name: &str) -> String {
    let seen = name.chars().filter(|c| !is_separator(*c)).map(latin);
    // Where lower case and upper case look like different letters, both are the one that the eye expects.
    seen.flat_map(char::to_lowercase).map(|c| if c == '0' { 'o' } else { c }).map(bar).collect()
}

fn is_separator(c: char) -> bool {
    matches!(c, '-' | '_' | '.' | ':' | '/' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{2010}'..='\u{2015}' | '\u{feff}')
}

/// Letters that are a mere stroke.
fn bar(c: char) -> char {
    if matches!(c, '1' | '|' | 'i') { 'l' } else { c }
}

/// The Latin letter that a Cyrillic, Greek or full-width one looks like.
fn latin(c: char) -> char {
    match c {
        'а' | 'А' | 'α' | 'Α' => 'a',
        'В' | 'Β' => 'b',
        'с' | 'С' | 'ϲ' => 'c',
        'ԁ' => 'd',
        'е' | 'Е' | 'ё' | 'Ε' => 'e',
        'ɡ' => 'g',
        'һ' | 'Н' | 'Η' => 'h',
        'і' | 'І' | 'ι' | 'Ι' => 'i',
        'ј' | 'Ј' => 'j',
        'к' | 'К' | 'κ' | 'Κ' => 'k',
        'ӏ' => 'l',
        'М' | 'Μ' => 'm',
        'Ν' => 'n',
        'о' | 'О' | 'ο' | 'Ο' => 'o',
        'р' | 'Р' | 'ρ' | 'Ρ' => 'p',
        'ѕ' | 'Ѕ' => 's',
        'Т' | 'Τ' | 'τ' => 't',
        'υ' => 'u',
        'ν' => 'v',
        'ԝ' => 'w',
        'х' | 'Х' | 'χ' | 'Χ' => 'x',
        'у' | 'У' | 'Υ' => 'y',
        'Ζ' => 'z',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        other => other,
    }
}
