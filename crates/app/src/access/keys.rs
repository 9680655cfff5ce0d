//! Keys of the API: they are created, revoked and listed, and checked with each request. The secret
//! of a key is shown once; the record has its hash.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use daicho_domain::Command as _;
use daicho_domain::access::{CreateKey, RevokeKey};
use daicho_domain::state::{Fold as _, Key, Keys};
use daicho_events::access::Role;
use daicho_events::{Actor, Query};
use daicho_store::{Book, Log as _, State, StateError, StateName};
use daicho_values::{Date, KeyId, Name, Scope, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::sync::{Mutex, RwLock};

use super::caller::Caller;
use crate::clock_and_entropy::ClockAndEntropy;
use crate::decide::commands::CommandRequest;
use crate::decide::secret::KeySecret;
use crate::decide::translate;
use crate::error::Failure;
use crate::record::Record;
use crate::storage::Storage;

/// How long this process may still accept a key that another process revoked.
const HEAD_AGE_MAX: Duration = Duration::from_secs(1);
/// The most events of one read.
const PAGE_EVENTS: usize = 10_000;
/// The kind of the documents that say when a key was last used.
const USE_KIND: &str = "key-use";
/// How exactly the last use is known.
const USE_STEP_US: i64 = 60_000_000;

/// A key to create.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyRequest {
    /// What it is for.
    pub name: Name,
    /// The actor of what is done with it: `staff:<log-in>` or `system:<name>`.
    pub actor: Actor,
    /// Its role: what it may do at most.
    pub role: Role,
    /// The scopes to which it is restricted within its role, such as `read`, `run:order` or
    /// `run:order.place`; left out: all that the role may do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<Scope>,
    /// The last day on which it is valid, in the shop's time zone; left out: it is valid until it
    /// is revoked.
    #[serde(default)]
    pub expires_on: Option<Date>,
}

/// A key and its present state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct KeyState {
    /// Its id.
    pub key: KeyId,
    /// What it is for.
    pub name: Name,
    /// The actor of what is done with it.
    pub actor: Actor,
    /// Its role: what it may do at most.
    pub role: Role,
    /// The scopes to which it is restricted within its role; empty: all that the role may do.
    pub scopes: Vec<Scope>,
    /// When it was created.
    pub created_at: Timestamp,
    /// The last day on which it is valid.
    pub expires_on: Option<Date>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

impl CommandRequest {
    /// Creates a key; the answer holds its secret, which is never shown again.
    pub fn create_key(key: &KeyRequest, actor: Actor) -> Self {
        Self::new(CreateKey::NAME, actor, fields(json!(key)))
    }

    /// Revokes a key, at once and for ever.
    pub fn revoke_key(key: KeyId, actor: Actor) -> Self {
        Self::new(RevokeKey::NAME, actor, fields(json!(RevokeKey { key })))
    }
}

fn fields(command: Value) -> Map<String, Value> {
    match command {
        Value::Object(fields) => fields,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            unreachable!("a struct is an object in JSON")
        }
    }
}

/// The keys of a book as this process knows them: they are read once, and afterwards only new
/// events are.
#[derive(Debug, Default)]
struct KeyTable {
    known: RwLock<Known>,
    /// The newest head of the record when it was last asked, and when that was.
    asked: Mutex<Option<(Instant, u64)>>,
    /// When the use of each key was last stored.
    used_at: Mutex<HashMap<KeyId, i64>>,
}

#[derive(Debug, Default)]
struct Known {
    keys: Keys,
    to: u64,
}

/// What a stored document says about the use of a key.
#[derive(Serialize, Deserialize)]
struct Use {
    last_used_at: Timestamp,
}

/// The keys of a book.
pub struct ApiKeys {
    log: Arc<Book>,
    state: Arc<dyn State>,
    record: Arc<Record>,
    clock_and_entropy: ClockAndEntropy,
    table: KeyTable,
}

impl ApiKeys {
    pub(crate) fn of(storage: &Storage, record: &Arc<Record>) -> Self {
        Self {
            log: Arc::clone(&storage.log),
            state: Arc::clone(&storage.state),
            record: Arc::clone(record),
            clock_and_entropy: storage.clock_and_entropy.clone(),
            table: KeyTable::default(),
        }
    }

    /// Every key that was ever created, oldest first.
    ///
    /// # Errors
    /// The log or the state could not be read.
    pub async fn all(&self) -> Result<Vec<KeyState>, Failure> {
        self.key_states(&Keys::all_query()).await
    }

    /// The key of that id, if one was ever created.
    ///
    /// # Errors
    /// The log or the state could not be read.
    pub async fn find(&self, key: KeyId) -> Result<Option<KeyState>, Failure> {
        Ok(self.key_states(&Keys::query(key)).await?.pop())
    }

    async fn key_states(&self, query: &Query) -> Result<Vec<KeyState>, Failure> {
        let mut keys = Keys::default();
        for event in self.record.about(query).await? {
            keys.apply(&event);
        }
        let mut states = Vec::new();
        for Key { created, created_at, revoked_at } in keys.into_all() {
            states.push(KeyState {
                last_used_at: self.last_use(created.key).await?,
                key: created.key,
                name: created.name,
                actor: created.actor,
                role: created.role,
                scopes: created.scopes,
                created_at,
                expires_on: created.expires_on,
                revoked_at,
            });
        }
        Ok(states)
    }

    /// The caller that this secret authenticates; `None` if it is not the secret of a valid key. A
    /// key that another process revoked is accepted for up to one more second.
    ///
    /// # Errors
    /// The log could not be read.
    pub async fn authenticate(&self, secret: &str) -> Result<Option<Caller>, Failure> {
        let Some(secret) = KeySecret::read(secret) else { return Ok(None) };
        let head = self.recent_head().await?;
        let table = &self.table;
        if table.known.read().await.to < head {
            self.learn_keys(&mut *table.known.write().await, head).await?;
        }
        let known = table.known.read().await;
        let Some(key) = known.keys.get(secret.key) else { return Ok(None) };
        let created = &key.created;
        // A secret has 256 random bits: the time that comparing two hashes takes reveals nothing
        // about it.
        if created.secret_sha256.as_str() != secret.sha256() {
            return Ok(None);
        }
        let ended = created.expires_on.is_some() || key.revoked_at.is_some();
        if ended && !key.is_in_force_on(self.record.today().await?) {
            return Ok(None);
        }
        self.note_use(secret.key).await;
        let (actor, scopes) = (created.actor.clone(), created.scopes.clone());
        Ok(Some(Caller { actor, role: created.role, scopes, key: Some(secret.key) }))
    }

    async fn learn_keys(&self, known: &mut Known, head: u64) -> Result<(), Failure> {
        let query = translate::query(&Keys::all_query());
        while known.to < head {
            let page = self.log.read(&query, known.to, head, PAGE_EVENTS).await?;
            for stored in &page.events {
                known.keys.apply(&translate::from_store(stored)?);
            }
            known.to = page.scanned_to;
        }
        Ok(())
    }

    /// A head that was the newest a moment ago.
    async fn recent_head(&self) -> Result<u64, Failure> {
        let mut asked = self.table.asked.lock().await;
        let recent = asked.filter(|(at, _)| at.elapsed() < HEAD_AGE_MAX);
        let head = match recent {
            Some((_, head)) => head,
            None => {
                let head = self.log.head().await?.position;
                *asked = Some((Instant::now(), head));
                head
            }
        };
        Ok(head.max(self.log.known_head()))
    }

    /// Stores that a key was used, at most once a minute and without delaying the request.
    async fn note_use(&self, key: KeyId) {
        let now = self.clock_and_entropy.now();
        let mut used_at = self.table.used_at.lock().await;
        let last = used_at.entry(key).or_insert(i64::MIN);
        if now.as_microseconds().saturating_sub(*last) < USE_STEP_US {
            return;
        }
        *last = now.as_microseconds();
        drop(used_at);
        let state = Arc::clone(&self.state);
        // If this fails, the use in the next minute is stored instead.
        tokio::spawn(async move { drop(write_use(state.as_ref(), key, now).await) });
    }

    async fn last_use(&self, key: KeyId) -> Result<Option<Timestamp>, Failure> {
        let (kind, name) = use_document(key)?;
        let document = self.state.document(&kind, &name).await?;
        let last = document.and_then(|document| serde_json::from_str::<Use>(&document.body).ok());
        Ok(last.map(|last| last.last_used_at))
    }
}

async fn write_use(state: &dyn State, key: KeyId, now: Timestamp) -> Result<(), StateError> {
    let (kind, name) = use_document(key)?;
    let before = state.document(&kind, &name).await?.map(|document| document.version);
    let body = serde_json::to_string(&Use { last_used_at: now });
    let body = body.map_err(|error| StateError::Refused(error.to_string()))?;
    state.put_document(&kind, &name, &body, before).await.map(drop)
}

/// Kind and name of the document that says when a key was used.
fn use_document(key: KeyId) -> Result<(StateName, StateName), StateError> {
    Ok((StateName::new(USE_KIND)?, StateName::new(&key.to_string().to_lowercase())?))
}
