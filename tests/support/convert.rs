//! Callers of the naive interpreter, as the crate knows them.

use super::{CredentialError, CredentialErrorKind, Identity, Principal, naive};

pub(crate) fn identity(identity: &naive::Identity) -> Identity {
    match identity {
        naive::Identity::Anonymous => Identity::Anonymous,
        naive::Identity::Authenticated(found) => Identity::Authenticated(principal(found)),
        naive::Identity::Rejected => CredentialError::new(CredentialErrorKind::Expired).into(),
        naive::Identity::Ambiguous => CredentialError::new(CredentialErrorKind::Ambiguous).into(),
        naive::Identity::Unavailable => Identity::unavailable(),
    }
}

fn principal(found: &naive::Principal) -> Principal {
    let principal =
        Principal::new(&found.subject).roles(&found.roles).permissions(&found.permissions).claims(found.claims.clone());
    let principal = match &found.permission_limit {
        Some(limit) => principal.limit_permissions(limit),
        None => principal,
    };
    if found.malformed { principal.malformed_source("roles") } else { principal }
}
