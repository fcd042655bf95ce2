//! The networks of trusted proxies.

use std::{error::Error, fmt, net::IpAddr};

use http::HeaderName;
use ipnet::{IpNet, Ipv4Net};

/// Networks whose hosts are believed when they say who is calling, or from where. Never empty, never everyone.
#[derive(Clone, Debug)]
pub(super) struct Proxies(Box<[IpNet]>);

impl Proxies {
    pub(super) fn new<I>(networks: I) -> Result<Self, TrustError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let networks: Box<[_]> = networks.into_iter().map(|text| network(text.as_ref())).collect::<Result<_, _>>()?;
        if networks.is_empty() {
            return Err(TrustError::new(TrustErrorKind::NoNetworks, "no trusted proxy is listed"));
        }
        Ok(Self(networks))
    }

    pub(super) fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

fn network(text: &str) -> Result<IpNet, TrustError> {
    let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).map_err(|_| {
        TrustError::new(
            TrustErrorKind::InvalidNetwork,
            format!("`{text}` is not a network such as `10.0.0.0/8`, nor an address"),
        )
    })?;
    if network.network() != network.addr() {
        let message = format!("`{text}` has bits beyond its prefix: did you mean `{}`?", network.trunc());
        return Err(TrustError::new(TrustErrorKind::InvalidNetwork, message));
    }
    let network = unmap(network);
    if network.prefix_len() == 0 {
        let message = format!("`{text}` trusts everyone: list the networks of the proxies alone");
        return Err(TrustError::new(TrustErrorKind::NetworkTooWide, message));
    }
    Ok(network)
}

/// Peers are compared in their IPv4 form, so networks of IPv4-mapped addresses (RFC 4291, section 2.5.5.2) are too.
fn unmap(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else { return network };
    let mapped = v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96));
    let v4 = mapped.and_then(|(address, prefix)| Ipv4Net::new(address, prefix).ok());
    v4.map_or(network, IpNet::V4)
}

/// Whether services of the CGI family (RFC 3875, section 4.1.18) read two header names as one: they know no letter
/// case, and no difference between `-` and `_`, some none between any two signs.
pub(super) fn read_alike(one: &[u8], other: &[u8]) -> bool {
    let alike =
        |(a, b): (&u8, &u8)| a.eq_ignore_ascii_case(b) || !(a.is_ascii_alphanumeric() || b.is_ascii_alphanumeric());
    one.len() == other.len() && (one == other || one.iter().zip(other).all(alike))
}

/// Why a set-up of trusted proxies is refused.
#[derive(Clone, Debug)]
pub struct TrustError {
    kind: TrustErrorKind,
    message: String,
}

/// The kinds of [`TrustError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TrustErrorKind {
    /// A network cannot be read.
    InvalidNetwork,
    /// A network holds every address there is.
    NetworkTooWide,
    /// No network is listed.
    NoNetworks,
    /// A text is not the name of a header (RFC 9110, section 5.1).
    InvalidHeader,
    /// One header is to be two things.
    RepeatedHeader,
    /// No header for the subject is named.
    NoSubject,
}

impl TrustError {
    pub(super) fn new(kind: TrustErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// What kind of error it is.
    pub fn kind(&self) -> TrustErrorKind {
        self.kind
    }
}

impl fmt::Display for TrustError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for TrustError {}

/// The name of a header as an operator wrote it.
pub(super) fn header_name(text: &str) -> Result<HeaderName, TrustError> {
    text.parse().map_err(|_| TrustError::new(TrustErrorKind::InvalidHeader, format!("`{text}` is not a header name")))
}
