//! Holds the table of modules against the code: who may import whom, no circles, small files.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of a test may fail it")]

#[path = "support/source.rs"]
mod source;

use std::collections::{BTreeMap, BTreeSet};

use source::{Source, sources};

const VOCABULARY: &[&str] =
    &["principal", "role", "identity", "target", "decision", "challenge", "diagnostic", "clock"];

/// What each top module may import besides itself; a name of two parts allows that part alone.
const LAYERS: &[(&[&str], &[&str])] = &[
    (VOCABULARY, VOCABULARY),
    (&["path"], &[]),
    (&["policy"], &["path"]),
    (&["config"], &["policy::document", "policy::Policy", "policy::PolicyError", "policy::Source"]),
    (&["authn"], &[]),
    (&["respond"], &[]),
    (&["report"], &[]),
    (&["analysis"], &["policy", "path"]),
    (&["reload"], &["config", "policy", "analysis"]),
    (&["middleware"], &["path", "policy", "config", "authn", "respond", "report", "reload", "analysis"]),
    (&["integration"], &["middleware", "policy", "authn"]),
    (
        &["testing"],
        &["path", "policy", "config", "authn", "respond", "report", "reload", "analysis", "middleware", "integration"],
    ),
];

/// Modules that may not use the vocabulary either.
const ALONE: &[&str] = &["path"];

const LINES: usize = 400;

/// Files, and the violations that they hold.
type Planted = (&'static [(&'static str, &'static str)], &'static [&'static str]);

#[test]
fn modules_import_only_what_the_table_allows() {
    let found = forbidden_imports(&sources());
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn modules_import_each_other_in_no_circle() {
    let found = circle(&imports(&sources()));
    assert!(found.is_empty(), "{}", found.join(" -> "));
}

#[test]
fn mod_files_hold_documentation_and_re_exports_only() {
    let found = mod_files_with_items(&sources());
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn files_stay_under_400_lines_of_code() {
    let found = long_files(&sources());
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn planted_violations_are_found() {
    let lib = ("lib.rs", "mod decision; mod policy; mod middleware; mod respond;\npub use respond::{Responder};");
    let rows: &[Planted] = &[
        (&[("authn/jwt.rs", "use crate::policy::Policy;")], &["authn/jwt.rs imports `policy::Policy`"]),
        (&[("policy/decide.rs", "use crate::{role::NameTable, middleware::Authz};")], &["imports `middleware::Authz`"]),
        (&[("respond/mod.rs", "fn f() { crate::report::g() }")], &["imports `report::g`"]),
        (&[("decision.rs", "use super::respond::X;")], &["imports `respond::X`"]),
        (&[("path/readings.rs", "use super::super::role::NameId;")], &["imports `role::NameId`"]),
        (&[("path/readings.rs", "use crate::clock::{self as c};")], &["imports `clock`"]),
        (
            &[("config/json.rs", "use crate::policy::{document::Node, lookup::Trie};")],
            &["imports `policy::lookup::Trie`"],
        ),
        (&[("report/event.rs", "use crate::Responder;")], &["imports `respond::Responder`"]),
        (&[("sideways.rs", "")], &["sideways.rs is in no layer"]),
        (&[("authn/a.rs", "// use crate::policy::Policy;\nconst A: &str = \"crate::policy\";")], &[]),
        (
            &[(
                "authn/a.rs",
                "const A: &str = r#\"\"crate::policy::x\"#; const B: char = '\"'; /* crate::policy::x */",
            )],
            &[],
        ),
        (
            &[(
                "authn/a.rs",
                "#[cfg(test)]\nmod tests { use crate::policy::Policy; fn f() {} }\nfn f<'a>(a: &'a str) {}",
            )],
            &[],
        ),
        (&[("authn/a.rs", "pub(crate) use super::b::{C, D as E}; use crate::target::Head as H;")], &[]),
    ];
    for (files, expected) in rows {
        let planted: Vec<_> = files.iter().chain([&lib]).map(|(file, text)| Source::new(file, text)).collect();
        let found = forbidden_imports(&planted);
        assert_eq!(found.len(), expected.len(), "{files:?} {found:?}");
        for (found, expected) in found.iter().zip(*expected) {
            assert!(found.contains(expected), "{files:?} {found:?}");
        }
    }

    let circular = [
        Source::new("role.rs", "use crate::principal::Principal;"),
        Source::new("principal.rs", "use crate::clock::Clock;"),
        Source::new("clock.rs", "fn f() { crate::role::g::<u8>() }"),
    ];
    assert_eq!(circle(&imports(&circular)), ["clock", "role", "principal", "clock"]);
    assert_eq!(circle(&imports(&circular[..2])), [""; 0]);
    assert_eq!(mod_files_with_items(&[Source::new("a/mod.rs", "//! fn\nmod b;\npub use b::fns;\nfn c() {}")]).len(), 1);
    assert_eq!(long_files(&[Source::new("a.rs", &"f();\n".repeat(LINES))]).len(), 1);
    assert_eq!(long_files(&[Source::new("a.rs", &"f();\n\n// g\n".repeat(LINES - 1))]).len(), 0);
}

/// The imports of `files` that the table does not allow, and the files it does not know.
fn forbidden_imports(files: &[Source]) -> Vec<String> {
    let exports = exports(files);
    let mut found = Vec::new();
    for file in files.iter().filter(|file| !file.module.is_empty() && file.module[0] != "bin") {
        let top = file.module[0].as_str();
        let Some(allowed) = allowed(top) else {
            found.push(format!("{} is in no layer", file.file));
            continue;
        };
        let mut paths: Vec<_> = file.paths().iter().map(|path| from_root(path, &exports)).collect();
        paths.dedup();
        paths.retain(|path| !may(top, &allowed, path));
        found.extend(paths.iter().map(|path| format!("{} imports `{}`", file.file, path.join("::"))));
    }
    found
}

fn allowed(top: &str) -> Option<Vec<&'static str>> {
    let (_, below) = LAYERS.iter().find(|(modules, _)| modules.contains(&top))?;
    let vocabulary = if ALONE.contains(&top) { &[][..] } else { VOCABULARY };
    Some([below, vocabulary].concat())
}

fn may(top: &str, allowed: &[&str], path: &[String]) -> bool {
    let Some(first) = path.first() else { return false };
    let begins = |allowed: &&str| allowed.split("::").zip(path).all(|(allowed, part)| allowed == part);
    first == top || allowed.iter().any(begins)
}

/// Where the names live that `lib.rs` exports: `Policy` in `policy`.
fn exports(files: &[Source]) -> BTreeMap<String, String> {
    let Some(lib) = files.iter().find(|file| file.module.is_empty()) else { return BTreeMap::new() };
    let rooted = Source { file: lib.file.clone(), module: Vec::new(), code: lib.code.replace("use ", "use crate::") };
    let leaves = rooted.paths().into_iter().filter(|path| path.len() > 1);
    leaves.map(|path| (path[path.len() - 1].clone(), path[0].clone())).collect()
}

/// A path through a name that `lib.rs` exports, as the path through its module.
fn from_root(path: &[String], exports: &BTreeMap<String, String>) -> Vec<String> {
    let module = path.first().and_then(|first| exports.get(first));
    module.into_iter().chain(path).cloned().collect()
}

/// Which top modules each top module imports.
fn imports(files: &[Source]) -> BTreeMap<String, BTreeSet<String>> {
    let exports = exports(files);
    let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in files.iter().filter(|file| !file.module.is_empty()) {
        let tops = file.paths().into_iter().filter_map(|path| from_root(&path, &exports).into_iter().next());
        imports.entry(file.module[0].clone()).or_default().extend(tops.filter(|top| *top != file.module[0]));
    }
    imports
}

/// The first circle, as a way from a module back to it; empty if there is none.
fn circle(imports: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    fn walk<'a>(way: &mut Vec<&'a str>, imports: &'a BTreeMap<String, BTreeSet<String>>) -> bool {
        let Some(next) = way.last().and_then(|last| imports.get(*last)) else { return false };
        for module in next {
            way.push(module);
            if way.first() == way.last() || way[..way.len() - 1].iter().all(|seen| seen != module) && walk(way, imports)
            {
                return true;
            }
            way.pop();
        }
        false
    }
    let ways = imports.keys().map(|start| vec![start.as_str()]);
    ways.into_iter()
        .find_map(|mut way| walk(&mut way, imports).then_some(way))
        .unwrap_or_default()
        .into_iter()
        .map(str::to_owned)
        .collect()
}

fn mod_files_with_items(files: &[Source]) -> Vec<String> {
    let mod_files = files.iter().filter(|file| file.file.ends_with("mod.rs") && !file.items().is_empty());
    mod_files.map(|file| format!("{} declares {}", file.file, file.items().join(", "))).collect()
}

fn long_files(files: &[Source]) -> Vec<String> {
    let long = files.iter().filter(|file| file.lines_of_code() >= LINES);
    long.map(|file| format!("{} has {} lines of code", file.file, file.lines_of_code())).collect()
}
