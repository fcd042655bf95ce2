//! Route keys: `METHOD /path`, `M1,M2 /path` and `ANY /path`.

use http::Method;

use crate::{
    diagnostic::{Diagnostic, code, quoted},
    policy::pattern::{Pattern, PatternProblem, ProblemKind},
};

/// A route key as it was read.
#[derive(Debug)]
pub(crate) struct RouteKey {
    pub(crate) verb: Verb,
    pub(crate) pattern: Pattern,
}

/// Which methods of a path a key speaks of.
#[derive(Debug, PartialEq)]
pub(crate) enum Verb {
    /// Those that the path does not list otherwise.
    Any,
    These(Vec<Method>),
}

const EXAMPLE: &str = "write a method, one space and a path, such as `GET /users/{id}`";

impl RouteKey {
    pub(crate) fn parse(key: &str) -> Result<Self, Diagnostic> {
        read(key).map_err(|problem| match respell(key) {
            Some(right) => problem.help(format!("write {}", quoted(&right))),
            None => problem,
        })
    }
}

fn read(key: &str) -> Result<RouteKey, Diagnostic> {
    let Some((methods, path)) = key.split_once(' ') else {
        let missing = if key.starts_with('/') { "method" } else { "path" };
        return Err(malformed(format!("the key {} has no {missing}", quoted(key))));
    };
    if path.trim() != path || methods.ends_with(',') || path.starts_with(',') {
        return Err(malformed(format!("the key {} has a space too many", quoted(key))));
    }
    let verb = read_methods(methods)?;
    let pattern = Pattern::parse(path).map_err(|problem| path_problem(path, &problem))?;
    Ok(RouteKey { verb, pattern })
}

fn malformed(message: String) -> Diagnostic {
    Diagnostic::error(code::INVALID_ROUTE_KEY, message).help(EXAMPLE.to_owned())
}

fn read_methods(methods: &str) -> Result<Verb, Diagnostic> {
    if methods == "ANY" {
        return Ok(Verb::Any);
    }
    methods.split(',').map(read_method).collect::<Result<_, _>>().map(Verb::These)
}

fn read_method(method: &str) -> Result<Method, Diagnostic> {
    let refuse = |message, help: &str| Err(Diagnostic::error(code::INVALID_METHOD, message).help(help.to_owned()));
    if method == "ANY" {
        return refuse("`ANY` stands beside other methods".to_owned(), "write `ANY` alone");
    }
    if method.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return refuse(format!("the method {} is not in upper case", quoted(method)), EXAMPLE);
    }
    match Method::from_bytes(method.as_bytes()) {
        Ok(read) if method.starts_with(|c: char| c.is_ascii_uppercase()) => Ok(read),
        _ => refuse(format!("{} is not a method", quoted(method)), EXAMPLE),
    }
}

fn path_problem(path: &str, problem: &PatternProblem) -> Diagnostic {
    let part = quoted(path.get(problem.range.clone()).unwrap_or(path));
    let (code, message, help) = match problem.kind {
        ProblemKind::NoLeadingSlash => {
            (code::INVALID_PATH, format!("the path {part} does not begin with `/`"), EXAMPLE)
        }
        ProblemKind::ForeignParameter => (
            code::INVALID_PATH,
            format!("{part} is not how a parameter is written"),
            "write `{id}` for one segment; a key has no regular expressions",
        ),
        ProblemKind::Star => (
            code::INVALID_PATH,
            format!("{part} is not how the rest of a path is written"),
            "write `{*rest}` for the rest of a path",
        ),
        ProblemKind::UnpairedBrace => (
            code::INVALID_PATH,
            format!("{part} has a brace without its partner"),
            "write `{{` or `}}` for a brace that is meant as such",
        ),
        ProblemKind::EmptyName => {
            (code::INVALID_PATH, format!("the parameter {part} has no name"), "write `{id}` or `{*rest}`")
        }
        ProblemKind::InvalidName => (
            code::INVALID_PATH,
            format!("{part} is not a parameter"),
            "names of parameters are letters, digits, `_`, `-` and `.`; a key has no regular expressions",
        ),
        ProblemKind::TextAfterParameter => (
            code::INVALID_PATH,
            format!("{part} follows a parameter in the same segment"),
            "end the segment with the parameter",
        ),
        ProblemKind::RestNotLast => (
            code::INVALID_PATH,
            format!("{part} follows what takes the rest of the path"),
            "end the path with `{*rest}`",
        ),
        ProblemKind::DuplicateName => {
            (code::INVALID_PATH, format!("the parameter {part} is there twice"), "give each parameter its own name")
        }
        ProblemKind::TooLong => {
            (code::INVALID_PATH, "the path is too long".to_owned(), "write a path of at most 2048 bytes")
        }
        ProblemKind::DotSegment | ProblemKind::ForbiddenCharacter => (
            code::UNREACHABLE_PATH,
            format!("{part} is in the path of no request that is let through"),
            "write the path as a clean request has it, without `.`, `..`, `\\`, `?` and `#`",
        ),
    };
    Diagnostic::error(code, message).help(help.to_owned())
}

/// The key as it was probably meant, if that can be told.
fn respell(key: &str) -> Option<String> {
    let (methods, path) = split_anywhere(key)?;
    let methods = if methods.iter().any(|method| matches!(method.as_str(), "ANY" | "*" | "ALL")) {
        "ANY".to_owned()
    } else {
        methods.join(",")
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let segments: Vec<_> = path.trim_start_matches('/').split('/').map(respell_segment).collect();
    let right = format!("{methods} /{}", segments.join("/"));
    (right != key && read(&right).is_ok()).then_some(right)
}

/// Methods and path of a key with too many, too few or misplaced spaces.
fn split_anywhere(key: &str) -> Option<(Vec<String>, String)> {
    let mut words = key.split_whitespace().peekable();
    let mut methods = Vec::new();
    while let Some(word) = words.next_if(|word| !word.contains(['/', ':', '{', '<'])) {
        methods.extend(word.split(',').filter(|method| !method.is_empty()).map(str::to_ascii_uppercase));
        let comma_next = words.peek().is_some_and(|next| next.starts_with(','));
        if !word.ends_with(',') && !comma_next {
            break;
        }
    }
    let path = words.collect::<Vec<_>>().join(" ");
    if methods.is_empty() {
        methods.push("GET".to_owned());
    }
    (!path.is_empty()).then_some((methods, path))
}

fn respell_segment(segment: &str) -> String {
    if let Some(name) = segment.strip_prefix(':') {
        return format!("{{{}}}", parameter_name(name));
    }
    if let Some(name) = segment.strip_prefix('*') {
        let name = parameter_name(name.trim_start_matches('*'));
        return format!("{{*{}}}", if name.is_empty() { "rest" } else { name });
    }
    if let Some(name) = segment.strip_prefix('<').and_then(|segment| segment.strip_suffix('>')) {
        return format!("{{{}}}", name.rsplit(':').next().unwrap_or_default());
    }
    if let Some(name) = segment.strip_prefix('[').and_then(|segment| segment.strip_suffix(']')) {
        let rest = if name.starts_with("...") { "*" } else { "" };
        return format!("{{{rest}{}}}", name.trim_start_matches('.'));
    }
    match segment.strip_prefix('{').and_then(|segment| segment.strip_suffix('}')) {
        Some("") => "{id}".to_owned(),
        Some("*") => "{*rest}".to_owned(),
        Some(name) if name.ends_with("...") => format!("{{*{}}}", name.trim_end_matches('.')),
        Some(name) if !name.starts_with(['{', '*']) => format!("{{{}}}", parameter_name(name)),
        _ => segment.to_owned(),
    }
}

fn parameter_name(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !"_-.".contains(c));
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}
