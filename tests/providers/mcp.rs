//! A client of the Model Context Protocol finds its way from a 401 to a token: example `mcp_resource_server`.

use std::{env, process::Stdio};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{command, provider::Provider};

#[tokio::test]
async fn a_client_walks_from_the_401_to_a_token_and_back_for_another_scope() {
    let provider = Provider::start().await;
    let (_server, base) = serve(&provider.issuer).await;
    let client = command("node").args(["scripts/mcp_client.mjs", &format!("{base}/mcp")]).output().unwrap();
    assert!(client.status.success(), "{}", String::from_utf8_lossy(&client.stderr));
    let told: Value = serde_json::from_slice(&client.stdout).unwrap();
    println!("{told:#}");
    assert_eq!(told["server"], "invoices");
    assert_eq!(told["texts"], Value::from(["list_invoices for ada", "delete_invoices for ada"].as_slice()));
    let steps: Vec<_> = told["steps"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let expected = [
        "POST /mcp 401",
        "GET /.well-known/oauth-protected-resource/mcp 200",
        "GET /.well-known/oauth-authorization-server 200",
        &format!("log in for invoices:read at {base}/mcp"),
        "POST /token 200",
        "POST /mcp 200",
        "POST /mcp 403",
        &format!("log in for invoices:write at {base}/mcp"),
        "POST /token 200",
        "POST /mcp 200",
    ];
    let mut rest = steps.iter();
    for step in expected {
        assert!(rest.any(|done| *done == step), "`{step}` was not taken, or not in its turn: {steps:#?}");
    }
}

/// The example, trusting `issuer`, and where it is.
async fn serve(issuer: &str) -> (Child, String) {
    let test = env::current_exe().unwrap();
    let path = test.ancestors().nth(2).unwrap().join("examples").join(format!("mcp{}", env::consts::EXE_SUFFIX));
    let mut command = Command::new(path);
    command.args(["--addr", "127.0.0.1:0"]).env("ISSUER", issuer).stdout(Stdio::piped()).kill_on_drop(true);
    let mut server = command.spawn().unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (server, line.strip_prefix("listening on ").unwrap().to_owned())
}
