//! Opening the derived state: it is taken as it is, or dropped and begun anew; it never leads the
//! record. It is emptied in one transaction, so that other processes that have it open see one
//! state or the other.

use async_trait::async_trait;

use crate::StorageError;

use super::database::{DerivedDb, DerivedTx, FORMAT, Identity, Meta, from_sql, to_sql};
use super::snapshot::Snapshot;
use super::tiles::{self, Hash, TILE_WIDTH};

/// Asks the record itself.
#[async_trait]
pub(crate) trait RecordProbe: Send + Sync {
    /// Merkle leaf of the event at `position`, none when the record ends before it.
    async fn leaf(&self, position: u64) -> Result<Option<[u8; 32]>, StorageError>;
}

/// Opens it, empty if it was not the derived state of this record.
pub(super) async fn open(
    database: &dyn DerivedDb,
    identity: &Identity,
    probe: &dyn RecordProbe,
) -> Result<Snapshot, StorageError> {
    let mut tx = database.read().await?;
    let inspected = inspect(tx.as_mut(), identity, probe).await;
    tx.rollback().await?;
    match inspected {
        Err(error) if database.is_unusable(&error) => {
            tracing::info!(%error, "the derived state is made anew");
            remake(database, identity, probe).await
        }
        inspected => inspected,
    }
}

/// The state as it stands, or why it is not that of this record.
async fn inspect(
    tx: &mut dyn DerivedTx,
    identity: &Identity,
    probe: &dyn RecordProbe,
) -> Result<Snapshot, StorageError> {
    let meta = tx.meta().await?;
    check_identity(&meta, identity)?;
    let sealed_to = from_sql(meta.sealed_to)?;
    if let Some(number) = sealed_to.checked_sub(1) {
        let sealed = read_leaf(tx, number).await?;
        if probe.leaf(sealed_to).await? != Some(sealed) {
            return Err(StorageError::Corrupt(format!("event {sealed_to} is not the sealed one")));
        }
    }
    Snapshot::load(tx, meta, None).await
}

fn check_identity(meta: &Meta, identity: &Identity) -> Result<(), StorageError> {
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
async fn read_leaf(tx: &mut dyn DerivedTx, number: u64) -> Result<Hash, StorageError> {
    let width = TILE_WIDTH as u64;
    let bytes = tx.tile(0, to_sql(number / width)?).await?;
    let hashes = bytes.as_deref().and_then(tiles::decode);
    let place = usize::try_from(number % width).ok();
    let leaf = hashes.zip(place).and_then(|(hashes, place)| hashes.get(place).copied());
    leaf.ok_or_else(|| StorageError::Corrupt(format!("the tile of leaf {number}")))
}

/// Drops everything and starts empty, unless another process has just done so.
async fn remake(
    database: &dyn DerivedDb,
    identity: &Identity,
    probe: &dyn RecordProbe,
) -> Result<Snapshot, StorageError> {
    let mut tx = database.write("make the derived state anew").await?;
    match inspect(tx.as_mut(), identity, probe).await {
        Err(error) if database.is_unusable(&error) => {}
        inspected => return inspected,
    }
    tx.begin_anew(identity).await?;
    let meta = tx.meta().await?;
    let snapshot = Snapshot::load(tx.as_mut(), meta, None).await?;
    tx.commit().await?;
    assert_eq!(snapshot.sealed_to, 0, "a derived state made anew is empty");
    Ok(snapshot)
}
