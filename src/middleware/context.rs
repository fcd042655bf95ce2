//! What a request carries once somebody has looked at who sent it. It travels in extensions, never in headers.

use std::sync::Arc;

use http::{Extensions, StatusCode};

use super::gate::GateId;
use crate::{
    decision::Denial,
    identity::{Identity, Unusable},
    policy::{Compiled, unusable},
    principal::{Principal, Snapshot},
};

/// What an identity layer or a gate has found out about a request, where a principal alone does not tell it. Whoever
/// leaves it answers and reports the denials of those inside.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) identity: Identity,
    pub(crate) snapshot: Option<Arc<dyn Snapshot>>,
}

/// Who an answer goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// A gate outside, if there is one: it answers again in its own way and needs the denial for it.
    Gates,
    /// The client, as it seems: a principal was found that no gate has touched, but a layer between may have put it in
    /// the place of one that a gate outside has left.
    Unknown,
    /// The client: nothing was seen of a gate outside.
    Client,
}

impl Audience {
    /// As far as what layers outside have left in the request tells.
    pub(super) fn of(extensions: &Extensions) -> Self {
        Found::of(extensions).map_or(Self::Client, Found::audience)
    }

    /// Whether a denial that is answered with `status` must be carried to gates outside: what pretends must look like
    /// what they do not list, even if they can hardly be there.
    pub(super) fn has_gates(self, status: StatusCode) -> bool {
        match self {
            Self::Gates => true,
            Self::Unknown => is_like_missing(status),
            Self::Client => false,
        }
    }
}

/// Whether it is said, truly or not, that there is nothing.
pub(super) fn is_like_missing(status: StatusCode) -> bool {
    matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED)
}

/// What layers outside have found out about the sender of a request, where they have left it.
///
/// A principal that something else than this crate has put there counts, too: it is how sessions and tests
/// authenticate.
#[derive(Clone, Copy)]
pub(crate) struct Found<'a> {
    principal: Option<&'a Principal>,
    caller: Option<&'a Caller>,
}

impl<'a> Found<'a> {
    /// What is known; nothing if no identity layer has run.
    #[inline]
    pub(crate) fn of(extensions: &'a Extensions) -> Option<Self> {
        let found = Self { principal: extensions.get(), caller: extensions.get() };
        (found.principal.is_some() || found.caller.is_some()).then_some(found)
    }

    pub(crate) fn principal(self) -> Option<&'a Principal> {
        self.principal.or_else(|| self.caller?.identity.principal())
    }

    /// The identity, where it is neither good nor absent.
    pub(crate) fn unusable(self) -> Option<Denial> {
        let caller = self.caller.filter(|_| self.principal.is_none())?;
        unusable(&caller.identity)
    }

    pub(crate) fn identity(self) -> Identity {
        match (self.principal, self.caller) {
            (Some(principal), _) => Identity::Authenticated(principal.clone()),
            (None, Some(caller)) => caller.identity.clone(),
            (None, None) => Identity::Anonymous,
        }
    }

    fn snapshot(self) -> Option<&'a Arc<dyn Snapshot>> {
        match self.principal {
            Some(principal) => principal.snapshot(),
            None => self.caller?.snapshot.as_ref(),
        }
    }

    /// Whom an answer goes to, as far as what layers outside have left tells: what only this crate leaves, or a
    /// principal that is bound to their policy.
    pub(crate) fn audience(self) -> Audience {
        let is_bound = self.principal.is_some_and(|principal| principal.snapshot().is_some());
        if is_bound || self.caller.is_some() { Audience::Gates } else { Audience::Unknown }
    }
}

impl Caller {
    /// Leaves in the request what a gate has found out: the principal, bound to the policy that let it in, in the
    /// very place where it was found; or the fact that nobody is known.
    #[inline(always)]
    pub(crate) fn leave(principal: Option<&Principal>, policy: Arc<Compiled>, extensions: &mut Extensions) {
        let snapshot: Arc<dyn Snapshot> = policy;
        let Some(principal) = principal else {
            extensions.remove::<Principal>();
            extensions.insert(Self { identity: Identity::Anonymous, snapshot: Some(snapshot) });
            return;
        };
        if let Some(found) = extensions.get_mut::<Principal>().filter(|found| found.is_same(principal)) {
            found.bind(Some(snapshot));
        } else {
            let mut principal = principal.clone();
            principal.bind(Some(snapshot));
            extensions.insert(principal);
        }
    }

    /// Leaves in the request what authentication alone has found out. A policy that has let the request in before goes
    /// on to say what the roles mean.
    pub(crate) fn leave_identity(identity: Identity, extensions: &mut Extensions) {
        let snapshot = Found::of(extensions).and_then(Found::snapshot).cloned();
        extensions.remove::<Principal>();
        extensions.remove::<Unusable>();
        match &identity {
            Identity::Anonymous => {}
            Identity::Authenticated(principal) => {
                let mut principal = principal.clone();
                principal.bind(snapshot.clone());
                extensions.insert(principal);
            }
            unusable => drop(extensions.insert(Unusable(unusable.clone()))),
        }
        extensions.insert(Self { identity, snapshot });
    }
}

/// What a gate around a router tells its own check inside the router, so that both judge by one snapshot and one
/// authentication.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "axum"), expect(dead_code, reason = "the check inside is made for axum's routers"))]
pub(crate) struct Gated {
    pub(crate) gate: GateId,
    pub(crate) policy: Arc<Compiled>,
    pub(crate) identity: Identity,
    /// The route that every reading of the path selected, if it is one, by its place in the policy.
    pub(crate) route: Option<usize>,
    /// A denial was reported and not enforced.
    pub(crate) waived: bool,
}
