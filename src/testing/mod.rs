//! What the tests of an application need (feature `testing`).
//!
//! [`acting`] authenticates callers as tests say, and [`ActAs`] says it. [`assert_denied`] looks at the reason behind
//! an answer, [`assert_masked`] proves that a masked route cannot be told from a path that does not exist, and
//! [`assert_covered`] that policy and router list the same routes.
//!
//! ```
//! use axum::{Router, body::Body, routing::get};
//! use http::Request;
//! use tower::ServiceExt;
//! use tower_authz::{AuthzLayer, Authenticator, Policy, Principal, Reason};
//! use tower_authz::testing::{ActAs, acting, assert_covered, assert_denied, assert_masked};
//!
//! const POLICY: &str = r#"{
//!     "version": 1,
//!     "roles": { "admin": {} },
//!     "routes": {
//!         "GET /me": "authenticated",
//!         "GET /audit": { "allow": "admin", "deny_as": "not_found" }
//!     }
//! }"#;
//!
//! // What `main` calls with the authenticator that it is served with.
//! fn app(policy: Policy, authenticator: impl Authenticator) -> tower_authz::Protected {
//!     let router = Router::new().route("/me", get(|| async {})).route("/audit", get(|| async {}));
//!     AuthzLayer::builder(policy).authenticator(authenticator).build().unwrap().protect(router)
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let policy = Policy::from_json_str(POLICY)?;
//! assert_covered(&policy, [("GET", "/me"), ("GET", "/audit")]);
//!
//! let app = app(policy, acting());
//! let vera = Principal::new("vera");
//!
//! let anonymous = Request::get("/me").body(Body::empty())?;
//! assert_denied(&app.clone().oneshot(anonymous).await?, 401, Reason::NoCredentials);
//!
//! let request = Request::get("/audit").body(Body::empty())?.act_as(vera.clone());
//! assert_denied(&app.clone().oneshot(request).await?, 404, Reason::InsufficientRole);
//!
//! assert_masked(&app, Request::get("/audit").body(())?.act_as(vera), "/no/such/path").await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

mod acting;
mod covered;
mod denied;
mod masked;

pub use acting::{ActAs, acting};
pub use covered::assert_covered;
pub use denied::{assert_denied, denial};
pub use masked::assert_masked;
