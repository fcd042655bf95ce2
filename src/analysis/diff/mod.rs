//! What changes from one policy to another, and for whom.

mod between;
mod caller;
mod change;
mod show;
mod witness;

pub use between::Diff;
pub use caller::DiffCaller;
pub use change::Change;
