//! The table of tokens, and what a library made of it.

use std::{collections::BTreeMap, fs};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Value, json};
use tower_authz::authn::Keys;

use crate::command;

/// The tokens that are wanted.
#[derive(Deserialize)]
pub struct Table {
    tokens: Vec<Row>,
}

/// One of them, and who it is to be taken for, or why refused.
#[derive(Deserialize)]
pub struct Row {
    pub name: String,
    signed_by: Option<String>,
    expected: String,
}

/// The keys and tokens that a library made.
#[derive(Deserialize)]
pub struct Made {
    pub algorithms: Vec<MadeFor>,
}

/// The key for one algorithm, and the tokens by name.
#[derive(Deserialize)]
pub struct MadeFor {
    pub name: String,
    pub tokens: BTreeMap<String, String>,
    jwk: Value,
    pem: Option<String>,
}

/// How a key is told to the authenticator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyForm {
    Jwk,
    KeySet,
    Pem,
    Secret,
}

impl Table {
    pub fn read() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tokens.json");
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    }

    /// All, but that a secret has no public key that a token could be signed with.
    pub fn rows_for<'a>(&'a self, made_for: &'a MadeFor) -> impl Iterator<Item = &'a Row> {
        let fits = |row: &&Row| made_for.pem.is_some() || row.signed_by.as_deref() != Some("public key");
        self.tokens.iter().filter(fits)
    }
}

impl Row {
    /// Keys in PEM and secrets have no name that a token could miss.
    pub fn expected(&self, form: KeyForm) -> &str {
        let nameless = matches!(form, KeyForm::Pem | KeyForm::Secret);
        if nameless && self.expected == "unknown-key" { "ada" } else { &self.expected }
    }
}

impl Made {
    pub fn by(program: &str, script: &str) -> Self {
        let output = command(program).arg(script).output().expect("`tests/providers/install` was run");
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The keys for all algorithms in one set.
    pub fn set(&self) -> Keys {
        let keys: Vec<_> = self.algorithms.iter().map(|made_for| &made_for.jwk).collect();
        Keys::jwks(&json!({ "keys": keys }).to_string())
    }
}

impl MadeFor {
    /// The key in every form that it has, `set` among them.
    pub fn keys(&self, set: &Keys) -> Vec<(KeyForm, Keys)> {
        let mut keys = vec![(KeyForm::Jwk, Keys::jwk(&self.jwk.to_string())), (KeyForm::KeySet, set.clone())];
        keys.extend(self.pem.as_ref().map(|pem| (KeyForm::Pem, Keys::pem(pem))));
        if let Some(secret) = self.jwk["k"].as_str() {
            keys.push((KeyForm::Secret, Keys::secret(&URL_SAFE_NO_PAD.decode(secret).unwrap())));
        }
        keys
    }
}
