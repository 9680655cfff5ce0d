//! A vault that lives and dies with the process: for tests and for books that are simulated.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::crypto::{self, KeyName, KeyedHash, Secret};
use super::{
    Entropy, Erasure, KeyRing, Opened, SealedText, Subject, Vault, VaultError, another_book,
};

/// Keeps its keys in memory only.
pub struct MemoryVault {
    entropy: Arc<dyn Entropy>,
    index: Secret,
    keyed_hash: KeyedHash,
    keys: Mutex<Keys>,
}

#[derive(Default)]
struct Keys {
    secrets: HashMap<String, Secret>,
    erased: HashSet<String>,
}

impl MemoryVault {
    /// An empty vault with an index key of its own.
    pub fn new(entropy: Arc<dyn Entropy>) -> Self {
        let index = Secret::random(&*entropy);
        let keyed_hash = KeyedHash::new(index.clone());
        Self { entropy, index, keyed_hash, keys: Mutex::default() }
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key_to_seal(&self, name: &KeyName) -> Result<Secret, VaultError> {
        let mut keys = self.keys();
        if keys.erased.contains(name.as_str()) {
            return Err(VaultError::Erased { key: name.as_str().to_owned() });
        }
        let made = keys.secrets.entry(name.as_str().to_owned());
        Ok(made.or_insert_with(|| Secret::random(&*self.entropy)).clone())
    }
}

#[async_trait]
impl Vault for MemoryVault {
    async fn seal(&self, subject: Subject<'_>, plain: &str) -> Result<SealedText, VaultError> {
        let name = crypto::check_sealing(subject, plain)?;
        let secret = self.key_to_seal(&name)?;
        crypto::seal(&secret, &name, subject.field, plain, &*self.entropy)
    }

    async fn open(&self, sealed: &SealedText, field: &str) -> Result<Opened, VaultError> {
        let name = KeyName::parse(&sealed.key)?;
        let found = self.keys().secrets.get(name.as_str()).cloned();
        if let Some(secret) = found {
            return crypto::open(&secret, &name, field, sealed);
        }
        if self.keys().erased.contains(name.as_str()) {
            return Ok(Opened::Erased);
        }
        Err(VaultError::KeyMissing { key: sealed.key.clone() })
    }

    async fn erase(&self, person: &str, class: &str) -> Result<Erasure, VaultError> {
        let name = KeyName::new(person, class)?;
        let mut keys = self.keys();
        keys.erased.insert(name.as_str().to_owned());
        match keys.secrets.remove(name.as_str()) {
            Some(_) => Ok(Erasure::Destroyed),
            None => Ok(Erasure::NothingThere),
        }
    }

    async fn index(&self, domain: &str, normalised: &str) -> Result<String, VaultError> {
        self.keyed_hash.index(domain, normalised)
    }

    async fn export(&self) -> Result<KeyRing, VaultError> {
        let keys = self.keys();
        let erased = keys.erased.iter().map(|name| (name.clone(), None));
        let held = keys.secrets.iter().map(|(name, secret)| (name.clone(), Some(secret.clone())));
        let mut people: Vec<_> = held.chain(erased).collect();
        people.sort_by(|left, right| left.0.cmp(&right.0));
        Ok(KeyRing { index: self.index.clone(), people })
    }

    async fn import(&self, keys: &KeyRing) -> Result<(), VaultError> {
        if keys.index.as_bytes() != self.index.as_bytes() {
            return Err(another_book());
        }
        let mut held = self.keys();
        for (name, secret) in &keys.people {
            match secret {
                Some(_) if held.erased.contains(name) => {}
                Some(secret) => {
                    held.secrets.entry(name.clone()).or_insert_with(|| secret.clone());
                }
                None => {
                    held.secrets.remove(name);
                    held.erased.insert(name.clone());
                }
            }
        }
        Ok(())
    }

    async fn request_hash(&self, plain: &[u8]) -> Result<String, VaultError> {
        Ok(self.keyed_hash.request(plain))
    }
}
