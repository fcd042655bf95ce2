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

/// What other servers make of a path, told by their own tests. Whoever has no right to what is left gets nothing for
/// what was asked, however open the policy is elsewhere.
#[test]
fn what_other_servers_normalize_needs_the_right_to_what_is_left() {
    for (server, asked, left) in [
        ("Envoy", "/a/b/%2E./c", "/a/c"),
        ("Envoy", "/a/b/../../../../c", "/c"),
        ("Envoy", "/a//b?a=///c", "/a/b"),
        ("Envoy", "/root%2f/child/%2f", "/root//child//"),
        ("Envoy", "/dir1%2fdir2%2f/dir3%5Cdeleted%5C%2F..%2F%5cdir4", "/dir1/dir2/dir3/dir4"),
        ("Envoy", "/path%Z%30with%xYbad%7Jencoding%A", "/path%Z0with%xYbad%7Jencoding%A"),
        ("Traefik", "/a/..//c/.././b", "/b"),
        ("Kong", "/a%2fb%2fc/", "/a%2Fb%2Fc/"),
        ("Rails", "/foo%aabar%aabaz", "/foo%AAbar%AAbaz"),
        ("HAProxy", "///foo///bar///", "/foo/bar/"),
        ("HAProxy", "/foo//../../bar/", "/bar/"),
        ("Caddy", "/foo///./..//./bar", "/foo///bar"),
        ("Caddy", "/foo%252fbar", "/foo%2fbar"),
        ("lighttpd", "/a\\b", "/a/b"),
        ("fasthttp", "/xxxx%2fyyy%2f%2F%2F", "/xxxx/yyy/"),
        ("fasthttp", "/aaa%2Fbbb%2F%2E.%2Fxxx", "/aaa/xxx"),
        ("fasthttp", "/..%5c..%5cfoo", "/foo"),
        ("net/http of Go", "/dir", "/dir/"),
        ("path.Clean of Go", "//abc//", "/abc"),
        ("Tomcat", "////", "/"),
        ("Tomcat", "/a/b/./", "/a/b/"),
        ("Jetty", "/foo;ignore/bar;ignore", "/foo/bar"),
        ("Jetty", "/path/%2e%2e;param;other/info;other", "/info"),
        ("Jetty", "/path/%2f/..;/%2e/info", "/path//info"),
        ("Jetty", "/foo/;param/bar", "/foo//bar"),
        ("Jetty", "/f%d8%a9%d8%a9%2523;ignore/bar;ignore", "/f\u{629}\u{629}%23/bar"),
        ("Spring", "/foo;f=F;o=O;o=O/bar;b=B;a=A;r=R", "/foo/bar"),
        ("Spring", "/foo/;test/1", "/foo/1"),
        ("Shiro", "//context-path/remove-one/remove-two/../../././/foobar", "/context-path/foobar"),
        ("Shiro", "/c%6Fntext%20path/foobar", "/context path/foobar"),
        ("actix-web", "//v1//something////", "/v1/something"),
        ("actix-web", "/v1/something", "/v1/something/"),
        ("Mojolicious", "/foo/.../.../windows/win.ini", "/foo/windows/win.ini"),
        ("curl", "/hello/1/./../2", "/hello/2"),
        ("URL of browsers", "/foo/%2e%2", "/foo/%2e%2"),
        ("URL of browsers", "/foo/bar/..\\x", "/foo/x"),
    ] {
        let protected = |rest: &str| json!({ left: "nobody", rest: "public" });
        let keys = |rules: serde_json::Value| -> Map<String, serde_json::Value> {
            let rules = rules.as_object().unwrap().clone();
            rules.into_iter().map(|(path, rule)| (format!("ANY {path}"), rule)).collect()
        };
        let open = json!({ "version": 1, "unlisted": "public", "routes": keys(json!({ left: "nobody" })) });
        let blanket = json!({ "version": 1, "routes": keys(protected("/{*rest}")) });
        for document in [open, blanket] {
            let policy = Policy::from_json_str(&document.to_string()).unwrap();
            let is_allowed = |path: &str| evaluate(&policy, &Probe::new(Method::GET, path)).is_allowed();
            assert!(!is_allowed(asked), "{server}: {asked} {document}");
            assert!(is_allowed("/elsewhere/x"), "{server}: {document}");
        }
    }
}

/// Normalization writes escapes with capitals, but no key need be written so.
#[test]
fn escapes_with_small_letters_select_the_key_that_has_them_and_bind_the_one_with_capitals() {
    let keys = ["GET /caf%c3%a9", "GET /%C3%A8", "GET /a%252F", "GET /{page}"];
    select(
        &keys,
        &[
            ("GET", "/caf%c3%a9", Some("GET /caf%c3%a9")),
            ("GET", "/%c3%a8", Some("GET /{page}")),
            ("GET", "/a%252F", Some("GET /a%252F")),
        ],
    );
    let routes = json!({ "GET /a%2Fb": "nobody", "GET /{page}": "public", "GET /a/b": "public" });
    let policy = Policy::from_json_str(&json!({ "version": 1, "routes": routes }).to_string()).unwrap();
    for path in ["/a%2Fb", "/a%2fb"] {
        assert!(!evaluate(&policy, &Probe::new(Method::GET, path)).is_allowed(), "{path}");
    }
    assert!(evaluate(&policy, &Probe::new(Method::GET, "/a/b")).is_allowed());
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
