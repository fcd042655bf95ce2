//! An OpenID provider that nobody here wrote: `oidc-provider`, run by node.

use std::process::Stdio;

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use crate::command;

/// A running provider; it ends with the last use of it.
pub struct Provider {
    pub issuer: String,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

/// How often it was asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Requests {
    discovery: u64,
    keys: u64,
}

impl Requests {
    pub fn since(self, before: Self) -> Self {
        Self { discovery: self.discovery - before.discovery, keys: self.keys - before.keys }
    }

    /// A refresh asks for both.
    pub fn refreshes(self) -> u64 {
        self.discovery.max(self.keys)
    }
}

impl Provider {
    pub async fn start() -> Self {
        let mut command = Command::from(command("node"));
        command.arg("scripts/provider.mjs").stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("node is installed");
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()).lines());
        let mut provider = Self { issuer: String::new(), input, output, _child: child };
        provider.issuer = text(&provider.answer().await["issuer"]);
        provider
    }

    /// Has it do something: `rotate`, `retire`, `up`, `down`, `failing`, `hanging`.
    pub async fn tell(&mut self, command: &str) -> Value {
        self.input.write_all(format!("{command}\n").as_bytes()).await.unwrap();
        self.answer().await
    }

    async fn answer(&mut self) -> Value {
        let line = self.output.next_line().await.unwrap().expect("the provider lives");
        serde_json::from_str(&line).unwrap()
    }

    /// A new access token for `resource`.
    pub async fn token(&mut self, resource: &str, scope: &str) -> String {
        text(&self.tell(&format!("token {resource} {scope}")).await["token"])
    }

    /// A new access token that is bound to a key of its sender (RFC 9449).
    pub async fn bound_token(&mut self, resource: &str, scope: &str) -> String {
        text(&self.tell(&format!("bound {resource} {scope}")).await["token"])
    }

    pub async fn requests(&mut self) -> Requests {
        let counts = self.tell("requests").await;
        let count = |path: &str| counts[path].as_u64().unwrap_or_default();
        Requests { discovery: count("/.well-known/openid-configuration"), keys: count("/jwks") }
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
