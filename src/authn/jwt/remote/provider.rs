//! One refresh: from an issuer to its keys.

use std::time::Duration;

use super::{
    address::Address,
    client::{Answer, Client, NoAnswer},
    discovery::Discovery,
    freshness::freshness,
};
use crate::authn::jwt::key_set::ReadKeys;

/// Whoever publishes the keys of an issuer.
#[derive(Debug)]
pub(super) struct Provider {
    pub(super) client: Client,
    pub(super) place: Place,
    /// For all requests of one refresh together.
    pub(super) timeout: Duration,
}

/// Where the keys are.
#[derive(Debug)]
pub(super) enum Place {
    KeySet(Address),
    /// Where the metadata say, which are asked for each time: the place may change.
    Discovered(Discovery),
}

/// What a provider published.
#[derive(Debug)]
pub(super) struct Published {
    pub(super) keys: ReadKeys,
    pub(super) fresh: Option<Duration>,
}

/// Why a provider published nothing that is of use.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) why: String,
    /// How long it wants to be left alone.
    pub(super) retry_after: Option<Duration>,
}

impl<S: Into<String>> From<S> for Failure {
    fn from(why: S) -> Self {
        Self { why: why.into(), retry_after: None }
    }
}

impl Provider {
    /// The keys that are published now: one at least.
    pub(super) async fn publishes(&self) -> Result<Published, Failure> {
        let late = |_| Err(format!("there was no answer within {:?}", self.timeout).into());
        tokio::time::timeout(self.timeout, self.fetch()).await.unwrap_or_else(late)
    }

    async fn fetch(&self) -> Result<Published, Failure> {
        let address = match &self.place {
            Place::KeySet(address) => address,
            Place::Discovered(discovery) => &discovery.key_set(&self.metadata(discovery).await?.body)?,
        };
        let answer = self.client.get(address).await.map_err(|problem| problem.at(address))?;
        let keys = ReadKeys::published(&answer.body)
            .map_err(|problem| format!("`{address}`: the key set cannot be used: {problem}"))?;
        Ok(Published { keys, fresh: freshness(&answer.headers) })
    }

    async fn metadata(&self, discovery: &Discovery) -> Result<Answer, Failure> {
        let [openid, oauth] = discovery.places()?;
        match self.client.get(&openid).await {
            Err(NoAnswer::NotFound) => self.client.get(&oauth).await.map_err(|problem| problem.at(&oauth)),
            answer => answer.map_err(|problem| problem.at(&openid)),
        }
    }
}
