//! Keys that a process holds in memory, and what a database says of a key. Every vault that stands
//! in a database uses this.

use std::collections::HashMap;

use super::{KeyName, Secret, VaultError};
use crate::StorageError;

/// Keys held in memory; beyond it the process forgets them all and reads them again.
const CACHE_KEYS_MAX: usize = 10_000;
/// The purpose under which the key of the keyed hash is stored.
pub(crate) const INDEX_PURPOSE: &str = "index";

/// What the database knows of one key.
pub(crate) struct Found {
    /// The vault's generation at that moment: it changes with every erasure.
    pub(crate) generation: i64,
    /// Whether the key was destroyed on purpose.
    pub(crate) erased: Existence,
    /// The key.
    pub(crate) secret: Option<Secret>,
}

/// Whether something is there.
#[derive(PartialEq, Eq)]
pub(crate) enum Existence {
    Present,
    Absent,
}

/// Keys known to be good as of one generation of the vault.
#[derive(Default)]
pub(crate) struct Cache {
    generation: i64,
    secrets: HashMap<String, Secret>,
}

impl Cache {
    /// The key, if it was put in at this very `generation`.
    pub(crate) fn get(&self, generation: i64, name: &KeyName) -> Option<Secret> {
        if self.generation != generation {
            return None;
        }
        self.secrets.get(name.as_str()).cloned()
    }

    /// Keeps a key that was found, and forgets what an older generation held.
    pub(crate) fn keep(&mut self, found: &Found, name: &KeyName) {
        let Some(secret) = &found.secret else { return };
        if found.erased == Existence::Present || found.generation < self.generation {
            return;
        }
        if found.generation > self.generation || self.secrets.len() >= CACHE_KEYS_MAX {
            self.secrets.clear();
        }
        self.generation = found.generation;
        self.secrets.insert(name.as_str().to_owned(), secret.clone());
    }
}

/// The key that stands in the database as `bytes`.
pub(crate) fn stored_secret(bytes: Vec<u8>, name: &str) -> Result<Secret, StorageError> {
    Secret::from_stored(bytes)
        .ok_or_else(|| StorageError::Corrupt(format!("key {name} in the vault is not 32 bytes")))
}

/// The key of the keyed hash; a vault without it cannot be used.
pub(crate) fn stored_index_secret(bytes: Option<Vec<u8>>) -> Result<Secret, StorageError> {
    let bytes = bytes.ok_or_else(|| {
        StorageError::Corrupt("the vault has no index key: restore the vault of this book".into())
    })?;
    stored_secret(bytes, INDEX_PURPOSE)
}

/// Stored keys of people; without one where the person was erased.
pub(crate) fn people(
    rows: Vec<(String, Option<Vec<u8>>)>,
) -> Result<Vec<(String, Option<Secret>)>, StorageError> {
    let key = |(name, bytes): (String, Option<Vec<u8>>)| {
        let secret = bytes.map(|bytes| stored_secret(bytes, &name)).transpose()?;
        Ok((name, secret))
    };
    rows.into_iter().map(key).collect()
}

/// The error for keys that belong to another book.
pub(crate) fn another_book() -> VaultError {
    VaultError::Refused("the vault holds the keys of another book: name another one".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::SystemEntropy;

    #[test]
    fn the_cache_is_bounded_and_forgetting_loses_nothing() {
        let mut cache = Cache::default();
        let key = |number: usize| KeyName::new(&format!("member:{number}"), "contact").unwrap();
        for number in 0..CACHE_KEYS_MAX * 2 + 1 {
            let secret = Some(Secret::random(&SystemEntropy));
            let found = Found { generation: 0, erased: Existence::Absent, secret };
            cache.keep(&found, &key(number));
            assert!(cache.secrets.len() <= CACHE_KEYS_MAX);
            assert!(cache.get(0, &key(number)).is_some());
        }
        let last = key(CACHE_KEYS_MAX * 2);
        assert!(cache.get(1, &last).is_none(), "an older generation is not asked");
    }
}
