//! The vault as a schema of its own: `<book>_vault`, in a place and under a role of the operator's
//! choice.
//!
//! Every change is one statement that commits by itself, so a caller that goes away leaves no
//! transaction open (sqlx 0.9.0 leaks one when `begin()` is dropped), and the unique index on a
//! key's name decides between processes. A commit is on disk before it is seen by anybody:
//! `synchronous_commit` is on for every connection, and a server without `fsync` is refused.
//!
//! An erasure destroys the key for every client at once. Old versions of its row, the write-ahead
//! log and copies of both hold it until the server reuses their space. How long that takes depends
//! on the server (vacuum, short retention of log and backups) and is out of a client's reach.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Connection as _, Row};
use tokio::time::timeout;

use super::connect::{Patience, limited};
use super::database::{Database, Durability};
use super::lender::Within as _;
use super::schema::{Part, SchemaName};
use crate::StorageError;
use crate::vault::{
    self, Cache, Entropy, Erasure, Existence, Found, INDEX_PURPOSE, KeyName, KeyRing, KeyedHash,
    Opened, SealedText, Secret, Subject, Vault, VaultError, another_book, people,
    stored_index_secret, stored_secret,
};

/// Connections of one process.
const CONNECTIONS_MAX: u32 = 4;
/// How long a caller waits for a connection, milliseconds.
const CONNECTION_WAIT_MS: u64 = 10_000;
/// How long a connection that comes back may take to say that it is ready; else it is closed. The
/// pool asks it once more right after, without a limit.
const READY: Duration = Duration::from_secs(5);
const PATIENCE: Patience = Patience { lock_ms: 10_000, statement_ms: 30_000, idle_ms: 10_000 };

/// Keys of personal data in a PostgreSQL schema. Any number of processes may use one.
pub struct PostgresVault {
    place: String,
    entropy: Arc<dyn Entropy>,
    keys: Option<VaultKeys>,
}

/// A vault whose tables are there.
struct VaultKeys {
    server: Server,
    keyed_hash: KeyedHash,
    cache: Mutex<Cache>,
}

/// Where its tables are.
struct Server {
    pool: PgPool,
    /// How long an answer may take.
    answer: Duration,
}

impl Database {
    /// Makes the vault of a new book; see [`PostgresVault::create`].
    ///
    /// # Errors
    /// As there, or a name that no schema can have.
    pub async fn create_vault(
        &self,
        book: &str,
        entropy: Arc<dyn Entropy>,
    ) -> Result<PostgresVault, VaultError> {
        let schema = SchemaName::of(book, Part::Vault).map_err(VaultError::Refused)?;
        PostgresVault::create_on(self, &schema, entropy).await
    }

    /// Opens the vault of a book; see [`PostgresVault::open`].
    ///
    /// # Errors
    /// As there, or a name that no schema can have.
    pub async fn open_vault(
        &self,
        book: &str,
        entropy: Arc<dyn Entropy>,
    ) -> Result<PostgresVault, VaultError> {
        let schema = SchemaName::of(book, Part::Vault).map_err(VaultError::Refused)?;
        PostgresVault::open_on(self, &schema, entropy).await
    }
}

impl PostgresVault {
    /// Makes the vault of a new book in `schema`, whose index key is durable before this returns. A
    /// vault that is there already is opened. The role of `options` needs the right to create
    /// schemas only where there is none of that name.
    pub async fn create(
        options: PgConnectOptions,
        schema: &str,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, VaultError> {
        let schema = SchemaName::new(schema).map_err(VaultError::Refused)?;
        Self::create_on(&Database::of(options), &schema, entropy).await
    }

    pub(super) async fn create_on(
        database: &Database,
        schema: &SchemaName,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, VaultError> {
        let place = place(database.options(), schema);
        let server = Server::connect(database, schema).await?;
        let secret = server.create_tables(&*entropy).await?;
        Ok(Self::with_keys(place, entropy, server, secret))
    }

    /// Opens the vault of an existing book. Missing tables are not made anew: what they held would
    /// be lost in silence. Such a vault answers [`VaultError::KeyMissing`] to every opening and
    /// [`VaultError::VaultMissing`] to everything that needs a key.
    pub async fn open(
        options: PgConnectOptions,
        schema: &str,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, VaultError> {
        let schema = SchemaName::new(schema).map_err(VaultError::Refused)?;
        Self::open_on(&Database::of(options), &schema, entropy).await
    }

    pub(super) async fn open_on(
        database: &Database,
        schema: &SchemaName,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, VaultError> {
        let place = place(database.options(), schema);
        let server = Server::connect(database, schema).await?;
        let there: bool = sqlx::query_scalar(include_str!("sql/vault/exists.sql"))
            .bind(schema.as_str())
            .fetch_one(&server.pool)
            .within(server.answer, "look for the vault")
            .await?;
        if !there {
            server.close().await;
            return Ok(Self { place, entropy, keys: None });
        }
        let secret = server.read_index_key().await?;
        Ok(Self::with_keys(place, entropy, server, secret))
    }

    fn with_keys(place: String, entropy: Arc<dyn Entropy>, server: Server, index: Secret) -> Self {
        let keyed_hash = KeyedHash::new(index);
        let keys = Some(VaultKeys { server, keyed_hash, cache: Mutex::default() });
        Self { place, entropy, keys }
    }

    fn keys(&self) -> Result<&VaultKeys, VaultError> {
        self.keys.as_ref().ok_or_else(|| VaultError::VaultMissing { path: self.place.clone() })
    }
}

#[async_trait]
impl Vault for PostgresVault {
    async fn seal(&self, subject: Subject<'_>, plain: &str) -> Result<SealedText, VaultError> {
        let name = vault::check_sealing(subject, plain)?;
        let keys = self.keys()?;
        let found = keys.find(&name).await?;
        let erased = || VaultError::Erased { key: name.as_str().to_owned() };
        if found.erased == Existence::Present {
            return Err(erased());
        }
        let secret = match found.secret {
            Some(secret) => secret,
            None => keys.make_key(&name, &*self.entropy).await?.ok_or_else(erased)?,
        };
        vault::seal(&secret, &name, subject.field, plain, &*self.entropy)
    }

    async fn open(&self, sealed: &SealedText, field: &str) -> Result<Opened, VaultError> {
        let name = KeyName::parse(&sealed.key)?;
        let missing = || VaultError::KeyMissing { key: sealed.key.clone() };
        let found = self.keys.as_ref().ok_or_else(missing)?.find(&name).await?;
        if found.erased == Existence::Present {
            return Ok(Opened::Erased);
        }
        vault::open(&found.secret.ok_or_else(missing)?, &name, field, sealed)
    }

    async fn erase(&self, person: &str, class: &str) -> Result<Erasure, VaultError> {
        let name = KeyName::new(person, class)?;
        Ok(self.keys()?.erase(&name).await?)
    }

    async fn index(&self, domain: &str, normalised: &str) -> Result<String, VaultError> {
        self.keys()?.keyed_hash.index(domain, normalised)
    }

    async fn export(&self) -> Result<KeyRing, VaultError> {
        let Server { pool, answer } = &self.keys()?.server;
        let index = self.keys()?.server.read_index_key().await?;
        let rows: Vec<(String, Option<Vec<u8>>)> =
            sqlx::query_as(include_str!("sql/vault/list_keys.sql"))
                .fetch_all(pool)
                .within(*answer, "read the vault's keys")
                .await?;
        Ok(KeyRing { index, people: people(rows)? })
    }

    async fn import(&self, keys: &KeyRing) -> Result<(), VaultError> {
        let held = &self.keys()?.server;
        let failed = "take over the keys of another vault";
        if held.read_index_key().await?.as_bytes() != keys.index.as_bytes() {
            let put = sqlx::query(include_str!("sql/vault/put_index_key.sql"))
                .bind(INDEX_PURPOSE)
                .bind(keys.index.as_bytes())
                .execute(&held.pool)
                .within(held.answer, failed)
                .await?;
            if put.rows_affected() == 0 {
                return Err(another_book());
            }
        }
        let (names, secrets): (Vec<&str>, Vec<Option<&[u8]>>) = keys
            .people
            .iter()
            .map(|(name, secret)| (name.as_str(), secret.as_ref().map(Secret::as_bytes)))
            .unzip();
        sqlx::query(include_str!("sql/vault/put_keys.sql"))
            .bind(names)
            .bind(secrets)
            .execute(&held.pool)
            .within(held.answer, failed)
            .await?;
        Ok(())
    }

    async fn request_hash(&self, plain: &[u8]) -> Result<String, VaultError> {
        Ok(self.keys()?.keyed_hash.request(plain))
    }

    async fn close(&self) {
        if let Some(keys) = &self.keys {
            keys.server.close().await;
        }
    }
}

impl VaultKeys {
    /// What is known of a key *now*: the cache is asked only after the server has said that nobody
    /// was erased since, so that an erasure by another process holds here at once.
    async fn find(&self, name: &KeyName) -> Result<Found, StorageError> {
        let generation: i64 = sqlx::query_scalar(include_str!("sql/vault/read_generation.sql"))
            .fetch_one(&self.server.pool)
            .within(self.server.answer, "read the vault's generation")
            .await?;
        if let Some(secret) = self.cache().get(generation, name) {
            return Ok(Found { generation, erased: Existence::Absent, secret: Some(secret) });
        }
        let found = self.server.find(name).await?;
        self.cache().keep(&found, name);
        Ok(found)
    }

    /// Makes the key unless somebody else just did; answers with the one that is durable now, or
    /// with nothing if the person was erased.
    async fn make_key(
        &self,
        name: &KeyName,
        entropy: &dyn Entropy,
    ) -> Result<Option<Secret>, StorageError> {
        let fresh = Secret::random(entropy);
        sqlx::query(include_str!("sql/vault/make_key.sql"))
            .bind(name.as_str())
            .bind(fresh.as_bytes())
            .execute(&self.server.pool)
            .within(self.server.answer, "make a key durable")
            .await?;
        let found = self.server.find(name).await?;
        let is_erased = found.erased == Existence::Present;
        assert!(found.secret.is_some() != is_erased, "a name that was just written is read back");
        self.cache().keep(&found, name);
        Ok(found.secret)
    }

    async fn erase(&self, name: &KeyName) -> Result<Erasure, StorageError> {
        let was_made: Option<bool> = sqlx::query_scalar(include_str!("sql/vault/erase.sql"))
            .bind(name.as_str())
            .fetch_optional(&self.server.pool)
            .within(self.server.answer, "destroy a key")
            .await?;
        *self.cache() = Cache::default();
        match was_made {
            Some(true) => Ok(Erasure::Destroyed),
            Some(false) | None => Ok(Erasure::NothingThere),
        }
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Server {
    /// Connects so that plain table names mean the tables of `schema` and all waiting has a limit.
    async fn connect(database: &Database, schema: &SchemaName) -> Result<Self, VaultError> {
        let answer = database.answer();
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            .acquire_timeout(Duration::from_millis(CONNECTION_WAIT_MS))
            .after_release(|connection, _| {
                Box::pin(async move { Ok(timeout(READY, connection.ping()).await.is_ok()) })
            })
            .connect_with(limited(database.options().clone(), schema, PATIENCE))
            .within(answer, "open the vault")
            .await?;
        let syncs: bool = sqlx::query_scalar(include_str!("sql/vault/read_fsync.sql"))
            .fetch_one(&pool)
            .within(answer, "read the server's settings")
            .await?;
        if !syncs && database.durability() == Durability::Asked {
            return Err(VaultError::Refused(
                "the vault's server runs with fsync off, where a power loss takes keys away: turn \
                 it on"
                    .into(),
            ));
        }
        Ok(Self { pool, answer })
    }

    /// Makes what is missing. If it is cut short, the next creation finishes it.
    async fn create_tables(&self, entropy: &dyn Entropy) -> Result<Secret, StorageError> {
        let failed = "create the vault";
        let fresh = Secret::random(entropy);
        sqlx::raw_sql(include_str!("sql/vault/schema.sql"))
            .execute(&self.pool)
            .within(self.answer, failed)
            .await?;
        sqlx::query(include_str!("sql/vault/insert_index_key.sql"))
            .bind(INDEX_PURPOSE)
            .bind(fresh.as_bytes())
            .execute(&self.pool)
            .within(self.answer, failed)
            .await?;
        self.read_index_key().await
    }

    async fn read_index_key(&self) -> Result<Secret, StorageError> {
        let stored: Option<Vec<u8>> =
            sqlx::query_scalar(include_str!("sql/vault/read_index_key.sql"))
                .bind(INDEX_PURPOSE)
                .fetch_optional(&self.pool)
                .within(self.answer, "read the vault's index key")
                .await?;
        stored_index_secret(stored)
    }

    async fn find(&self, name: &KeyName) -> Result<Found, StorageError> {
        let row = sqlx::query(include_str!("sql/vault/find_key.sql"))
            .bind(name.as_str())
            .fetch_one(&self.pool)
            .within(self.answer, "read a key")
            .await?;
        let decode = || -> Result<(i64, bool, Option<Vec<u8>>), sqlx::Error> {
            Ok((row.try_get("generation")?, row.try_get("erased")?, row.try_get("secret")?))
        };
        let (generation, erased, secret) = decode().map_err(StorageError::sqlx("decode a key"))?;
        let secret = secret.map(|bytes| stored_secret(bytes, name.as_str())).transpose()?;
        let erased = if erased { Existence::Present } else { Existence::Absent };
        Ok(Found { generation, erased, secret })
    }

    /// Returns when every connection is closed, or does not let itself be closed in time.
    async fn close(&self) {
        if timeout(self.answer, self.pool.close()).await.is_err() {
            tracing::warn!("a connection to a vault that does not answer was left to the system");
        }
    }
}

/// Where the vault stands, in words.
fn place(options: &PgConnectOptions, schema: &SchemaName) -> String {
    let database = options.get_database().unwrap_or_else(|| options.get_username());
    let host = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => options.get_host().to_owned(),
    };
    let (port, schema) = (options.get_port(), schema.as_str());
    format!("schema {schema} of database {database} on {host}:{port}")
}

#[cfg(test)]
mod tests;
