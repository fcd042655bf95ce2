//! The policy: document, compiler, route lookup and the pure decision.

mod compiled;
mod document;
mod lookup;
