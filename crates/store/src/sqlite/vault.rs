//! The vault as a file of its own: `vault.db`.
//!
//! Its journal is a WAL with `synchronous = FULL`: one sync makes a key durable. A rollback journal
//! needs three and changes the file's size each time (TRUNCATE: fifty times slower on ext4), and
//! DELETE is not even durable under FULL, since an unlinked journal may come back after a power
//! loss and roll a key away whose sealed value is in the record already. What speaks against a WAL
//! is that it keeps old pages, and with them destroyed keys, until it is overwritten. So an erasure
//! is done only when the log has been written back and cut to nothing (`wal_checkpoint(TRUNCATE)`),
//! and opening does the same for an erasure that a crash cut short. `secure_delete` wipes what is
//! deleted in the file. Blocks that a file system or disk has freed are beyond a program's reach.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqliteSynchronous};
use sqlx::{Row, SqliteConnection, SqliteExecutor};

use crate::StorageError;
use crate::vault::{
    self, Cache, Entropy, Erasure, Existence, Found, INDEX_PURPOSE, KeyName, KeyRing, KeyedHash,
    Opened, SealedText, Secret, Subject, Vault, VaultError, another_book, people,
    stored_index_secret, stored_secret,
};

use super::busy::patiently;
use super::pool::clean_pool;

/// How long a statement waits for another process, milliseconds.
const BUSY_WAIT_MS: u64 = 10_000;

/// Keys of personal data in a SQLite file. Any number of processes may use one.
pub struct SqliteVault {
    path: PathBuf,
    entropy: Arc<dyn Entropy>,
    file: Option<VaultFile>,
}

/// A vault whose file is there.
struct VaultFile {
    pool: SqlitePool,
    keyed_hash: KeyedHash,
    cache: Mutex<Cache>,
}

impl SqliteVault {
    /// Makes the vault of a new book at `path`, whose index key is durable before this returns. A
    /// vault that is there already is opened.
    pub async fn create(path: &Path, entropy: Arc<dyn Entropy>) -> Result<Self, VaultError> {
        create_private_file(path)?;
        let pool = connect(path).await?;
        let secret = create_tables(&pool, &*entropy).await?;
        Ok(Self::with_file(path, entropy, pool, secret))
    }

    /// Opens the vault of an existing book. A missing file is not made anew: what it held would be
    /// lost in silence. Such a vault answers [`VaultError::KeyMissing`] to every opening and
    /// [`VaultError::VaultMissing`] to everything that needs a key.
    pub async fn open(path: &Path, entropy: Arc<dyn Entropy>) -> Result<Self, VaultError> {
        let there = path.try_exists().map_err(|source| io("look for", path, source))?;
        if !there {
            return Ok(Self { path: path.to_owned(), entropy, file: None });
        }
        let pool = connect(path).await?;
        let secret = read_index_key(&pool).await?;
        if let LogCut::Held = cut_log(&pool).await? {
            tracing::debug!("the vault's journal is in use and is cut later");
        }
        Ok(Self::with_file(path, entropy, pool, secret))
    }

    fn with_file(path: &Path, entropy: Arc<dyn Entropy>, pool: SqlitePool, index: Secret) -> Self {
        let keyed_hash = KeyedHash::new(index);
        let file = Some(VaultFile { pool, keyed_hash, cache: Mutex::default() });
        Self { path: path.to_owned(), entropy, file }
    }

    fn file(&self) -> Result<&VaultFile, VaultError> {
        self.file
            .as_ref()
            .ok_or_else(|| VaultError::VaultMissing { path: self.path.display().to_string() })
    }
}

#[async_trait]
impl Vault for SqliteVault {
    async fn seal(&self, subject: Subject<'_>, plain: &str) -> Result<SealedText, VaultError> {
        let name = vault::check_sealing(subject, plain)?;
        let file = self.file()?;
        let found = file.find(&name).await?;
        let erased = || VaultError::Erased { key: name.as_str().to_owned() };
        if found.erased == Existence::Present {
            return Err(erased());
        }
        let secret = match found.secret {
            Some(secret) => secret,
            None => file.make_key(&name, &*self.entropy).await?.ok_or_else(erased)?,
        };
        vault::seal(&secret, &name, subject.field, plain, &*self.entropy)
    }

    async fn open(&self, sealed: &SealedText, field: &str) -> Result<Opened, VaultError> {
        let name = KeyName::parse(&sealed.key)?;
        let missing = || VaultError::KeyMissing { key: sealed.key.clone() };
        let found = self.file.as_ref().ok_or_else(missing)?.find(&name).await?;
        if found.erased == Existence::Present {
            return Ok(Opened::Erased);
        }
        vault::open(&found.secret.ok_or_else(missing)?, &name, field, sealed)
    }

    async fn erase(&self, person: &str, class: &str) -> Result<Erasure, VaultError> {
        let name = KeyName::new(person, class)?;
        self.file()?.erase(&name).await
    }

    async fn index(&self, domain: &str, normalised: &str) -> Result<String, VaultError> {
        self.file()?.keyed_hash.index(domain, normalised)
    }

    async fn export(&self) -> Result<KeyRing, VaultError> {
        let file = self.file()?;
        let index = read_index_key(&file.pool).await?;
        let rows: Vec<(String, Option<Vec<u8>>)> =
            sqlx::query_as(include_str!("vault/list_keys.sql"))
                .fetch_all(&file.pool)
                .await
                .map_err(StorageError::sqlx("read the vault's keys"))?;
        Ok(KeyRing { index, people: people(rows)? })
    }

    async fn import(&self, keys: &KeyRing) -> Result<(), VaultError> {
        let file = self.file()?;
        let failed = "take over the keys of another vault";
        let begun = file.pool.begin_with("BEGIN IMMEDIATE").await;
        let mut tx = begun.map_err(StorageError::sqlx(failed))?;
        if read_index_key(&mut *tx).await?.as_bytes() != keys.index.as_bytes() {
            let empty: bool = sqlx::query_scalar("SELECT NOT EXISTS (SELECT 1 FROM person_key)")
                .fetch_one(&mut *tx)
                .await
                .map_err(StorageError::sqlx(failed))?;
            if !empty {
                return Err(another_book());
            }
            sqlx::query("UPDATE book_key SET secret = ?2 WHERE purpose = ?1")
                .bind(INDEX_PURPOSE)
                .bind(keys.index.as_bytes())
                .execute(&mut *tx)
                .await
                .map_err(StorageError::sqlx(failed))?;
        }
        for (name, secret) in &keys.people {
            put_key(&mut tx, name, secret.as_ref()).await.map_err(StorageError::sqlx(failed))?;
        }
        tx.commit().await.map_err(StorageError::sqlx(failed))?;
        *file.cache() = Cache::default();
        Ok(())
    }

    async fn request_hash(&self, plain: &[u8]) -> Result<String, VaultError> {
        Ok(self.file()?.keyed_hash.request(plain))
    }

    async fn close(&self) {
        if let Some(file) = &self.file {
            file.pool.close().await;
        }
    }
}

impl VaultFile {
    /// What is known of a key *now*: the cache is asked only after the file has said that nobody
    /// was erased since, so that an erasure by another process holds here at once.
    async fn find(&self, name: &KeyName) -> Result<Found, VaultError> {
        let generation: i64 = sqlx::query_scalar("SELECT coalesce(max(number), 0) FROM erased")
            .fetch_one(&self.pool)
            .await
            .map_err(StorageError::sqlx("read the vault's generation"))?;
        if let Some(secret) = self.cache().get(generation, name) {
            return Ok(Found { generation, erased: Existence::Absent, secret: Some(secret) });
        }
        let found = find(&self.pool, name).await?;
        self.cache().keep(&found, name);
        Ok(found)
    }

    /// Makes the key unless somebody else just did; answers with the one that is durable now, or
    /// with nothing if the person was erased.
    async fn make_key(
        &self,
        name: &KeyName,
        entropy: &dyn Entropy,
    ) -> Result<Option<Secret>, VaultError> {
        let fresh = Secret::random(entropy);
        let failed = "make a key durable";
        let mut tx =
            self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(StorageError::sqlx(failed))?;
        if find(&mut *tx, name).await?.erased == Existence::Present {
            return Ok(None);
        }
        sqlx::query("INSERT OR IGNORE INTO person_key (name, secret) VALUES (?1, ?2)")
            .bind(name.as_str())
            .bind(fresh.as_bytes())
            .execute(&mut *tx)
            .await
            .map_err(StorageError::sqlx(failed))?;
        let found = find(&mut *tx, name).await?;
        tx.commit().await.map_err(StorageError::sqlx(failed))?;
        assert!(found.secret.is_some(), "a key that was just written is read back");
        self.cache().keep(&found, name);
        Ok(found.secret)
    }

    async fn erase(&self, name: &KeyName) -> Result<Erasure, VaultError> {
        let failed = "destroy a key";
        let mut tx =
            self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(StorageError::sqlx(failed))?;
        let before = find(&mut *tx, name).await?;
        if before.erased == Existence::Present {
            tx.rollback().await.map_err(StorageError::sqlx(failed))?;
            // The first attempt may have been cut short before it wiped the log.
            self.wipe_log(name).await?;
            return Ok(Erasure::NothingThere);
        }
        sqlx::query("INSERT INTO erased (name) VALUES (?1)")
            .bind(name.as_str())
            .execute(&mut *tx)
            .await
            .map_err(StorageError::sqlx(failed))?;
        sqlx::query("DELETE FROM person_key WHERE name = ?1")
            .bind(name.as_str())
            .execute(&mut *tx)
            .await
            .map_err(StorageError::sqlx(failed))?;
        tx.commit().await.map_err(StorageError::sqlx(failed))?;
        *self.cache() = Cache::default();
        self.wipe_log(name).await?;
        match before.secret {
            Some(_) => Ok(Erasure::Destroyed),
            None => Ok(Erasure::NothingThere),
        }
    }

    async fn wipe_log(&self, name: &KeyName) -> Result<(), VaultError> {
        match cut_log(&self.pool).await? {
            LogCut::Done => Ok(()),
            LogCut::Held => Err(VaultError::NotWiped { key: name.as_str().to_owned() }),
        }
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn find(executor: impl SqliteExecutor<'_>, name: &KeyName) -> Result<Found, StorageError> {
    let row = sqlx::query(include_str!("vault/find_key.sql"))
        .bind(name.as_str())
        .fetch_one(executor)
        .await
        .map_err(StorageError::sqlx("read a key"))?;
    let read = StorageError::sqlx("decode a key");
    let decode = || -> Result<(i64, i64, Option<Vec<u8>>), sqlx::Error> {
        Ok((row.try_get("generation")?, row.try_get("erased")?, row.try_get("secret")?))
    };
    let (generation, erased, secret) = decode().map_err(read)?;
    let secret = secret.map(|bytes| stored_secret(bytes, name.as_str())).transpose()?;
    let erased = if erased == 0 { Existence::Absent } else { Existence::Present };
    Ok(Found { generation, erased, secret })
}

/// A key that is there stays, unless it was erased.
async fn put_key(
    connection: &mut SqliteConnection,
    name: &str,
    secret: Option<&Secret>,
) -> Result<(), sqlx::Error> {
    let Some(secret) = secret else {
        sqlx::query("INSERT OR IGNORE INTO erased (name) VALUES (?1)")
            .bind(name)
            .execute(&mut *connection)
            .await?;
        sqlx::query("DELETE FROM person_key WHERE name = ?1")
            .bind(name)
            .execute(connection)
            .await?;
        return Ok(());
    };
    sqlx::query(include_str!("vault/put_key.sql"))
        .bind(name)
        .bind(secret.as_bytes())
        .execute(connection)
        .await?;
    Ok(())
}

/// Whether the log is written back and empty.
enum LogCut {
    Done,
    Held,
}

/// Writes the log back into the file and cuts it to nothing, unless a reader holds it too long.
async fn cut_log(pool: &SqlitePool) -> Result<LogCut, StorageError> {
    let busy: i64 = sqlx::query_scalar("PRAGMA wal_checkpoint(TRUNCATE)")
        .fetch_one(pool)
        .await
        .map_err(StorageError::sqlx("wipe the vault's journal"))?;
    Ok(if busy == 0 { LogCut::Done } else { LogCut::Held })
}

async fn create_tables(pool: &SqlitePool, entropy: &dyn Entropy) -> Result<Secret, StorageError> {
    let failed = "create the vault";
    let fresh = Secret::random(entropy);
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await.map_err(StorageError::sqlx(failed))?;
    sqlx::raw_sql(include_str!("vault/schema.sql"))
        .execute(&mut *tx)
        .await
        .map_err(StorageError::sqlx(failed))?;
    sqlx::query("INSERT OR IGNORE INTO book_key (purpose, secret) VALUES (?1, ?2)")
        .bind(INDEX_PURPOSE)
        .bind(fresh.as_bytes())
        .execute(&mut *tx)
        .await
        .map_err(StorageError::sqlx(failed))?;
    let secret = read_index_key(&mut *tx).await?;
    tx.commit().await.map_err(StorageError::sqlx(failed))?;
    Ok(secret)
}

async fn read_index_key(executor: impl SqliteExecutor<'_>) -> Result<Secret, StorageError> {
    let stored: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT secret FROM book_key WHERE purpose = ?1")
            .bind(INDEX_PURPOSE)
            .fetch_optional(executor)
            .await
            .map_err(StorageError::sqlx("read the vault's index key"))?;
    stored_index_secret(stored)
}

async fn connect(path: &Path) -> Result<SqlitePool, StorageError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("secure_delete", "ON")
        // A key must not reach a temporary file.
        .pragma("temp_store", "MEMORY")
        .busy_timeout(Duration::from_millis(BUSY_WAIT_MS));
    patiently("open the vault", || clean_pool(1).connect_with(options.clone())).await
}

/// Makes an empty file that its owner alone may read; SQLite gives its journal the same rights.
fn create_private_file(path: &Path) -> Result<(), StorageError> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|source| io("create", path, source))
}

fn io(context: &'static str, path: &Path, source: std::io::Error) -> StorageError {
    StorageError::io(context, path)(source)
}

#[cfg(test)]
mod tests;
