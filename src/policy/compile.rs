//! From the document tree to a [`Compiled`] policy, or to everything that is wrong with it.

use std::collections::{BTreeSet, HashSet};

use super::{
    compiled::{Compiled, Grant, Rule, Unlisted},
    document::{Node, Value},
    grammar::{At, GrantReader, Object, RouteKey, RuleDraft, read_rule, read_silence},
    hierarchy,
    problems::Problems,
    revision::revision,
    routes::Routes,
};
use crate::{
    diagnostic::{Diagnostic, code, quoted},
    role::NameTable,
};

const KEYS: &[&str] = &["version", "realm", "roles", "exclusive_roles", "routes", "unlisted", "silence", "$schema"];

/// Compiles a document; the diagnostics have spans, but no lines yet.
pub(crate) fn compile(document: &Node) -> Result<Compiled, Vec<Diagnostic>> {
    let mut problems = Problems::default();
    let compiled = read(&mut problems, document);
    let found = problems.into_diagnostics();
    compiled.filter(|_| found.is_empty()).ok_or(found)
}

fn read(problems: &mut Problems, document: &Node) -> Option<Compiled> {
    let at = At::root(document);
    let root = at.object(problems)?;
    root.only(problems, KEYS);
    check_version(problems, &root);
    if let Some(at) = root.get("$schema") {
        at.string(problems);
    }
    let realm = root.get("realm").and_then(|at| at.text(problems, "name the realm, or leave it out").map(Into::into));
    let words = Unlisted::ALL.map(|unlisted| (unlisted.as_str(), unlisted));
    let unlisted = root.get("unlisted").and_then(|at| at.word(problems, &words)).unwrap_or_default();
    let silence = root.get("silence").map(|at| read_silence(problems, &at)).unwrap_or_default();
    let names = hierarchy::read_names(problems, &root)?;
    let routes = read_routes(problems, &names, unlisted, &root)?;
    if !problems.is_empty() {
        return None;
    }
    let (lookup, routes, rules) = routes.finish(&names);
    let uses = Uses::of(&rules);
    Some(Compiled {
        realm,
        revision: revision(document),
        unlisted,
        names,
        lookup,
        routes,
        checks: uses.checks.into_iter().map(Into::into).collect(),
        uses_networks: uses.networks,
        uses_time: uses.time,
        masks: rules.iter().any(|rule| rule.masked),
        rules,
        silence,
    })
}

fn check_version(problems: &mut Problems, root: &Object<'_>) {
    let Some(at) = root.require(problems, "version", "write `\"version\": 1`") else { return };
    match at.value() {
        Value::Number(number) if number.as_u64() == Some(1) => {}
        Value::Number(number) => {
            let message = format!("version {} is not known", quoted(&number.to_string()));
            problems.value(&at, Diagnostic::error(code::UNSUPPORTED_VERSION, message).help("write `1`".to_owned()));
        }
        _ => at.expected(problems, "the number `1`"),
    }
}

fn read_routes(problems: &mut Problems, names: &NameTable, unlisted: Unlisted, root: &Object<'_>) -> Option<Routes> {
    let at = root.require(problems, "routes", "list at least one route")?;
    let object = at.object(problems)?;
    if object.is_empty() {
        problems.empty(&at, "list at least one route");
    }
    let mut routes = Routes::default();
    let mut rule_names = HashSet::new();
    for (text, at) in object.iter() {
        let key = RouteKey::parse(text).map_err(|problem| problems.key(&at, problem)).ok();
        let params: Option<Vec<Box<str>>> = key.as_ref().map(|key| key.pattern.params().map(Into::into).collect());
        let mut reader = GrantReader { names, params: params.as_deref(), problems };
        let rule = read_rule(&mut reader, unlisted, &at);
        check_rule_name(problems, &mut rule_names, rule.as_ref(), &at);
        if let Some(key) = key {
            routes.add(problems, &at, text, key, rule);
        }
    }
    Some(routes)
}

fn check_rule_name(problems: &mut Problems, taken: &mut HashSet<Box<str>>, rule: Option<&RuleDraft>, at: &At<'_>) {
    let Some(name) = rule.and_then(|rule| rule.name.as_deref()) else { return };
    if !taken.insert(name.into()) {
        let message = format!("another rule has the name {}", quoted(name));
        let help = "give each rule its own name".to_owned();
        let found = Diagnostic::error(code::DUPLICATE_RULE_NAME, message).help(help);
        if let Some(object) = at.object(&mut Problems::default())
            && let Some(at) = object.get("name")
        {
            problems.value(&at, found);
        }
    }
}

/// What the rules need beside the principal.
#[derive(Default)]
struct Uses<'a> {
    checks: BTreeSet<&'a str>,
    networks: bool,
    time: bool,
}

impl<'a> Uses<'a> {
    fn of(rules: &'a [Rule]) -> Self {
        let mut uses = Self::default();
        for grant in rules.iter().flat_map(|rule| rule.allow.iter().chain(rule.shadow.iter().flatten())) {
            let Grant::Conditions(conditions) = grant else { continue };
            let max_age = conditions.step_up.as_ref().and_then(|step_up| step_up.max_age);
            uses.checks.extend(conditions.check.as_deref());
            uses.networks |= !conditions.networks.is_empty();
            uses.time |= conditions.from.is_some() || conditions.until.is_some() || max_age.is_some();
        }
        uses
    }
}
