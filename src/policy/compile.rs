//! From the document tree to a [`Compiled`] policy, or to everything that is wrong with it.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use super::{
    compiled::{Compiled, Grant, Origin, Rule, Unlisted},
    document::Value,
    grammar::{At, GrantReader, Object, RouteKey, RuleDraft, check_silence, read_rule},
    hierarchy,
    problems::Problems,
    revision::Revision,
    routes::{Finished, Routes},
};
use crate::{
    diagnostic::{Diagnostic, code, quoted},
    role::NameTable,
};

pub(super) const KEYS: &[&str] =
    &["version", "realm", "roles", "exclusive_roles", "routes", "unlisted", "silence", "$schema"];

/// Why a document does not compile.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// Everything that is wrong; with spans, but no lines yet.
    pub(crate) found: Vec<Diagnostic>,
    /// The policy without the rules that are at fault, to be looked at and never to be enforced; nothing if there is
    /// not enough to look at.
    pub(crate) remains: Option<Arc<Compiled>>,
}

/// Compiles a document.
pub(crate) fn compile(origin: &Arc<Origin>) -> Result<Compiled, Refusal> {
    let mut problems = Problems::default();
    let compiled = read(&mut problems, origin);
    let found = problems.into_diagnostics();
    match compiled {
        Some(compiled) if found.is_empty() => Ok(compiled),
        remains => Err(Refusal { found, remains: remains.map(Arc::new) }),
    }
}

fn read(problems: &mut Problems, origin: &Arc<Origin>) -> Option<Compiled> {
    let at = At::root(&origin.document);
    let root = at.object(problems)?;
    root.only(problems, KEYS);
    check_version(problems, &root);
    if let Some(at) = root.get("$schema") {
        at.string(problems);
    }
    let realm = root.get("realm").and_then(|at| at.text(problems, "name the realm, or leave it out").map(Into::into));
    let words = Unlisted::ALL.map(|unlisted| (unlisted.as_str(), unlisted));
    let unlisted = root.get("unlisted").and_then(|at| at.word(problems, &words)).unwrap_or_default();
    if let Some(at) = root.get("silence") {
        check_silence(problems, &at);
    }
    let names = hierarchy::read_names(problems, &root)?;
    let Finished { lookup, shapes, routes, rules } = read_routes(problems, &names, unlisted, &root)?;
    let uses = Uses::of(&rules);
    Some(Compiled {
        realm,
        revision: Revision::of(&origin.document),
        unlisted,
        names,
        lookup,
        shapes,
        routes,
        checks: uses.checks.into_iter().map(Into::into).collect(),
        uses_networks: uses.networks,
        uses_time: uses.time,
        masks: rules.iter().any(|rule| rule.masked),
        has_candidates: rules.iter().any(|rule| rule.shadow.is_some()),
        rules,
        origin: Arc::clone(origin),
    })
}

fn check_version(problems: &mut Problems, root: &Object<'_>) {
    let Some(at) = root.require(problems, "version", "give it the value `1`") else { return };
    match at.value() {
        Value::Number(number) if number.as_u64() == Some(1) => {}
        Value::Number(number) => {
            let message = format!("version {} is not known", quoted(&number.to_string()));
            problems.value(&at, Diagnostic::error(code::UNSUPPORTED_VERSION, message).help("write `1`".to_owned()));
        }
        _ => at.expected(problems, "the number `1`"),
    }
}

fn read_routes(problems: &mut Problems, names: &NameTable, unlisted: Unlisted, root: &Object<'_>) -> Option<Finished> {
    let at = root.require(problems, "routes", "list at least one route")?;
    let object = at.object(problems)?;
    if object.is_empty() {
        problems.empty(&at, "list at least one route");
    }
    let mut routes = Routes::for_keys(object.len());
    let mut rule_names = HashSet::new();
    for (text, at) in object.iter() {
        let key = RouteKey::parse(text).map_err(|problem| problems.key(&at, problem)).ok();
        let params: Option<Vec<Box<str>>> = key.as_ref().map(|key| key.pattern.params().map(Into::into).collect());
        let mut reader = GrantReader { names, params: params.as_deref(), problems };
        let rule = read_rule(&mut reader, unlisted, &at);
        check_rule_name(problems, &mut rule_names, rule.as_ref(), &at);
        if let Some(key) = key {
            routes.add(problems, &at, text, key, params.unwrap_or_default(), rule);
        }
    }
    Some(routes.finish(names))
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

#[cfg(test)]
mod tests {
    use crate::{Policy, policy::compiled::Compiled};
    use std::sync::Arc;

    fn compiled(routes: &str) -> Arc<Compiled> {
        let roles = r#"{ "viewer": { "permissions": ["read"] }, "editor": { "inherits": ["viewer"] }, "root": {} }"#;
        let text = format!(r#"{{ "version": 1, "roles": {roles}, "routes": {{ {routes} }} }}"#);
        Arc::clone(Policy::from_json_str(&text).unwrap().compiled())
    }

    #[test]
    fn what_a_rule_needs_is_said_in_words() {
        for (rule, words) in [
            (r#""public""#, "public"),
            (r#"{ "public": "why" }"#, "public"),
            (r#"["nobody", "authenticated"]"#, "nobody | authenticated"),
            (r#""read""#, "read"),
            (r#"{ "all_of": ["viewer", "editor"] }"#, "viewer and editor"),
            (r#"{ "any_of": ["root"], "none_of": ["viewer", "read"] }"#, "root; none of viewer, read"),
            (
                r#"["root", { "any_of": ["viewer", "editor"], "claims": { "sub": "{id}", "plan": ["pro", 3, true] } }]"#,
                "root | any of viewer, editor; claim sub = {id}; claim plan = pro or 3 or true",
            ),
            (
                r#"{ "networks": ["10.0.0.0/8", "192.0.2.1"], "from": "2026-01-01T01:00:00+01:00", "until": "2027-01-01T00:00:00Z" }"#,
                "from 2026-01-01T00:00:00Z; until 2027-01-01T00:00:00Z; network 10.0.0.0/8 or 192.0.2.1/32",
            ),
            (
                r#"{ "step_up": { "acr": ["mfa", "hwk"], "max_age_seconds": 300 }, "check": "office-hours" }"#,
                "acr mfa or hwk, authenticated at most 300 seconds ago; check office-hours",
            ),
        ] {
            let compiled = compiled(&format!(r#""GET /x/{{id}}": {rule}"#));
            assert_eq!(&*compiled.rules[0].info.required, words);
        }
    }

    #[test]
    fn the_order_of_the_document_does_not_matter() {
        let keys = ["GET /b", "POST,PUT /a", "GET /a", "ANY /a", "GET /a/{id}"];
        let told = |keys: &[&str]| {
            let routes: Vec<_> =
                keys.iter().map(|key| format!(r#""{key}": {{ "check": "{key}", "claims": {{"k": 1}} }}"#)).collect();
            let compiled = compiled(&routes.join(","));
            format!("{:?} {:?} {:?} {:?}", compiled.rules, compiled.routes, compiled.checks, compiled.revision)
        };
        let mut reversed = keys;
        reversed.reverse();
        assert_eq!(told(&keys), told(&reversed));
    }

    #[test]
    fn a_route_is_known_by_its_key_whatever_its_parameters_are_called() {
        let compiled = compiled(r#""GET /a/{b}/c": "viewer", "GET /a/b/{*c}": "viewer", "GET /a/b/%63": "viewer""#);
        for (path, key) in [
            ("/a/{other}/c", Some("/a/{b}/c")),
            ("/a/b/{*other}", Some("/a/b/{*c}")),
            ("/a/b/%63", Some("/a/b/%63")),
            ("/a/b/c", None),
            ("/a/b/{c}", None),
            ("/a/{b}/c/", None),
        ] {
            assert_eq!(compiled.key_of(path), key, "{path}");
        }
    }

    #[test]
    fn methods_of_one_key_share_its_rule() {
        let compiled = compiled(
            r#""PUT,PATCH /x": "viewer", "ANY /x": { "allow": "root", "name": "rest", "deny_as": "not_found" }"#,
        );
        let [route] = &compiled.routes[..] else { panic!("one path is one route") };
        let rule = |index: usize| (compiled.rules[index].info.index, &*compiled.rules[index].info.name);
        let methods: Vec<_> = route.methods.iter().map(|(method, index)| (method.as_str(), rule(*index).1)).collect();
        assert_eq!(methods, [("PATCH", "PUT,PATCH /x"), ("PUT", "PUT,PATCH /x")]);
        let any = route.any.unwrap();
        assert_eq!(rule(any), (any, "rest"));
        assert!(route.masked && compiled.masks);
    }

    #[test]
    fn a_policy_knows_what_it_needs_beside_the_principal() {
        for (rule, networks, time, checks) in [
            (r#""viewer""#, false, false, &[][..]),
            (r#"{ "networks": ["::/0"] }"#, true, false, &[]),
            (r#"{ "allow": "root", "shadow": { "networks": ["::/0"], "check": "b" } }"#, true, false, &["b"]),
            (r#"[{ "from": "2026-01-01T00:00:00Z" }, { "check": "z" }, { "check": "a" }]"#, false, true, &["a", "z"]),
            (r#"{ "step_up": { "max_age_seconds": 1 } }"#, false, true, &[]),
            (r#"{ "step_up": { "acr": ["mfa"] } }"#, false, false, &[]),
        ] {
            let compiled = compiled(&format!(r#""GET /x": {rule}"#));
            let told: Vec<_> = compiled.checks.iter().map(|name| &**name).collect();
            assert_eq!((compiled.uses_networks, compiled.uses_time, &told[..]), (networks, time, checks), "{rule}");
        }
    }

    #[test]
    fn a_role_has_what_its_ancestors_have_in_whatever_order_they_are_declared() {
        let text = r#"{ "version": 1, "routes": { "GET /x": "a" }, "roles": {
            "a": { "inherits": ["b", "c"] }, "b": { "inherits": ["d"] }, "c": { "inherits": ["d"], "permissions": ["q"] },
            "d": { "permissions": ["p"] }, "e": {} } }"#;
        let compiled = Arc::clone(Policy::from_json_str(text).unwrap().compiled());
        for (role, closure) in [("a", "a b c d q p"), ("b", "b d p"), ("c", "c d q p"), ("d", "d p"), ("e", "e")] {
            let id = compiled.names.find(role).unwrap();
            let names: Vec<_> = compiled.names.closure(id).map(|id| &**compiled.names.text(id).unwrap()).collect();
            assert_eq!(names.join(" "), closure);
        }
    }
}
