//! The README shows what is the case.

use std::{collections::BTreeSet, fs};

use crate::{
    curl::{Answer, Cookies, Curl},
    program::Program,
};

fn file(name: &str) -> String {
    fs::read_to_string(format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// What stands in the fenced blocks of a language.
fn blocks(language: &str) -> Vec<String> {
    let readme = file("README.md");
    let begins = format!("```{language}\n");
    readme.split(&begins).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_policy_of_the_readme_is_that_of_the_quickstart() {
    assert_eq!(blocks("json"), [file("examples/policy.json")]);
}

#[cfg(feature = "axum")]
#[tokio::test]
async fn the_answers_of_the_readme_are_those_of_the_quickstart() {
    let program = Program::start("quickstart");
    let base = program.printed[0].strip_prefix("listening on ").unwrap();
    let shown = blocks("http");
    assert_eq!(shown.len(), 4);
    for block in shown {
        let (request, expected) = block.split_once('\n').unwrap();
        let [method, path, who] = request.split(' ').collect::<Vec<_>>()[..] else { panic!("{request}") };
        let header = authorization(&program.printed, who.trim_matches(['(', ')']));
        let answer =
            Curl::parse(&format!("curl -X {method} '{base}{path}' {header} # -> ")).send(&mut Cookies::new()).await;
        let answer = lines(&answer);
        for line in expected.lines() {
            assert!(answer.iter().any(|answered| answered == line), "{request}: {line}\n{answer:#?}");
        }
    }
}

/// The option of `curl` that the quickstart prints for a role.
fn authorization(printed: &[String], role: &str) -> String {
    let mut lines = printed.iter().skip_while(|line| !(line.starts_with('#') && line.ends_with(role))).skip(1);
    let line = lines.next().unwrap_or_else(|| panic!("no lines for {role}"));
    line.split_once("-H '").map_or(String::new(), |(_, header)| format!("-H '{}'", header.split('\'').next().unwrap()))
}

fn lines(answer: &Answer) -> Vec<String> {
    let status = format!("HTTP/1.1 {}", answer.status);
    let headers = answer.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
    let body = String::from_utf8(answer.body.to_vec()).unwrap();
    [status].into_iter().chain(headers).chain([body]).collect()
}

#[test]
fn the_readme_names_every_feature_and_says_what_every_default_dependency_is_for() {
    let manifest = file("Cargo.toml");
    let entries = |section: &str| -> Vec<String> {
        let (_, rest) = manifest.split_once(&format!("[{section}]\n")).unwrap();
        let lines = rest.lines().take_while(|line| !line.starts_with('['));
        lines.filter(|line| line.contains(" = ") && !line.starts_with([' ', '#'])).map(str::to_owned).collect()
    };
    let name = |line: &String| line.split(' ').next().unwrap().to_owned();
    let features: BTreeSet<_> = entries("features").iter().map(name).filter(|name| name != "default").collect();
    assert_eq!(first_column("| feature |"), features);
    let by_default = |line: &&String| !line.contains("optional = true") || line.starts_with("axum ");
    let dependencies: BTreeSet<_> = entries("dependencies").iter().filter(by_default).map(name).collect();
    assert_eq!(first_column("| dependency |"), dependencies);
}

/// The names in backticks in the first column of the table that begins so.
fn first_column(begins: &str) -> BTreeSet<String> {
    let readme = file("README.md");
    let rows = readme.lines().skip_while(|line| !line.starts_with(begins)).skip(2).take_while(|line| !line.is_empty());
    let cells = rows.filter_map(|row| row.split('|').nth(1));
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()).collect()
}
