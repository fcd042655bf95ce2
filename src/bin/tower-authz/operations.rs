//! The operations that a policy is compared with: an OpenAPI description, or a plain list.

use std::{
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
    /// What stands before the paths of the OpenAPI description, such as `/v1`
    #[arg(long, value_name = "PATH", default_value = "", requires = "openapi")]
    base_path: String,
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

    fn read_openapi(&self, path: &Path) -> Result<Vec<Operation>, Failure> {
        let document = data::read(path)?;
        let version = document.get("openapi").and_then(Value::as_str).unwrap_or_default();
        if !version.starts_with("3.0") && !version.starts_with("3.1") {
            return Err(Failure::file(path, "it is no OpenAPI description of version 3.0 or 3.1"));
        }
        let Some(paths) = document.get("paths").and_then(Value::as_object) else {
            return Err(Failure::file(path, "it has no `paths`"));
        };
        let base = self.base_path.trim_end_matches('/');
        let items = paths.iter().filter(|(path, _)| path.starts_with('/'));
        Ok(items.flat_map(|(path, item)| operations(&document, &format!("{base}{path}"), item)).collect())
    }
}

/// The operations of a path item.
fn operations(document: &Value, path: &str, item: &Value) -> Vec<Operation> {
    let item = resolved(document, item);
    let operation = |name: &&str| {
        let operation = item.get(name)?;
        let method = Method::from_bytes(name.to_ascii_uppercase().as_bytes()).ok()?;
        let described = Operation::new(method, path);
        let security = operation.get("security").or_else(|| document.get("security"));
        Some(match security.and_then(needs_caller) {
            Some(needs_caller) => described.needs_caller(needs_caller),
            None => described,
        })
    };
    METHODS.iter().filter_map(operation).collect()
}

/// What a reference within the document points to (RFC 6901), or the value itself.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let pointer = value.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
    pointer.and_then(|pointer| document.pointer(pointer)).unwrap_or(value)
}

/// Whether a list of security requirements needs a caller; not told where it is one choice among others not to.
fn needs_caller(security: &Value) -> Option<bool> {
    let requirements = security.as_array()?;
    let is_optional = requirements.iter().any(|one| one.as_object().is_some_and(serde_json::Map::is_empty));
    if is_optional { None } else { Some(!requirements.is_empty()) }
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
