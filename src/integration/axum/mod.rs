//! axum: [`AuthzLayer::protect`](crate::AuthzLayer::protect), and the extractors [`Principal`](crate::Principal),
//! `Option<Principal>` and [`Access`].

mod access;
mod extract;
mod protected;
mod resource_metadata;
mod response;
mod serve;

pub use access::Access;
pub use protected::Protected;
pub use response::{Answered, AnsweredFuture};
