//! Who may call what, as a table.

mod build;
mod cell;
mod show;

pub use build::{Matrix, MatrixRow};
pub use cell::MatrixCell;
