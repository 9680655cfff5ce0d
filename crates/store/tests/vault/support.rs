//! Places under test, each with one vault in it, and short forms.

use std::path::PathBuf;
use std::str::FromStr as _;
use std::sync::Arc;

use async_trait::async_trait;
use daicho_store::vault::{MemoryVault, Opened, Subject, SystemEntropy, Vault, VaultError};
use daicho_store::{PostgresVault, SqliteVault};
use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;

pub const NAME: Subject<'_> = Subject { person: "member:1", class: "contact", field: "name" };

/// A place where one book keeps its keys.
#[async_trait]
pub trait Place: Send + Sync + Sized + 'static {
    /// A place with a new vault.
    async fn new() -> Self;
    /// Opens the vault as another process would; once more for each call.
    async fn open(&self) -> Arc<dyn Vault>;
}

/// A place that outlives the process.
#[async_trait]
pub trait Lasting: Place {
    /// Opens a vault that should be there and is not.
    async fn open_gone(&self) -> Arc<dyn Vault>;
}

pub struct Memory(Arc<MemoryVault>);

#[async_trait]
impl Place for Memory {
    async fn new() -> Self {
        Self(Arc::new(MemoryVault::new(Arc::new(SystemEntropy))))
    }

    async fn open(&self) -> Arc<dyn Vault> {
        Arc::clone(&self.0) as Arc<dyn Vault>
    }
}

pub struct Sqlite(TempDir);

impl Sqlite {
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

#[async_trait]
impl Place for Sqlite {
    async fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let path = place.path("vault.db");
        SqliteVault::create(&path, Arc::new(SystemEntropy)).await.unwrap().close().await;
        place
    }

    async fn open(&self) -> Arc<dyn Vault> {
        let path = self.path("vault.db");
        Arc::new(SqliteVault::open(&path, Arc::new(SystemEntropy)).await.unwrap())
    }
}

#[async_trait]
impl Lasting for Sqlite {
    async fn open_gone(&self) -> Arc<dyn Vault> {
        let path = self.path("gone.db");
        Arc::new(SqliteVault::open(&path, Arc::new(SystemEntropy)).await.unwrap())
    }
}

pub struct Postgres(PgConnectOptions);

impl Postgres {
    async fn open_schema(&self, schema: &str) -> Arc<dyn Vault> {
        let entropy = Arc::new(SystemEntropy);
        Arc::new(PostgresVault::open(self.0.clone(), schema, entropy).await.unwrap())
    }
}

#[async_trait]
impl Place for Postgres {
    async fn new() -> Self {
        let url = daicho_test_servers::shared().fresh_database().await;
        let options = PgConnectOptions::from_str(&url).unwrap();
        let entropy = Arc::new(SystemEntropy);
        let vault = PostgresVault::create(options.clone(), "shop_vault", entropy).await.unwrap();
        vault.close().await;
        Self(options)
    }

    async fn open(&self) -> Arc<dyn Vault> {
        self.open_schema("shop_vault").await
    }
}

#[async_trait]
impl Lasting for Postgres {
    async fn open_gone(&self) -> Arc<dyn Vault> {
        self.open_schema("gone_vault").await
    }
}

pub fn text(text: &str) -> Opened {
    Opened::Text(text.to_owned().into())
}

#[track_caller]
pub fn assert_missing(opened: &Result<Opened, VaultError>, key: &str) {
    assert!(matches!(opened, Err(VaultError::KeyMissing { key: named }) if named == key));
}
