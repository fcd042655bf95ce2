//! The layer as its users put it together: one file a behaviour.
#![cfg(feature = "axum")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of a test may fail it"
)]
#![allow(clippy::too_many_lines, clippy::items_after_statements, clippy::similar_names, reason = "tests are tables")]

#[path = "../support/mod.rs"]
mod support;

mod a_candidate_policy_changes_no_answer;
mod bodies_keep_their_types;
mod callers;
mod conditions_are_judged_on_the_wire;
mod denials_come_back_from_handlers;
mod events_tell_the_whole_story;
#[cfg(feature = "tonic")]
mod grpc_clients_understand;
mod guards_demand_what_they_say;
mod identity_is_found_once;
mod nothing_is_buffered;
mod protect_judges_what_the_router_matched;
mod readiness_is_never_assumed;
mod report_only_and_shadow_change_nothing;
mod services_of_every_shape_are_guarded;
