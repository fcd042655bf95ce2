//! The [`Diff`]: every cell of two policies compared.

use std::collections::{BTreeSet, HashMap};

use http::Method;

use super::{
    change::{Cell, Change, Demand},
    witness::Findings,
};
use crate::{
    analysis::access::{Access, Callers, Class, Classes, Facts, Function, Side},
    path::Tolerance,
    policy::{Compiled, Policy, Selection, Unlisted, select},
    target::Target,
};

/// What a new policy opens and closes, compared with an old one.
///
/// The comparison is exact. It is not made of samples:
///
/// - **Paths.** Which key a path selects depends on which keys match it, and of those the most literal wins, in an
///   order that belongs to the keys. So one path that two keys share, with texts for its parameters that no key
///   knows, stands for every path for which these two win. Such a path is looked at for every pair of an old and a
///   new key that meet, once with and once without a slash at its end, and for what no key matches.
/// - **Methods.** All that either policy lists for the path, `HEAD` where there is `GET`, and one that neither lists,
///   which stands for all others and is shown as `ANY`.
/// - **Callers.** What a cell demands is a boolean function of the roles and permissions that a caller claims (each
///   policy applies its own inheritance and its own exclusive roles), of the permissions that the scopes of its token
///   withhold where they limit its roles, of whether a source of its roles was malformed, and of conditions: a claim has
///   a value, the client is in a network, a time has come, the authentication is of a class or so fresh, a check says
///   yes.
///   Functions are kept as reduced ordered decision diagrams, of which each function has exactly one. Two cells are
///   equal if and only if their diagrams are the same one. That is a proof over every set of names and every
///   combination of conditions. Where diagrams differ, what cannot be is taken away: an address in a network
///   but not in the one around it, a time before an earlier one.
/// - **Tokens.** What changes for callers with good tokens that limit nothing is [`widened`](Self::widened) and
///   [`narrowed`](Self::narrowed); what changes for others alone is told apart from it. Both are empty in a proof that
///   nothing changes.
///
/// What is compared is who is let in. Names of rules, messages, masks, `shadow`, `realm` and `silence` do not matter.
///
/// Not looked at: how the claim `auth_time` relates to `max_age_seconds`; what a router's matched path adds to keys that are never
/// selected by the path itself. A check is taken to be the same predicate in both policies. A path with several
/// readings is allowed where all of its readings are, so that no change of its parts means no change of it;
/// `encoded_slash` is looked at with one encoded slash in each parameter.
///
/// ```
/// use tower_authz::{Policy, analysis::Diff};
///
/// let roles = r#""roles": { "viewer": {}, "admin": { "inherits": ["viewer"] } }"#;
/// let old = Policy::from_json_str(&format!(r#"{{ "version": 1, {roles}, "routes": {{ "GET /users/{{id}}": "admin" }} }}"#))?;
/// let new = Policy::from_json_str(&format!(r#"{{ "version": 1, {roles}, "routes": {{ "GET /users/{{name}}": "viewer" }} }}"#))?;
/// let diff = Diff::between(&old, &new);
/// assert!(diff.narrowed().is_empty());
/// let change = &diff.widened()[0];
/// assert_eq!(change.key(), "GET,HEAD /users/{name}");
/// assert_eq!(change.callers()[0].roles(), ["viewer"]);
/// assert!(Diff::between(&old, &old).is_empty());
/// # Ok::<(), tower_authz::PolicyError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    widened: Vec<Change>,
    narrowed: Vec<Change>,
    limited_widened: Vec<Change>,
    limited_narrowed: Vec<Change>,
}

impl Diff {
    /// Compares two policies.
    pub fn between(old: &Policy, new: &Policy) -> Self {
        let (old, new) = (old.compiled(), new.compiled());
        let mut facts = Facts::default();
        let sides = [old, new].map(|policy| Side::new(&mut facts, policy, Callers::All));
        let mut comparison = Comparison {
            facts,
            sides,
            opens: HashMap::new(),
            findings: Findings::default(),
            known: HashMap::new(),
            diff: Self::default(),
        };
        let encoded = [old, new].iter().any(|policy| policy.rules.iter().any(|rule| rule.encoded_slash));
        for class in Classes::new(old, new).all() {
            comparison.class(&class, encoded);
        }
        let mut diff = comparison.diff;
        let Self { widened, narrowed, limited_widened, limited_narrowed } = &mut diff;
        for changes in [widened, narrowed, limited_widened, limited_narrowed] {
            changes.sort_by(|a, b| (a.path(), a.methods()).cmp(&(b.path(), b.methods())));
        }
        diff
    }

    /// What is open under the new policy and was not under the old one.
    pub fn widened(&self) -> &[Change] {
        &self.widened
    }

    /// What was open under the old policy and is not under the new one.
    pub fn narrowed(&self) -> &[Change] {
        &self.narrowed
    }

    /// What is open under the new policy and was not under the old one for callers alone whose token limits what their
    /// roles give (see [`Principal::limit_permissions`](crate::Principal::limit_permissions)) or has a malformed source
    /// of roles.
    ///
    /// ```
    /// use tower_authz::{Policy, analysis::Diff};
    ///
    /// let policy = |grant: &str| Policy::from_json_str(&format!(
    ///     r#"{{ "version": 1, "roles": {{ "viewer": {{ "permissions": ["read"] }} }}, "routes": {{ "GET /": {grant} }} }}"#
    /// ));
    /// let diff = Diff::between(&policy(r#"{ "all_of": ["viewer", "read"] }"#)?, &policy(r#""viewer""#)?);
    /// assert!(diff.widened().is_empty() && !diff.is_empty());
    /// assert_eq!(diff.limited_widened()[0].callers()[0].conditions(), ["scopes that limit the roles and leave out read"]);
    /// # Ok::<(), tower_authz::PolicyError>(())
    /// ```
    pub fn limited_widened(&self) -> &[Change] {
        &self.limited_widened
    }

    /// What was open under the old policy and is not under the new one for such callers alone.
    pub fn limited_narrowed(&self) -> &[Change] {
        &self.limited_narrowed
    }

    /// Whether the new policy lets anybody in whom the old one does not.
    pub fn widens(&self) -> bool {
        !self.widened.is_empty() || !self.limited_widened.is_empty()
    }

    /// Whether the old policy lets anybody in whom the new one does not.
    pub fn narrows(&self) -> bool {
        !self.narrowed.is_empty() || !self.limited_narrowed.is_empty()
    }

    /// Whether both policies let in the very same requests.
    pub fn is_empty(&self) -> bool {
        !self.widens() && !self.narrows()
    }

    /// How many pairs of a path and a method are open to more callers.
    pub fn widened_cells(&self) -> usize {
        self.widened.iter().map(Change::cells).sum()
    }

    /// How many pairs of a path and a method are open to fewer callers.
    pub fn narrowed_cells(&self) -> usize {
        self.narrowed.iter().map(Change::cells).sum()
    }
}

/// Methods of a path that come out alike.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    access: [Access; 2],
    methods: Vec<Cell>,
}

struct Comparison<'p> {
    facts: Facts,
    sides: [Side<'p>; 2],
    opens: HashMap<(usize, Access), Function>,
    findings: Findings,
    /// How the classes came out that select the same routes.
    known: HashMap<Vec<Option<usize>>, Vec<Vec<Group>>>,
    diff: Diff,
}

impl Comparison<'_> {
    /// Compares a path, and its variants as far as they come out otherwise.
    fn class(&mut self, class: &Class, encoded: bool) {
        let groups = self.groups(&class.path);
        let known = self.known.entry(class.routes.clone()).or_default();
        if known.contains(&groups) {
            return;
        }
        known.push(groups.clone());
        let slash = (class.path != "/").then(|| format!("{}/", class.path));
        let more = class.encoded.iter().filter(|_| encoded).cloned();
        for path in slash.into_iter().chain(more) {
            for group in self.groups(&path).into_iter().filter(|group| !groups.contains(group)) {
                self.compare(&path, &group);
            }
        }
        for group in &groups {
            self.compare(&class.path, group);
        }
    }

    fn groups(&mut self, path: &str) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        for cell in self.cells(path) {
            let [old, new] = &mut self.sides;
            let facts = &mut self.facts;
            let access = [old.access(facts, &cell.method, path), new.access(facts, &cell.method, path)];
            match groups.iter_mut().find(|group| group.access == access) {
                Some(group) => group.methods.push(cell),
                None => groups.push(Group { access, methods: vec![cell] }),
            }
        }
        groups
    }

    /// The methods of a path to look at, and one that stands for all others.
    fn cells(&self, path: &str) -> Vec<Cell> {
        let mut listed = BTreeSet::new();
        for side in &self.sides {
            listed.extend(listed_methods(side.policy, path));
        }
        if listed.contains(Method::GET.as_str()) {
            listed.insert(Method::HEAD.to_string());
        }
        let others = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"].map(str::to_owned);
        let invented = (1..).map(|number| format!("METHOD{number}"));
        let other = others.into_iter().chain(invented).find(|method| !listed.contains(method));
        let listed = listed.into_iter().map(|method| (method, true));
        let all = listed.chain(other.map(|method| (method, false)));
        all.filter_map(|(text, listed)| Some(Cell { method: text.parse().ok()?, listed })).collect()
    }

    fn compare(&mut self, path: &str, group: &Group) {
        let [old, new] = group.access;
        let [was, now] = self.sides.each_ref().map(Side::conflicting);
        if old == new && (old.public || was == now) {
            return;
        }
        let (was, now) = (self.open(0, old), self.open(1, new));
        let functions = &mut self.facts.functions;
        let (more, less) = (functions.without(now, was), functions.without(was, now));
        if let Some((change, limited)) = self.change(path, group, more) {
            let Diff { widened, limited_widened, .. } = &mut self.diff;
            if limited { limited_widened } else { widened }.push(change);
        }
        if let Some((change, limited)) = self.change(path, group, less) {
            let Diff { narrowed, limited_narrowed, .. } = &mut self.diff;
            if limited { limited_narrowed } else { narrowed }.push(change);
        }
    }

    fn open(&mut self, side: usize, access: Access) -> Function {
        if let Some(known) = self.opens.get(&(side, access)) {
            return *known;
        }
        let open = self.sides.get(side).map_or(Function::NEVER, |side| side.open(&mut self.facts, access));
        self.opens.insert((side, access), open);
        open
    }

    /// The change, and whether it is one only for callers whose token limits them.
    fn change(&mut self, path: &str, group: &Group, difference: Function) -> Option<(Change, bool)> {
        let found = self.findings.of(&mut self.facts, difference)?;
        let method = &group.methods.first()?.method;
        let demands = self.sides.each_ref().map(|side| demand(side.policy, method, path));
        Some((Change::new(path, &group.methods, demands, found), found.limited))
    }
}

fn listed_methods(policy: &Compiled, path: &str) -> Vec<String> {
    let method = Method::GET;
    let Ok(selections) = select(policy, &Target::new(&method, path), Tolerance::default()) else { return Vec::new() };
    let routes = selections.iter().filter_map(|selection| match selection {
        Selection::Listed { route, .. } => Some(route),
        Selection::Unlisted => None,
    });
    routes.flat_map(|route| &route.methods).map(|(method, _)| method.to_string()).collect()
}

/// What a policy demands for a method of a path, in words.
fn demand(policy: &Compiled, method: &Method, path: &str) -> Demand {
    let Ok(selections) = select(policy, &Target::new(method, path), Tolerance::default()) else {
        return Demand { route: None, words: "rejected".to_owned() };
    };
    let mut demand = Demand { route: None, words: String::new() };
    let unlisted = match policy.unlisted {
        Unlisted::NotFound => "not listed".to_owned(),
        other => format!("not listed ({})", other.as_str()),
    };
    let mut words: Vec<&str> = Vec::new();
    for selection in selections.iter() {
        let Selection::Listed { route, .. } = selection else {
            words.push(&unlisted);
            continue;
        };
        demand.route.get_or_insert_with(|| route.pattern.to_string());
        words.push(selection.rule().map_or("method not listed", |rule| &rule.info.required));
    }
    words.dedup();
    Demand { words: words.join(" and "), ..demand }
}
