//! Finding out who is calling.

mod authenticator;

pub use authenticator::{Authentication, Authenticator, BoxFuture};
