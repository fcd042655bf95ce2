//! jwt-authorizer: bearer tokens and a closure over the claims. It knows axum 0.7 only.

use axum_07::{body::Body, response::Response};
use http::Request;
use jwt_authorizer::{IntoLayer, JwtAuthorizer, Validation};
use tower::{Layer, service_fn};

use super::aliri_tower::request;
use crate::{
    case::Group,
    contender::{Contender, Kind},
    token::{AUDIENCE, Claims, ISSUER, SECRET},
};

async fn leaf(_: Request<Body>) -> Result<Response, std::convert::Infallible> {
    Ok(Response::default())
}

pub fn contenders() -> Vec<Contender> {
    let build = || async {
        let secret = std::str::from_utf8(SECRET).expect("the secret is text");
        let validation = Validation::new().aud(&[AUDIENCE]).iss(&[ISSUER]);
        let authorizer = JwtAuthorizer::<Claims>::from_secret(secret)
            .validation(validation)
            .check(|claims: &Claims| claims.has("admin"))
            .build()
            .await;
        authorizer.expect("the settings are sound").into_layer().layer(service_fn(leaf))
    };
    vec![
        Contender::new(Group::Token, Kind::Peer, "jwt-authorizer", build, request)
            .note("behind axum 0.7; verified by ring; no routes, no cache"),
    ]
}
