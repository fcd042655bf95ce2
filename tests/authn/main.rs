//! Who is calling, as authenticators find it out: one file a behaviour.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::net::SocketAddr;

use http::{Request, request::Builder};
use tower_authz::{Authenticator, CredentialErrorKind, Head, Identity, authn::PeerAddr};

#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
mod algorithms_are_bound_to_keys;
#[cfg(feature = "api-keys")]
mod api_keys_are_known_by_their_hashes;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
mod attacks_on_tokens_fail;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
mod bearer_tokens_are_taken_from_one_place;
mod chains_let_one_member_decide;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
mod claims_of_every_shape_are_read;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
mod claims_of_tokens_become_principals;
mod client_address_is_never_what_an_attacker_chose;
mod closures_are_authenticators;
mod extensions_name_the_caller;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
mod issuers_speak_for_themselves_alone;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
mod keys;
mod no_header_panics;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
mod presets_read_what_providers_send;
#[path = "../support/property.rs"]
mod property;
mod proxies_name_the_caller;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
mod remembered_tokens_allocate_nothing;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
mod tokens;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
mod tokens_are_proved_before_they_are_believed;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
mod tokens_come_through_other_places_where_asked;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
mod tokens_meet_policies;
mod trust_is_never_given_to_everyone;

/// Runs an authenticator to its end.
async fn identify(authenticator: &impl Authenticator, request: &Request<()>) -> Identity {
    authenticator.authenticate(Head::from(request)).wait().await
}

/// What an identity is, in a word or two.
fn outcome(identity: &Identity) -> String {
    match identity {
        Identity::Anonymous => "anonymous".to_owned(),
        Identity::Authenticated(principal) => principal.subject().to_owned(),
        Identity::Rejected(error) => format!("rejected: {}", error.kind().as_str()),
        Identity::Unavailable(_) => "unavailable".to_owned(),
        Identity::Failed(_) => "failed".to_owned(),
        other => panic!("{other:?}"),
    }
}

fn rejected(kind: CredentialErrorKind) -> String {
    format!("rejected: {}", kind.as_str())
}

/// A request over a connection from `peer`.
fn request_from(peer: &str) -> Builder {
    let peer: SocketAddr = peer.parse().unwrap();
    Request::get("/").extension(PeerAddr(peer))
}
