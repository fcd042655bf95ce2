//! For whom something is open, as functions of everything that it may depend on.
//!
//! The difference between two policies and the findings about one are proved with these functions: two rules are open
//! for the same callers if and only if their functions are the same.

mod classes;
mod facts;
mod function;
mod index;
mod possible;
mod shape;
mod side;

pub(crate) use classes::{Class, Classes};
pub(crate) use facts::{ClaimText, Fact, Facts};
pub(crate) use function::Function;
pub(crate) use index::Index;
pub(crate) use possible::representative;
pub(crate) use shape::{Shape, Strangers};
pub(crate) use side::{Access, Callers, Side};
