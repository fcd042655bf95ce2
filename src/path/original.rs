//! The whole path again, where a router has stripped a prefix from it.

use std::borrow::Cow;

/// The paths from which readings start: the whole path of the request as it stands; the path that the outermost
/// router saw where that is another one, since a layer in between has rewritten it; and then the path without the
/// stripped prefix, since nobody knows whether the rewrite was meant for the nest or for a service of its own.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct StartPaths<'a> {
    pub(crate) current: Cow<'a, str>,
    pub(crate) original: Option<&'a str>,
    pub(crate) bare: Option<&'a str>,
}

impl<'a> StartPaths<'a> {
    /// `path` is the path as it stands, `original` the one that the outermost router saw, and `nested` the pattern
    /// of the prefix that routers have stripped.
    pub(crate) fn of(path: &'a str, original: Option<&'a str>, nested: Option<&str>) -> Self {
        let Some(original) = original else {
            return Self { current: path.into(), original: None, bare: None };
        };
        let nested = nested.unwrap_or_default().trim_end_matches('/');
        let prefix = prefix(original, nested).unwrap_or(nested);
        if is_joined(original, prefix, path) || is_left_standing(original, nested, path) {
            return Self { current: original.into(), original: None, bare: None };
        }
        if prefix.is_empty() || !path.starts_with('/') {
            return Self { current: path.into(), original: Some(original), bare: None };
        }
        Self { current: [prefix, path].concat().into(), original: Some(original), bare: Some(path) }
    }
}

/// The leading segments of `original` that the pattern of the nest matches. Where it does not, a layer in between
/// has rewritten the path, and all that is known of the prefix is its pattern.
fn prefix<'a>(original: &'a str, nested: &str) -> Option<&'a str> {
    let mut length = 0;
    for pattern in nested.split('/').skip(1) {
        let rest = original.get(length..)?.strip_prefix('/')?;
        let segment = rest.split('/').next()?;
        // At the end of a path a parameter stands for something.
        if pattern != segment && (!is_param(pattern) || rest.is_empty()) {
            return None;
        }
        length += 1 + segment.len();
    }
    original.get(..length)
}

fn is_param(segment: &str) -> bool {
    segment.starts_with('{') && segment.ends_with('}') && !segment.starts_with("{{")
}

/// Whether axum has stripped less than the prefix: it matches a segment such as `v{version}` or `{{a}}` and leaves it
/// in the path, together with what its nest has before it.
fn is_left_standing(original: &str, nested: &str, path: &str) -> bool {
    let is_odd = |segment: &str| segment.contains('{') && !is_param(segment);
    let fewer = nested.match_indices('/').filter_map(|(end, _)| nested.split_at_checked(end));
    let mut stripped =
        fewer.filter(|(_, rest)| rest.split('/').any(is_odd)).filter_map(|(nested, _)| prefix(original, nested));
    stripped.any(|prefix| is_joined(original, prefix, path))
}

/// Whether `original` is the prefix and the path; at the root of a nest axum shows `/` for nothing.
fn is_joined(original: &str, prefix: &str, path: &str) -> bool {
    original.strip_prefix(prefix).is_some_and(|rest| rest == path || (rest.is_empty() && path == "/"))
}

#[cfg(test)]
mod tests {
    use super::StartPaths;

    #[test]
    fn the_whole_path_is_found_and_a_rewrite_in_between_is_read_every_way() {
        for (path, original, nested, current, second, third) in [
            ("/a", None, None, "/a", None, None),
            ("/a", Some("/a"), None, "/a", None, None),
            ("/users/1", Some("/api/users/1"), Some("/api"), "/api/users/1", None, None),
            ("/users/1", Some("/acme/api/users/1"), Some("/{tenant}/api"), "/acme/api/users/1", None, None),
            ("/v7/users/1", Some("/v7/users/1"), Some("/v{version}"), "/v7/users/1", None, None),
            ("/v7/users/1", Some("/api/v7/users/1"), Some("/api/v{version}"), "/api/v7/users/1", None, None),
            ("/{b}/users/1", Some("/{b}/users/1"), Some("/{{b}}"), "/{b}/users/1", None, None),
            ("/", Some("/api"), Some("/api"), "/api", None, None),
            ("/", Some("/api/"), Some("/api"), "/api/", None, None),
            ("/x", Some("/api/x"), Some("/api/"), "/api/x", None, None),
            ("/admin", Some("/public"), None, "/admin", Some("/public"), None),
            ("/admin", Some("/public/admin"), None, "/admin", Some("/public/admin"), None),
            ("/admin", Some("/api/public"), Some("/api"), "/api/admin", Some("/api/public"), Some("/admin")),
            ("/admin", Some("/"), Some("/api/v1"), "/api/v1/admin", Some("/"), Some("/admin")),
            ("/alias", Some("/public/alias"), Some("/admin"), "/admin/alias", Some("/public/alias"), Some("/alias")),
            ("/x", Some("/a/x"), Some("/{{b}}"), "/{{b}}/x", Some("/a/x"), Some("/x")),
            ("/v7/x", Some("/b/v7/x"), Some("/api/v{t}"), "/api/v{t}/v7/x", Some("/b/v7/x"), Some("/v7/x")),
            ("/", Some("/alias/"), Some("/{a}/{b}"), "/{a}/{b}/", Some("/alias/"), Some("/")),
            ("/x", Some("/api"), Some("/api"), "/api/x", Some("/api"), Some("/x")),
            ("/", Some("/api/x"), Some("/api"), "/api/", Some("/api/x"), Some("/")),
            ("*", Some("/api/x"), Some("/api"), "*", Some("/api/x"), None),
            ("/y", Some("/v7/x"), Some("/v{t}"), "/v{t}/y", Some("/v7/x"), Some("/y")),
            ("/v1/x", Some("/api/v1/x"), Some("/api/v1"), "/api/v1/v1/x", Some("/api/v1/x"), Some("/v1/x")),
            ("/x", Some("/a/b/x"), Some("/{t}/c"), "/{t}/c/x", Some("/a/b/x"), Some("/x")),
        ] {
            let start = StartPaths::of(path, original, nested);
            let starts = (&*start.current, start.original, start.bare);
            assert_eq!(starts, (current, second, third), "{path} {original:?} {nested:?}");
        }
    }
}
