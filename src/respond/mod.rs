//! What a denied request is answered: status, challenges, headers and body.
//!
//! A [`Responder`] says how; the layer makes everything that does not depend on the request when it is built. By
//! default the body is a problem document (RFC 9457), plain text or a minimal page, whichever the `Accept` header of
//! the request prefers, and gRPC calls are answered in their own terms.

mod body;
mod challenges;
mod grpc;
mod login;
mod negotiate;
mod preferences;
mod renderer;
mod responder;
#[cfg(test)]
mod tests;

pub use negotiate::Format;
pub use preferences::Preferences;
pub(crate) use renderer::Renderer;
pub use responder::Responder;
pub(crate) use {body::is_usual, grpc::is_grpc, login::Visit, preferences::every_accept};
