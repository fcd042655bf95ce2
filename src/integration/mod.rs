//! What knows the frameworks: axum's extractors and routers.

#[cfg(feature = "axum")]
pub(crate) mod axum;
