//! axum-gate: bearer tokens with an account of its own form, and a policy of roles.

use std::sync::Arc;

use axum_gate::{
    accounts::Account,
    authz::AccessPolicy,
    codecs::jwt::{JsonWebToken, JsonWebTokenOptions, JwtClaims},
    gate::Gate,
    jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation},
    prelude::Group as AccountGroup,
};
use http::StatusCode;
use tower::{Layer, service_fn};

use super::aliri_tower::request;
use crate::{
    case::{Case, Group},
    contender::{Contender, Kind},
    token::{AUDIENCE, ISSUER, KEY_ID, Role, SECRET},
    work::leaf,
};

type Codec = JsonWebToken<JwtClaims<Account<Role, AccountGroup>>>;

fn codec() -> Arc<Codec> {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_audience(&[AUDIENCE]);
    let options = JsonWebTokenOptions {
        enc_key: EncodingKey::from_secret(SECRET),
        dec_key: DecodingKey::from_secret(SECRET),
        header: Some(Header { kid: Some(KEY_ID.to_owned()), ..Header::new(Algorithm::HS256) }),
        validation: Some(validation),
    };
    Arc::new(Codec::new_with_options(options))
}

pub fn contenders() -> Vec<Contender> {
    let build = || async {
        Gate::bearer::<Codec, Role, AccountGroup>(ISSUER, codec())
            .with_policy(AccessPolicy::require_role(Role::Admin))
            .layer(service_fn(leaf))
    };
    vec![
        Contender::new(Group::Token, Kind::Peer, "axum-gate", build, request)
            .answers(Case::Forbidden, StatusCode::UNAUTHORIZED)
            .note("an account of its own form as claims; no routes, no cache"),
    ]
}
