//! The naive interpreter: sections 3 to 6 of the design, read a second time.
//!
//! It shares no code with the crate and prefers being obvious to being fast: every key is tried, every set is a
//! set. Where the two disagree, one of them has misread the page.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use jiff::Timestamp;
use serde_json::{Map, Value};

#[path = "naive/caller.rs"]
mod caller;
#[path = "naive/keys.rs"]
mod keys;
#[path = "naive/policy.rs"]
mod policy;
#[path = "naive/readings.rs"]
mod readings;

use self::{
    caller::Caller,
    keys::{has_capitals, select},
    policy::Policy,
    readings::{Keys, all_readings},
};

/// Everything that decides, as plain data.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) matched_path: Option<String>,
    pub(crate) original_path: Option<String>,
    /// The pattern of the prefix that was stripped, such as `/api` or `/{tenant}`.
    pub(crate) nested: Option<String>,
    pub(crate) identity: Identity,
    /// None if the server did not tell.
    pub(crate) client: Option<IpAddr>,
    pub(crate) now: Timestamp,
    pub(crate) checks: BTreeMap<String, CheckOutcome>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    pub(crate) allow_encoded_backslash: bool,
    pub(crate) allow_control_characters: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Identity {
    Anonymous,
    Authenticated(Principal),
    Rejected,
    Ambiguous,
    Unavailable,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Principal {
    pub(crate) subject: String,
    pub(crate) roles: Vec<String>,
    pub(crate) permissions: Vec<String>,
    pub(crate) permission_limit: Option<Vec<String>>,
    pub(crate) claims: Map<String, Value>,
    pub(crate) malformed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CheckOutcome {
    True,
    False,
    Panics,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) allowed: bool,
    /// As sent; 200 when allowed.
    pub(crate) status: u16,
    pub(crate) reason: Option<&'static str>,
    /// Whether the status pretends something.
    pub(crate) masked: bool,
    /// The methods of a 405.
    pub(crate) allow: Option<BTreeSet<String>>,
    /// The methods of other readings that earn the very same 405; an answer may carry those instead.
    pub(crate) ties: Vec<BTreeSet<String>>,
}

impl Verdict {
    const ALLOWED: Self =
        Self { allowed: true, status: 200, reason: None, masked: false, allow: None, ties: Vec::new() };

    fn denied(status: u16, reason: &'static str) -> Self {
        Self { allowed: false, status, reason: Some(reason), ..Self::ALLOWED }
    }

    fn masked(self, status: u16, allow: Option<BTreeSet<String>>) -> Self {
        Self { status, allow, masked: true, ..self }
    }

    /// Whether another implementation decided the same: `Err` says in what they differ.
    pub(crate) fn agrees_with(&self, other: &Self) -> Result<(), String> {
        let same = (self.allowed, self.status, self.reason, self.masked)
            == (other.allowed, other.status, other.reason, other.masked);
        let tied = other.allow.as_ref().is_some_and(|allow| self.ties.contains(allow));
        if same && (self.allow == other.allow || tied) {
            return Ok(());
        }
        Err(format!("the naive interpreter says {self:?}, the other {other:?}"))
    }

    /// 404, 405, 500, 403, 401; within a status the order of section 6.
    fn severity(&self) -> (usize, usize) {
        const STATUSES: [u16; 5] = [404, 405, 500, 403, 401];
        const REASONS: [&str; 9] = [
            "not-listed",
            "method-not-listed",
            "denied-by-rule",
            "no-credentials",
            "conflicting-roles",
            "step-up-required",
            "condition-failed",
            "insufficient-permission",
            "insufficient-role",
        ];
        let status = STATUSES.iter().position(|status| *status == self.status);
        let reason = REASONS.iter().position(|reason| Some(*reason) == self.reason);
        (status.unwrap_or(STATUSES.len()), reason.unwrap_or(REASONS.len()))
    }
}

/// Section 6.
pub(crate) fn decide(policy: &Value, request: &Request, options: Options) -> Verdict {
    let policy = Policy(policy);
    let routes = policy.routes();
    // The root is no key that ends in a `/` here: what a `/` is appended to is longer.
    let append = routes.iter().any(|route| route.path.len() > 1 && route.path.ends_with('/'));
    let depth = routes.iter().map(|route| route.path.matches('/').count()).max().unwrap_or_default();
    let keys = Keys { append, capitals: has_capitals(&routes), depth };
    let Some(readings) = all_readings(request, keys, options) else {
        return Verdict::denied(400, "path-rejected");
    };
    let selections = select(&routes, request, &readings);
    if selections.iter().all(|selection| policy.is_public(selection)) {
        return Verdict::ALLOWED;
    }
    let principal = match &request.identity {
        Identity::Rejected => return Verdict::denied(401, "invalid-credentials"),
        Identity::Ambiguous => return Verdict::denied(400, "ambiguous-credentials"),
        Identity::Unavailable => return Verdict::denied(503, "authenticator-unavailable"),
        Identity::Anonymous => None,
        Identity::Authenticated(principal) => Some(principal),
    };
    let caller = Caller::new(policy, principal, request);
    let denials: Vec<_> = selections.iter().filter_map(|selection| caller.judge(selection)).collect();
    let Some(worst) = denials.iter().min_by_key(|denial| denial.severity()) else { return Verdict::ALLOWED };
    let tied = denials.iter().filter(|denial| denial.severity() == worst.severity());
    Verdict { ties: tied.filter_map(|denial| denial.allow.clone()).collect(), ..worst.clone() }
}
