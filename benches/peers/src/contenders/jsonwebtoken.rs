//! The verification alone, with the crate that most others use, too.

use std::sync::Arc;

use axum::{body::Body, response::Response};
use http::{Request, StatusCode, header};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tower::service_fn;

use super::aliri_tower::request;
use crate::{
    case::Group,
    contender::{Contender, Kind},
    token::{AUDIENCE, Claims, ISSUER, SECRET},
};

struct Verifier {
    key: DecodingKey,
    validation: Validation,
}

impl Verifier {
    fn new() -> Arc<Self> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[ISSUER]);
        Arc::new(Self { key: DecodingKey::from_secret(SECRET), validation })
    }

    fn claims<T: DeserializeOwned>(&self, request: &Request<Body>) -> Option<T> {
        let header = request.headers().get(header::AUTHORIZATION)?;
        let token = header.to_str().ok()?.strip_prefix("Bearer ")?;
        Some(jsonwebtoken::decode(token, &self.key, &self.validation).ok()?.claims)
    }
}

fn answer(may: Option<bool>) -> Result<Response, std::convert::Infallible> {
    let mut response = Response::default();
    *response.status_mut() = match may {
        Some(true) => StatusCode::OK,
        Some(false) => StatusCode::FORBIDDEN,
        None => StatusCode::UNAUTHORIZED,
    };
    Ok(response)
}

fn names_admin(claims: &Map<String, Value>) -> bool {
    claims.get("roles").and_then(Value::as_array).is_some_and(|roles| roles.iter().any(|role| role == "admin"))
}

pub fn contenders() -> Vec<Contender> {
    let typed = || async {
        let verifier = Verifier::new();
        service_fn(move |request: Request<Body>| {
            let may = verifier.claims::<Claims>(&request).map(|claims| claims.has("admin"));
            async move { answer(may) }
        })
    };
    let mapped = || async {
        let verifier = Verifier::new();
        service_fn(move |request: Request<Body>| {
            let may = verifier.claims::<Map<String, Value>>(&request).map(|claims| names_admin(&claims));
            async move { answer(may) }
        })
    };
    vec![
        Contender::new(Group::Token, Kind::ByHand, "`jsonwebtoken::decode`, all claims", mapped, request)
            .note("the verification alone"),
        Contender::new(Group::Token, Kind::ByHand, "`jsonwebtoken::decode`, seven claims", typed, request)
            .note("the verification alone, into a struct"),
    ]
}
