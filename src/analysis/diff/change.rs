//! One line of a diff.

use http::Method;
use serde_json::{Map, Value};

use super::{caller::DiffCaller, witness::Found};

/// A method of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) method: Method,
    /// Whether a policy lists it; otherwise it stands for all that are not listed.
    pub(super) listed: bool,
}

/// What a policy demands, in words.
#[derive(Clone, Debug)]
pub(super) struct Demand {
    /// The path of the key that is selected.
    pub(super) route: Option<String>,
    pub(super) words: String,
}

/// Methods of a path that a new policy opens to more callers, or closes to some.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Change {
    methods: Vec<String>,
    route: String,
    was: String,
    now: String,
    callers: Vec<DiffCaller>,
    complete: bool,
    witness: Map<String, Value>,
}

impl Change {
    pub(super) fn new(path: &str, cells: &[Cell], demands: [Demand; 2], found: &Found) -> Self {
        let [old, new] = demands;
        let method = cells.first().map_or("", |cell| cell.method.as_str());
        let head = [("method", method), ("path", path)].map(|(key, text)| (key.to_owned(), text.into()));
        let shown = |cell: &Cell| if cell.listed { cell.method.to_string() } else { "ANY".to_owned() };
        Self {
            methods: cells.iter().map(shown).collect(),
            route: new.route.or(old.route).unwrap_or_else(|| "(not listed)".to_owned()),
            was: old.words,
            now: new.words,
            callers: found.callers.clone(),
            complete: found.complete,
            witness: head.into_iter().chain(found.witness.clone()).collect(),
        }
    }

    /// The methods that change alike; `ANY` stands for those that neither policy lists.
    pub fn methods(&self) -> &[String] {
        &self.methods
    }

    /// The path of the key in the new policy, or in the old one; `(not listed)` where no key matches.
    pub fn route(&self) -> &str {
        &self.route
    }

    /// Methods and route as a route key, such as `GET,HEAD /users/{id}`.
    pub fn key(&self) -> String {
        format!("{} {}", self.methods.join(","), self.route)
    }

    /// What the old policy demands, in words.
    pub fn was(&self) -> &str {
        &self.was
    }

    /// What the new policy demands, in words.
    pub fn now(&self) -> &str {
        &self.now
    }

    /// For whom it changes: whoever it changes for has at least the names of one of these callers.
    pub fn callers(&self) -> &[DiffCaller] {
        &self.callers
    }

    /// Whether [`callers`](Self::callers) are all, and not only the first of very many.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// A request that one of the policies lets in and the other does not: `method` and `path`, and as far as they
    /// matter `subject`, `roles`, `permissions`, `permission_limit` (see
    /// [`Principal::limit_permissions`](crate::Principal::limit_permissions)), `malformed_sources`, `claims`, `client`
    /// (an address), `time` (RFC 3339) and `checks` (the predicates that say yes). Without `subject` the caller is
    /// anonymous.
    pub fn witness(&self) -> &Map<String, Value> {
        &self.witness
    }

    pub(super) fn path(&self) -> &str {
        self.witness.get("path").and_then(Value::as_str).unwrap_or_default()
    }

    /// How many pairs of a path and a method change.
    pub fn cells(&self) -> usize {
        self.methods.len()
    }
}
