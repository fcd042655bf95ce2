//! What the tests share: clients that send exactly what they are told, a server for anything, and a listener for events.
#![allow(dead_code, unused_imports, reason = "every test uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of a test may fail it"
)]

pub(crate) mod answer;
pub(crate) mod bypass;
pub(crate) mod events;
pub(crate) mod http1;
pub(crate) mod http2;
pub(crate) mod readers;
pub(crate) mod server;
pub(crate) mod shapes;

pub(crate) use answer::Answer;
pub(crate) use events::Events;
pub(crate) use http1::Ask;
pub(crate) use server::serve;
