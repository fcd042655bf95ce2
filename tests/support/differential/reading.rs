//! Layers that read a path in their own way before a router sees it.

use axum::{body::Body, extract::MatchedPath, http::Uri};
use http::Request;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use tower::ServiceExt;
use tower_http::normalize_path::NormalizePath;

use super::shape::Served;
use crate::readers::{backslashes, decode, decode_to_the_end, dots, merge, parameterless, queryless, trim};

/// A way to read a path, as a layer that rewrites it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reading {
    AsItIs,
    Trim,
    Append,
    Steps(&'static str, &'static [fn(&str) -> String]),
}

pub(crate) const READINGS: &[Reading] = &[
    Reading::AsItIs,
    Reading::Trim,
    Reading::Append,
    Reading::Steps("decode", &[decode]),
    Reading::Steps("decode_to_the_end", &[decode_to_the_end]),
    Reading::Steps("merge", &[merge]),
    Reading::Steps("trim", &[trim]),
    Reading::Steps("param", &[parameterless]),
    Reading::Steps("dots", &[dots]),
    Reading::Steps("decode merge trim", &[decode, merge, trim]),
    Reading::Steps("param decode", &[parameterless, decode]),
    Reading::Steps("decode param", &[decode, parameterless]),
    Reading::Steps("decode query", &[decode, queryless]),
    Reading::Steps("decode decode query trim", &[decode, decode, queryless, trim]),
    Reading::Steps("param decode param merge trim", &[parameterless, decode, parameterless, merge, trim]),
    Reading::Steps("back decode back dots", &[backslashes, decode, backslashes, dots]),
    Reading::Steps(
        "back decode_to_the_end back param query dots merge trim",
        &[backslashes, decode_to_the_end, backslashes, parameterless, queryless, dots, merge, trim],
    ),
];

/// Those that do not decode.
pub(crate) const SLASHES: &[Reading] =
    &[Reading::AsItIs, Reading::Trim, Reading::Steps("merge", &[merge]), Reading::Steps("trim", &[trim])];

impl Reading {
    /// `service` behind the layer.
    pub(crate) fn before(self, service: Served) -> Served {
        let service = if matches!(self, Self::AsItIs) { service } else { unmatched(service) };
        match self {
            Self::AsItIs => service,
            Self::Trim => Served::new(NormalizePath::trim_trailing_slash(service)),
            Self::Append => Served::new(NormalizePath::append_trailing_slash(service)),
            Self::Steps(_, steps) => Served::new(service.map_request(move |request: Request<Body>| {
                let read = steps.iter().fold(request.uri().path().to_owned(), |path, step| step(&path));
                with_path(request, &read)
            })),
        }
    }
}

/// The request with another path, as far as a URI can say it.
pub(crate) fn with_path(mut request: Request<Body>, path: &str) -> Request<Body> {
    const UNSAFE: &AsciiSet = &CONTROLS.add(b' ').add(b'?').add(b'#').add(b'"').add(b'<').add(b'>');
    let path = if path.is_empty() { "/" } else { path };
    if path == request.uri().path() {
        return request;
    }
    let path = utf8_percent_encode(path, UNSAFE).to_string();
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    if let Ok(uri) = Uri::builder().path_and_query(format!("{path}{query}")).build()
        && uri.path() == path
    {
        *request.uri_mut() = uri;
    }
    request
}

/// Without what axum says of a route outside, where it would assert in debug builds that a nest inside has none.
pub(crate) fn unmatched(app: Served) -> Served {
    if !cfg!(debug_assertions) {
        return app;
    }
    Served::new(app.map_request(|mut request: Request<Body>| {
        request.extensions_mut().remove::<MatchedPath>();
        request
    }))
}
