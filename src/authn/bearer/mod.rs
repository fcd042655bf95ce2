//! Bearer tokens in requests (RFC 6750, section 2).

mod place;
mod token;

pub use place::Bearer;
pub(super) use token::{find, is_token68};
