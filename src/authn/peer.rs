//! The address at the other end of the connection.

use std::{
    error::Error,
    fmt,
    net::{IpAddr, SocketAddr},
};

use crate::{
    identity::{Failure, Identity},
    target::Head,
};

/// The address at the other end of the connection, as an extension of the request.
///
/// Servers without axum insert it; axum's `ConnectInfo<SocketAddr>` is read as well, and this one wins.
///
/// ```
/// use std::net::SocketAddr;
/// use tower_authz::authn::PeerAddr;
///
/// let peer: SocketAddr = "203.0.113.7:51000".parse().unwrap();
/// let request = http::Request::get("/").extension(PeerAddr(peer)).body(()).unwrap();
/// # let _ = request;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PeerAddr(pub SocketAddr);

/// The request does not say from where it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MissingAddress;

impl fmt::Display for MissingAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the address of the peer is unknown: serve axum with \
             `into_make_service_with_connect_info::<SocketAddr>()`, or insert a `PeerAddr` into the extensions",
        )
    }
}

impl Error for MissingAddress {}

impl From<MissingAddress> for Failure {
    fn from(missing: MissingAddress) -> Self {
        Self::new(missing.to_string())
    }
}

impl From<MissingAddress> for Identity {
    fn from(missing: MissingAddress) -> Self {
        Self::Failed(missing.into())
    }
}

/// The address of the peer; IPv4-mapped ones (RFC 4291, section 2.5.5.2) in their IPv4 form.
pub(super) fn peer(head: Head<'_>) -> Result<IpAddr, MissingAddress> {
    let own = head.extensions().get::<PeerAddr>().map(|peer| peer.0);
    let address = own.or_else(|| connect_info(head)).ok_or(MissingAddress)?;
    Ok(address.ip().to_canonical())
}

#[cfg(feature = "axum")]
fn connect_info(head: Head<'_>) -> Option<SocketAddr> {
    use axum::extract::connect_info::{ConnectInfo, MockConnectInfo};
    let real = head.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0);
    real.or_else(|| head.extensions().get::<MockConnectInfo<SocketAddr>>().map(|info| info.0))
}

#[cfg(not(feature = "axum"))]
fn connect_info(_: Head<'_>) -> Option<SocketAddr> {
    None
}
