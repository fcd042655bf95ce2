//! The metadata of a protected resource, served.

use axum::{
    Router,
    http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE},
    routing::get,
};

use crate::authn::ResourceMetadata;

impl ResourceMetadata {
    /// A router that answers [`path`](Self::path) with the metadata, to everyone, scripts of other origins included.
    ///
    /// Merge it outside the layer, or list the path as public in the policy.
    pub fn into_router<S>(self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let json = self.to_json();
        let headers = [(CONTENT_TYPE, "application/json"), (ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
        Router::new().route(self.path(), get(move || async move { (headers, json) }))
    }
}
