//! Tokens and keys that other libraries made, for every algorithm that is accepted: `tokens.json` says which tokens, and
//! what is to become of each.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use axum::{Router, body::Body, routing::get};
use http::{Method, Request, Response, StatusCode, header};
use tower::ServiceExt;
use tower_authz::{
    Authenticator, AuthzLayer, Denial, Head, Policy, Protected,
    authn::{Issuer, Jwt, JwtAlgorithm, Keys},
    report::Event,
};

use crate::{
    command,
    maker::{Made, Table},
};

const POLICY: &str = r#"{
    "version": 1,
    "roles": { "editor": {}, "admin": {} },
    "routes": { "GET /invoices": "editor", "DELETE /invoices": "admin" }
}"#;

const ALGORITHMS: [JwtAlgorithm; 12] = [
    JwtAlgorithm::Hs256,
    JwtAlgorithm::Hs384,
    JwtAlgorithm::Hs512,
    JwtAlgorithm::Rs256,
    JwtAlgorithm::Rs384,
    JwtAlgorithm::Rs512,
    JwtAlgorithm::Ps256,
    JwtAlgorithm::Ps384,
    JwtAlgorithm::Ps512,
    JwtAlgorithm::Es256,
    JwtAlgorithm::Es384,
    JwtAlgorithm::EdDsa,
];

#[tokio::test]
async fn tokens_of_jose_are_judged_as_the_table_says() {
    judge_all(&Made::by("node", "scripts/with_jose.mjs")).await;
}

#[tokio::test]
async fn tokens_of_pyjwt_are_judged_as_the_table_says() {
    judge_all(&Made::by("venv/bin/python", "scripts/with_pyjwt.py")).await;
}

#[tokio::test]
async fn tokens_of_joserfc_are_judged_as_the_table_says() {
    judge_all(&Made::by("venv/bin/python", "scripts/with_joserfc.py")).await;
}

/// What one of the two refuses may be strictness; what only we accept would be a hole.
#[tokio::test]
async fn no_token_is_accepted_that_jose_refuses() {
    let output = command("node").arg("scripts/mutants.mjs").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mutants: Vec<(String, bool)> = serde_json::from_slice(&output.stdout).unwrap();
    let jwt = Jwt::hs256(&[7; 32])
        .issuer("https://id.example")
        .audience("billing")
        .leeway(Duration::from_secs(10))
        .clock(|| SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000))
        .build()
        .unwrap();
    let mut counted = BTreeMap::new();
    for (token, theirs) in mutants {
        let request = Request::get("/").header(header::AUTHORIZATION, format!("Bearer {token}")).body(()).unwrap();
        let identity = jwt.authenticate(Head::from(&request)).wait().await;
        let ours = identity.principal().is_some();
        assert!(theirs || !ours, "{token}");
        *counted.entry((ours, theirs)).or_insert(0) += 1;
    }
    println!("accepted by us, by jose: {counted:?}");
    assert!(counted[&(true, true)] > 500 && counted[&(false, false)] > 500, "{counted:?}");
}

async fn judge_all(made: &Made) {
    let table = Table::read();
    let names: Vec<_> = made.algorithms.iter().map(|algorithm| algorithm.name.as_str()).collect();
    assert_eq!(names, ALGORITHMS.map(JwtAlgorithm::as_str), "every algorithm");
    let (mut judged, mut wrong) = (BTreeMap::new(), Vec::new());
    for (made_for, ours) in made.algorithms.iter().zip(ALGORITHMS) {
        for (form, keys) in made_for.keys(&made.set()) {
            let service = Service::new(keys, ours);
            for row in table.rows_for(made_for) {
                let token = &made_for.tokens[&row.name];
                let (found, expected) = (service.judge(token).await, row.expected(form));
                *judged.entry(expected).or_insert(0) += 1;
                if found != expected {
                    wrong.push(format!("{ours}, {form:?}, a token {}: {found} instead of {expected}", row.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    println!("judged rightly: {judged:?}");
}

/// Invoices behind the layer.
struct Service {
    app: Protected,
    denials: Arc<Mutex<Vec<String>>>,
}

impl Service {
    fn new(keys: Keys, algorithm: JwtAlgorithm) -> Self {
        let issuer = Issuer::new("https://id.example").keys(keys).algorithms([algorithm]).audience("billing");
        let denials = Arc::new(Mutex::new(Vec::new()));
        let reported = Arc::clone(&denials);
        let authz = AuthzLayer::builder(Policy::from_json_str(POLICY).unwrap())
            .authenticator(Jwt::builder().trust(issuer).build().unwrap())
            .reporter(move |event: &Event<'_>| {
                let detail = event.denial().and_then(Denial::get_detail).unwrap_or_default();
                reported.lock().unwrap().extend(detail.split(':').next().map(str::to_owned));
            });
        let router = Router::new().route("/invoices", get(async || "invoices").delete(async || "deleted"));
        Self { app: authz.build().unwrap().protect(router), denials }
    }

    /// Who the token says is calling, or why it is refused; the answers must be the same.
    async fn judge(&self, token: &str) -> String {
        let (get, delete) = (self.ask(Method::GET, token).await, self.ask(Method::DELETE, token).await);
        let mut reasons: Vec<_> = self.denials.lock().unwrap().drain(..).collect();
        reasons.dedup();
        match (get.status(), delete.status()) {
            (StatusCode::OK, StatusCode::FORBIDDEN) => "ada".to_owned(),
            (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED) => {
                let challenge = get.headers()[header::WWW_AUTHENTICATE].to_str().unwrap();
                assert!(
                    challenge.starts_with("Bearer ") && challenge.contains(r#"error="invalid_token""#),
                    "{challenge}"
                );
                reasons.join(" and ")
            }
            (get, delete) => format!("{get} and {delete}"),
        }
    }

    async fn ask(&self, method: Method, token: &str) -> Response<Body> {
        let request = Request::builder().method(method).uri("/invoices");
        let request = request.header(header::AUTHORIZATION, format!("Bearer {token}")).body(Body::empty()).unwrap();
        self.app.clone().oneshot(request).await.unwrap()
    }
}
