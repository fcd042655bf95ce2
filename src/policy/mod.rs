//! The policy: document, compiler, route lookup and the pure decision.

mod capture;
mod check;
mod compiled;
mod decide;
mod document;
mod judge;
mod lookup;
mod pattern;
mod select;
