//! The path of a request, read every way that a service behind might read it.
//!
//! A guard that reads a path differently from the service behind it is the classic way around. So
//! [`Readings`] is the closure of the path under everything that decoders, routers, proxies and file servers do
//! to it, and a request must satisfy the rule of every reading. A path that reads as something no honest client
//! means is rejected. [`StartPaths`] finds the whole path again where a router has stripped a prefix.

mod original;
mod readings;
mod reject;
mod seams;

pub(crate) use original::StartPaths;
pub(crate) use readings::{
    Readings, Wanted, decode_but_slashes, is_clean, same_but_encoded_slashes, same_but_trailing_slashes,
    with_capital_escapes,
};
pub(crate) use reject::{Rejected, Tolerance, is_dots};
