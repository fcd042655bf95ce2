//! Applications of random shapes: the handlers of a table in routers within routers and services behind layers.

use std::convert::Infallible;

use axum::{
    Router,
    body::Body,
    extract::RawPathParams,
    response::{IntoResponse, Response},
    routing::{MethodRouter, any},
};
use http::{HeaderValue, Request};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use tower::{Layer, util::BoxCloneSyncService};
use tower_authz::AuthzLayer;

use super::{
    bytes::Bytes,
    files,
    reading::{READINGS, Reading, SLASHES},
    table::{Route, Table, join},
    target::fill,
};

pub(crate) type Served = BoxCloneSyncService<Request<Body>, Response, Infallible>;

/// Routes that stand in one router: their places in the table, and their paths there.
type Routes = Vec<(usize, String)>;

/// A router.
#[derive(Debug, Default)]
pub(crate) struct Node {
    direct: Routes,
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Nest(String, Node),
    /// A service under a prefix, which reads paths in a way of its own.
    Service(String, Reading, Node),
    Files(String, Routes),
    Merge(Node),
    Fallback(Reading, Node),
}

/// Where the layer is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attach {
    Around,
    Protect,
    /// `Router::layer`.
    Inside,
    /// `Router::route_layer`, in every router that is a service of its own.
    RouteLayer,
    /// `MethodRouter::layer` on every handler.
    Each,
    AnyBody,
    /// Both `protect` and a layer on every handler.
    Twice,
}

pub(crate) const ATTACHES: &[Attach] = &[
    Attach::Around,
    Attach::Protect,
    Attach::Inside,
    Attach::RouteLayer,
    Attach::Each,
    Attach::AnyBody,
    Attach::Twice,
];

impl Attach {
    /// Whether gates stand where routers within the application say what they have matched.
    pub(crate) fn is_inside(self) -> bool {
        matches!(self, Self::RouteLayer | Self::Each | Self::Twice)
    }
}

impl Node {
    /// A shape for all routes of `table`.
    pub(crate) fn of(table: &Table, bytes: &mut Bytes<'_>) -> Self {
        let all = table.routes.iter().enumerate().map(|(index, route)| (index, route.pattern.clone()));
        Self::with(all.collect(), 3, true, bytes)
    }

    fn with(mut routes: Routes, depth: usize, may_fall_back: bool, bytes: &mut Bytes<'_>) -> Self {
        let mut node = Self::default();
        for _ in 0..bytes.below(3).min(depth) {
            node.parts.extend(part(&mut routes, depth - 1, bytes));
        }
        if may_fall_back && bytes.one_in(3) {
            let reading = bytes.pick(READINGS);
            let behind = split(&mut routes, |_| bytes.below(2) == 0);
            node.parts.push(Part::Fallback(reading, Self::with(behind, depth.saturating_sub(1), true, bytes)));
        }
        node.direct = routes;
        node.drop_conflicts();
        node
    }

    /// axum refuses routes of which it would not know which to prefer; parts give way to single routes.
    fn drop_conflicts(&mut self) {
        let mut known = matchit::Router::new();
        self.direct.iter().for_each(|(_, path)| known.insert(path.clone(), ()).unwrap());
        let mut fallbacks = matchit::Router::new();
        self.parts.retain(|part| {
            let is_new = part.stakes().into_iter().all(|path| known.insert(path, ()).is_ok());
            is_new && part.fallbacks().into_iter().all(|prefix| fallbacks.insert(prefix, ()).is_ok())
        });
    }

    /// The prefixes under which routers with fallbacks of their own are nested.
    fn fallbacks(&self) -> Vec<String> {
        self.parts.iter().flat_map(Part::fallbacks).collect()
    }

    fn paths(&self) -> Vec<String> {
        let parts = self.parts.iter().flat_map(Part::stakes);
        self.direct.iter().map(|(_, path)| path.clone()).chain(parts).collect()
    }
}

/// Takes out some of the routes.
fn split(routes: &mut Routes, mut out: impl FnMut(&str) -> bool) -> Routes {
    let (taken, kept) = std::mem::take(routes).into_iter().partition(|(_, path)| out(path));
    *routes = kept;
    taken
}

/// Moves some of the routes into a part.
fn part(routes: &mut Routes, depth: usize, bytes: &mut Bytes<'_>) -> Option<Part> {
    let kind = bytes.below(5);
    if kind == 4 {
        let merged = split(routes, |_| bytes.below(2) == 0);
        return Some(Part::Merge(Node::with(merged, depth, false, bytes)));
    }
    let (_, model) = routes.get(bytes.below(routes.len()))?;
    let segments = 1 + bytes.below(2);
    let end = model.match_indices('/').map(|(at, _)| at).chain([model.len()]).nth(segments)?;
    let prefix = model[..end].to_owned();
    // axum strips no prefix with text before a parameter, and another than it has matched where segments are empty.
    if prefix.contains("{*") || prefix.contains("v{") || prefix.contains("//") || prefix.ends_with('/') {
        return None;
    }
    // What a file server serves knows no parameters.
    let kind = if prefix.contains('{') { kind % 3 } else { kind };
    let is_under = |path: &str| path.strip_prefix(&prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let under = split(routes, is_under);
    let strip = |(route, path): (usize, String)| {
        let rest = &path[prefix.len()..];
        (route, if rest.is_empty() { "/".to_owned() } else { rest.to_owned() })
    };
    let mut under: Routes = under.into_iter().map(strip).collect();
    // A route of the prefix and one of the prefix with a slash are one inside.
    under.sort_by(|(_, a), (_, b)| a.cmp(b));
    under.dedup_by(|(_, a), (_, b)| a == b);
    Some(match kind {
        0 | 1 => {
            // axum nests no fallback under a parameter.
            let may_fall_back = !prefix.contains('{');
            Part::Nest(prefix, Node::with(under, depth, may_fall_back, bytes))
        }
        2 => {
            // No reading of a whole path leaves a prefix alone and decodes what is behind it.
            let is_stable = !prefix.contains(';') && !prefix.contains("%2F");
            let reading = bytes.pick(if is_stable { READINGS } else { SLASHES });
            Part::Service(prefix, reading, Node::with(under, depth, true, bytes))
        }
        _ => Part::Files(prefix, split(&mut under, |path| files::file(path).is_some())),
    })
}

impl Part {
    fn fallbacks(&self) -> Vec<String> {
        match self {
            Self::Nest(prefix, node) => {
                let has_own = node.parts.iter().any(|part| matches!(part, Self::Fallback(..)));
                let own = has_own.then(|| prefix.clone());
                own.into_iter().chain(node.fallbacks().iter().map(|path| join(prefix, path))).collect()
            }
            Self::Merge(node) => node.fallbacks(),
            Self::Service(..) | Self::Files(..) | Self::Fallback(..) => Vec::new(),
        }
    }

    /// What the part takes in the router around it.
    fn stakes(&self) -> Vec<String> {
        match self {
            Self::Nest(prefix, node) => node.paths().iter().map(|path| join(prefix, path)).collect(),
            Self::Service(prefix, ..) | Self::Files(prefix, _) => {
                vec![prefix.clone(), format!("{prefix}/"), format!("{prefix}/{{*rest}}")]
            }
            Self::Merge(node) => node.paths(),
            Self::Fallback(..) => Vec::new(),
        }
    }
}

/// An application, guarded or not.
pub(crate) struct Builder<'a> {
    pub(crate) table: &'a Table,
    pub(crate) guard: Option<(Attach, &'a AuthzLayer)>,
}

impl Builder<'_> {
    pub(crate) fn app(&self, node: &Node) -> Served {
        let router = self.router(node, true);
        let Some((attach, layer)) = self.guard else { return Served::new(router) };
        match attach {
            Attach::Around => Served::new(layer.layer(router)),
            Attach::Protect | Attach::Twice => Served::new(layer.protect(router)),
            Attach::Inside => Served::new(router.layer(layer.clone())),
            Attach::RouteLayer | Attach::Each => Served::new(router),
            Attach::AnyBody => {
                let guarded = layer.clone().any_body().layer(Served::new(router));
                Served::new(tower::ServiceExt::map_response(guarded, |response: http::Response<_>| {
                    response.map(Body::new)
                }))
            }
        }
    }

    /// `is_root` says whether the router is a service of its own.
    fn router(&self, node: &Node, is_root: bool) -> Router {
        let mut router = Router::new();
        for (index, path) in &node.direct {
            router = router.route(path, self.handler(*index));
        }
        for part in &node.parts {
            router = match part {
                Part::Nest(prefix, node) => router.nest(prefix, self.router(node, false)),
                Part::Service(prefix, reading, node) => {
                    router.nest_service(prefix, reading.before(Served::new(self.router(node, true))))
                }
                Part::Files(prefix, files) => router.nest_service(prefix, self.files(files)),
                Part::Merge(node) => router.merge(self.router(node, false)),
                Part::Fallback(..) => router,
            };
        }
        if let Some(layer) = self.layer_if(Attach::RouteLayer)
            && is_root
            && router.has_routes()
        {
            router = router.route_layer(layer.clone());
        }
        for part in &node.parts {
            if let Part::Fallback(reading, node) = part {
                router = router.fallback_service(reading.before(Served::new(self.router(node, true))));
            }
        }
        router
    }

    fn layer_if(&self, wanted: Attach) -> Option<&AuthzLayer> {
        let is_wanted = |attach| attach == wanted || (attach == Attach::Twice && wanted == Attach::Each);
        self.guard.filter(|(attach, _)| is_wanted(*attach)).map(|(_, layer)| layer)
    }

    fn files(&self, routes: &Routes) -> Served {
        let files = files::serve(routes.iter().filter_map(|(route, path)| Some((files::file(path)?, *route))));
        match self.layer_if(Attach::Each) {
            Some(layer) => Served::new(layer.layer(files)),
            None => files,
        }
    }

    fn handler(&self, route: usize) -> MethodRouter {
        let handler = handler(route, &self.table.routes[route]);
        match self.layer_if(Attach::Each) {
            Some(layer) => handler.layer(layer.clone()),
            None => handler,
        }
    }
}

/// A handler that says which it is, and what it has seen of the last parameter.
fn handler(index: usize, route: &Route) -> MethodRouter {
    let (pattern, last) = (route.pattern.clone(), route.last_param().map(str::to_owned));
    let answer = move |params: RawPathParams| {
        let last = last.as_deref().map(|last| Seen::of(&pattern, last, &params));
        std::future::ready(reached(Response::default(), index, last.as_ref()).into_response())
    };
    if route.any_method || route.methods().any(|method| method == "ANY") {
        return any(answer);
    }
    route.methods().fold(MethodRouter::new(), |router, method| {
        let method = http::Method::from_bytes(method.as_bytes()).unwrap();
        router.on(method.try_into().unwrap(), answer.clone())
    })
}

/// What a handler sees of the path.
pub(crate) struct Seen {
    /// The last parameter, without its escapes.
    param: String,
    /// The pattern with what its parameters stand for, escaped like the literals of keys.
    path: String,
}

impl Seen {
    fn of(pattern: &str, last: &str, params: &RawPathParams) -> Self {
        const SEGMENT: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b'/').add(b'|');
        const REST: &AsciiSet = &SEGMENT.remove(b'/');
        let value =
            |name: &str| params.iter().filter(|(other, _)| *other == name).last().map_or("", |(_, value)| value);
        let path = fill(pattern, |name| match name.strip_prefix('*') {
            Some(name) => utf8_percent_encode(value(name), REST).to_string(),
            None => utf8_percent_encode(value(name), SEGMENT).to_string(),
        });
        Self { param: value(last).escape_default().to_string(), path }
    }
}

/// The answer of the handler of a route.
pub(crate) fn reached(mut response: Response, route: usize, seen: Option<&Seen>) -> Response {
    response.headers_mut().insert("x-route", HeaderValue::from(route));
    if let Some(seen) = seen {
        response.headers_mut().insert("x-param", seen.param.parse().unwrap());
        response.headers_mut().insert("x-path", seen.path.parse().unwrap());
    }
    if !response.headers().contains_key(http::header::CONTENT_LENGTH) {
        *response.body_mut() = Body::from(format!("the handler of route {route}"));
    }
    response
}
