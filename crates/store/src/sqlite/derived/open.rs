//! Opening derived.db: it is taken as it is, or dropped and begun anew; it never leads the record.
//!
//! A readable file is emptied in one transaction, so that other processes that have it open see one
//! state or the other; a file that SQLite cannot read is deleted.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use sqlx::{AssertSqlSafe, SqliteConnection, SqlitePool};

use crate::StorageError;

use super::RecordProbe;
use super::database::{begin_write, connect_writer, from_sql, is_unreadable, is_unusable, to_sql};
use super::snapshot::{Meta, Snapshot, read_meta};
use super::tiles::{self, Hash, TILE_WIDTH};

/// Version of the tables and their blobs; another one is dropped and made again.
const FORMAT: i64 = 1;

/// What derived.db must have been made from and for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Identity<'a> {
    pub(super) book_id: [u8; 16],
    pub(super) packer_fingerprint: &'a str,
    pub(super) block_events: u32,
}

/// Opens the file, empty if it was not the derived state of this record.
pub(super) async fn open(
    path: &Path,
    identity: Identity<'_>,
    probe: &dyn RecordProbe,
) -> Result<(SqlitePool, Snapshot), StorageError> {
    match open_readable(path, identity, probe).await {
        Err(error) if is_unreadable(&error) => {
            tracing::warn!(%error, "derived.db cannot be read and is made anew");
            delete(path).await?;
            open_readable(path, identity, probe).await
        }
        opened => opened,
    }
}

async fn open_readable(
    path: &Path,
    identity: Identity<'_>,
    probe: &dyn RecordProbe,
) -> Result<(SqlitePool, Snapshot), StorageError> {
    let writer = connect_writer(path).await?;
    match inspect_or_remake(&writer, identity, probe).await {
        Ok(snapshot) => Ok((writer, snapshot)),
        Err(error) => {
            writer.close().await;
            Err(error)
        }
    }
}

async fn inspect_or_remake(
    writer: &SqlitePool,
    identity: Identity<'_>,
    probe: &dyn RecordProbe,
) -> Result<Snapshot, StorageError> {
    let mut tx = writer.begin().await.map_err(StorageError::sqlx("begin to read derived.db"))?;
    let inspected = inspect(&mut tx, identity, probe).await;
    tx.rollback().await.map_err(StorageError::sqlx("end reading derived.db"))?;
    match inspected {
        Err(error) if is_unusable(&error) && !is_unreadable(&error) => {
            tracing::info!(%error, "the derived state is made anew");
            remake(writer, identity, probe).await
        }
        inspected => inspected,
    }
}

/// The state of the file, or why it is not that of this record.
async fn inspect(
    connection: &mut SqliteConnection,
    identity: Identity<'_>,
    probe: &dyn RecordProbe,
) -> Result<Snapshot, StorageError> {
    let meta = read_meta(connection).await?;
    check_identity(&meta, identity)?;
    let sealed_to = from_sql(meta.sealed_to)?;
    if let Some(number) = sealed_to.checked_sub(1) {
        let sealed = read_leaf(connection, number).await?;
        if probe.leaf(sealed_to).await? != Some(sealed) {
            return Err(StorageError::Corrupt(format!("event {sealed_to} is not the sealed one")));
        }
    }
    Snapshot::load(connection, meta, None).await
}

fn check_identity(meta: &Meta, identity: Identity<'_>) -> Result<(), StorageError> {
    let made_for = if meta.format != FORMAT {
        "another release"
    } else if meta.book != identity.book_id {
        "another book"
    } else if meta.packer != identity.packer_fingerprint {
        "another form of replay blocks"
    } else if meta.block_events != i64::from(identity.block_events) {
        "another size of blocks"
    } else {
        return Ok(());
    };
    Err(StorageError::Corrupt(format!("the derived state was made for {made_for}")))
}

/// The sealed leaf with this number (from 0).
async fn read_leaf(connection: &mut SqliteConnection, number: u64) -> Result<Hash, StorageError> {
    let width = TILE_WIDTH as u64;
    let bytes: Vec<u8> = sqlx::query_scalar(include_str!("sql/read_tile.sql"))
        .bind(0_i64)
        .bind(to_sql(number / width)?)
        .fetch_one(connection)
        .await
        .map_err(StorageError::sqlx("read the last tile"))?;
    let hashes = tiles::decode(&bytes);
    let place = usize::try_from(number % width).ok();
    let leaf = hashes.zip(place).and_then(|(hashes, place)| hashes.get(place).copied());
    leaf.ok_or_else(|| StorageError::Corrupt(format!("the tile of leaf {number}")))
}

/// Drops everything and starts empty, unless another process has just done so.
async fn remake(
    writer: &SqlitePool,
    identity: Identity<'_>,
    probe: &dyn RecordProbe,
) -> Result<Snapshot, StorageError> {
    let mut tx = begin_write(writer, "make the derived state anew").await?;
    match inspect(&mut tx, identity, probe).await {
        Err(error) if is_unusable(&error) => {}
        inspected => return inspected,
    }
    drop_everything(&mut tx).await?;
    create(&mut tx, identity).await.map_err(StorageError::sqlx("create derived.db's tables"))?;
    let meta = read_meta(&mut tx).await?;
    let snapshot = Snapshot::load(&mut tx, meta, None).await?;
    tx.commit().await.map_err(StorageError::sqlx("commit the empty derived state"))?;
    assert_eq!(snapshot.sealed_to, 0, "a derived state made anew is empty");
    Ok(snapshot)
}

async fn drop_everything(connection: &mut SqliteConnection) -> Result<(), StorageError> {
    let objects: Vec<(String, String)> = sqlx::query_as(include_str!("sql/list_objects.sql"))
        .fetch_all(&mut *connection)
        .await
        .map_err(StorageError::sqlx("list derived.db's tables"))?;
    for (kind, name) in objects {
        let name = name.replace('"', "\"\"");
        let statement = format!("DROP {kind} \"{name}\""); // kind is SQLite's own word
        sqlx::query(AssertSqlSafe(statement))
            .execute(&mut *connection)
            .await
            .map_err(StorageError::sqlx("drop a table of derived.db"))?;
    }
    Ok(())
}

async fn create(
    connection: &mut SqliteConnection,
    identity: Identity<'_>,
) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(include_str!("sql/schema.sql")).execute(&mut *connection).await?;
    sqlx::query(include_str!("sql/insert_meta.sql"))
        .bind(FORMAT)
        .bind(identity.book_id.as_slice())
        .bind(identity.packer_fingerprint)
        .bind(i64::from(identity.block_events))
        .execute(connection)
        .await?;
    Ok(())
}

/// Deletes the database with the files SQLite keeps beside it.
async fn delete(path: &Path) -> Result<(), StorageError> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        let path = PathBuf::from(name);
        match tokio::fs::remove_file(&path).await {
            Err(source) if source.kind() != ErrorKind::NotFound => {
                return Err(StorageError::io("delete", path)(source));
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}
