//! Running the lints.

use std::{collections::HashMap, time::SystemTime};

use super::{
    catalogue::{Lint, UNUSED_SILENCE},
    confusable,
    finding::Finding,
    grants, masks, names, openness,
    operation::Operation,
    operations, paths, public,
    survey::{Silence, Survey},
};
use crate::{
    diagnostic::{Diagnostic, Severity, locate, quoted},
    policy::{Policy, PolicyError},
};

/// Finds what a policy says and probably does not mean.
///
/// ```
/// use std::time::SystemTime;
/// use tower_authz::{Policy, Severity, analysis::{Lint, Linter}};
///
/// let policy = Policy::from_json_str(r#"{
///     "version": 1,
///     "roles": { "admin": {}, "intern": {} },
///     "routes": { "GET /users": "admin" }
/// }"#)?;
/// let found = Linter::at(SystemTime::now()).find(&policy);
/// assert_eq!(found[0].code, "unused-role");
/// assert_eq!((found[0].line, found[0].column), (Some(3), Some(29)));
///
/// let strict = Linter::at(SystemTime::now()).severity(Lint::named("unused-role").unwrap(), Severity::Error);
/// assert_eq!(strict.find(&policy)[0].severity, Severity::Error);
/// # Ok::<(), tower_authz::PolicyError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a linter does nothing until it is asked to find"]
pub struct Linter {
    now: SystemTime,
    severities: HashMap<&'static str, Severity>,
    operations: Option<Vec<Operation>>,
}

impl Linter {
    /// A linter that takes grants as expired whose time is over by `now`.
    pub fn at(now: SystemTime) -> Self {
        Self { now, severities: HashMap::new(), operations: None }
    }

    /// Changes how bad the findings of a lint are.
    pub fn severity(mut self, lint: &'static Lint, severity: Severity) -> Self {
        self.severities.insert(lint.code, severity);
        self
    }

    /// Compares the policy with the operations of the API that it is for: all of them, since rules of no operation are
    /// found, too.
    ///
    /// ```
    /// use http::Method;
    /// use std::time::SystemTime;
    /// use tower_authz::{Policy, analysis::{Linter, Operation}};
    ///
    /// let policy = Policy::from_json_str(r#"{ "version": 1, "routes": { "GET /users/{id}": "authenticated" } }"#)?;
    /// let operations = [Operation::new(Method::GET, "/users/{user}"), Operation::new(Method::PUT, "/users/{user}")];
    /// let found = Linter::at(SystemTime::now()).operations(operations).find(&policy);
    /// assert_eq!(found.iter().map(|found| found.code).collect::<Vec<_>>(), ["uncovered-operation"]);
    /// # Ok::<(), tower_authz::PolicyError>(())
    /// ```
    pub fn operations(self, operations: impl IntoIterator<Item = Operation>) -> Self {
        Self { operations: Some(operations.into_iter().collect()), ..self }
    }

    /// Every finding that the policy does not silence, in the order of the text.
    pub fn find(&self, policy: &Policy) -> Vec<Diagnostic> {
        let compiled = policy.compiled();
        located(self.look_at(&Survey::of(compiled)), compiled.origin.source.text.as_deref())
    }

    /// The errors of a policy that does not load, and what is found in the rest of it, in the order of the text.
    /// Findings that a rule with an error could refute are left out.
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use tower_authz::{Policy, analysis::Linter};
    ///
    /// let error = Policy::from_json_str(r#"{
    ///     "version": 1,
    ///     "roles": { "admin": {}, "intern": {} },
    ///     "routes": { "GET /users": "admn", "POST /users": "admin" }
    /// }"#).unwrap_err();
    /// let found = Linter::at(SystemTime::now()).find_with_errors(&error);
    /// assert_eq!(found.iter().map(|found| found.code).collect::<Vec<_>>(), ["unused-role", "unknown-name"]);
    /// ```
    pub fn find_with_errors(&self, error: &PolicyError) -> Vec<Diagnostic> {
        let rest = error.get_remains().map(|remains| self.look_at(&Survey::of_remains(remains))).unwrap_or_default();
        located(error.diagnostics().iter().cloned().chain(rest).collect(), error.source_text())
    }

    fn look_at(&self, survey: &Survey<'_>) -> Vec<Diagnostic> {
        let mut findings = Vec::new();
        names::find(survey, &mut findings);
        confusable::find(survey, &mut findings);
        public::find(survey, &mut findings);
        paths::find(survey, &mut findings);
        grants::find(survey, self.now, &mut findings);
        openness::find(survey, &mut findings);
        masks::find(survey, &mut findings);
        if let Some(operations) = &self.operations {
            operations::find(survey, operations, &mut findings);
        }
        silenced(survey, findings).into_iter().map(|finding| self.diagnostic(finding)).collect()
    }

    fn diagnostic(&self, finding: Finding) -> Diagnostic {
        let severity = self.severities.get(finding.lint.code).copied().unwrap_or(finding.severity);
        finding.into_diagnostic(severity)
    }
}

impl Policy {
    /// What the policy says and probably does not mean, as of now; [`Linter`] has more to choose.
    pub fn lints(&self) -> Vec<Diagnostic> {
        Linter::at(SystemTime::now()).find(self)
    }
}

/// Findings with lines and columns, in the order of the text.
fn located(mut found: Vec<Diagnostic>, text: Option<&str>) -> Vec<Diagnostic> {
    match text {
        Some(text) => locate(&mut found, text),
        None => found.iter_mut().for_each(|found| found.span = None),
    }
    found
}

/// The findings that are not silenced, and the silences that silence nothing.
fn silenced(survey: &Survey<'_>, findings: Vec<Finding>) -> Vec<Finding> {
    let silences = |silence: &Silence, finding: &Finding| {
        silence.code == finding.lint.code && silence.rule.is_none_or(|rule| finding.rule == Some(rule))
    };
    let is_silenced = |finding: &Finding| survey.silences.iter().any(|silence| silences(silence, finding));
    // What a rule with an error would have been found for is not known.
    let judged = survey.silences.iter().filter(|silence| silence.rule.is_some() || !survey.is_partial);
    let idle = judged.filter(|silence| !findings.iter().any(|finding| silences(silence, finding)));
    let idle: Vec<_> = idle.filter(|silence| silence.code != UNUSED_SILENCE.code).map(unused).collect();
    let idle = idle.into_iter().filter(|finding| !is_silenced(finding)).collect::<Vec<_>>();
    findings.into_iter().filter(|finding| !is_silenced(finding)).chain(idle).collect()
}

fn unused(silence: &Silence) -> Finding {
    let code = quoted(&silence.code);
    let (message, help) = if Lint::named(&silence.code).is_some() {
        (format!("{code} is silenced, and finds nothing here"), "take it out of `silence`".to_owned())
    } else {
        let nearest = Lint::all().iter().min_by_key(|lint| strsim::osa_distance(lint.code, &silence.code));
        let nearest = nearest.map_or("", |lint| lint.code);
        (format!("no lint has the name {code}"), format!("the nearest is {}", quoted(nearest)))
    };
    let finding = Finding::new(&UNUSED_SILENCE, &silence.spot, message, help);
    match silence.rule {
        Some(rule) => finding.of_rule(rule),
        None => finding,
    }
}
