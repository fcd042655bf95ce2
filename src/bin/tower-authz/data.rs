//! Files of JSON, TOML or YAML that are not policies.

use std::{fs, path::Path};

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value};

use crate::failure::Failure;

/// Reads a file as its extension says: JSON, TOML or YAML.
pub(crate) fn read(path: &Path) -> Result<Value, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::file(path, error))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let read = match extension.as_str() {
        "json" => serde_json::from_str(text).map_err(|error| error.to_string()),
        "toml" => text.parse::<toml::Table>().map(from_table).map_err(|error| error.to_string()),
        "yaml" | "yml" => from_yaml_text(text),
        _ => Err("the extension tells no format: name the file `*.json`, `*.toml` or `*.yaml`".to_owned()),
    };
    read.map_err(|why| Failure::file(path, why))
}

fn from_table(table: toml::Table) -> Value {
    Value::Object(table.into_iter().map(|(key, value)| (key, from_toml(value))).collect())
}

fn from_toml(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(value) => value.into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(values) => values.into_iter().map(from_toml).collect(),
        toml::Value::Table(table) => from_table(table),
    }
}

fn from_yaml_text(text: &str) -> Result<Value, String> {
    let documents = Yaml::load_from_str(text).map_err(|error| error.to_string())?;
    match documents.as_slice() {
        [document] => from_yaml(document),
        [] => Err("the document is empty".to_owned()),
        _ => Err("the file has more than one document".to_owned()),
    }
}

fn from_yaml(node: &Yaml<'_>) -> Result<Value, String> {
    match node {
        Yaml::Value(scalar) => Ok(from_scalar(scalar)),
        Yaml::Representation(text, ..) => Ok(Value::from(text.as_ref())),
        Yaml::Sequence(nodes) => nodes.iter().map(from_yaml).collect(),
        Yaml::Mapping(members) => {
            let members = members.iter().map(|(key, value)| Ok((key_text(key)?, from_yaml(value)?)));
            members.collect::<Result<Map<_, _>, String>>().map(Value::Object)
        }
        Yaml::Tagged(_, node) => from_yaml(node),
        Yaml::Alias(_) | Yaml::BadValue => {
            Err("the document has an alias or a value that cannot be resolved".to_owned())
        }
    }
}

fn from_scalar(scalar: &Scalar<'_>) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(value) => (*value).into(),
        Scalar::Integer(number) => (*number).into(),
        Scalar::FloatingPoint(number) => number.into_inner().into(),
        Scalar::String(text) => text.as_ref().into(),
    }
}

/// Keys are texts in JSON, whatever they look like: `200` among the responses of an operation.
fn key_text(key: &Yaml<'_>) -> Result<String, String> {
    match from_yaml(key)? {
        Value::String(text) => Ok(text),
        Value::Array(_) | Value::Object(_) => Err("a key is neither a text nor a number".to_owned()),
        scalar => Ok(scalar.to_string()),
    }
}
