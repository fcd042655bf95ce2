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
        let prefix = prefix(original, nested.unwrap_or_default());
        if is_joined(original, prefix, path) {
            return Self { current: original.into(), original: None, bare: None };
        }
        if prefix.is_empty() || !path.starts_with('/') {
            return Self { current: path.into(), original: Some(original), bare: None };
        }
        Self { current: [prefix, path].concat().into(), original: Some(original), bare: Some(path) }
    }
}

/// As many leading segments of `original` as the nested pattern has; none if there are fewer.
fn prefix<'a>(original: &'a str, nested: &str) -> &'a str {
    let segments = nested.trim_end_matches('/').matches('/').count();
    let mut slashes = original.match_indices('/').map(|(at, _)| at).skip(segments);
    match slashes.next() {
        Some(at) => original.get(..at).unwrap_or_default(),
        None if original.matches('/').count() == segments => original,
        None => "",
    }
}

/// Whether `original` is the prefix and the path; at the root of a nest axum shows `/` for nothing.
fn is_joined(original: &str, prefix: &str, path: &str) -> bool {
    let rest = original.get(prefix.len()..).unwrap_or_default();
    rest == path || (rest.is_empty() && path == "/")
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
            ("/", Some("/api"), Some("/api"), "/api", None, None),
            ("/", Some("/api/"), Some("/api"), "/api/", None, None),
            ("/x", Some("/api/x"), Some("/api/"), "/api/x", None, None),
            ("/admin", Some("/public"), None, "/admin", Some("/public"), None),
            ("/admin", Some("/public/admin"), None, "/admin", Some("/public/admin"), None),
            ("/admin", Some("/api/public"), Some("/api"), "/api/admin", Some("/api/public"), Some("/admin")),
            ("/admin", Some("/"), Some("/api/v1"), "/admin", Some("/"), None),
        ] {
            let start = StartPaths::of(path, original, nested);
            let starts = (&*start.current, start.original, start.bare);
            assert_eq!(starts, (current, second, third), "{path} {original:?} {nested:?}");
        }
    }
}
