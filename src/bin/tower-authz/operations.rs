//! The operations that a policy is compared with: an OpenAPI description, or a plain list.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use http::Method;
use serde_json::Value;
use tower_authz::analysis::Operation;

use crate::{data, failure::Failure, request};

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Compare with the operations of an API")]
pub(crate) struct OperationArgs {
    /// Its OpenAPI description (3.0 or 3.1; JSON or YAML)
    #[arg(long, value_name = "FILE")]
    openapi: Option<PathBuf>,
    /// A plain list of its routes, such as `GET /users/{id}`, one a line
    #[arg(long, value_name = "FILE")]
    routes: Option<PathBuf>,
    /// What stands before the paths of the OpenAPI description, such as `/v1`, instead of the paths of its `servers`
    #[arg(long, value_name = "PATH", requires = "openapi")]
    base_path: Option<String>,
}

/// The fixed fields of a path item that are operations (OpenAPI 3.1, section 4.8.9).
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

impl OperationArgs {
    /// The operations, if any were asked for.
    pub(crate) fn read(&self) -> Result<Option<Vec<Operation>>, Failure> {
        let mut operations = Vec::new();
        if let Some(path) = &self.openapi {
            operations.extend(self.read_openapi(path)?);
        }
        if let Some(path) = &self.routes {
            operations.extend(read_list(path)?);
        }
        Ok((self.openapi.is_some() || self.routes.is_some()).then_some(operations))
    }

    fn read_openapi(&self, file: &Path) -> Result<Vec<Operation>, Failure> {
        let document = data::read(file)?;
        let version = document.get("openapi").and_then(Value::as_str).unwrap_or_default();
        if !version.starts_with("3.0") && !version.starts_with("3.1") {
            return Err(Failure::file(file, "it is no OpenAPI description of version 3.0 or 3.1"));
        }
        let Some(paths) = document.get("paths").and_then(Value::as_object) else {
            return Err(Failure::file(file, "it has no `paths`"));
        };
        let description = Description { document: &document, base: self.base_path.as_deref() };
        let items = paths.iter().filter(|(path, _)| path.starts_with('/'));
        let operations: Result<Vec<_>, _> = items.map(|(path, item)| description.operations(path, item)).collect();
        Ok(operations.map_err(|why| Failure::file(file, why))?.into_iter().flatten().collect())
    }
}

/// An OpenAPI description.
struct Description<'a> {
    document: &'a Value,
    /// What stands before its paths, where the operator says it.
    base: Option<&'a str>,
}

impl<'a> Description<'a> {
    /// The operations of a path item.
    fn operations(&self, path: &str, item: &'a Value) -> Result<Vec<Operation>, String> {
        let referred = match item.get("$ref").and_then(Value::as_str) {
            Some(reference) => Some(self.resolved(path, reference)?),
            None => None,
        };
        let field = |name: &str| item.get(name).or_else(|| referred?.get(name));
        let operation = |name: &&str| {
            let operation = field(name)?;
            let method = Method::from_bytes(name.to_ascii_uppercase().as_bytes()).ok()?;
            let servers = [operation.get("servers"), field("servers"), self.document.get("servers")];
            let described = self.placed(method, path, servers.into_iter().flatten().next());
            let security = operation.get("security").or_else(|| self.document.get("security"));
            Some(match security.and_then(Value::as_array) {
                Some(security) => described.needs_any_of(alternatives(security)),
                None => described,
            })
        };
        Ok(METHODS.iter().filter_map(operation).collect())
    }

    /// What a reference within the document points to (RFC 6901).
    fn resolved(&self, path: &str, reference: &str) -> Result<&'a Value, String> {
        let pointer = reference.strip_prefix('#').ok_or_else(|| {
            format!("`{path}` is described in another file, `{reference}`: bundle the description into one file first")
        })?;
        self.document.pointer(pointer).ok_or_else(|| format!("`{path}` refers to `{reference}`, which is not there"))
    }

    /// An operation under the paths of its servers, or where proxies have taken them away.
    fn placed(&self, method: Method, path: &str, servers: Option<&Value>) -> Operation {
        if let Some(base) = self.base {
            return Operation::new(method, format!("{}{path}", base.trim_end_matches('/')));
        }
        let servers = servers.and_then(Value::as_array).into_iter().flatten();
        let mut prefixes: Vec<_> = servers.filter_map(prefix).chain([String::new()]).collect();
        let mut seen = HashSet::new();
        prefixes.retain(|prefix| seen.insert(prefix.clone()));
        let mut paths = prefixes.into_iter().map(|prefix| format!("{prefix}{path}"));
        let operation = Operation::new(method, paths.next().unwrap_or_default());
        paths.fold(operation, Operation::also_at)
    }
}

/// The path of a server, such as `/v1` of `https://api.example/{version}`, with variables as they are by default.
fn prefix(server: &Value) -> Option<String> {
    let mut url = server.get("url")?.as_str()?.to_owned();
    for (name, variable) in server.get("variables").and_then(Value::as_object).into_iter().flatten() {
        let default = variable.get("default").and_then(Value::as_str).unwrap_or_default();
        url = url.replace(&format!("{{{name}}}"), default);
    }
    let path = match url.split_once("//") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => &url,
    };
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_matches(['/', '.']);
    Some(if path.is_empty() { String::new() } else { format!("/{path}") })
}

/// The scopes of each requirement, any of which suffices; none where one of them is to send no credentials.
fn alternatives(security: &[Value]) -> Vec<Vec<String>> {
    let requirements: Vec<_> = security.iter().filter_map(Value::as_object).collect();
    if requirements.iter().any(|requirement| requirement.is_empty()) {
        return Vec::new();
    }
    let scopes = |requirement: &&serde_json::Map<String, Value>| {
        let scopes = requirement.values().filter_map(Value::as_array).flatten();
        scopes.filter_map(Value::as_str).map(ToOwned::to_owned).collect()
    };
    requirements.iter().map(scopes).collect()
}

fn read_list(path: &Path) -> Result<Vec<Operation>, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::file(path, error))?;
    let mut operations = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let of_line = parse(line).map_err(|why| Failure::file(path, format!("line {}: {why}", index + 1)))?;
        operations.extend(of_line);
    }
    Ok(operations)
}

/// Reads `GET /users/{id}`, or several methods with commas.
fn parse(line: &str) -> Result<Vec<Operation>, String> {
    let help = || format!("write a method and a path instead of `{}`", line.escape_debug());
    let (methods, path) = line.split_once(char::is_whitespace).ok_or_else(help)?;
    let path = path.trim();
    if !path.starts_with('/') {
        return Err(help());
    }
    methods.split(',').map(|method| Ok(Operation::new(request::method(method)?, path))).collect()
}
