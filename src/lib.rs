//! Authorization for tower and axum.
#![allow(dead_code, reason = "the crate is under construction")]

pub mod analysis;
pub mod authn;
mod challenge;
mod clock;
mod config;
mod decision;
mod diagnostic;
mod identity;
mod integration;
mod middleware;
mod path;
pub mod policy;
mod principal;
pub mod report;
pub mod respond;
mod role;
mod target;
#[cfg(feature = "testing")]
pub mod testing;

pub use authn::{Authentication, Authenticator};
pub use challenge::Challenge;
pub use clock::{Clock, SystemClock};
pub use decision::{Denial, Mask, Reason};
pub use diagnostic::{Diagnostic, Severity, Span};
pub use identity::{CredentialError, CredentialErrorKind, Failure, Identity, Unavailable};
#[cfg(feature = "axum")]
pub use integration::axum::{Access, Answered, AnsweredFuture, Protected};
pub use middleware::{
    AnyBody, AnyBodyFuture, AnyBodyLayer, AnyBodyService, Authz, AuthzLayer, AuthzLayerBuilder, BuildError,
    BuildErrorKind, DenialBody, Guard, Guarded, GuardedFuture, Identified, IdentifiedFuture, Identify, ResponseFuture,
};
pub use policy::{CheckContext, Enforcement, Policy, PolicyError, PolicyErrorKind, PolicyHandle, PolicyStatus};
pub use principal::Principal;
pub use target::{Head, Target};

#[cfg(all(doctest, feature = "axum", feature = "jwt"))]
#[doc = include_str!("../README.md")]
struct Readme;
