//! Reads Rust source just well enough to say what a file imports: comments, literals and test modules are dropped,
//! paths that begin with `crate`, `super` or `self` are resolved.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// One file of `src`, as far as its architecture goes.
pub(crate) struct Source {
    /// Its path below `src`, such as `policy/decide.rs`.
    pub(crate) file: String,
    /// Its module path, such as `["policy", "decide"]`; none for `lib.rs`.
    pub(crate) module: Vec<String>,
    /// Its code, without comments, literals and test modules.
    pub(crate) code: String,
}

impl Source {
    pub(crate) fn new(file: &str, text: &str) -> Self {
        let mut module: Vec<String> = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
            module.pop();
        }
        Self { file: file.to_owned(), module, code: without_tests(&without_comments_and_literals(text)) }
    }

    /// Lines that hold code.
    pub(crate) fn lines_of_code(&self) -> usize {
        self.code.lines().filter(|line| !line.trim().is_empty()).count()
    }

    /// Every path of this crate that the file names, from the root: `["policy", "document", "Node"]`.
    pub(crate) fn paths(&self) -> Vec<Vec<String>> {
        let tokens = tokens(&self.code);
        let mut paths = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            let begins = at == 0 || tokens[at - 1] != "::";
            let base = match *token {
                "crate" if begins => Vec::new(),
                "self" if begins => self.module.clone(),
                "super" if begins => self.module[..self.module.len().saturating_sub(1)].to_vec(),
                _ => continue,
            };
            if tokens.get(at + 1) == Some(&"::") {
                use_tree(&tokens, at + 2, &base, &mut paths);
            }
        }
        paths
    }

    /// The keywords of items that the file declares, `use` and `mod` aside.
    pub(crate) fn items(&self) -> Vec<&str> {
        let items = ["fn", "struct", "enum", "union", "trait", "impl", "const", "static", "type", "macro_rules"];
        tokens(&self.code).into_iter().filter(|token| items.contains(token)).collect()
    }
}

/// All files of `src`, except test modules in files of their own.
pub(crate) fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    files.iter().map(|path| read(&root, path)).filter(|source| !is_test(source)).collect()
}

fn read(root: &Path, path: &Path) -> Source {
    let file = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
    Source::new(&file, &fs::read_to_string(path).unwrap())
}

fn is_test(source: &Source) -> bool {
    source.module.iter().any(|name| name == "tests" || name.ends_with("_tests"))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Adds the leaves of the use tree whose first segment is at `at`; returns where it ends.
fn use_tree(tokens: &[&str], mut at: usize, base: &[String], paths: &mut Vec<Vec<String>>) -> usize {
    let mut path = base.to_vec();
    loop {
        match tokens.get(at).copied() {
            Some("{") => {
                at += 1;
                while !matches!(tokens.get(at).copied(), Some("}") | None) {
                    at = use_tree(tokens, at, &path, paths);
                    while matches!(tokens.get(at).copied(), Some("," | "as" | "_")) || aliased(tokens, at) {
                        at += 1;
                    }
                }
                return at + 1;
            }
            Some("super") => {
                path.pop();
            }
            Some("self") => {}
            Some(name) if is_word(name) => path.push(name.to_owned()),
            _ => break,
        }
        at += 1;
        if tokens.get(at) != Some(&"::") {
            break;
        }
        at += 1;
    }
    if tokens.get(at) == Some(&"*") {
        at += 1;
    }
    paths.push(path);
    at
}

fn aliased(tokens: &[&str], at: usize) -> bool {
    at > 0 && tokens[at - 1] == "as"
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Words, `::`, and every other character by itself.
fn tokens(code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let length = match first {
            _ if is_part(first) => rest.find(|c| !is_part(c)).unwrap_or(rest.len()),
            ':' if rest.starts_with("::") => 2,
            _ => first.len_utf8(),
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}

/// Drops the item that follows each `#[cfg(test)]`.
fn without_tests(code: &str) -> String {
    let mut kept = String::new();
    let mut rest = code;
    while let Some(at) = ["#[cfg(test", "#[cfg(all(test"].iter().filter_map(|mark| rest.find(mark)).min() {
        kept.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = &rest[end_of_item(rest)..];
    }
    kept + rest
}

/// Where the item ends that `code` begins with, attributes included.
fn end_of_item(code: &str) -> usize {
    let mut depth = 0;
    let mut in_body = false;
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' | '{' => {
                in_body |= depth == 0 && c == '{';
                depth += 1;
            }
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 && (c == ';' || c == '}' && in_body) {
            return at + 1;
        }
    }
    code.len()
}

/// Replaces what is in comments and literals by spaces; lines stay where they are.
fn without_comments_and_literals(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after_word = code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let length = length_of_blank(rest, after_word);
        if length == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            code.extend(rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[length..];
        }
    }
    code
}

/// The length of the comment or literal that `rest` begins with, or 0.
fn length_of_blank(rest: &str, after_word: bool) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment(rest);
    }
    if rest.starts_with('"') {
        return quoted(rest, '"');
    }
    if rest.starts_with('\'') {
        let mut chars = rest.chars().skip(1);
        let is_char = chars.next() == Some('\\') || chars.next() == Some('\'');
        return if is_char { quoted(rest, '\'') } else { 0 };
    }
    if after_word { 0 } else { raw_string(rest) }
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        let step = &rest[at..];
        if step.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if step.starts_with("*/") {
            depth -= 1;
            at += 2;
        } else {
            at += step.chars().next().map_or(1, char::len_utf8);
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn raw_string(rest: &str) -> usize {
    let Some(prefix) = ["r", "br", "cr"].iter().find(|prefix| rest.starts_with(*prefix)) else { return 0 };
    let body = &rest[prefix.len()..];
    let hashes = body.len() - body.trim_start_matches('#').len();
    if !body[hashes..].starts_with('"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let start = prefix.len() + hashes + 1;
    rest[start..].find(&end).map_or(rest.len(), |at| start + at + end.len())
}
