//! How events name users.

use std::{fmt, hash::Hasher};

use super::escape;
use crate::principal::Principal;

const MAX_SUBJECT: usize = 128;
const MAX_ISSUER: usize = 128;
const MAX_ROLE: usize = 64;
const MAX_ROLES: usize = 16;

/// How events name the caller in `user.id`. Who vouches for that name is in `user.issuer`, where the credentials say so:
/// two issuers may call different people the same.
///
/// ```
/// use tower_authz::report::{TracingReporter, UserId};
///
/// let key = *b"16 secret bytes!";
/// let reporter = TracingReporter::new().user_id(UserId::keyed_hash(key));
/// # let _ = reporter;
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct UserId(Form);

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Form {
    #[default]
    Plain,
    Hash([u8; 16]),
    Off,
}

impl UserId {
    /// By subject, escaped and capped. The default.
    pub fn plain() -> Self {
        Self(Form::Plain)
    }

    /// By a pseudonym: 16 hexadecimal digits of `SipHash`-2-4, a pseudorandom function of the secret `key` and the
    /// subject. Events of one user can be joined; without the key nobody can find out who it is by trying names.
    pub fn keyed_hash(key: [u8; 16]) -> Self {
        Self(Form::Hash(key))
    }

    /// Not at all, and neither is the issuer.
    pub fn off() -> Self {
        Self(Form::Off)
    }

    pub(super) fn show(self, principal: &Principal) -> Option<String> {
        match self.0 {
            Form::Plain => Some(escape::text(principal.subject(), MAX_SUBJECT)),
            Form::Hash(key) => Some(format!("{:016x}", sip_hash(key, principal.subject().as_bytes()))),
            Form::Off => None,
        }
    }

    /// The issuer is the operator's to choose, so it is no secret where the subject is one.
    pub(super) fn show_issuer(self, principal: &Principal) -> Option<String> {
        let issuer = principal.issuer().filter(|_| self.0 != Form::Off);
        issuer.map(|issuer| escape::text(issuer, MAX_ISSUER))
    }
}

impl fmt::Debug for UserId {
    /// Prints no key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Form::Plain => "plain",
            Form::Hash(_) => "keyed hash",
            Form::Off => "off",
        })
    }
}

#[expect(deprecated, reason = "its successors have no key, or another algorithm with every release")]
pub(super) fn sip_hash(key: [u8; 16], bytes: &[u8]) -> u64 {
    let key = u128::from_le_bytes(key);
    let half = u128::from(u64::MAX);
    let [low, high] = [key & half, key >> 64].map(|half| u64::try_from(half).unwrap_or_default());
    let mut hasher = std::hash::SipHasher::new_with_keys(low, high);
    hasher.write(bytes);
    hasher.finish()
}

/// The roles as they were claimed: escaped and capped, each and in number.
pub(super) fn roles(principal: &Principal) -> String {
    let separates = |c| matches!(c, ',' | ' ');
    let mut names: Vec<_> =
        principal.role_names().take(MAX_ROLES).map(|role| escape::text_but(role, MAX_ROLE, separates)).collect();
    let more = principal.role_names().count() - names.len();
    if more > 0 {
        names.push(format!("and {more} more"));
    }
    names.join(", ")
}
