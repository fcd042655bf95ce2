//! The [`Matrix`]: every rule against every role.

use std::ops::ControlFlow;

use http::Method;

use super::cell::MatrixCell;
use crate::{
    policy::{
        Caller, Case, Checks, Circumstances, ClientAddress, Compiled, CompiledGrant, CompiledRule, Judge, Params, Part,
        Policy, Route, Scrutiny, Unlisted, part_in_words,
    },
    principal::Principal,
    role::NameKind,
};

/// Who may call what: a row for each rule of each route, a column for callers without credentials, one for
/// authenticated callers without roles, and one for each role alone.
///
/// Names are judged by the code that enforces them. What depends on claims, networks, time, authentication or
/// checks is a condition.
///
/// ```
/// use tower_authz::{Policy, analysis::{Matrix, MatrixCell}};
///
/// let policy = Policy::from_json_str(r#"{
///     "version": 1,
///     "roles": { "viewer": {}, "admin": { "inherits": ["viewer"] } },
///     "routes": { "GET /users": ["admin", { "all_of": ["viewer"], "claims": { "plan": "pro" } }] }
/// }"#)?;
/// let matrix = Matrix::of(&policy);
/// assert_eq!(matrix.columns(), ["anonymous", "authenticated", "viewer", "admin"]);
/// assert_eq!(matrix.rows()[0].cells()[2], MatrixCell::Conditional(vec![1]));
/// assert_eq!(matrix.rows()[0].cells()[3], MatrixCell::Allowed);
/// assert_eq!(matrix.conditions(), ["claim plan = pro"]);
/// # Ok::<(), tower_authz::PolicyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Matrix {
    columns: Vec<String>,
    rows: Vec<MatrixRow>,
    conditions: Vec<String>,
}

/// The methods of a route that have one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct MatrixRow {
    methods: Vec<String>,
    path: Option<String>,
    public: bool,
    masked: bool,
    cells: Vec<MatrixCell>,
}

impl Matrix {
    /// Draws the table of a policy.
    pub fn of(policy: &Policy) -> Self {
        let policy = policy.compiled();
        let roles: Vec<_> = (policy.names.iter())
            .filter(|(.., kind)| *kind == NameKind::Role)
            .map(|(_, text, _)| text.to_string())
            .collect();
        let principals: Vec<_> = std::iter::once(Principal::new("caller"))
            .chain(roles.iter().map(|role| Principal::new("caller").roles([role])))
            .collect();
        let held: Vec<_> = principals.iter().map(|principal| policy.names.resolve(principal)).collect();
        let known = principals.iter().zip(&held).map(|(principal, held)| Some(Caller::new(policy, principal, held)));
        let mut drawing =
            Drawing { policy, callers: std::iter::once(None).chain(known).collect(), conditions: Vec::new() };
        let rows = policy.routes.iter().flat_map(|route| drawing.route(route)).collect::<Vec<_>>();
        let rows = rows.into_iter().chain([drawing.unlisted()]).collect();
        let columns = ["anonymous", "authenticated"].map(str::to_owned).into_iter().chain(roles).collect();
        Self { columns, rows, conditions: drawing.conditions }
    }

    /// `anonymous`, `authenticated`, and the roles in the order of their declaration.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The rows, by path, and last what no key matches.
    pub fn rows(&self) -> &[MatrixRow] {
        &self.rows
    }

    /// The conditions that cells speak of, in words.
    pub fn conditions(&self) -> &[String] {
        &self.conditions
    }
}

impl MatrixRow {
    /// The methods; `ANY` are those that the path does not list otherwise.
    pub fn methods(&self) -> &[String] {
        &self.methods
    }

    /// The path of the key; none for what no key matches.
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// Whether it is open to everyone.
    pub fn is_public(&self) -> bool {
        self.public
    }

    /// Whether it is hidden from those who may not use the route.
    pub fn is_masked(&self) -> bool {
        self.masked
    }

    /// One cell a column.
    pub fn cells(&self) -> &[MatrixCell] {
        &self.cells
    }
}

struct Drawing<'p> {
    policy: &'p Compiled,
    /// One a column; none without credentials.
    callers: Vec<Option<Caller<'p>>>,
    conditions: Vec<String>,
}

impl Drawing<'_> {
    fn route(&mut self, route: &Route) -> Vec<MatrixRow> {
        let mut rules: Vec<(usize, Vec<String>)> = Vec::new();
        let listed = route.methods.iter().map(|(method, rule)| (method.to_string(), *rule));
        for (method, rule) in listed.chain(route.any.map(|rule| ("ANY".to_owned(), rule))) {
            match rules.iter_mut().find(|(other, _)| *other == rule) {
                Some((_, methods)) => methods.push(method),
                None => rules.push((rule, vec![method])),
            }
        }
        let rules = rules.into_iter().filter_map(|(rule, methods)| Some((self.policy.rules.get(rule)?, methods)));
        rules.map(|(rule, methods)| self.row(route, rule, methods)).collect()
    }

    fn row(&mut self, route: &Route, rule: &CompiledRule, methods: Vec<String>) -> MatrixRow {
        MatrixRow {
            methods,
            path: Some(route.pattern.to_string()),
            public: rule.allow.iter().any(|grant| matches!(grant, CompiledGrant::Public)),
            masked: rule.masked,
            cells: (0..self.callers.len()).map(|column| self.cell(route, rule, column)).collect(),
        }
    }

    fn cell(&mut self, route: &Route, rule: &CompiledRule, column: usize) -> MatrixCell {
        let mut notes = Vec::new();
        for grant in &rule.allow {
            match self.needs(route, grant, column) {
                None => {}
                Some(needs) if needs.is_empty() => return MatrixCell::Allowed,
                Some(needs) => notes.push(self.note(&needs.join("; "))),
            }
        }
        if notes.is_empty() { MatrixCell::Denied } else { MatrixCell::Conditional(notes) }
    }

    /// The conditions of a grant in words; nothing if the caller lacks the names.
    fn needs(&self, route: &Route, grant: &CompiledGrant, column: usize) -> Option<Vec<String>> {
        let caller = self.callers.get(column)?.as_ref();
        let conditions = match (grant, caller) {
            (CompiledGrant::Public, _) => return Some(Vec::new()),
            (CompiledGrant::Nobody, _) | (_, None) => return None,
            (_, Some(caller)) if caller.conflicting => return None,
            (CompiledGrant::Authenticated, _) => return Some(Vec::new()),
            (CompiledGrant::Conditions(conditions), Some(caller)) => (conditions, caller),
        };
        let (conditions, caller) = conditions;
        let circumstances = Circumstances {
            method: &Method::GET,
            client: ClientAddress::Unknown,
            now: None,
            checks: &Checks::default(),
        };
        let case = Case { route, params: Params::NONE };
        let judge = Judge { names: &self.policy.names, circumstances: &circumstances, case };
        let mut needs = Vec::new();
        let lacks = conditions.visit(|part| match part {
            Part::AllOf(_) | Part::AnyOf(_) | Part::NoneOf(_) => match judge.distance(part, caller, Scrutiny::Full) {
                Some(_) => ControlFlow::Break(()),
                None => ControlFlow::Continue(()),
            },
            condition => {
                needs.push(part_in_words(&self.policy.names, &route.params, condition));
                ControlFlow::Continue(())
            }
        });
        lacks.is_continue().then_some(needs)
    }

    /// The number of a condition.
    fn note(&mut self, text: &str) -> usize {
        let known = self.conditions.iter().position(|known| known == text);
        known.unwrap_or_else(|| {
            self.conditions.push(text.to_owned());
            self.conditions.len() - 1
        }) + 1
    }

    fn unlisted(&self) -> MatrixRow {
        let unlisted = self.policy.unlisted;
        let allowed = |caller: &Option<Caller<'_>>| match unlisted {
            Unlisted::NotFound | Unlisted::Forbidden => false,
            Unlisted::Authenticated => caller.as_ref().is_some_and(|caller| !caller.conflicting),
            Unlisted::Public => true,
        };
        let cell = |caller| if allowed(caller) { MatrixCell::Allowed } else { MatrixCell::Denied };
        MatrixRow {
            methods: vec!["ANY".to_owned()],
            path: None,
            public: unlisted == Unlisted::Public,
            masked: false,
            cells: self.callers.iter().map(cell).collect(),
        }
    }
}
