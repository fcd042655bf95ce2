//! axum-jwt-auth: an extractor of verified claims; the handler compares roles.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::FromRef,
    handler::Handler,
    response::{IntoResponse, Response},
};
use axum_jwt_auth::{Claims as Verified, Decoder, LocalDecoder};
use http::StatusCode;
use jsonwebtoken_10::{Algorithm, DecodingKey, Validation};

use super::aliri_tower::request;
use crate::{
    case::Group,
    contender::{Contender, Kind},
    token::{AUDIENCE, Claims, ISSUER, SECRET},
};

#[derive(Clone)]
struct Settings {
    decoder: Decoder<Claims>,
}

impl FromRef<Settings> for Decoder<Claims> {
    fn from_ref(settings: &Settings) -> Self {
        Arc::clone(&settings.decoder)
    }
}

async fn handler(caller: Verified<Claims>) -> Response {
    if caller.claims.has("admin") { Response::default() } else { StatusCode::FORBIDDEN.into_response() }
}

pub fn contenders() -> Vec<Contender> {
    let build = || async {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[ISSUER]);
        let keys = vec![DecodingKey::from_secret(SECRET)];
        let decoder =
            LocalDecoder::builder().keys(keys).validation(validation).build().expect("the settings are sound");
        handler.with_state(Settings { decoder: Arc::new(decoder) })
    };
    vec![
        Contender::new(Group::Token, Kind::Peer, "axum-jwt-auth", build, request::<Body>)
            .note("an extractor: the handler compares roles; no routes, no cache"),
    ]
}
