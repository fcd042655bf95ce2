//! Authorization for [tower](tower_layer) and axum: one [`Policy`] says who may call which route, an [`AuthzLayer`]
//! enforces it.
//!
//! ```
//! use axum::{Router, routing::get};
//! use tower_authz::{AuthzLayer, Policy, Principal, authn};
//!
//! let policy = Policy::from_json_str(r#"{
//!     "version": 1,
//!     "roles": { "viewer": { "permissions": ["invoice:read"] }, "admin": { "inherits": ["viewer"] } },
//!     "routes": {
//!         "GET /health": { "public": "load balancer probe" },
//!         "GET /invoices/{id}": "invoice:read",
//!         "ANY /internal/{*rest}": { "allow": "admin", "deny_as": "not_found" }
//!     }
//! }"#)?;
//! let authz = AuthzLayer::builder(policy)
//!     .authenticator(authn::from_fn(|head| {
//!         let key = head.headers().get("x-api-key")?;
//!         (key == "open sesame").then(|| Principal::new("ali").roles(["viewer"]))
//!     }))
//!     .build()?;
//! let app = authz.protect(Router::new().route("/invoices/{id}", get(|| async { "an invoice" })));
//! # let _ = app.into_make_service();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The README tells how to begin; this page tells how the house is built.
//!
//! # Six nouns
//!
//! | | |
//! | --- | --- |
//! | [`Policy`] | who may call which route: read from a document, or [built](Policy::builder) in code |
//! | [`AuthzLayer`] | enforces it around any service; [`protect`](AuthzLayer::protect) puts it around a whole axum router |
//! | [`Authenticator`] | finds out who is calling; [`authn`] has the usual ones, and closures work |
//! | [`Principal`] | who is calling: subject, roles, permissions, claims |
//! | [`Guard`] | guards a single route, with a policy or behind [`Identify`] alone |
//! | [`Denial`] | why a request is refused; handlers return their own |
//!
//! A *rule* says what one method of one route needs; a *grant* is one way to satisfy it.
//!
//! # The way of a request
//!
//! ```text
//! head ─► policy snapshot (loaded once) ─► readings of the path ─► rules ─► authenticator ─► Identity
//!      ─► decide (pure) ─► report ─► Allow(Permit): forward   |   Deny(Denial): render
//! ```
//!
//! - One snapshot of the policy serves the whole request, however often it is [replaced](PolicyHandle::replace).
//! - The path is read in every way in which a service behind might read it: with escapes decoded, parameters dropped,
//!   slashes merged. Each reading selects a rule, and the request must satisfy them all. A path that no honest client
//!   sends, such as one with dot segments, is answered 400.
//! - `decide` is a pure function of policy, readings, identity, client address and time; [`analysis`] asks the very
//!   same one. Only it can mint the permit without which nothing is forwarded.
//! - A denial is reported once, and answered by one renderer. Masked and missing take the same way through it, so that
//!   they cannot be told apart.
//! - Identities travel in extensions, never in headers, and the headers that an authenticator has read are removed.
//!
//! # The house
//!
//! | module | what lives there | may import |
//! | --- | --- | --- |
//! | `principal` `role` `identity` `target` `decision` `challenge` `diagnostic` `clock` | the vocabulary: small value types | each other |
//! | `path` | which paths are rejected, how the others are read | nothing of the crate |
//! | [`policy`] | document tree, compiler, lookup of routes, `decide`, the snapshot | vocabulary, `path` |
//! | `config` | texts in JSON, TOML and YAML to the document tree, with places | vocabulary, `policy` |
//! | [`authn`] | authenticators, the address of the client | vocabulary |
//! | [`respond`] | how denials are answered | vocabulary |
//! | [`report`] | how decisions are reported | vocabulary |
//! | [`analysis`] | what a policy would decide, and why | `policy`, `path`, vocabulary |
//! | `reload` | replacing the policy in force when its file changes | `config`, `policy`, `analysis`, vocabulary |
//! | `middleware` | the layer, its service and future, guards, `Identify` | all above |
//! | `integration` | `protect` and the extractors of axum | `middleware`, vocabulary |
//! | `testing` | what the tests of an application need | all above |
//!
//! `authn`, `policy`, `respond` and `report` never import each other, nothing imports upwards, and there are no
//! circles; a test holds this table against the code.
//!
//! # Where to find what
//!
//! | question | place |
//! | --- | --- |
//! | What may stand in a policy? | `policy/grammar/`, one file a part of the document |
//! | Which rule does a path select? | `path/readings.rs`, `policy/select.rs`, `policy/lookup.rs`, `policy/trie.rs` |
//! | Who is let in, and which reason wins? | `policy/decide.rs`, `policy/judge.rs` |
//! | What is the whole way of a request? | `middleware/service.rs`, and `middleware/gate.rs` for its steps |
//! | What does a denial look like? | `respond/renderer.rs`; the event in `report/tracing.rs` |
//! | How are tokens verified? | `authn/jwt/`; where the keys come from in `authn/jwt/remote/` |
//!
//! # Features
//!
//! | feature | what it adds |
//! | --- | --- |
//! | `axum` (default) | [`protect`](AuthzLayer::protect), the extractors, [`Denial`] as a response |
//! | `jwt`, `jwt-rust-crypto` | bearer tokens, verified by aws-lc-rs or in pure Rust |
//! | `jwks` | the keys of providers, by [discovery](authn::Jwt::discover) or at an address, kept up to date |
//! | `api-keys` | API keys |
//! | `tonic` | denials in tonic's body type |
//! | `toml`, `yaml` | policies in these formats |
//! | `watch` | a policy that follows its file |
//! | `testing` | acting as a principal, and assertions for tests |
//! | `serde` | explanations, tables and comparisons as values of serde |
//! | `cli` | the command `tower-authz` |

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
#[cfg(feature = "watch")]
pub mod reload;
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

#[cfg(all(doctest, feature = "axum", feature = "jwks"))]
#[doc = include_str!("../README.md")]
struct Readme;
