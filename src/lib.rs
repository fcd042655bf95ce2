//! Authorization for tower and axum.
#![allow(dead_code, reason = "the crate is under construction")]

pub mod authn;
mod challenge;
mod clock;
mod config;
mod decision;
mod diagnostic;
mod identity;
mod path;
pub mod policy;
mod principal;
pub mod report;
pub mod respond;
mod role;
mod target;

pub use authn::{Authentication, Authenticator};
pub use challenge::Challenge;
pub use clock::{Clock, SystemClock};
pub use decision::{Denial, Mask, Reason};
pub use diagnostic::{Diagnostic, Severity, Span};
pub use identity::{CredentialError, CredentialErrorKind, Failure, Identity, Unavailable};
pub use policy::{Policy, PolicyError, PolicyErrorKind};
pub use principal::Principal;
pub use target::{Head, Target};
