//! The assertion that policy and router list the same routes.
#![expect(clippy::panic, reason = "assertions panic")]

use std::fmt::Write as _;

use crate::policy::{Policy, compare_routes};

/// Asserts that a rule covers every route of an application, and that every rule is for one.
///
/// Routes are pairs of a method, or several as in `GET,POST`, or `ANY`, and a path in axum's syntax. Names of
/// parameters do not matter, and `GET /files/{*path}` covers `/files/logo`, as `/files/{*path}` serves what the rule
/// `GET /files/logo` is for.
///
/// ```
/// use tower_authz::{Policy, testing::assert_covered};
///
/// let policy = Policy::from_json_str(
///     r#"{ "version": 1, "routes": { "GET /users/{id}": "authenticated", "GET /files/{*path}": "public" } }"#,
/// )?;
/// assert_covered(&policy, [("GET", "/users/{user}"), ("GET", "/files/{*rest}")]);
/// # Ok::<(), tower_authz::PolicyError>(())
/// ```
///
/// # Panics
///
/// When a route has no rule, or a rule no route; the message lists them all.
#[track_caller]
pub fn assert_covered<M, P>(policy: &Policy, routes: impl IntoIterator<Item = (M, P)>)
where
    M: AsRef<str>,
    P: AsRef<str>,
{
    let routes: Vec<_> =
        routes.into_iter().map(|(method, path)| format!("{} {}", method.as_ref(), path.as_ref())).collect();
    let found = match compare_routes(policy.compiled(), &routes) {
        Ok(found) => found,
        Err(problem) => panic!("a route cannot be read: {}", problem.message),
    };
    let mut list = String::new();
    let lines = found.uncovered.iter().map(|key| ("no rule covers the route", key));
    for (what, key) in lines.chain(found.unmatched.iter().map(|key| ("no route needs the rule", key))) {
        let _ = write!(list, "\n  {what} `{key}`");
    }
    assert!(list.is_empty(), "the policy and the application differ:{list}");
}
