//! The metadata of a protected resource, served.

use axum::{
    Router,
    http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE},
    routing::get,
};

use crate::authn::ResourceMetadata;

impl ResourceMetadata {
    /// A router that answers [`path`](Self::path) with the metadata, to everyone, scripts of other origins included.
    /// Where the path ends in a slash, it answers the same without it, as some clients ask.
    ///
    /// Merge it outside the layer, or list the path as public in the policy.
    pub fn into_router<S>(self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let json = self.to_json();
        let headers = [(CONTENT_TYPE, "application/json"), (ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
        let answer = get(move || async move { (headers, json) });
        let without_slash = self.path().strip_suffix('/').into_iter();
        without_slash.fold(Router::new(), |router, path| router.route(path, answer.clone())).route(self.path(), answer)
    }
}
