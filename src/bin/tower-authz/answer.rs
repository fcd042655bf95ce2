//! The answer to a denied request, as it would go out.

use std::{collections::BTreeMap, fmt};

use http::{Method, Request, StatusCode};
use serde::Serialize;
use tower_authz::{Challenge, Denial, Head, Policy, respond::Responder};

/// Status, headers and body.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

impl Answer {
    /// The answer of a layer with nothing but defaults, whose callers send bearer tokens.
    pub(crate) fn new(denial: &Denial, policy: &Policy, method: &Method) -> Self {
        let mut request = Request::new(());
        request.method_mut().clone_from(method);
        let ways = vec![Challenge::bearer()];
        let answer = Responder::new().answer(denial, Head::from(&request), ways, policy.realm());
        let mut headers = BTreeMap::new();
        for name in answer.headers().keys() {
            let values = answer.headers().get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
            headers.insert(name.to_string(), values.collect::<Vec<_>>().join(", "));
        }
        let body = String::from_utf8_lossy(answer.body()).into_owned();
        Self { status: answer.status().as_u16(), headers, body }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phrase = StatusCode::from_u16(self.status).ok().and_then(|status| status.canonical_reason());
        writeln!(f, "  {} {}", self.status, phrase.unwrap_or_default())?;
        for (name, value) in &self.headers {
            writeln!(f, "  {name}: {value}")?;
        }
        if self.body.is_empty() { Ok(()) } else { writeln!(f, "\n  {}", self.body) }
    }
}
