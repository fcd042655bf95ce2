//! Reading policy documents: JSON, TOML and YAML text to one tree that knows its places.

mod format;
mod json;
mod load;
#[cfg(feature = "toml")]
mod toml;
#[cfg(feature = "yaml")]
mod yaml;
