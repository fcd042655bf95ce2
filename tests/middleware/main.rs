//! The layer as its users put it together: one file a behaviour.
#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of a test may fail it")]

#[path = "../support/mod.rs"]
mod support;

mod callers;
mod denials_come_back_from_handlers;
mod guards_demand_what_they_say;
mod protect_judges_what_the_router_matched;
mod readiness_is_never_assumed;
