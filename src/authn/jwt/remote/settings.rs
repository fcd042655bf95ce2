//! How remote keys are fetched.

use std::{panic::catch_unwind, path::PathBuf, sync::Arc, time::Duration};

use tokio::runtime::Handle;

use super::{
    address::Address,
    client::Client,
    discovery::Discovery,
    provider::{Place, Provider},
    schedule::Timing,
    source::RemoteSource,
    tls,
};
use crate::authn::jwt::{
    error::{JwtError, JwtErrorKind},
    keys::KeySource,
};

/// Whatever is asked for, no time between refreshes is shorter; one that is left to chance may be.
const LEAST: Duration = Duration::from_millis(100);

/// Keys that an issuer publishes, fetched over HTTPS and kept up to date in the background.
///
/// One task for each issuer fetches them, as long as the [`Jwt`](crate::authn::Jwt) or a clone of it lives; it needs the
/// runtime of tokio in which the authenticator was built. Each refresh is one event of the target `tower_authz`:
/// `authz.keys.refreshed` (INFO) where there are other keys now, `authz.keys.unchanged` (DEBUG), or
/// `authz.keys.not_refreshed` (WARN), with the issuer, how many keys can be used, how many were skipped, in how many
/// seconds the next is due, and what was wrong. Keys that grew [too old](Self::max_stale) are told as
/// `authz.keys.withdrawn`, and a panic, after which the task goes on, as `authz.keys.panicked` (both ERROR).
///
/// - **Fresh keys.** They are fetched again when the `Cache-Control` of the key set says that they are no longer
///   fresh, within [bounds](Self::refresh_between).
/// - **Unknown keys.** A token that names a key that is not known has them fetched at once, and waits for that, but only
///   once in a [cool-down](Self::cool_down); tokens that come meanwhile are answered 401 at once. If any did, keys
///   are fetched again at the end of it. So invented names cost the provider little, and a new key is noticed all the
///   same. However many requests wait, one refresh is under way. Where tokens or keys have no names, the same goes for
///   tokens that no key has signed.
/// - **Bad days.** As long as the provider does not answer, or not with a set that holds a key of use, the keys in force
///   [stay](Self::max_stale), and it is asked again after random times that [double](Self::back_off). If it says with 429
///   or 503 when to come again (`Retry-After`), it is left alone until then, but no longer than the
///   [shortest time](Self::refresh_between) between two refreshes that go well. Only where there never was a set, tokens
///   are answered 503, with `Retry-After`.
/// - **Trust.** Addresses are `https`, but for those of this very machine. TLS is that of rustls with aws-lc-rs, whatever
///   the default of the process, and trusts the roots of the system. Redirects are not followed, and answers are
///   [bounded](Self::max_size). Metadata must name exactly the issuer that was asked for. Secrets and private keys
///   in a published set are no keys. One unusable key does not spoil the others. The provider is asked directly: a proxy that the
///   environment names (`HTTPS_PROXY`) is not used.
///
/// ```no_run
/// # async fn jwt() -> Result<tower_authz::authn::Jwt, tower_authz::authn::JwtError> {
/// use std::time::Duration;
/// use tower_authz::authn::{Jwt, RemoteKeys};
///
/// let keys = RemoteKeys::jwks("https://id.example/keys").timeout(Duration::from_secs(3));
/// Jwt::remote("https://id.example", keys).audience("billing").build().await
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RemoteKeys {
    /// None where the metadata of the issuer say it.
    key_set: Option<String>,
    timing: Timing,
    connect_timeout: Duration,
    timeout: Duration,
    max_size: usize,
    roots: Vec<Vec<u8>>,
    token_file: Option<PathBuf>,
    allow_plain_http: bool,
}

impl RemoteKeys {
    /// The keys that the metadata of the issuer point to (`jwks_uri`), whose address is the name of the issuer and then
    /// `/.well-known/openid-configuration` (`OpenID` Connect Discovery 1.0, section 4). Where there is nothing,
    /// `/.well-known/oauth-authorization-server` is asked for (RFC 8414, section 3).
    ///
    /// The metadata are read again with every refresh, so that the keys may move.
    pub fn discovered() -> Self {
        Self::new(None)
    }

    /// The key set (RFC 7517, section 5) at `url`, without discovery.
    pub fn jwks(url: impl Into<String>) -> Self {
        Self::new(Some(url.into()))
    }

    fn new(key_set: Option<String>) -> Self {
        let (minute, hour) = (Duration::from_secs(60), Duration::from_secs(3600));
        Self {
            key_set,
            timing: Timing {
                refresh: (minute * 5, hour),
                back_off: (Duration::from_secs(1), minute),
                cool_down: Duration::from_secs(10),
                max_stale: None,
            },
            connect_timeout: Duration::from_secs(3),
            timeout: Duration::from_secs(10),
            max_size: 256 * 1024,
            roots: Vec::new(),
            token_file: None,
            allow_plain_http: false,
        }
    }

    /// The bounds for the time between two refreshes: by default 5 minutes and an hour. A key that the issuer withdraws
    /// may count for as long as the second one.
    ///
    /// Between them, `max-age` of the key set's `Cache-Control`, less its `Age`, says how long; without, or with
    /// `no-cache` or `no-store`, it is the first one. The first one is a tenth of a second at least.
    pub fn refresh_between(mut self, least: Duration, most: Duration) -> Self {
        self.timing.refresh = (least.max(LEAST), most);
        self
    }

    /// How long after a refresh that a token has asked for the next may do so: 10 seconds by default, and a tenth of a
    /// second at least.
    pub fn cool_down(mut self, time: Duration) -> Self {
        self.timing.cool_down = time.max(LEAST);
        self
    }

    /// After a refresh that failed, the next follows within `first`, and within twice as long after each further one,
    /// up to `most`; by default a second, and a minute. When exactly, is left to chance, so that services that failed
    /// together do not come back together. Both are a tenth of a second at least.
    pub fn back_off(mut self, first: Duration, most: Duration) -> Self {
        self.timing.back_off = (first.max(LEAST), most.max(LEAST));
        self
    }

    /// How old keys may become when they cannot be refreshed. By default they stay in force for as long as the provider
    /// is down; with a limit, tokens are answered 503 after it.
    pub fn max_stale(mut self, time: Duration) -> Self {
        self.timing.max_stale = Some(time);
        self
    }

    /// How long connecting may take: 3 seconds by default.
    pub fn connect_timeout(self, time: Duration) -> Self {
        Self { connect_timeout: time, ..self }
    }

    /// How long a refresh may take with all its requests: 10 seconds by default. Tokens wait no longer than twice
    /// that.
    pub fn timeout(self, time: Duration) -> Self {
        Self { timeout: time, ..self }
    }

    /// The longest answer that is read, in bytes: 256 KiB by default.
    pub fn max_size(self, bytes: usize) -> Self {
        Self { max_size: bytes, ..self }
    }

    /// Trusts further root certificates for TLS, in PEM, beside those of the system.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// Shows the provider the bearer token in a file, which is read anew each time. API servers of Kubernetes ask for
    /// one.
    pub fn token_file(self, path: impl Into<PathBuf>) -> Self {
        Self { token_file: Some(path.into()), ..self }
    }

    /// Allows `http` addresses beyond this machine, for networks in which nobody can change what is on the way: who can,
    /// makes tokens of their own.
    pub fn allow_plain_http(self) -> Self {
        Self { allow_plain_http: true, ..self }
    }

    /// Begins to fetch the keys of `issuer`.
    pub(in crate::authn::jwt) fn start(self, issuer: Option<&str>) -> Result<Arc<dyn KeySource>, JwtError> {
        let issuer = issuer.ok_or_else(|| {
            let message = "remote keys may be those of many issuers, so the issuer needs a name";
            JwtError::new(JwtErrorKind::AmbiguousIssuer, message)
        })?;
        let place = match &self.key_set {
            Some(url) => Address::chosen(url, self.allow_plain_http).map(Place::KeySet),
            None => Discovery::new(issuer, self.allow_plain_http).map(Place::Discovered),
        };
        let place = place.map_err(|problem| {
            JwtError::new(JwtErrorKind::UnusableAddress, format!("the keys of `{issuer}` cannot be fetched: {problem}"))
        })?;
        let tls =
            tls::config(&self.roots).map_err(|problem| JwtError::new(JwtErrorKind::UnusableCertificates, problem))?;
        let client = Client::new(tls, self.connect_timeout, self.max_size, self.token_file);
        let no_runtime =
            |why: &str| JwtError::new(JwtErrorKind::NoRuntime, format!("remote keys are fetched by a task, and {why}"));
        let runtime = Handle::try_current().map_err(|_| no_runtime("there is no runtime of tokio"))?;
        if !has_timers() {
            return Err(no_runtime("the runtime of tokio has no timers: build it with `enable_all`"));
        }
        let provider = Provider { client, place, timeout: self.timeout };
        Ok(Arc::new(RemoteSource::start(issuer.to_owned(), provider, self.timing, &runtime)))
    }
}

/// Whether the runtime of tokio has timers, which it tells in no other way: without, whatever waits panics.
fn has_timers() -> bool {
    catch_unwind(|| drop(tokio::time::sleep(Duration::ZERO))).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the methods that change them say.
    #[test]
    fn what_is_not_set_is_as_documented() {
        let seconds = Duration::from_secs;
        for keys in [RemoteKeys::discovered(), RemoteKeys::jwks("https://id.example/keys")] {
            let Timing { refresh, back_off, cool_down, max_stale } = keys.timing;
            assert_eq!((refresh, back_off), ((seconds(300), seconds(3600)), (seconds(1), seconds(60))));
            assert_eq!((cool_down, max_stale), (seconds(10), None));
            assert_eq!((keys.connect_timeout, keys.timeout), (seconds(3), seconds(10)));
            assert_eq!((keys.max_size, keys.allow_plain_http), (262_144, false));
        }
    }

    #[test]
    fn no_time_between_refreshes_is_shorter_than_a_tenth_of_a_second() {
        let hasty = RemoteKeys::discovered().refresh_between(Duration::ZERO, Duration::ZERO);
        let hasty = hasty.cool_down(Duration::ZERO).back_off(Duration::ZERO, Duration::ZERO);
        let tenth = Duration::from_millis(100);
        assert_eq!((hasty.timing.refresh.0, hasty.timing.cool_down), (tenth, tenth));
        assert_eq!(hasty.timing.back_off, (tenth, tenth));
    }
}
