//! tower-oauth2-resource-server: bearer tokens of one or more issuers; what is behind it compares roles.

use axum::{body::Body, response::Response};
use http::{Request, StatusCode};
use jsonwebtoken::Algorithm;
use tower::{Layer, service_fn};
use tower_oauth2_resource_server::{
    server::OAuth2ResourceServer, tenant::TenantConfiguration, validation::ClaimsValidationSpec,
};

use super::aliri_tower::request;
use crate::{
    case::Group,
    contender::{Contender, Kind},
    token::{AUDIENCE, Claims, ISSUER, key_set},
};

async fn handler(request: Request<Body>) -> Result<Response, std::convert::Infallible> {
    let mut response = Response::default();
    if !request.extensions().get::<Claims>().is_some_and(|claims| claims.has("admin")) {
        *response.status_mut() = StatusCode::FORBIDDEN;
    }
    Ok(response)
}

pub fn contenders() -> Vec<Contender> {
    let build = || async {
        let expected = ClaimsValidationSpec::new().iss(ISSUER).aud(&[AUDIENCE].map(str::to_owned).to_vec()).exp(true);
        let tenant = TenantConfiguration::static_builder(key_set())
            .claims_validation(expected)
            .allowed_algorithms(&[Algorithm::HS256])
            .build()
            .expect("the key set is sound");
        let server = OAuth2ResourceServer::<Claims>::builder().add_tenant(tenant).build().await;
        server.expect("the settings are sound").into_layer().layer(service_fn(handler))
    };
    vec![
        Contender::new(Group::Token, Kind::Peer, "tower-oauth2-resource-server", build, request)
            .note("keys from a static set; what is behind it compares roles; no routes, no cache"),
    ]
}
