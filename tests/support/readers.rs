//! The ways in which services read a path, each a step that turns one spelling into another.

use percent_encoding::percent_decode_str;

pub(crate) fn decode(path: &str) -> String {
    percent_decode_str(path).decode_utf8_lossy().into_owned()
}

pub(crate) fn decode_to_the_end(path: &str) -> String {
    let mut path = path.to_owned();
    loop {
        let decoded = decode(&path);
        if decoded == path {
            return path;
        }
        path = decoded;
    }
}

pub(crate) fn merge(path: &str) -> String {
    let mut path = path.to_owned();
    while path.contains("//") {
        path = path.replace("//", "/");
    }
    path
}

pub(crate) fn trim(path: &str) -> String {
    path.trim_end_matches('/').to_owned()
}

pub(crate) fn parameterless(path: &str) -> String {
    let segments = path.split('/').map(|segment| segment.split(';').next().unwrap_or_default());
    segments.collect::<Vec<_>>().join("/")
}

pub(crate) fn dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/').skip(1) {
        match segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            _ => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

/// Takes three dots and more for one, as Mojolicious does.
pub(crate) fn many_dots(path: &str) -> String {
    let is_many = |segment: &&str| segment.len() > 2 && segment.chars().all(|c| c == '.');
    path.split('/').filter(|segment| !is_many(segment)).collect::<Vec<_>>().join("/")
}

pub(crate) fn backslashes(path: &str) -> String {
    path.replace('\\', "/")
}

pub(crate) fn c_string(path: &str) -> String {
    path.split('\0').next().unwrap_or_default().to_owned()
}

pub(crate) fn uncontrolled(path: &str) -> String {
    path.chars().filter(|c| !c.is_control()).collect()
}

pub(crate) fn queryless(path: &str) -> String {
    path.split(['?', '#']).next().unwrap_or_default().to_owned()
}

pub(crate) fn overlong(path: &str) -> String {
    let long = [("%C0%AF", "/"), ("%c0%af", "/"), ("%E0%80%AF", "/"), ("%C1%A1", "a"), ("%C0%AE", ".")];
    long.iter().fold(path.to_owned(), |path, (long, short)| path.replace(long, short))
}
