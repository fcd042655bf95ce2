//! Runs every example as its readers do: starts it, and pastes the lines that it prints.

#![cfg(feature = "axum")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod curl;
mod program;
mod readme;

use std::collections::HashMap;

use curl::{Answer, Curl};
use http::{HeaderMap, HeaderName, StatusCode, header};
use program::Program;

#[cfg(feature = "axum")]
#[tokio::test]
async fn quickstart() {
    let (program, answers) = run("quickstart").await;
    let statuses = [200, 401, 405, 404, 404, 404, 200, 403, 200, 403, 404, 201, 403, 204, 200];
    assert_eq!(statuses_of(&answers), statuses);
    let missing: Vec<_> = answers.iter().filter(|answer| answer.status == StatusCode::NOT_FOUND).collect();
    for masked in &missing {
        assert_eq!(undated(&masked.headers), undated(&missing.first().unwrap().headers));
        assert_eq!(masked.body, missing.first().unwrap().body);
    }
    let table: Vec<_> = program.printed.iter().filter(|line| line.contains(" /") && !line.contains("curl")).collect();
    let cells = table.iter().flat_map(|row| row.split_whitespace().rev().take(4)).filter(|cell| cell.len() == 3);
    assert_eq!((table.len(), cells.count()), (7, 28), "{table:?}");
    assert_eq!(program.logged("access denied"), 9);
    assert_eq!(program.logged("access allowed"), 6);
}

#[cfg(feature = "axum")]
#[tokio::test]
async fn guards() {
    let (program, answers) = run("guards").await;
    assert_eq!(statuses_of(&answers), [200, 401, 200, 401, 401, 200, 403, 200, 200, 403, 200]);
    assert_eq!(program.logged("access denied"), 5);
}

#[cfg(feature = "axum")]
#[tokio::test]
async fn session() {
    let (_program, answers) = run("session").await;
    assert_eq!(statuses_of(&answers), [401, 303, 403, 303, 200, 200, 303, 200, 403]);
    let locations = answers.iter().filter_map(|answer| answer.headers.get(header::LOCATION));
    assert_eq!(locations.collect::<Vec<_>>(), ["/login?next=/", "/", "/"]);
}

#[tokio::test]
async fn tower_stack() {
    let (program, answers) = run("tower_stack").await;
    assert_eq!(statuses_of(&answers), [200, 200, 401, 401, 200, 403, 200, 400, 405, 404, 200]);
    let compressed = answers.iter().filter(|answer| answer.headers.contains_key(header::CONTENT_ENCODING));
    assert_eq!(statuses_of(compressed), [200, 401]);
    assert_eq!(program.logged("http.request.id"), 11);
}

#[tokio::test]
async fn reverse_proxy() {
    let (_program, answers) = run("reverse_proxy").await;
    let (plain, roundabout) = answers.split_at(4);
    assert_eq!(statuses_of(plain), [200, 200, 401, 200]);
    let (upstream, guard): (Vec<_>, Vec<_>) = roundabout.chunks_exact(2).map(|pair| (&pair[0], &pair[1])).unzip();
    assert_eq!(upstream.len(), 10);
    for answer in upstream {
        assert_eq!(answer.body, "this is /admin/panel\n");
    }
    assert_eq!(statuses_of(guard), [400, 400, 400, 400, 400, 400, 404, 404, 404, 404]);
}

#[cfg(feature = "tonic")]
#[tokio::test]
async fn grpc() {
    let (program, answers) = run("grpc").await;
    let statuses = answers.iter().map(|answer| answer.headers["grpc-status"].to_str().unwrap());
    assert_eq!(statuses.collect::<Vec<_>>(), ["16", "0", "7", "0", "12"]);
    assert_eq!(program.logged("access denied"), 3);
}

#[cfg(feature = "jwks")]
#[tokio::test]
async fn mcp_resource_server() {
    let (program, answers) = run("mcp_resource_server").await;
    assert_eq!(statuses_of(&answers), [401, 200, 200, 200, 200, 403, 200, 405, 401]);
    let base = program.printed[0].strip_prefix("listening on ").unwrap();
    let challenge = |answer: &Answer| answer.headers[header::WWW_AUTHENTICATE].to_str().unwrap().to_owned();
    let metadata = format!(r#"resource_metadata="{base}/.well-known/oauth-protected-resource/mcp""#);
    for refused in [&answers[0], &answers[5], &answers[8]] {
        assert!(challenge(refused).contains(&metadata), "{}", challenge(refused));
    }
    assert!(challenge(&answers[5]).contains(r#"error="insufficient_scope""#));
    assert!(challenge(&answers[5]).contains(r#"scope="invoices:write""#));
    let metadata: serde_json::Value = serde_json::from_slice(&answers[1].body).unwrap();
    assert_eq!(metadata["resource"], format!("{base}/mcp"));
    assert_eq!(metadata["authorization_servers"], serde_json::json!(["https://id.example"]));
    let called: serde_json::Value = serde_json::from_slice(&answers[4].body).unwrap();
    assert_eq!(called["result"]["content"][0]["text"], "list_invoices for ada");
}

/// Starts an example and sends all that it proposes; each line must get the status that it says.
async fn run(example: &str) -> (Program, Vec<Answer>) {
    let program = Program::start(example);
    let (mut cookies, mut answers) = (HashMap::new(), Vec::new());
    for line in program.printed.iter().filter(|line| line.contains("curl ")) {
        let curl = Curl::parse(line);
        let answer = curl.send(&mut cookies).await;
        assert_eq!(answer.said(), curl.expected, "{line}");
        check(&answer, line);
        answers.push(answer);
    }
    (program, answers)
}

/// What holds of every answer.
fn check(answer: &Answer, line: &str) {
    let has = |name| answer.headers.contains_key(name);
    let is_call = has(HeaderName::from_static("grpc-status"));
    let challenge = answer.headers.get(header::WWW_AUTHENTICATE).map(|challenge| challenge.to_str().unwrap());
    let lacks_scope = challenge.is_some_and(|challenge| challenge.contains("insufficient_scope"));
    let challenged = answer.status == StatusCode::UNAUTHORIZED || lacks_scope;
    assert_eq!(challenged, challenge.is_some() && !is_call, "{line}");
    assert_eq!(answer.status == StatusCode::METHOD_NOT_ALLOWED, has(header::ALLOW), "{line}");
    let is_ours = answer.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/problem+json");
    if is_ours {
        assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store", "{line}");
    }
}

fn statuses_of<'a>(answers: impl IntoIterator<Item = &'a Answer>) -> Vec<u16> {
    answers.into_iter().map(|answer| answer.status.as_u16()).collect()
}

fn undated(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    headers.remove(header::DATE);
    headers
}
