//! Folds in memory without a row written: from replay blocks (the limit) and from rows as toolkits
//! read them (the naive way).

use std::path::Path;
use std::time::Instant;

use daicho_events::{Recorded, binary};
use daicho_projections::{Fold, Partition, all};
use daicho_store::{Blocks as _, Book, Log as _};
use futures_util::TryStreamExt as _;
use sha2::{Digest, Sha256};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use crate::error::BenchError;
use crate::measure::Rate;
use crate::packer::recorded;

/// A list as it was made: its name, its rows, and SHA-256 over their keys and bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListDigest {
    /// The list.
    pub list: &'static str,
    /// Its rows.
    pub rows: u64,
    /// 64 hexadecimal digits.
    pub sha256: String,
}

impl ListDigest {
    /// Of rows in the order of their keys.
    pub(crate) fn of<'a>(
        list: &'static str,
        rows: impl Iterator<Item = (&'a str, &'a [u8])>,
    ) -> Self {
        let (mut digest, mut count) = (Sha256::new(), 0);
        for (key, row) in rows {
            for part in [key.as_bytes(), row] {
                digest.update((part.len() as u64).to_be_bytes());
                digest.update(part);
            }
            count += 1;
        }
        Self { list, rows: count, sha256: hex::encode(digest.finalize()) }
    }
}

/// A fold of every list.
pub(crate) struct Folded {
    pub(crate) rate: Rate,
    pub(crate) lists: Vec<ListDigest>,
}

/// The whole book as it is replayed: blocks in memory, and what no block holds yet.
pub(crate) struct Packed {
    blocks: Vec<Vec<u8>>,
    block_events: u64,
    rest: Vec<Recorded>,
}

impl Packed {
    /// Reads all of it.
    pub(crate) async fn read(store: &Book) -> Result<Self, BenchError> {
        let (sealed_to, block_events) = (store.sealed_to(), store.block_events());
        let mut blocks = Vec::new();
        for index in 0..sealed_to / block_events {
            let block = store.block(index).await?;
            blocks.push(block.ok_or_else(|| BenchError::Wrong(format!("no block {index}")))?);
        }
        let head = store.head().await?.position;
        let limit = usize::try_from(block_events).unwrap_or(usize::MAX);
        let rest = store.events(sealed_to, head, limit).await?;
        let rest = rest.iter().map(|stored| recorded(&stored.envelope, &stored.data));
        Ok(Self { blocks, block_events, rest: rest.collect::<Result<_, _>>()? })
    }

    /// Bytes of an event in the blocks.
    pub(crate) fn event_bytes(&self) -> f64 {
        let bytes: usize = self.blocks.iter().map(Vec::len).sum();
        bytes as f64 / (self.blocks.len() as u64 * self.block_events).max(1) as f64
    }
}

/// The limit: blocks unpacked and folded on `cores` threads, nothing read and no row written. What
/// no block holds yet is folded, too, but not timed.
pub(crate) fn decode_and_fold(packed: &Packed, cores: usize) -> Result<Folded, BenchError> {
    let parts = Partition::WHOLE.dealt(u32::try_from(cores).unwrap_or(1));
    let mut parts: Vec<Vec<Box<dyn Fold>>> = parts.map(start).collect();
    let started = Instant::now();
    for blocks in packed.blocks.chunks(cores.max(1)) {
        let pieces = decode(blocks)?;
        fold(&mut parts, &pieces);
    }
    let took = started.elapsed();
    fold(&mut parts, std::slice::from_ref(&packed.rest));
    let events = packed.blocks.len() as u64 * packed.block_events;
    Ok(Folded { rate: Rate { events, took }, lists: digests(parts)? })
}

fn decode(blocks: &[Vec<u8>]) -> Result<Vec<Vec<Recorded>>, BenchError> {
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            blocks.iter().map(|block| scope.spawn(|| binary::unpack(block))).collect();
        let broke_off = |_| BenchError::Wrong("a decoder broke off".into());
        let pieces = threads.into_iter().map(|thread| Ok(thread.join().map_err(broke_off)??));
        pieces.collect()
    })
}

fn fold(parts: &mut [Vec<Box<dyn Fold>>], pieces: &[Vec<Recorded>]) {
    std::thread::scope(|scope| {
        for folds in parts {
            scope.spawn(move || {
                for event in pieces.iter().flatten() {
                    folds.iter_mut().for_each(|fold| fold.apply(event));
                }
            });
        }
    });
}

/// The naive way: rows streamed through the driver, JSON decoded, folded one by one.
pub(crate) async fn stream_and_fold(record: &Path) -> Result<Folded, BenchError> {
    let mut folds = start(Partition::WHOLE);
    let mut connection =
        SqliteConnectOptions::new().filename(record).read_only(true).connect().await?;
    let (started, mut events) = (Instant::now(), 0);
    let mut rows = sqlx::query(include_str!("sql/stream.sql")).fetch(&mut connection);
    while let Some(row) = rows.try_next().await? {
        let event = recorded(row.try_get(0)?, row.try_get(1)?)?;
        folds.iter_mut().for_each(|fold| fold.apply(&event));
        events += 1;
    }
    let took = started.elapsed();
    drop(rows);
    connection.close().await?;
    Ok(Folded { rate: Rate { events, took }, lists: digests(vec![folds])? })
}

fn start(partition: Partition) -> Vec<Box<dyn Fold>> {
    all().iter().map(|list| list.start(partition)).collect()
}

fn digests(parts: Vec<Vec<Box<dyn Fold>>>) -> Result<Vec<ListDigest>, BenchError> {
    let mut rows: Vec<Vec<(String, Vec<u8>)>> = all().iter().map(|_| Vec::new()).collect();
    for part in parts {
        for (rows, fold) in rows.iter_mut().zip(part) {
            let kept = fold.finish()?.into_iter().filter_map(|(key, row)| Some((key, row?)));
            rows.extend(kept);
        }
    }
    let digest =
        |(list, mut rows): (&&'static dyn daicho_projections::List, Vec<(String, Vec<u8>)>)| {
            rows.sort_unstable();
            ListDigest::of(
                list.name(),
                rows.iter().map(|(key, row)| (key.as_str(), row.as_slice())),
            )
        };
    Ok(all().iter().zip(rows).map(digest).collect())
}
