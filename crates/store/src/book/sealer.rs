//! The sealer: hands each full block to the derived state and lets the tail go of it.
//! It takes blocks from memory, reads them back where memory does not hold them, and never touches
//! the record.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::error::{StorageError, with_causes};
use crate::log::{ReadError, Stored};
use crate::prepared::Facets;

use super::core::Core;
use super::derived::{SealBlock, SealEvent};
use super::scan::for_each_row;
use super::tail::TailEvent;

/// Milliseconds until a failed seal is tried again: at first, and at most.
const RETRY_MS_MIN: u64 = 10;
const RETRY_MS_MAX: u64 = 5_000;

/// Seals as the tail grows, until `stop` says so or its sender is gone. A block that was begun is
/// finished.
pub(crate) async fn run(core: Arc<Core>, mut stop: watch::Receiver<bool>) {
    let mut retry_ms = RETRY_MS_MIN;
    loop {
        let fault = seal_full_blocks(&core, None).await.err().map(|error| with_causes(&error));
        core.sealer_fault.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&fault);
        let wait_ms = retry_ms;
        retry_ms = match &fault {
            None => RETRY_MS_MIN,
            Some(fault) => {
                tracing::error!(%fault, "a block was not sealed: trying again");
                (retry_ms * 2).min(RETRY_MS_MAX)
            }
        };
        let wake = async {
            if fault.is_some() {
                tokio::time::sleep(Duration::from_millis(wait_ms)).await;
            } else {
                core.grown.notified().await;
            }
        };
        tokio::select! {
            () = wake => {}
            _ = stop.wait_for(|stopped| *stopped) => return,
        }
    }
}

/// Seals every full block up to `end`, or up to the end of the tail.
pub(crate) async fn seal_full_blocks(core: &Core, end: Option<u64>) -> Result<(), ReadError> {
    let block_events = core.block_events();
    loop {
        let sealed_to = core.derived.sealed_to();
        assert_eq!(sealed_to % block_events, 0, "only whole blocks are sealed");
        core.evict(sealed_to);
        let end = end.unwrap_or_else(|| core.tail.end());
        if sealed_to + block_events > end {
            return Ok(());
        }
        let block = block_at(core, sealed_to + 1).await?;
        core.pauses().at("sealer:packed").await;
        core.derived.seal(block).await?;
        core.pauses().at("sealer:sealed").await;
        core.evict(core.derived.sealed_to());
        core.pauses().at("sealer:evicted").await;
        let advanced = core.derived.sealed_to() >= sealed_to + block_events;
        if !advanced {
            return Err(StorageError::Corrupt("a sealed block is not there".into()).into());
        }
    }
}

/// The block that begins at `first`, from the tail or from the record.
async fn block_at(core: &Core, first: u64) -> Result<SealBlock, ReadError> {
    if let Some(events) = core.tail.snapshot().block(first, core.block_events())
        && let Some(stored) = (first..).zip(&events).map(|(at, event)| event.stored(at)).collect()
    {
        core.pauses().at("sealer:taken").await;
        return pack(core, first, stored, events.iter().map(seal_event).collect()).await;
    }
    block_from_record(core, first).await
}

/// The block that begins at `first`, read back from the record itself.
pub(crate) async fn block_from_record(core: &Core, first: u64) -> Result<SealBlock, ReadError> {
    assert_eq!((first - 1) % core.block_events(), 0, "a block begins where one can begin");
    let mut stored = Vec::new();
    let mut events = Vec::new();
    let last = first + core.block_events() - 1;
    for_each_row(core.record.as_ref(), first - 1, last, |row| {
        stored.push(row.stored());
        events.push(SealEvent { facets: Arc::new(Facets::of(&row.envelope)), leaf: row.leaf });
        Ok(())
    })
    .await?;
    pack(core, first, stored, events).await
}

async fn pack(
    core: &Core,
    first: u64,
    stored: Vec<Stored>,
    events: Vec<SealEvent>,
) -> Result<SealBlock, ReadError> {
    assert_eq!(u64::try_from(stored.len()), Ok(core.block_events()), "a block is whole");
    assert_eq!(stored.len(), events.len(), "keys and texts are of the same events");
    let packer = Arc::clone(core.packer());
    let packed = tokio::task::spawn_blocking(move || packer.pack(&stored)).await;
    let packed = match packed {
        Ok(Ok(packed)) => packed,
        Ok(Err(reason)) => return Err(unpacked(first, &reason)),
        Err(panicked) => return Err(unpacked(first, &panicked.to_string())),
    };
    Ok(SealBlock { first, events, packed })
}

fn unpacked(first: u64, reason: &str) -> ReadError {
    StorageError::Corrupt(format!("the block from position {first} cannot be packed: {reason}"))
        .into()
}

fn seal_event(event: &TailEvent) -> SealEvent {
    SealEvent { facets: Arc::clone(&event.facets), leaf: event.leaf }
}
