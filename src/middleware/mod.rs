//! The layer: from a request to its answer, in one direction.
//!
//! ```text
//! head ─► policy snapshot (loaded once) ─► readings of the path ─► rules ─► authenticator ─► Identity
//!      ─► decide (pure) ─► report ─► Allow(Permit): forward   |   Deny(Denial): render
//! ```
//!
//! `service.rs` shows it whole; `gate.rs` is what the services of one layer share. [`Guard`] and [`Identify`] are
//! the halves: requirements without a policy, and authentication alone.

mod answering;
mod body;
mod builder;
mod context;
mod future;
mod gate;
mod guard;
mod identify;
mod layer;
#[cfg(feature = "axum")]
mod route_check;
mod service;

#[cfg(feature = "testing")]
pub(crate) use answering::denial_in;
#[cfg(feature = "axum")]
pub(crate) use answering::{default_answer, report_at_once};
pub use body::{AnyBody, AnyBodyFuture, AnyBodyService, DenialBody};
pub use builder::{AuthzLayerBuilder, BuildError, BuildErrorKind};
#[cfg(feature = "axum")]
pub(crate) use context::Found;
pub use future::{GuardedFuture, ResponseFuture};
#[cfg(feature = "axum")]
pub(crate) use gate::Position;
pub use guard::{Guard, Guarded};
pub use identify::{Identified, IdentifiedFuture, Identify};
pub use layer::{AnyBodyLayer, AuthzLayer};
#[cfg(feature = "axum")]
pub(crate) use route_check::RouteCheckLayer;
pub use service::Authz;
