//! Keys that providers publish: fetched over HTTPS, kept up to date in the background.
//!
//! One task for each source: `refresher` runs what `schedule` says is due, and tells how it went (`event`). `provider`
//! makes one refresh out of requests: `discovery` finds the address of the key set, `client` asks for it, `address`
//! and `tls` say whom. `freshness` reads how long the answer is good for. Requests meet `source` alone: it lends them the
//! keys in force, and lets them wait for newer ones where that is worthwhile.

mod address;
mod client;
mod discovery;
mod event;
mod freshness;
mod provider;
mod refresher;
mod schedule;
mod settings;
mod source;
mod tls;

pub use settings::RemoteKeys;
