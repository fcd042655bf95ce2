//! Roles: what is declared, who inherits what, and which roles exclude each other.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    grammar::{At, Object},
    names::{KEYWORDS, name_problem},
    problems::{Problems, Spot},
};
use crate::{
    diagnostic::{Diagnostic, code, quoted},
    role::{NameId, NameKind, NameTable},
};

/// The most names that a policy may declare: the table of closures grows with their square.
const MOST_NAMES: usize = 10_000;

/// A role as it was read.
struct Role {
    /// None where the name is no good; what it gives is declared all the same, so that one problem is reported once.
    name: Option<Arc<str>>,
    permissions: Vec<(Arc<str>, Spot)>,
    inherits: Vec<(Arc<str>, Spot)>,
}

impl Role {
    fn id(&self, names: &NameTable) -> Option<NameId> {
        names.find(self.name.as_ref()?)
    }
}

/// Roles that each role inherits directly.
type Parents = HashMap<NameId, Vec<(NameId, Spot)>>;

/// Reads `roles` and `exclusive_roles`; nothing if there are more names than a table can hold.
pub(crate) fn read_names(problems: &mut Problems, document: &Object<'_>) -> Option<NameTable> {
    let roles = read_roles(problems, document);
    let mut names = declare(problems, document, &roles)?;
    let parents = resolve_parents(problems, &names, &roles);
    let order = Walk::new(&names, &parents).run(problems);
    for role in order {
        for (parent, _) in parents.get(&role).into_iter().flatten() {
            names.inherit(role, *parent);
        }
    }
    if let Some(at) = document.get("exclusive_roles") {
        read_exclusive(problems, &mut names, &at);
        check_exclusive(problems, &names, document);
    }
    Some(names)
}

fn read_roles(problems: &mut Problems, document: &Object<'_>) -> Vec<Role> {
    let Some(at) = document.get("roles") else { return Vec::new() };
    let Some(roles) = at.object(problems) else { return Vec::new() };
    if roles.is_empty() {
        problems.empty(&at, "declare a role, or leave it out");
    }
    roles.iter().map(|(name, at)| read_role(problems, name, &at)).collect()
}

fn read_role(problems: &mut Problems, name: &str, at: &At<'_>) -> Role {
    let problem = name_problem(name);
    let name = problem.is_none().then(|| name.into());
    if let Some(problem) = problem {
        problems.key(at, problem);
    }
    let mut role = Role { name, permissions: Vec::new(), inherits: Vec::new() };
    if let Some(object) = at.object(problems) {
        object.only(problems, &["inherits", "permissions", "description"]);
        role.inherits = names_of(problems, &object, "inherits");
        role.permissions = names_of(problems, &object, "permissions");
        if let Some(at) = object.get("description") {
            at.string(problems);
        }
    }
    role
}

fn names_of(problems: &mut Problems, object: &Object<'_>, key: &str) -> Vec<(Arc<str>, Spot)> {
    let Some(at) = object.get(key) else { return Vec::new() };
    let list = at.list(problems, "list at least one name, or leave it out").unwrap_or_default();
    let names: Vec<_> = list.iter().map(|at| Some((Arc::from(at.string(problems)?), Spot::of(at)))).collect();
    names.into_iter().flatten().collect()
}

/// Gives every role and permission its place in the table, and every role the permissions that it lists.
fn declare(problems: &mut Problems, document: &Object<'_>, roles: &[Role]) -> Option<NameTable> {
    let declared = declared_names(problems, roles);
    if declared.len() > MOST_NAMES {
        let message = format!("{} roles and permissions are declared", declared.len());
        let help = format!("declare at most {MOST_NAMES}; what differs from caller to caller belongs into claims");
        if let Some(at) = document.get("roles") {
            problems.key(&at, Diagnostic::error(code::TOO_MANY_NAMES, message).help(help));
        }
        return None;
    }
    let mut table = NameTable::new(declared);
    for role in roles {
        let Some(id) = role.id(&table) else { continue };
        for (permission, _) in &role.permissions {
            if let Some(permission) = table.find(permission) {
                table.inherit(id, permission);
            }
        }
    }
    Some(table)
}

/// Roles first, each kind in the order of the document.
fn declared_names(problems: &mut Problems, roles: &[Role]) -> Vec<(Arc<str>, NameKind)> {
    let role_names: HashSet<_> = roles.iter().filter_map(|role| role.name.clone()).collect();
    let in_order = roles.iter().filter_map(|role| role.name.clone());
    let mut names: Vec<_> = in_order.map(|name| (name, NameKind::Role)).collect();
    let mut seen = HashSet::new();
    for (name, spot) in roles.iter().flat_map(|role| &role.permissions) {
        if let Some(problem) = name_problem(name) {
            problems.spot(spot, problem);
        } else if role_names.contains(name) {
            let message = format!("{} is both a role and a permission", quoted(name));
            let help = "rename one of them; a role is inherited with `inherits`".to_owned();
            problems.spot(spot, Diagnostic::error(code::AMBIGUOUS_NAME, message).help(help));
        } else if seen.insert(name) {
            names.push((Arc::clone(name), NameKind::Permission));
        }
    }
    names
}

fn resolve_parents(problems: &mut Problems, names: &NameTable, roles: &[Role]) -> Parents {
    let mut parents = Parents::new();
    for role in roles {
        let Some(id) = role.id(names) else { continue };
        let found = role.inherits.iter().filter_map(|(name, spot)| {
            let parent = find_role(problems, names, name, spot)?;
            Some((parent, spot.clone()))
        });
        parents.insert(id, found.collect());
    }
    parents
}

fn find_role(problems: &mut Problems, names: &NameTable, name: &str, spot: &Spot) -> Option<NameId> {
    let found = names.find(name);
    if found.is_some_and(|id| names.kind(id) == Some(NameKind::Role)) {
        return found;
    }
    let problem = if found.is_some() || KEYWORDS.contains(&name) {
        let what = if found.is_some() { "permission" } else { "keyword" };
        Diagnostic::error(code::NOT_A_ROLE, format!("{} is a {what}, not a role", quoted(name)))
            .help("write the name of a role here".to_owned())
    } else {
        let roles = names.iter().filter(|(_, _, kind)| *kind == NameKind::Role).map(|(_, text, _)| &**text);
        let help = problems.nearest(name, roles).unwrap_or_else(|| "declare it under `roles`".to_owned());
        Diagnostic::error(code::UNKNOWN_NAME, format!("no role {} is declared", quoted(name))).help(help)
    };
    problems.spot(spot, problem);
    None
}

/// A walk through all roles that meets parents before their heirs, and reports every cycle once.
struct Walk<'a> {
    names: &'a NameTable,
    parents: &'a Parents,
    done: HashSet<NameId>,
    /// The way from where the walk began, each role with the number of its parents that are seen to.
    way: Vec<(NameId, usize)>,
    on_way: HashSet<NameId>,
    order: Vec<NameId>,
}

impl<'a> Walk<'a> {
    fn new(names: &'a NameTable, parents: &'a Parents) -> Self {
        Self { names, parents, done: HashSet::new(), way: Vec::new(), on_way: HashSet::new(), order: Vec::new() }
    }

    fn run(mut self, problems: &mut Problems) -> Vec<NameId> {
        let roles = self.names.iter().filter(|(_, _, kind)| *kind == NameKind::Role);
        for start in roles.map(|(id, ..)| id).collect::<Vec<_>>() {
            self.enter(start);
            while let Some((role, next)) = self.step() {
                match self.parents.get(&role).and_then(|parents| parents.get(next)) {
                    Some((parent, spot)) if self.on_way.contains(parent) => self.report(problems, *parent, spot),
                    Some((parent, _)) => self.enter(*parent),
                    None => self.leave(),
                }
            }
        }
        self.order
    }

    fn enter(&mut self, role: NameId) {
        if !self.done.contains(&role) && self.on_way.insert(role) {
            self.way.push((role, 0));
        }
    }

    /// The role at the end of the way, and which of its parents to look at now.
    fn step(&mut self) -> Option<(NameId, usize)> {
        let (role, next) = self.way.last_mut()?;
        *next += 1;
        Some((*role, *next - 1))
    }

    fn leave(&mut self) {
        if let Some((role, _)) = self.way.pop() {
            self.on_way.remove(&role);
            self.done.insert(role);
            self.order.push(role);
        }
    }

    fn report(&self, problems: &mut Problems, again: NameId, spot: &Spot) {
        const LONGEST: usize = 12;
        let cycle = self.way.iter().map(|(role, _)| *role).skip_while(|role| *role != again);
        let text = |id: NameId| self.names.text(id).map_or("", |text| &**text);
        let mut shown: Vec<_> = cycle.map(text).take(LONGEST + 1).collect();
        if shown.len() > LONGEST {
            shown.truncate(LONGEST);
            shown.push("…");
        }
        shown.push(text(again));
        let message = format!("roles inherit each other in a cycle: {}", quoted(&shown.join(" -> ")));
        let help = "take one of these out of `inherits`".to_owned();
        problems.spot(spot, Diagnostic::error(code::INHERITANCE_CYCLE, message).help(help));
    }
}

fn read_exclusive(problems: &mut Problems, names: &mut NameTable, at: &At<'_>) {
    let sets = at.list(problems, "list at least one set of roles, or leave it out").unwrap_or_default();
    for at in &sets {
        let Some(list) = at.list(problems, "list at least two roles") else { continue };
        let roles: Vec<_> = list
            .iter()
            .map(|at| {
                let name = at.string(problems)?;
                find_role(problems, names, name, &Spot::of(at))
            })
            .collect();
        let Some(roles) = roles.into_iter().collect::<Option<HashSet<_>>>() else { continue };
        if roles.len() < 2 {
            let found = Diagnostic::error(code::EXCLUSIVE_SET, "a role cannot exclude itself alone");
            problems.value(at, found.help("list at least two different roles".to_owned()));
            continue;
        }
        let mut roles: Vec<_> = roles.into_iter().collect();
        roles.sort_unstable();
        names.add_exclusive(roles);
    }
}

/// Reports every role that would never be held without a conflict.
fn check_exclusive(problems: &mut Problems, names: &NameTable, document: &Object<'_>) {
    let Some(roles_at) = document.get("roles") else { return };
    let Some(roles) = roles_at.object(&mut Problems::default()) else { return };
    for (name, at) in roles.iter() {
        let Some(id) = names.find(name) else { continue };
        let text = |id: &NameId| names.text(*id).map_or("", |text| &**text);
        let conflict = names.exclusive().iter().find_map(|set| {
            let mut held = set.ids().iter().filter(|other| names.includes(id, **other));
            held.next().zip(held.next())
        });
        if let Some((one, other)) = conflict {
            let (one, other) = (quoted(text(one)), quoted(text(other)));
            let message = format!("the role {} has both {one} and {other}, which exclude each other", quoted(name));
            let help = "change what it inherits, or take the set out of `exclusive_roles`".to_owned();
            problems.key(&at, Diagnostic::error(code::EXCLUSIVE_INHERITANCE, message).help(help));
        }
    }
}
