//! Names that are easily taken for one another.

use std::collections::HashMap;

use super::{catalogue::CONFUSABLE_NAMES, finding::Finding, survey::Survey};
use crate::diagnostic::quoted;

pub(super) fn find(survey: &Survey<'_>, findings: &mut Vec<Finding>) {
    let mut known: HashMap<String, &str> = HashMap::new();
    for declared in survey.roles.iter().chain(&survey.permissions) {
        let Some(other) = known.insert(skeleton(&declared.name), &declared.name) else { continue };
        let message = format!("{} is easily taken for {}", quoted(&declared.name), quoted(other));
        let help = "rename one of them, or keep only one";
        findings.push(Finding::new(&CONFUSABLE_NAMES, &declared.spot, message, help));
    }
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
