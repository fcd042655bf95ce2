//! What tables of other routers and engines say, asked of policies with the same routes. Where an answer is another one
//! than theirs, the row says why.
#![allow(clippy::unwrap_used, reason = "helpers of a test may fail it")]

use http::Method;
use serde_json::{Map, json};
use tower_authz::{
    Policy, Principal,
    analysis::{Probe, evaluate},
};

/// A policy in which every authenticated caller may use every key.
fn policy(keys: &[&str]) -> Policy {
    let routes: Map<_, _> = keys.iter().map(|key| ((*key).to_owned(), json!("authenticated"))).collect();
    Policy::from_json_str(&json!({ "version": 1, "routes": routes }).to_string()).unwrap()
}

/// Checks which key each request selects; none where the request is refused.
fn select(keys: &[&str], rows: &[(&str, &str, Option<&str>)]) {
    let policy = policy(keys);
    for (method, path, key) in rows {
        let method: Method = method.parse().unwrap();
        let verdict = evaluate(&policy, &Probe::new(method, *path).identity(Principal::new("ada")));
        let selected = verdict.rule().filter(|_| verdict.is_allowed());
        assert_eq!(selected, *key, "{path} among {keys:?}");
    }
}

#[test]
fn httprouter_and_matchit_prefer_the_literal_and_go_back_where_it_ends() {
    let keys = [
        "GET /",
        "GET /cmd/{tool}/{sub}",
        "GET /cmd/{tool}/",
        "GET /src/{*path}",
        "GET /search/",
        "GET /search/{query}",
        "GET /user_{name}",
        "GET /user_{name}/about",
        "GET /files/{dir}/{*path}",
        "GET /doc/",
        "GET /doc/faq.html",
        "GET /info/{user}/public",
        "GET /info/{user}/project/{project}",
        "GET /{page}",
        "GET /secret/978",
        "GET /secret/{id}/path",
    ];
    select(
        &keys,
        &[
            ("GET", "/", Some("GET /")),
            ("GET", "/cmd/test/3", Some("GET /cmd/{tool}/{sub}")),
            ("GET", "/cmd/test/", Some("GET /cmd/{tool}/")),
            // Those redirect to the path with the slash; here both are read, and the key holds for both.
            ("GET", "/cmd/test", Some("GET /cmd/{tool}/")),
            ("GET", "/search/gopher/", Some("GET /search/{query}")),
            ("GET", "/src/some/file.png", Some("GET /src/{*path}")),
            // `/src/` is also read as `/src`, which is a page.
            ("GET", "/src/", Some("GET /{page}")),
            ("GET", "/user_gopher", Some("GET /user_{name}")),
            ("GET", "/user_gopher/about", Some("GET /user_{name}/about")),
            ("GET", "/files/js/inc/framework.js", Some("GET /files/{dir}/{*path}")),
            ("GET", "/doc/faq.html", Some("GET /doc/faq.html")),
            ("GET", "/info/gordon/project/go", Some("GET /info/{user}/project/{project}")),
            ("GET", "/info/gordon", None),
            ("GET", "/about", Some("GET /{page}")),
            ("GET", "/secret/978", Some("GET /secret/978")),
            ("GET", "/secret/978/path", Some("GET /secret/{id}/path")),
            ("GET", "/a/b/c/d", None),
        ],
    );
}

#[test]
fn patterns_of_go_select_by_method_and_specificity() {
    let keys = [
        "GET /items/{id}",
        "POST /items/{id}",
        "ANY /items/{id}/{*more}",
        "GET /b/{bucket}/o/{*object}",
        "ANY /b/{bucket}",
    ];
    select(
        &keys,
        &[
            ("GET", "/items/7", Some("GET /items/{id}")),
            // `GET` covers `HEAD` there, too.
            ("HEAD", "/items/7", Some("GET /items/{id}")),
            ("POST", "/items/7", Some("POST /items/{id}")),
            ("DELETE", "/items/7", None),
            ("DELETE", "/items/7/x/y", Some("ANY /items/{id}/{*more}")),
            ("GET", "/b/photos/o/2025/11/a.jpg", Some("GET /b/{bucket}/o/{*object}")),
            // A rest may be empty there, and never here.
            ("GET", "/b/photos/o/", None),
            ("PATCH", "/b/photos", Some("ANY /b/{bucket}")),
            // Go cleans paths like these and redirects. Here the one is refused, and the other must be allowed as it
            // stands and as it is cleaned.
            ("GET", "/b/../items/7", None),
            ("GET", "/items//7", Some("ANY /items/{id}/{*more}")),
        ],
    );
}

#[test]
fn patterns_of_policy_engines_hold_for_no_more_than_they_say() {
    for (key, path, holds) in [
        ("ANY /foo", "/foo", true),
        ("ANY /foo/{*rest}", "/foo", false),
        ("ANY /foo/{*rest}", "/foo/bar", true),
        ("ANY /foo/{*rest}", "/foobar", false),
        ("ANY /foo{*rest}", "/foobar", true),
        ("ANY /foo{*rest}", "/foo/bar", true),
        // A star that may stand for nothing is none that a key can have.
        ("ANY /foo{*rest}", "/foo", false),
        ("ANY /{resource}", "/", false),
        ("ANY /{id}/using/{res}", "/myid/using/myres", true),
        ("ANY /{id}/using/{res}", "/myid", false),
        ("ANY /proxy/{id}/{*rest}", "/proxy/myid", false),
        ("ANY /proxy/{id}/{*rest}", "/proxy/myid/res/res2/res3", true),
        ("ANY /{id}/all", "/alice/all", true),
        ("ANY /{id}", "/alice/all", false),
        // A prefix that counts by segments, as that of gateways: two keys.
        ("ANY /v1/{*rest}", "/v1beta", false),
        ("ANY /v1/{*rest}", "/v1/x;y=../../admin", false),
    ] {
        select(&[key], &[("GET", path, holds.then_some(key))]);
    }
}

#[test]
fn patterns_that_mean_something_else_here_are_refused_with_the_spelling_that_is_meant() {
    for (key, help) in [
        ("GET /users/:id", "`GET /users/{id}`"),
        ("GET /files/*", "{*rest}"),
        ("GET /files/**", "{*rest}"),
        ("GET /files/{path...}", "`GET /files/{*path}`"),
        ("GET /parent/{id}/child/{id}", "`{id}`"),
        ("GET /id/[0-9]+", "`{id}`"),
        ("GET /users/<int:id>", "`GET /users/{id}`"),
        ("GET /users/[id]", "`GET /users/{id}`"),
        ("GET /docs/[...slug]", "`GET /docs/{*slug}`"),
        ("GET users", "`GET /users`"),
        ("/users", "`GET /users`"),
    ] {
        let text = json!({ "version": 1, "routes": { key: "authenticated" } }).to_string();
        let error = Policy::from_json_str(&text).unwrap_err().to_string();
        assert!(error.contains(help), "{key}: {error}");
    }
}
