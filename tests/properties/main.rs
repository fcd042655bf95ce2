//! The invariants of the design, through the public API: one file an invariant.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::similar_names, reason = "tests")]

use tower_authz::{CredentialError, CredentialErrorKind, Identity, Principal};

#[path = "../support/arbitrary.rs"]
mod arbitrary;
#[path = "../support/convert.rs"]
mod convert;
#[path = "../support/listening.rs"]
mod listening;
#[path = "../support/naive.rs"]
mod naive;
#[path = "../support/property.rs"]
mod property;

mod gate;
mod masked_routes_are_answered_like_missing_paths;
mod no_input_panics;
mod one_snapshot_serves_one_request;
mod order_and_more_roles_change_nothing;
mod the_layer_decides_as_the_page_says;
mod unauthorized_answers_say_how_to_authenticate;
