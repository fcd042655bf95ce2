//! Random policies, and what they mean: by the key that a handler was written for, not by any path.

use std::fmt::Write;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::{bytes::Bytes, wire::Answer};

/// The keys of a policy, each of which has a handler in the application, and what is said about all other paths.
pub(crate) struct Table {
    pub(crate) routes: Vec<Route>,
    unlisted: &'static str,
    /// Public keys that no handler of their own answers, and that are less special than any other.
    blankets: Vec<&'static str>,
    /// The keys as matchit knows them, for paths that honest clients send.
    router: matchit::Router<usize>,
}

#[derive(Debug)]
pub(crate) struct Route {
    /// The path of the key, without the prefix that a stack puts before it.
    pub(crate) pattern: String,
    rules: Vec<(&'static str, Rule)>,
    /// Whether the application answers any method, or those that the policy lists.
    pub(crate) any_method: bool,
}

#[derive(Clone, Copy, Debug)]
struct Rule {
    need: Need,
    masked: bool,
    encoded_slash: bool,
}

/// What a rule asks for, and so what the oracle does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    Role(&'static str),
    Permission,
    Public,
    Authenticated,
    Nobody,
    /// The subject is the last parameter of the path.
    Owner,
    NoneOf(&'static str),
}

/// Somebody who calls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    /// What stands in the header `authorization`: the subject and the roles.
    pub(crate) credentials: Option<&'static str>,
    subject: &'static str,
    /// With what they inherit.
    roles: &'static [&'static str],
}

pub(crate) const CALLERS: &[Caller] = &[
    Caller { credentials: None, subject: "", roles: &[] },
    Caller { credentials: Some("ada"), subject: "ada", roles: &[] },
    Caller { credentials: Some("ada r0"), subject: "ada", roles: &["r0"] },
    Caller { credentials: Some("bob r1"), subject: "bob", roles: &["r0", "r1"] },
    Caller { credentials: Some("q7 r2"), subject: "q7", roles: &["r2"] },
    Caller { credentials: Some("q7 r1 r2"), subject: "q7", roles: &["r0", "r1", "r2"] },
];

const NEEDS: &[Need] = &[
    Need::Role("r1"),
    Need::Role("r0"),
    Need::Role("r2"),
    Need::Public,
    Need::Permission,
    Need::Authenticated,
    Need::Owner,
    Need::Nobody,
    Need::NoneOf("r2"),
];

/// The methods that the rules of a path list.
const LISTED: &[&[&str]] =
    &[&["ANY"], &["GET"], &["GET", "POST"], &["GET", "ANY"], &["HEAD", "GET", "ANY"], &["PUT,PATCH", "GET"], &["POST"]];

/// None is spelled as one that axum takes for another: a key `/a b` speaks of `/a%20b`, too, which axum would send to
/// the handler of `/{p1}`.
const LITERALS: &[&str] =
    &["a", "b", "ab", "admin", "A", "x.y", "a%20b", "caf%C3%A9", "..a", "a..", "~", "a;b", "a%2Fb", "a,b", "%7Ca", "-"];

/// From the most to the least special.
const BLANKETS: &[&str] = &["/{p1}/{p2}/{p3}", "/{p1}/{p2}", "/{p1}", "/", "/{*w}"];

impl Table {
    pub(crate) fn of(bytes: &mut Bytes<'_>) -> Self {
        let unlisted = bytes.pick(&["not_found", "public", "forbidden", "authenticated"]);
        let mut known = matchit::Router::new();
        let mut routes: Vec<Route> = Vec::new();
        for _ in 0..=bytes.below(8) {
            let pattern = pattern(bytes);
            if known.insert(pattern.clone(), routes.len()).is_ok() {
                routes.push(Route::of(pattern, unlisted == "not_found", bytes));
            }
        }
        let open = |route: &Route| route.pattern.split('/').skip(1).all(|segment| segment.starts_with('{'));
        let has_open_end = routes.iter().any(|route| open(route) && route.pattern.contains("{*"));
        let blankets: Vec<_> = if bytes.below(3) == 0 {
            let free = |blanket: &&str| !routes.iter().any(|route| route.pattern == *blanket);
            let wanted = BLANKETS.iter().copied().filter(|_| bytes.below(4) > 0);
            wanted.filter(|blanket| !has_open_end || !blanket.contains("{p")).filter(free).collect()
        } else {
            Vec::new()
        };
        Self { routes, unlisted, blankets, router: known }
    }

    /// The policy as a document, with `prefix` before every path.
    pub(crate) fn document(&self, prefix: &str) -> String {
        let mut routes = Map::new();
        for route in &self.routes {
            let param = route.last_param();
            for (verb, rule) in &route.rules {
                routes.insert(format!("{verb} {}", join(prefix, &route.pattern)), rule.document(param));
            }
        }
        for blanket in &self.blankets {
            // The last of them is for all paths whatever their prefix.
            let prefix = if blanket.contains("{*") { "" } else { prefix };
            routes.insert(format!("ANY {}", join(prefix, blanket)), json!("public"));
        }
        let roles = json!({ "r0": {}, "r1": { "inherits": ["r0"], "permissions": ["doc:read"] }, "r2": {} });
        json!({ "version": 1, "roles": roles, "unlisted": self.unlisted, "routes": routes }).to_string()
    }

    /// Whether no key but that of `route` says anything about `path`, with or without a slash at its end.
    pub(crate) fn leaves_alone(&self, route: usize, path: &str) -> bool {
        let trimmed = path.trim_end_matches('/');
        let selects = |path: &str| self.router.at(path).ok().map(|found| *found.value);
        let mut selected = [path, trimmed, &format!("{trimmed}/")].map(selects).into_iter().flatten();
        selected.all(|selected| selected == route)
    }

    /// Whether the key of `route`, without a prefix of it, is a key, too.
    pub(crate) fn ends_in_another_key(&self, route: usize) -> bool {
        let pattern = &self.routes[route].pattern;
        self.routes.iter().any(|other| other.pattern != *pattern && pattern.ends_with(&other.pattern))
    }

    /// Whether the key ends in a parameter that the rule compares with the subject, and paths are also read with a slash
    /// at their end, since another key has one: the two are never equal then.
    pub(crate) fn appends_to_owner(&self, route: usize) -> bool {
        let route = &self.routes[route];
        let compares = route.rules.iter().any(|(_, rule)| rule.need == Need::Owner);
        compares && route.pattern.contains("{*") && self.has_trailing_slash()
    }

    /// Whether `caller` has the right to what a handler answers to `method`. Where it stands in for a handler that the
    /// application has hidden behind it, the key of that one is the policy's last word on the path.
    pub(crate) fn permits(&self, answer: &Answer, method: &str, caller: Caller) -> bool {
        let Some(route) = answer.route else { return true };
        if self.holds(route, method, caller, answer.param.as_deref()) {
            return true;
        }
        let says = |path: &str| {
            let Ok(found) = self.router.at(path) else { return false };
            let last = self.routes[*found.value].last_param();
            let param = found.params.iter().filter(|(name, _)| Some(*name) == last).last();
            let param =
                param.map(|(_, value)| percent_decode_str(value).decode_utf8_lossy().escape_default().to_string());
            self.holds(*found.value, method, caller, param.as_deref())
        };
        let Some(path) = answer.path.as_deref() else { return false };
        // Where no key ends in a slash, none is read into a path, and a layer that appends one hides all keys but `{*w}`.
        let appended = path.strip_suffix('/').filter(|_| !self.has_trailing_slash());
        says(path) || appended.is_some_and(says)
    }

    /// Whether `caller` has the right to a key whose last parameter would stand for nothing in the path that a handler saw,
    /// such as that of a nest. matchit alone would have it stand for something.
    pub(crate) fn permits_for_nothing(&self, answer: &Answer, method: &str, caller: Caller) -> bool {
        let path = answer.path.as_deref().filter(|path| path.ends_with('/'));
        let with_something = path.map(|path| format!("{path}something"));
        let Some(found) = with_something.as_deref().and_then(|path| self.router.at(path).ok()) else { return false };
        let last = self.routes[*found.value].pattern.rsplit('/').next().unwrap_or_default();
        last.starts_with("{p") && last.ends_with('}') && self.holds(*found.value, method, caller, Some(""))
    }

    /// Whether the answer tells all that its rule asks for: files know no parameters.
    pub(crate) fn knows(&self, answer: &Answer) -> bool {
        let owner = |route: usize| self.routes[route].rules.iter().any(|(_, rule)| rule.need == Need::Owner);
        answer.path.is_some() || !answer.route.is_some_and(owner)
    }

    fn has_trailing_slash(&self) -> bool {
        self.routes.iter().any(|route| route.pattern.len() > 1 && route.pattern.ends_with('/'))
    }

    fn holds(&self, route: usize, method: &str, caller: Caller, param: Option<&str>) -> bool {
        let Some(rule) = self.routes.get(route).and_then(|route| route.rule(method)) else { return false };
        let known = caller.credentials.is_some();
        match rule.need {
            Need::Public => true,
            Need::Authenticated => known,
            Need::Nobody => false,
            Need::Role(wanted) => caller.roles.contains(&wanted),
            Need::Permission => caller.roles.contains(&"r1"),
            Need::Owner => known && param == Some(caller.subject),
            Need::NoneOf(unwanted) => known && !caller.roles.contains(&unwanted),
        }
    }
}

impl Route {
    fn of(pattern: String, maskable: bool, bytes: &mut Bytes<'_>) -> Self {
        let has_param = pattern.contains("{p") || pattern.contains("{*");
        let rules = bytes.pick(LISTED).iter().map(|verb| (*verb, Rule::of(has_param, maskable, bytes))).collect();
        Self { pattern, rules, any_method: !bytes.one_in(3) }
    }

    /// The methods of its rules, for an application that answers no others.
    pub(crate) fn methods(&self) -> impl Iterator<Item = &'static str> {
        self.rules.iter().flat_map(|(verb, _)| verb.split(','))
    }

    /// The rule for `method`, read from the page: a `GET` rule covers `HEAD` unless that is listed, and both beat `ANY`.
    fn rule(&self, method: &str) -> Option<&Rule> {
        let listed = |wanted: &str| self.rules.iter().find(|(verb, _)| verb.split(',').any(|verb| verb == wanted));
        let covering = || listed("GET").filter(|_| method == "HEAD");
        listed(method).or_else(covering).or_else(|| listed("ANY")).map(|(_, rule)| rule)
    }

    /// The name of the last parameter.
    pub(crate) fn last_param(&self) -> Option<&str> {
        let segment = self.pattern.rsplit('/').find(|segment| segment.contains("{p") || segment.contains("{*"))?;
        let (_, name) = segment.split_once('{')?;
        Some(name.trim_matches(['*', '}']))
    }
}

impl Rule {
    fn of(has_param: bool, maskable: bool, bytes: &mut Bytes<'_>) -> Self {
        let need = bytes.pick(NEEDS);
        let need = if need == Need::Owner && !has_param { Need::Role("r1") } else { need };
        Self { need, masked: maskable && bytes.one_in(4), encoded_slash: bytes.one_in(8) }
    }

    fn document(self, param: Option<&str>) -> Value {
        let grant = match self.need {
            Need::Role(role) => json!(role),
            Need::Permission => json!("doc:read"),
            Need::Public => json!("public"),
            Need::Authenticated => json!("authenticated"),
            Need::Nobody => json!("nobody"),
            Need::Owner => json!({ "claims": { "sub": format!("{{{}}}", param.unwrap_or_default()) } }),
            Need::NoneOf(role) => json!({ "none_of": [role] }),
        };
        let mut rule = json!({ "allow": grant });
        if self.masked {
            rule["deny_as"] = "not_found".into();
        }
        if self.encoded_slash {
            rule["encoded_slash"] = true.into();
        }
        rule
    }
}

fn pattern(bytes: &mut Bytes<'_>) -> String {
    let mut pattern = String::new();
    for depth in 1..=bytes.below(5) {
        match bytes.below(8) {
            0..4 => write!(pattern, "/{}", LITERALS[bytes.below(4)]).unwrap(),
            4 => write!(pattern, "/{}", bytes.pick(LITERALS)).unwrap(),
            5 | 6 => write!(pattern, "/{{p{depth}}}").unwrap(),
            _ => match bytes.below(3) {
                0 => write!(pattern, "/v{{p{depth}}}").unwrap(),
                1 => pattern.push('/'),
                _ => return pattern + "/{*w}",
            },
        }
    }
    if pattern.is_empty() || bytes.one_in(6) {
        pattern.push('/');
    }
    pattern
}

/// A path behind a prefix that a nest strips: the root of the nest is the prefix alone.
pub(crate) fn join(prefix: &str, path: &str) -> String {
    if path == "/" && !prefix.is_empty() { prefix.to_owned() } else { format!("{prefix}{path}") }
}
