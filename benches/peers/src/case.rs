//! What is asked of a contender.

use clap::ValueEnum;
use http::StatusCode;

/// A kind of request, with the answer that it must get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum)]
pub enum Case {
    /// Someone who may.
    Allowed,
    /// A public route, and nobody says who is calling.
    Public,
    /// A route that asks for a role, and nobody says who is calling.
    Anonymous,
    /// Someone who is known and lacks the role.
    Forbidden,
    /// Someone who lacks the role of a route that is to look as if it did not exist.
    Masked,
}

impl Case {
    pub const ALL: [Self; 5] = [Self::Allowed, Self::Public, Self::Anonymous, Self::Forbidden, Self::Masked];

    pub fn status(self) -> StatusCode {
        match self {
            Self::Allowed | Self::Public => StatusCode::OK,
            Self::Anonymous => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Masked => StatusCode::NOT_FOUND,
        }
    }

    pub fn denies(self) -> bool {
        !self.status().is_success()
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Public => "public",
            Self::Anonymous => "401",
            Self::Forbidden => "403",
            Self::Masked => "masked 404",
        }
    }
}

/// Contenders that do the same work in the same place, and are compared with one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum)]
pub enum Group {
    /// Around a service that answers at once; the identity is in the extensions.
    Service,
    /// Around a whole axum `Router` of 1,000 routes; the identity is in the extensions.
    Router,
    /// Inside an axum `Router` of 1,000 routes, with `Router::layer` or `route_layer`; the identity is in the extensions.
    Inside,
    /// Policies of all sizes and kinds, around a service that answers at once.
    Sizes,
    /// Bearer tokens, around a service that answers at once.
    Token,
}

impl Group {
    pub const ALL: [Self; 5] = [Self::Service, Self::Router, Self::Inside, Self::Sizes, Self::Token];

    pub fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Router => "router",
            Self::Inside => "inside",
            Self::Sizes => "sizes",
            Self::Token => "token",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Service => "Around a bare service",
            Self::Router => "Around or in a whole axum router of 1,000 routes",
            Self::Inside => "As a layer inside axum's routing",
            Self::Sizes => "Policies of all sizes and kinds",
            Self::Token => "Bearer tokens",
        }
    }
}
