//! What axum makes of two slashes where the prefix of one nest ends and that of the next begins.
//!
//! It matches the whole path, so the parameter with which the inner prefix begins stands for nothing. Then every nest
//! strips its prefix by itself: the outer one takes both slashes, so the inner one takes a segment more than was
//! matched, or nothing at all where its text stands elsewhere now. A service that is nested there reads what is left:
//! the prefix as it was matched, and behind it another part of the path than followed it.

/// The paths that such nests may make of `reading`, whose prefixes have at most `depth` segments.
pub(super) fn across_seams(reading: &[u8], depth: usize) -> impl Iterator<Item = Vec<u8>> {
    let is_seam = |at: usize| at > 1 && reading.get(at - 1..=at) == Some(b"//");
    let first = (0..reading.len()).find(|at| is_seam(*at)).unwrap_or(reading.len() + 1);
    let is_end = |at: &usize| matches!(reading.get(*at), None | Some(b'/'));
    let ends: Vec<usize> = (first..=reading.len()).filter(is_end).collect();
    let before = reading.iter().take(first).filter(|byte| **byte == b'/').count();
    let mut seams = 0;
    let prefixes = 0..ends.len().min((depth + 1).saturating_sub(before));
    prefixes.flat_map(move |index| {
        let prefix = ends.get(index).copied().unwrap_or_default();
        seams += usize::from(is_seam(prefix));
        let rests: Vec<usize> = ends.iter().take(index + seams + 1).copied().filter(|rest| *rest != prefix).collect();
        rests.into_iter().filter_map(move |rest| Some(join(reading.get(..prefix)?, reading.get(rest..)?)))
    })
}

/// Where nothing is left, the root of the nest is its prefix, with a slash where that ends in nothing.
fn join(prefix: &[u8], rest: &[u8]) -> Vec<u8> {
    let is_root = rest.is_empty() && prefix.ends_with(b"/");
    [prefix, if is_root { b"/" } else { rest }].concat()
}

#[cfg(test)]
mod tests {
    use super::across_seams;

    #[test]
    fn behind_an_empty_segment_a_prefix_goes_on_with_another_part_of_the_path() {
        for (path, depth, paths) in [
            ("/a/b", 9, &[][..]),
            ("//a", 9, &[]),
            ("/", 9, &[]),
            ("/a/", 9, &[]),
            ("/a/b/", 9, &[]),
            ("/a//", 2, &["/a//"]),
            ("/a//", 3, &["/a//", "/a///"]),
            ("/a//b", 1, &[]),
            ("/a//b", 2, &["/a//"]),
            ("/a//b", 9, &["/a//", "/a//b/b"]),
            ("/a//b/c", 3, &["/a//c", "/a//b/b/c", "/a//b"]),
            ("/a//b//c", 2, &["/a///c"]),
            ("///a", 9, &["///", "///a/a"]),
        ] {
            let found = across_seams(path.as_bytes(), depth).map(|path| String::from_utf8(path).unwrap());
            let found: Vec<_> = found.collect();
            assert_eq!(found, paths, "{path} {depth}");
        }
    }
}
