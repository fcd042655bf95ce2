//! The conditions of a grant on address, time and authentication.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use ipnet::{IpNet, Ipv4Net};
use jiff::Timestamp;

use super::At;
use crate::{
    decision::StepUp,
    diagnostic::{Diagnostic, code, quoted},
    policy::{document::Value, problems::Problems},
};

pub(super) fn networks(problems: &mut Problems, at: &At<'_>) -> Option<Box<[IpNet]>> {
    let list = at.list(problems, "list at least one network, or leave it out")?;
    let networks: Vec<_> = list.iter().map(|at| network(problems, at)).collect();
    networks.into_iter().collect()
}

fn network(problems: &mut Problems, at: &At<'_>) -> Option<IpNet> {
    let text = at.string(problems)?;
    let mut refuse = |message: String, help: String| {
        problems.value(at, Diagnostic::error(code::INVALID_NETWORK, message).help(help));
        None
    };
    let Some(written) = parse_network(text) else {
        let help = "write a network such as `10.0.0.0/8` or `2001:db8::/32`, or a single address";
        return refuse(format!("{} is not a network", quoted(text)), help.to_owned());
    };
    let network = unmapped(written.trunc());
    if network != written {
        let wrong = if network.addr().is_ipv4() == written.addr().is_ipv4() {
            "has bits after its prefix"
        } else {
            "is an IPv4 network written as one of IPv6"
        };
        let message = format!("{} {wrong}", quoted(text));
        return refuse(message, format!("write `{network}`"));
    }
    Some(network)
}

fn parse_network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// Client addresses are compared unmapped, so a mapped network would never match.
fn unmapped(network: IpNet) -> IpNet {
    let IpNet::V6(wide) = network else { return network };
    let narrow = wide.addr().to_ipv4_mapped().zip(wide.prefix_len().checked_sub(96));
    let narrow = narrow.and_then(|(address, length)| Ipv4Net::new(address, length).ok());
    narrow.map_or(network, IpNet::V4)
}

pub(super) fn time(problems: &mut Problems, at: &At<'_>) -> Option<SystemTime> {
    let text = at.string(problems)?;
    let time = text.parse::<Timestamp>().ok();
    if time.is_none() {
        let found = Diagnostic::error(code::INVALID_TIME, format!("{} is not a time with an offset", quoted(text)));
        problems.value(at, found.help("write a time such as `2027-01-01T00:00:00Z` (RFC 3339)".to_owned()));
    }
    time.map(SystemTime::from)
}

pub(super) fn step_up(problems: &mut Problems, at: &At<'_>) -> Option<Arc<StepUp>> {
    let object = at.object(problems)?;
    object.only(problems, &["acr", "max_age_seconds"]);
    if object.is_empty() {
        problems.empty(at, "write `acr`, `max_age_seconds` or both, or leave it out");
        return None;
    }
    let acr = object.get("acr").map(|at| acr_values(problems, &at));
    let max_age = object.get("max_age_seconds").map(|at| seconds(problems, &at));
    let acr = acr.unwrap_or_else(|| Some(Vec::new()))?;
    let max_age = max_age.map_or_else(|| Some(None), |read| read.map(Some))?;
    (!acr.is_empty() || max_age.is_some()).then(|| Arc::new(StepUp { acr, max_age }))
}

fn acr_values(problems: &mut Problems, at: &At<'_>) -> Option<Vec<Box<str>>> {
    let list = at.list(problems, "list at least one authentication context class, or leave it out")?;
    let values: Vec<_> = list.iter().map(|at| acr_value(problems, at)).collect();
    values.into_iter().collect()
}

/// A value that can stand in the space-separated list of `acr_values` (RFC 9470, section 3).
fn acr_value(problems: &mut Problems, at: &At<'_>) -> Option<Box<str>> {
    let text = at.text(problems, "write an authentication context class, such as `mfa`")?;
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        let found = Diagnostic::error(code::INVALID_ACR, format!("{} cannot stand in a challenge", quoted(text)));
        problems.value(at, found.help("write printable ASCII without spaces".to_owned()));
        return None;
    }
    Some(text.into())
}

fn seconds(problems: &mut Problems, at: &At<'_>) -> Option<Duration> {
    let seconds = match at.value() {
        Value::Number(number) => number.as_u64(),
        _ => None,
    };
    if seconds.is_none() {
        at.expected_value(problems, "a whole number of seconds");
    }
    seconds.map(Duration::from_secs)
}

pub(super) fn check(problems: &mut Problems, at: &At<'_>) -> Option<Box<str>> {
    at.text(problems, "write the name of a predicate that the application registers").map(Into::into)
}
