//! What stands before a guarded application: routers that strip and layers that rewrite.

use axum::{Router, body::Body, routing::any_service};
use http::Request;
use tower::ServiceExt;

use super::{
    bytes::Bytes,
    reading::{READINGS, Reading, unmatched, with_path},
    shape::Served,
};

#[derive(Clone, Debug)]
pub(crate) enum Outside {
    Nothing,
    /// The fallback of a router.
    Fallback,
    /// `{*rest}` of a router.
    Wildcard,
    /// `nest_service` under a prefix.
    NestService(&'static str),
    /// The fallback of a router that is nested under a prefix.
    Nest(&'static str),
    /// A layer that rewrites, with no router before it.
    Rewriting(Reading),
    /// A layer that rewrites, behind a router.
    FallbackRewriting(Reading),
    /// A layer behind a router that sends `/alias` somewhere else.
    FallbackAlias(String),
    /// The same, behind a router that has stripped a prefix.
    NestAlias(&'static str, String),
    NestRewriting(&'static str, Reading),
}

const PREFIXES: &[&str] = &["/outer", "/{t}", "/x/y", "/a%20b"];

impl Outside {
    /// `target` is the path of some handler.
    pub(crate) fn of(target: &str, bytes: &mut Bytes<'_>) -> Self {
        match bytes.below(16) {
            0..4 => Self::Nothing,
            4 | 5 => Self::Fallback,
            6 => Self::Wildcard,
            7 | 8 => Self::NestService(bytes.pick(PREFIXES)),
            // axum nests no fallback under a parameter.
            9 => Self::Nest(bytes.pick(&["/outer", "/x/y", "/a%20b"])),
            10 => Self::Rewriting(bytes.pick(READINGS)),
            11 => Self::FallbackRewriting(bytes.pick(READINGS)),
            12 | 13 => Self::FallbackAlias(target.to_owned()),
            14 => Self::NestAlias(bytes.pick(PREFIXES), target.to_owned()),
            _ => Self::NestRewriting(bytes.pick(PREFIXES), bytes.pick(READINGS)),
        }
    }

    /// The pattern that stands before every path outside.
    pub(crate) fn prefix(&self) -> &'static str {
        match self {
            Self::NestService(prefix)
            | Self::Nest(prefix)
            | Self::NestAlias(prefix, _)
            | Self::NestRewriting(prefix, _) => prefix,
            _ => "",
        }
    }

    /// Whether paths are those that clients send, and no route outside says anything about them.
    pub(crate) fn is_honest(&self) -> bool {
        matches!(self, Self::Nothing | Self::Fallback | Self::NestService(_) | Self::Nest(_))
    }

    /// Whether a layer rewrites paths behind a router.
    pub(crate) fn rewrites(&self) -> bool {
        !self.is_honest() && !matches!(self, Self::Wildcard | Self::Rewriting(_))
    }

    pub(crate) fn before(&self, app: Served) -> Served {
        let fallback = |app| Served::new(Router::new().fallback_service(app));
        match self {
            Self::Nothing => app,
            Self::Fallback => fallback(app),
            Self::Wildcard => {
                let app = unmatched(app);
                let router = Router::new().route("/{*rest}", any_service(app.clone()));
                Served::new(router.route("/", any_service(app)))
            }
            Self::NestService(prefix) => Served::new(Router::new().nest_service(prefix, app)),
            Self::Nest(prefix) => Served::new(Router::new().nest(prefix, Router::new().fallback_service(app))),
            Self::Rewriting(reading) => reading.before(app),
            Self::FallbackRewriting(reading) => fallback(reading.before(app)),
            Self::FallbackAlias(target) => fallback(alias(target, app)),
            Self::NestAlias(prefix, target) => Served::new(Router::new().nest_service(prefix, alias(target, app))),
            Self::NestRewriting(prefix, reading) => {
                Served::new(Router::new().nest_service(prefix, reading.before(app)))
            }
        }
    }
}

fn alias(target: &str, app: Served) -> Served {
    let app = unmatched(app);
    let target = target.to_owned();
    Served::new(app.map_request(move |request: Request<Body>| {
        if request.uri().path().starts_with("/alias") { with_path(request, &target) } else { request }
    }))
}
