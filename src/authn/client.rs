//! The address of the client, through trusted proxies.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, header::FORWARDED};

use super::{
    forwarded,
    network::{Proxies, TrustError},
    peer::{MissingAddress, peer},
};
use crate::target::Head;

/// More hops than any honest request has.
const MAX_HOPS: usize = 32;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// How the address of the client is found out. Policies that use `networks` make the operator choose.
///
/// ```
/// use std::net::SocketAddr;
/// use tower_authz::{Head, authn::{Client, PeerAddr}};
///
/// let proxy: SocketAddr = "10.0.0.2:40000".parse().unwrap();
/// let request = http::Request::get("/")
///     .header("x-forwarded-for", "1.1.1.1, 203.0.113.7")
///     .extension(PeerAddr(proxy))
///     .body(())
///     .unwrap();
///
/// let client = Client::forwarded(["10.0.0.0/8"])?;
/// assert_eq!(client.address(Head::from(&request)).unwrap().to_string(), "203.0.113.7");
/// assert_eq!(Client::peer().address(Head::from(&request)).unwrap().to_string(), "10.0.0.2");
/// # Ok::<(), tower_authz::authn::TrustError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Client(Option<Behind>);

#[derive(Clone, Debug)]
struct Behind {
    proxies: Proxies,
    syntax: Syntax,
}

#[derive(Clone, Copy, Debug)]
enum Syntax {
    XForwardedFor,
    Rfc7239,
}

impl Client {
    /// The client is whoever opened the connection. Right where there is no proxy.
    pub fn peer() -> Self {
        Self(None)
    }

    /// The client is who the trusted proxies say it is, in `X-Forwarded-For`.
    ///
    /// The header counts only if the connection comes from one of `proxies`, networks such as `10.0.0.0/8` or single
    /// addresses. It is read from the right, and the first address that is no trusted proxy is the client. Where a
    /// trusted proxy names nobody, or what it says cannot be read, the address is its own: so let no policy admit
    /// the addresses of proxies.
    ///
    /// # Errors
    ///
    /// A network cannot be read, holds every address, or none is listed.
    pub fn forwarded<I>(proxies: I) -> Result<Self, TrustError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        Ok(Self(Some(Behind { proxies: Proxies::new(proxies)?, syntax: Syntax::XForwardedFor })))
    }

    /// Reads `Forwarded` (RFC 7239) instead of `X-Forwarded-For`. Never both: a proxy that writes one of them passes
    /// the other on as the client sent it. Without proxies this changes nothing.
    pub fn rfc7239(self) -> Self {
        Self(self.0.map(|behind| Behind { syntax: Syntax::Rfc7239, ..behind }))
    }

    /// The address of the client; IPv4-mapped ones are given in their IPv4 form.
    ///
    /// # Errors
    ///
    /// The server has not said where the connection comes from.
    pub fn address(&self, head: Head<'_>) -> Result<IpAddr, MissingAddress> {
        let peer = peer(head)?;
        Ok(match &self.0 {
            Some(behind) => behind.client(peer, head.headers()),
            None => peer,
        })
    }
}

impl Behind {
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut nearest = peer;
        let mut hops = self.hops(headers).take(MAX_HOPS);
        while self.proxies.contains(nearest) {
            match hops.next().flatten() {
                Some(hop) => nearest = hop,
                None => break,
            }
        }
        nearest
    }

    /// The addresses that the proxies have noted, the last one first; none for what is not an address.
    fn hops<'a>(&self, headers: &'a HeaderMap) -> impl Iterator<Item = Option<IpAddr>> + use<'a> {
        let (name, read): (_, fn(&str) -> Option<IpAddr>) = match self.syntax {
            Syntax::XForwardedFor => (X_FORWARDED_FOR, forwarded::node),
            Syntax::Rfc7239 => (FORWARDED, forwarded::element),
        };
        let lines = headers.get_all(name).into_iter().rev();
        lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(',')).map(move |hop| read(hop.trim()))
    }
}
