//! Everyone who does the work, one file each.

mod aliri_tower;
mod axum_casbin;
mod axum_gate;
mod axum_jwt_auth;
mod axum_login;
mod by_hand;
mod floor;
mod jsonwebtoken;
mod jwt_authorizer;
mod optimum;
mod ours;
mod promises;
mod protect_axum;
mod tower_http;
mod tower_oauth2_resource_server;

pub use self::{
    aliri_tower::around as aliri_around,
    axum_login::{around as login_around, cookie},
    by_hand::around as by_hand_around,
    optimum::{Optimum, Rules as OptimumRules, Tokens},
    ours::{by_token, usual},
};
use crate::contender::Contender;

/// All of them, the floors first.
pub fn all() -> Vec<Contender> {
    [
        floor::contenders(),
        optimum::contenders(),
        promises::contenders(),
        by_hand::contenders(),
        tower_http::contenders(),
        protect_axum::contenders(),
        axum_casbin::contenders(),
        axum_login::contenders(),
        jsonwebtoken::contenders(),
        aliri_tower::contenders(),
        jwt_authorizer::contenders(),
        axum_gate::contenders(),
        axum_jwt_auth::contenders(),
        tower_oauth2_resource_server::contenders(),
        ours::contenders(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
