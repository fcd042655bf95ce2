//! The policy: document, compiler, route lookup and the pure decision.

mod capture;
mod compiled;
mod document;
mod lookup;
mod pattern;
