//! Loading a [`Policy`] from text or from a file.

use std::{fs, path::Path};

use super::{format::Reader, json};
use crate::{
    diagnostic::{Diagnostic, code, quoted},
    policy::{Policy, PolicyError, Source},
};

impl Policy {
    /// Reads a policy from JSON.
    ///
    /// # Errors
    ///
    /// Every problem of the document, at once.
    pub fn from_json_str(text: &str) -> Result<Self, PolicyError> {
        from_text("<json>", text, json::read)
    }

    /// Reads a policy from a file with JSON in it, whatever its extension.
    ///
    /// # Errors
    ///
    /// Every problem of the document, at once, or why the file cannot be read.
    pub fn from_json_file(path: impl AsRef<Path>) -> Result<Self, PolicyError> {
        from_path(path.as_ref(), json::read)
    }

    /// Reads a policy from TOML.
    ///
    /// # Errors
    ///
    /// Every problem of the document, at once.
    #[cfg(feature = "toml")]
    pub fn from_toml_str(text: &str) -> Result<Self, PolicyError> {
        from_text("<toml>", text, super::toml::read)
    }

    /// Reads a policy from YAML (1.2, core schema), without anchors, aliases and tags.
    ///
    /// # Errors
    ///
    /// Every problem of the document, at once.
    #[cfg(feature = "yaml")]
    pub fn from_yaml_str(text: &str) -> Result<Self, PolicyError> {
        from_text("<yaml>", text, super::yaml::read)
    }

    /// Reads a policy from a file whose extension tells its format: `json`, and with the features of the same name
    /// `toml` and `yaml` (or `yml`).
    ///
    /// # Errors
    ///
    /// Every problem of the document, at once, or why the file cannot be read.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, PolicyError> {
        let path = path.as_ref();
        let reader = reader_for(path).map_err(|found| PolicyError::unreadable(unread(path), found, None))?;
        from_path(path, reader)
    }
}

fn reader_for(path: &Path) -> Result<Reader, Diagnostic> {
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    match extension.as_str() {
        "json" => Ok(json::read),
        #[cfg(feature = "toml")]
        "toml" => Ok(super::toml::read),
        #[cfg(feature = "yaml")]
        "yaml" | "yml" => Ok(super::yaml::read),
        #[cfg(not(feature = "toml"))]
        "toml" => Err(disabled("toml")),
        #[cfg(not(feature = "yaml"))]
        "yaml" | "yml" => Err(disabled("yaml")),
        _ => {
            let message = format!("the extension {} tells no format", quoted(&extension));
            let help = "name the file `*.json`, `*.toml` or `*.yaml`".to_owned();
            Err(Diagnostic::error(code::UNKNOWN_FORMAT, message).help(help))
        }
    }
}

#[cfg(not(all(feature = "toml", feature = "yaml")))]
fn disabled(feature: &str) -> Diagnostic {
    let message = format!("this program cannot read {} files", feature.to_uppercase());
    let help = format!("enable the feature `{feature}` of `tower-authz`, or write the policy in JSON");
    Diagnostic::error(code::DISABLED_FORMAT, message).help(help)
}

fn unread(path: &Path) -> Source {
    Source::without_text(&path.to_string_lossy())
}

fn from_path(path: &Path, reader: Reader) -> Result<Policy, PolicyError> {
    let bytes = fs::read(path).map_err(|error| {
        let found = Diagnostic::error(code::UNREADABLE_FILE, format!("the file cannot be read: {error}"));
        PolicyError::unreadable(unread(path), found, Some(error))
    })?;
    let name = path.to_string_lossy();
    match String::from_utf8(bytes) {
        Ok(text) => from_text(&name, &text, reader),
        Err(error) => {
            let start = error.utf8_error().valid_up_to();
            let found = super::format::syntax("the file is not UTF-8", start..start + '\u{fffd}'.len_utf8());
            let text = String::from_utf8_lossy(error.as_bytes());
            Err(PolicyError::syntax(Source::new(&name, &text), vec![found]))
        }
    }
}

fn from_text(name: &str, text: &str, reader: Reader) -> Result<Policy, PolicyError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let source = Source::new(name, text);
    if text.trim().is_empty() {
        let found = Diagnostic::error(code::EMPTY_DOCUMENT, "the document is empty");
        let help = "write a `version` and `routes`".to_owned();
        return Err(PolicyError::invalid(source, vec![found.help(help).span(0..0)]));
    }
    match reader(text) {
        Ok(document) => Policy::compile(source, document),
        Err(found) => Err(PolicyError::syntax(source, found)),
    }
}
