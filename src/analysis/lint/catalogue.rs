//! The lints, each with its name and how bad it usually is.

use crate::diagnostic::Severity;

/// Something that a policy may say and probably does not mean.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lint {
    /// The stable kebab-case name, by which a policy silences it.
    pub code: &'static str,
    /// How bad a finding usually is.
    pub severity: Severity,
    /// What it finds.
    pub summary: &'static str,
}

impl Lint {
    /// Every lint, by name.
    pub fn all() -> &'static [&'static Self] {
        ALL
    }

    /// The lint with this name.
    ///
    /// ```
    /// use tower_authz::analysis::Lint;
    ///
    /// assert_eq!(Lint::named("unused-role").unwrap().code, "unused-role");
    /// assert!(Lint::named("unknown").is_none());
    /// ```
    pub fn named(code: &str) -> Option<&'static Self> {
        ALL.iter().find(|lint| lint.code == code).copied()
    }
}

macro_rules! lints {
    ($($name:ident, $code:literal, $severity:ident, $summary:literal;)*) => {
        $(pub(super) static $name: Lint = Lint { code: $code, severity: Severity::$severity, summary: $summary };)*
        static ALL: &[&Lint] = &[$(&$name),*];
    };
}

lints! {
    CONFUSABLE_NAMES, "confusable-names", Warning, "two names are easily taken for one another";
    CONTRADICTED_SECURITY, "contradicted-security", Warning, "the description of an operation and its rule are for different callers";
    EXPIRED_GRANT, "expired-grant", Warning, "the time of a grant is over";
    GET_HEAD_DIFFER, "get-head-differ", Warning, "`HEAD` and `GET` of a path are open to different callers";
    OPEN_UNLISTED, "open-unlisted", Warning, "paths that no key matches are open";
    OPEN_WILDCARD, "open-wildcard", Warning, "a `{*rest}` is more open than a key that it contains";
    PATHS_DIFFER_IN_CASE, "paths-differ-in-case", Warning, "two paths differ only in letter case";
    PUBLIC_WITHOUT_REASON, "public-without-reason", Warning, "a route is public and the policy does not say why";
    PUBLIC_WRITE, "public-write", Warning, "a method that changes things is public";
    REDUNDANT_GRANT, "redundant-grant", Warning, "whoever holds a grant holds another of the rule as well";
    UNCOVERED_OPERATION, "uncovered-operation", Warning, "no rule covers an operation";
    UNCOVERED_PREFIX, "uncovered-prefix", Warning, "`/x/{*rest}` is listed, and neither `/x` nor `/x/` is";
    UNREACHABLE_KEY, "unreachable-key", Warning, "no request reaches a key, since its path has readings that are not listed";
    UNSATISFIABLE_GRANT, "unsatisfiable-grant", Warning, "nobody can hold a grant";
    UNUSED_PERMISSION, "unused-permission", Warning, "no grant needs a permission";
    UNUSED_ROLE, "unused-role", Warning, "no grant needs a role or anything that it gives";
    UNUSED_RULE, "unused-rule", Warning, "a rule is that of no operation";
    UNUSED_SILENCE, "unused-silence", Note, "a lint is silenced that finds nothing";
    VISIBLE_MASK, "visible-mask", Warning, "a masked route can be told from a path that does not exist";
}
