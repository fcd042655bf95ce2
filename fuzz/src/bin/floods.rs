//! What a million distinct tokens, keys, paths and subjects leave behind in memory.
//!
//! `cargo run --release --no-default-features --bin floods -- [REQUESTS]` prints a table, and fails where memory grows
//! with what is sent. Bytes are counted by the allocator.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    process::ExitCode,
};

use axum::body::Body;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use http::{Request, Response};
use serde_json::json;
use sha2::Sha256;
use tokio::runtime::Builder;
use tower::{Layer, ServiceExt, service_fn};
use tower_authz::{
    Authenticator, AuthzLayer, Head, Policy, Principal,
    authn::{ApiKeys, Jwt, JwtAlgorithm, Keys, from_fn},
};
use tower_authz_fuzz::memory::{Counting, forget_peak, live, peak};

#[global_allocator]
static COUNTING: Counting = Counting;

const SECRET: &[u8; 32] = b"a secret of thirty-two bytes, ok";

const POLICY: &str = r#"{ "version": 1, "roles": { "viewer": {} }, "routes": {
    "ANY /files/{*path}": "viewer", "ANY /me": "authenticated", "ANY /hidden": { "allow": "viewer", "deny_as": "not_found" } } }"#;

/// Bytes that may be left behind where things are remembered: the default cache of 10,000 tokens.
const REMEMBERED: isize = 64 << 20;

/// Bytes that may be left behind elsewhere.
const FORGOTTEN: isize = 1 << 20;

struct Flood {
    name: &'static str,
    authenticator: fn() -> Box<dyn Fn() -> AuthzLayer>,
    request: fn(u64) -> Request<Body>,
    most: isize,
}

const FLOODS: &[Flood] = &[
    Flood {
        name: "good tokens",
        authenticator: jwt,
        request: |n| bearer(&token("k", &format!("user-{n}"))),
        most: REMEMBERED,
    },
    Flood { name: "forged tokens", authenticator: jwt, request: |n| bearer(&forged(n)), most: REMEMBERED },
    Flood {
        name: "tokens with distinct `kid`s",
        authenticator: jwt,
        request: |n| bearer(&token(&n.to_string(), "ada")),
        most: REMEMBERED,
    },
    Flood {
        name: "tokens with `kid`s that no key has",
        authenticator: key_set,
        request: |n| bearer(&token(&n.to_string(), "ada")),
        most: FORGOTTEN,
    },
    Flood {
        name: "tokens of 16 KiB that are none",
        authenticator: jwt,
        request: |n| bearer(&format!("{n}.{}", "x".repeat(16_000))),
        most: REMEMBERED,
    },
    Flood {
        name: "API keys",
        authenticator: keys,
        request: |n| header("x-api-key", &format!("key-{n}")),
        most: FORGOTTEN,
    },
    Flood {
        name: "subjects",
        authenticator: named,
        request: |n| header("x-user", &format!("user-{n}")),
        most: FORGOTTEN,
    },
    Flood {
        name: "paths",
        authenticator: named,
        request: |n| path(&format!("/files/{n}/%2541;x//{n}")),
        most: FORGOTTEN,
    },
    Flood {
        name: "paths that nothing lists",
        authenticator: named,
        request: |n| path(&format!("/nothing-{n}")),
        most: FORGOTTEN,
    },
    Flood { name: "methods", authenticator: named, request: method, most: FORGOTTEN },
    Flood {
        name: "headers of 32 KiB",
        authenticator: named,
        request: |n| header("x-user", &format!("{n}{}", "x".repeat(32_000))),
        most: FORGOTTEN,
    },
];

fn main() -> ExitCode {
    let requests = std::env::args().nth(1).and_then(|requests| requests.parse().ok()).unwrap_or(1_000_000_u64);
    println!("{requests} distinct requests of each kind; KiB that were allocated and not given back\n");
    println!("| flood | after a tenth | at the end | at most while it lasted | bound |");
    println!("| --- | --- | --- | --- | --- |");
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let mut passes = true;
    for flood in FLOODS {
        let [tenth, end, peak] = runtime.block_on(send(flood, requests));
        let kib = |bytes: isize| bytes / 1024;
        println!("| {} | {} | {} | {} | {} |", flood.name, kib(tenth), kib(end), kib(peak), kib(flood.most));
        passes &= peak < flood.most;
    }
    if passes { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn send(flood: &Flood, requests: u64) -> [isize; 3] {
    let inner =
        service_fn(|_: Request<Body>| -> Ready<Result<Response<Body>, Infallible>> { ready(Ok(Response::default())) });
    let service = (flood.authenticator)()().layer(inner);
    let before = live();
    forget_peak();
    let mut tenth = 0;
    for n in 0..requests {
        service.clone().oneshot((flood.request)(n)).await.expect("an answer");
        if n == requests / 10 {
            tenth = live() - before;
        }
    }
    [tenth, live() - before, peak() - before]
}

fn layer<A: Authenticator>(authenticator: A) -> AuthzLayer {
    let policy = Policy::from_json_str(POLICY).expect("a policy");
    AuthzLayer::builder(policy).authenticator(authenticator).build().expect("a layer")
}

fn jwt() -> Box<dyn Fn() -> AuthzLayer> {
    Box::new(|| layer(Jwt::hs256(SECRET).build().expect("an authenticator")))
}

/// Trusts one key, which has a `kid`.
fn key_set() -> Box<dyn Fn() -> AuthzLayer> {
    Box::new(|| {
        let key = json!({ "kty": "oct", "alg": "HS256", "kid": "k", "k": URL_SAFE_NO_PAD.encode(SECRET) });
        let keys = Keys::jwks(&json!({ "keys": [key] }).to_string());
        layer(Jwt::builder().keys(keys).algorithms([JwtAlgorithm::Hs256]).build().expect("an authenticator"))
    })
}

fn keys() -> Box<dyn Fn() -> AuthzLayer> {
    Box::new(|| {
        layer(
            ApiKeys::in_header("x-api-key")
                .key("00".repeat(32), Principal::new("ada"))
                .build()
                .expect("an authenticator"),
        )
    })
}

fn named() -> Box<dyn Fn() -> AuthzLayer> {
    Box::new(|| {
        layer(from_fn(|head: Head<'_>| {
            let user = head.headers().get("x-user")?.to_str().ok()?;
            Some(Principal::new(user).roles(["viewer"]))
        }))
    })
}

fn header(name: &str, value: &str) -> Request<Body> {
    Request::get("/me").header(name, value).body(Body::empty()).expect("a request")
}

fn bearer(token: &str) -> Request<Body> {
    header("authorization", &format!("Bearer {token}"))
}

fn path(path: &str) -> Request<Body> {
    Request::get(path).header("x-user", "ada").body(Body::empty()).expect("a request")
}

fn method(n: u64) -> Request<Body> {
    Request::builder().method(&*format!("M{n}")).uri("/hidden").body(Body::empty()).expect("a request")
}

fn token(kid: &str, subject: &str) -> String {
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = part(json!({ "alg": "HS256", "typ": "JWT", "kid": kid }));
    let claims = part(json!({ "sub": subject, "exp": 4_000_000_000_u64, "roles": ["viewer"] }));
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET).expect("a key");
    mac.update(format!("{head}.{claims}").as_bytes());
    format!("{head}.{claims}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

fn forged(n: u64) -> String {
    let good = token("k", "ada");
    let unsigned = good.rsplit_once('.').map_or("", |(unsigned, _)| unsigned);
    format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode([n.to_le_bytes(); 4].concat()))
}
