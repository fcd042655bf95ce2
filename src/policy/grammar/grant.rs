//! Grants: keywords, names, and objects in which everything must hold.

use std::sync::Arc;

use super::{At, Object, claims::read_claims, conditions};
use crate::{
    diagnostic::{Diagnostic, code, quoted},
    policy::{
        compiled::{Conditions, Grant},
        document::Value,
        names::{KEYWORDS, is_keyword},
        problems::Problems,
    },
    role::{NameId, NameSet, NameTable},
};

/// Reads grants against the names that are declared and the parameters of a key.
#[derive(Debug)]
pub(crate) struct GrantReader<'c> {
    pub(crate) names: &'c NameTable,
    /// Unknown where the key has problems of its own.
    pub(crate) params: Option<&'c [Box<str>]>,
    pub(crate) problems: &'c mut Problems,
}

pub(super) const GRANT_KEYS: &[&str] =
    &["public", "all_of", "any_of", "none_of", "claims", "networks", "from", "until", "step_up", "check"];

impl GrantReader<'_> {
    /// One grant, or a list of which any one suffices.
    pub(crate) fn grants(&mut self, at: &At<'_>) -> Option<Box<[Grant]>> {
        if !matches!(at.value(), Value::Array(_)) {
            return self.grant(at).map(|grant| [grant].into());
        }
        let list = at.list(self.problems, "list at least one grant, or write `\"nobody\"`")?;
        let read: Vec<_> = list.iter().map(|at| self.grant(at)).collect();
        read.into_iter().collect()
    }

    fn grant(&mut self, at: &At<'_>) -> Option<Grant> {
        match at.value() {
            Value::String(name) => self.named(at, name),
            Value::Object(_) => {
                let object = at.object(self.problems)?;
                self.object(&object)
            }
            _ => {
                at.expected(self.problems, "a grant (a name, a keyword or an object)");
                None
            }
        }
    }

    fn named(&mut self, at: &At<'_>, name: &str) -> Option<Grant> {
        match name {
            "public" => Some(Grant::Public),
            "authenticated" => Some(Grant::Authenticated),
            "nobody" => Some(Grant::Nobody),
            _ => {
                let all_of = NameSet::new([self.resolve(at, name, KEYWORDS)?]);
                Some(Grant::Conditions(Box::new(Conditions { all_of, ..Conditions::default() })))
            }
        }
    }

    fn resolve(&mut self, at: &At<'_>, name: &str, keywords: &[&str]) -> Option<NameId> {
        let found = self.names.find(name);
        if found.is_none() {
            let declared = self.names.iter().map(|(_, text, _)| &**text);
            let nearest = self.problems.nearest(name, declared.chain(keywords.iter().copied()));
            let help = nearest.unwrap_or_else(|| "declare it under `roles`".to_owned());
            let message = format!("no role or permission {} is declared", quoted(name));
            self.problems.value(at, Diagnostic::error(code::UNKNOWN_NAME, message).help(help));
        }
        found
    }

    fn object(&mut self, object: &Object<'_>) -> Option<Grant> {
        object.only_or(self.problems, GRANT_KEYS, |key| {
            (key == "allow").then(|| "write the grant itself here; `allow` belongs to a rule".to_owned())
        });
        if object.is_empty() {
            self.problems.empty(object.at(), "write `\"authenticated\"` for every authenticated caller");
            return None;
        }
        match object.get("public") {
            Some(why) => self.public(object, &why),
            None => self.conditions(object),
        }
    }

    fn public(&mut self, object: &Object<'_>, why: &At<'_>) -> Option<Grant> {
        let reason = why.text(self.problems, "say why the route is public");
        if object.has_one_of(GRANT_KEYS.get(1..).unwrap_or_default()) {
            let found = Diagnostic::error(code::PUBLIC_NOT_ALONE, "`public` stands beside conditions");
            let help = "what is public has no conditions: leave out one or the other".to_owned();
            self.problems.value(object.at(), found.help(help));
        }
        reason.map(|_| Grant::Public)
    }

    /// Reads every part, so that all problems are found, and only then gives up.
    fn conditions(&mut self, object: &Object<'_>) -> Option<Grant> {
        let all_of = self.part(object, "all_of", Self::name_list);
        let any_of = self.part(object, "any_of", Self::name_list);
        let none_of = self.part(object, "none_of", Self::name_list);
        let claims = self.part(object, "claims", |reader, at| read_claims(reader.problems, reader.params, at));
        let networks = self.part(object, "networks", |reader, at| conditions::networks(reader.problems, at));
        let from = self.part(object, "from", |reader, at| conditions::time(reader.problems, at).map(Some));
        let until = self.part(object, "until", |reader, at| conditions::time(reader.problems, at).map(Some));
        let step_up = self.part(object, "step_up", |reader, at| conditions::step_up(reader.problems, at).map(Some));
        let check = self.part(object, "check", |reader, at| conditions::check(reader.problems, at).map(Some));
        Some(Grant::Conditions(Box::new(Conditions {
            all_of: all_of?,
            any_of: any_of?,
            none_of: none_of?,
            wanted: Arc::default(),
            only_names: false,
            claims: claims?,
            networks: networks?,
            from: from?,
            until: until?,
            step_up: step_up?,
            check: check?,
        })))
    }

    /// What `read` makes of a part that may be absent; nothing only where there are problems.
    fn part<T: Default>(
        &mut self,
        object: &Object<'_>,
        key: &str,
        read: impl FnOnce(&mut Self, &At<'_>) -> Option<T>,
    ) -> Option<T> {
        object.get(key).map_or_else(|| Some(T::default()), |at| read(self, &at))
    }

    fn name_list(&mut self, at: &At<'_>) -> Option<NameSet> {
        let list = at.list(self.problems, "list at least one role or permission, or leave it out")?;
        let ids: Vec<_> = list.iter().map(|at| self.listed_name(at)).collect();
        ids.into_iter().collect::<Option<Vec<_>>>().map(NameSet::new)
    }

    fn listed_name(&mut self, at: &At<'_>) -> Option<NameId> {
        let name = at.text(self.problems, "write the name of a role or permission")?;
        if is_keyword(name) {
            let message = format!("{} is neither a role nor a permission", quoted(name));
            let help = "write it as a grant of its own".to_owned();
            self.problems.value(at, Diagnostic::error(code::MISPLACED_KEYWORD, message).help(help));
            return None;
        }
        self.resolve(at, name, &[])
    }
}
