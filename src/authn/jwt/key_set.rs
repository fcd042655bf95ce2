//! The keys of an issuer, replaced as a whole.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use arc_swap::{ArcSwapOption, Guard};
use serde_json::{Map, Value, value::RawValue};

use super::{algorithm::JwtAlgorithm, key::Key, object};
use crate::identity::CredentialErrorKind;

/// Of keys that a token without `kid` could mean, so many are tried.
const MOST_TRIED: usize = 8;

/// The keys of an issuer at one time.
#[derive(Debug)]
pub(super) struct KeySet {
    keys: Vec<Key>,
    generation: u64,
}

impl KeySet {
    /// Grows with every change of the keys of one issuer.
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// The keys that a token can mean, of which any may have signed it.
    pub(super) fn candidates(
        &self,
        id: Option<&str>,
        algorithm: JwtAlgorithm,
    ) -> Result<impl Iterator<Item = &Key>, CredentialErrorKind> {
        let named = || self.keys.iter().filter(move |key| key.may_be(id));
        let fitting = named().filter(move |key| key.is_for(algorithm));
        match (fitting.clone().count(), named().count()) {
            (1..=MOST_TRIED, _) => Ok(fitting),
            (0, 1..) => Err(CredentialErrorKind::AlgorithmNotAllowed),
            _ => Err(CredentialErrorKind::UnknownKey),
        }
    }

    /// Whether a key is called `id`.
    pub(super) fn names(&self, id: &str) -> bool {
        self.keys.iter().any(|key| key.is_called(id))
    }

    /// Whether any key is for one of `algorithms`.
    pub(super) fn serves(&self, algorithms: &[JwtAlgorithm]) -> bool {
        self.keys.iter().any(|key| algorithms.iter().any(|algorithm| key.is_for(*algorithm)))
    }
}

/// What was read out of a JSON Web Key Set (RFC 7517, section 5): one unusable key does not spoil it.
#[derive(Debug)]
pub(super) struct ReadKeys {
    pub(super) keys: Vec<Key>,
    /// Why the others cannot be used.
    pub(super) problems: Vec<String>,
}

impl ReadKeys {
    pub(super) fn jwks(json: &[u8]) -> Result<Self, String> {
        Self::read(json, Key::jwk)
    }

    fn read(json: &[u8], read_key: fn(&Map<String, Value>) -> Result<Key, String>) -> Result<Self, String> {
        let set = object::parse_top(json).ok_or("it is not a JSON object, or names a member twice")?;
        let members = set.get("keys").and_then(|keys| serde_json::from_str::<Vec<&RawValue>>(keys.get()).ok());
        let members = members.ok_or("it has no list of `keys`")?;
        let mut read = Self { keys: Vec::new(), problems: Vec::new() };
        for (index, member) in members.iter().enumerate() {
            let object = object::parse(member.get().as_bytes());
            let key = object.ok_or_else(|| "it is no object, or names a member twice".to_owned());
            match key.and_then(|object| read_key(&object)) {
                Ok(key) => read.keys.push(key),
                Err(problem) => read.problems.push(format!("key {index}: {problem}")),
            }
        }
        Ok(read)
    }

    /// A set that holds a key of use, and in which no secret is one: everybody can read what is published.
    #[cfg(feature = "jwks")]
    pub(super) fn published(json: &[u8]) -> Result<Self, String> {
        let read = Self::read(json, Key::published)?;
        if read.keys.is_empty() { Err(read.nothing()) } else { Ok(read) }
    }

    /// Why there is no key of use.
    pub(super) fn nothing(&self) -> String {
        if self.problems.is_empty() { "it is empty".to_owned() } else { self.problems.join("; ") }
    }
}

/// Whether two lists hold the same keys. Providers list them in any order, and their sets are small.
fn are_the_same(some: &[Key], others: &[Key]) -> bool {
    let all_in = |these: &[Key], those: &[Key]| these.iter().all(|key| those.contains(key));
    some.len() == others.len() && all_in(some, others) && all_in(others, some)
}

/// Holds the key set of an issuer. Readers never wait; there is one writer.
#[derive(Debug, Default)]
pub(super) struct KeyStore {
    current: ArcSwapOption<KeySet>,
    generation: AtomicU64,
}

impl KeyStore {
    pub(super) fn holding(keys: Vec<Key>) -> Self {
        let store = Self::default();
        store.replace(keys);
        store
    }

    /// Puts `keys` in force, and says whether they differ from those before, in whatever order both are.
    pub(super) fn replace(&self, keys: Vec<Key>) -> bool {
        if self.current.load().as_ref().is_some_and(|current| are_the_same(&current.keys, &keys)) {
            return false;
        }
        // The number goes first: between the two steps, what was verified with the old keys is verified again.
        let generation = self.generation.fetch_add(1, Ordering::AcqRel) + 1;
        self.current.store(Some(Arc::new(KeySet { keys, generation })));
        true
    }

    /// None as long as there was never a set.
    pub(super) fn load(&self) -> Guard<Option<Arc<KeySet>>> {
        self.current.load()
    }

    /// How many keys are in force.
    #[cfg(feature = "jwks")]
    pub(super) fn len(&self) -> usize {
        self.current.load().as_ref().map_or(0, |set| set.keys.len())
    }

    /// Takes all keys out of force, as if there had never been any.
    #[cfg(feature = "jwks")]
    pub(super) fn clear(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.current.store(None);
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }
}
