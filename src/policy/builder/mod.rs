//! Building a policy in code: the same document, made by calls, through the same compiler and checks.

mod grant;
mod node;
mod policy;
mod rule;

pub use grant::Grant;
pub use policy::{PolicyBuilder, RoleBuilder};
pub use rule::Rule;
