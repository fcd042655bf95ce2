//! `aliri_tower`: bearer tokens and a policy of scopes.

use aliri::{Jwk, Jwks, jwa, jwk, jwt};
use aliri_base64::Base64UrlRef;
use aliri_clock::UnixTime;
use aliri_oauth2::{Authority, HasScope, policy, scope};
use aliri_tower::Oauth2Authorizer;
use axum::body::Body;
use http::Request;
use serde::Deserialize;
use tower::{Layer, service_fn};

use crate::{
    case::{Case, Group},
    contender::{Contender, Kind},
    token::{AUDIENCE, ISSUER, KEY_ID, SECRET},
    work::{AppService, Callers, leaf, router, with_token},
};

#[derive(Clone, Debug, Deserialize)]
struct Claims {
    iss: jwt::Issuer,
    aud: jwt::Audiences,
    sub: jwt::Subject,
    exp: UnixTime,
    nbf: UnixTime,
    scope: scope::Scope,
}

impl jwt::CoreClaims for Claims {
    fn nbf(&self) -> Option<UnixTime> {
        Some(self.nbf)
    }

    fn exp(&self) -> Option<UnixTime> {
        Some(self.exp)
    }

    fn aud(&self) -> &jwt::Audiences {
        &self.aud
    }

    fn iss(&self) -> Option<&jwt::IssuerRef> {
        Some(&self.iss)
    }

    fn sub(&self) -> Option<&jwt::SubjectRef> {
        Some(&self.sub)
    }
}

impl HasScope for Claims {
    fn scope(&self) -> &scope::Scope {
        &self.scope
    }
}

fn authority() -> Authority {
    let key = Jwk::from(jwa::Hmac::new(Base64UrlRef::from_slice(SECRET).to_owned()))
        .with_algorithm(jwa::Algorithm::HS256)
        .with_key_id(jwk::KeyId::from_static(KEY_ID));
    let mut keys = Jwks::default();
    keys.add_key(key);
    let validator = jwt::CoreValidator::default()
        .add_approved_algorithm(jwa::Algorithm::HS256)
        .add_allowed_audience(jwt::Audience::from_static(AUDIENCE))
        .require_issuer(jwt::Issuer::from_static(ISSUER));
    Authority::new(keys, validator)
}

/// Without routes there is nothing public, and nothing hidden.
pub fn request<B: Default>(callers: &mut Callers, case: Case) -> Option<Request<B>> {
    if matches!(case, Case::Public | Case::Masked) { None } else { with_token(callers, case) }
}

fn guarded(inner: impl AppService) -> impl AppService {
    let authorizer = Oauth2Authorizer::new().with_claims::<Claims>().with_terse_error_handler::<Body>();
    let scopes = authorizer.scope_layer::<Body>(policy![scope!["admin"]]);
    authorizer.jwt_layer::<Body>(authority()).layer(scopes.layer(inner))
}

/// Around a router.
pub fn around() -> impl AppService {
    guarded(router())
}

pub fn contenders() -> Vec<Contender> {
    let build = || async { guarded(service_fn(leaf)) };
    vec![
        Contender::new(Group::Token, Kind::Peer, "aliri_tower", build, request)
            .note("compares scopes; verified by ring; no routes, no cache"),
    ]
}
