//! Tests of the derived state as a whole, over a book whose record is a list in memory.
//!
//! The naive answer is always at hand: a walk over the list.

mod checking;
mod measuring;
mod model;
mod opening;
mod pausing;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::keys::HashedItem;
use crate::prepared::Facets;
use crate::sqlite::open_derived;
use crate::{QueryItem, StorageError};

use super::{Derived, Identity, Pauses, RecordProbe, SealBlock, SealEvent};

pub(super) const BOOK: [u8; 16] = *b"book 0123456789a";
pub(super) const PACKER: &str = "packer 1";
pub(super) const BLOCK: u32 = 8;

/// Makes the state one of another release.
pub(super) const MAKE_FOREIGN: &str = "UPDATE meta SET format = 0";

/// A book's record in memory, and the place of its derived state.
pub(super) struct Book {
    directory: TempDir,
    pub(super) events: Vec<SealEvent>,
}

/// Numbers that look random and are always the same (SplitMix64).
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

pub(super) fn event(number: u64, numbers: &mut Numbers) -> SealEvent {
    let type_name = ["order.placed", "order.shipped", "invoice.issued", "point.used"]
        [numbers.below(8).min(3) as usize];
    let mut keys = vec![
        "shop:all".to_owned(),
        format!("request:{number}"),
        format!("order:{}", number / 3),
        format!("member:{}", numbers.below(40)),
    ];
    if numbers.below(50) == 0 {
        keys.push(format!("product:{}", numbers.below(3)));
    }
    if numbers.below(400) == 0 {
        keys.push("audit:rare".to_owned());
    }
    let leaf = Sha256::digest(number.to_be_bytes()).into();
    seal_event(type_name, keys, leaf)
}

/// An event with these keys, as tags: a request's key is hashed like any other.
pub(super) fn seal_event(type_name: &str, keys: Vec<String>, leaf: [u8; 32]) -> SealEvent {
    SealEvent { facets: Arc::new(Facets::new(type_name.to_owned(), keys, None)), leaf }
}

impl Book {
    /// A book with `blocks` full blocks.
    pub(super) fn new(blocks: u64, seed: u64) -> Self {
        let mut numbers = Numbers(seed);
        let events =
            (1..=blocks * u64::from(BLOCK)).map(|number| event(number, &mut numbers)).collect();
        Self { directory: tempfile::tempdir().unwrap(), events }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.directory.path().join("derived.db")
    }

    pub(super) async fn open(&self) -> Derived {
        self.open_with(Pauses::default()).await
    }

    pub(super) async fn open_with(&self, pauses: Pauses) -> Derived {
        self.open_for(BOOK, PACKER, BLOCK, self, pauses).await.unwrap()
    }

    pub(super) async fn open_for(
        &self,
        book_id: [u8; 16],
        packer: &str,
        block_events: u32,
        probe: &dyn RecordProbe,
        pauses: Pauses,
    ) -> Result<Derived, StorageError> {
        let packer_fingerprint = packer.to_owned();
        let identity = Identity { book_id, packer_fingerprint, block_events };
        open_derived(&self.path(), &identity, probe, pauses).await
    }

    pub(super) fn block(&self, index: u64) -> SealBlock {
        let size = BLOCK as usize;
        let start = usize::try_from(index).unwrap() * size;
        SealBlock {
            first: index * u64::from(BLOCK) + 1,
            events: self.events[start..start + size].to_vec(),
            packed: packed(index),
        }
    }

    pub(super) async fn seal(&self, derived: &Derived, blocks: std::ops::Range<u64>) {
        for index in blocks {
            derived.seal(self.block(index)).await.unwrap();
        }
    }

    /// Positions in `(after, until]` that match, by walking over the record.
    pub(super) fn naive(&self, item: &HashedItem, after: u64, until: u64) -> Vec<u64> {
        let matches = |event: &SealEvent| event.facets.matches(item);
        (1_u64..)
            .zip(&self.events)
            .filter(|(position, event)| (after + 1..=until).contains(position) && matches(event))
            .map(|(position, _)| position)
            .collect()
    }
}

#[async_trait]
impl RecordProbe for Book {
    async fn leaf(&self, position: u64) -> Result<Option<[u8; 32]>, StorageError> {
        Ok(self.events.get(usize::try_from(position).unwrap() - 1).map(|event| event.leaf))
    }
}

pub(super) fn packed(index: u64) -> Vec<u8> {
    format!("replay block {index}").into_bytes()
}

pub(super) fn item(types: &[&str], tags: &[&str]) -> HashedItem {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    QueryItem { types: owned(types), tags: owned(tags) }.into()
}

/// Items of every kind: one tag, several, rare, common, absent, types alone, both, nothing.
pub(super) fn items() -> Vec<HashedItem> {
    vec![
        item(&[], &[]),
        item(&[], &["shop:all"]),
        item(&[], &["request:17"]),
        item(&[], &["order:5"]),
        item(&[], &["order:absent"]),
        item(&[], &["audit:rare"]),
        item(&[], &["member:3"]),
        item(&[], &["shop:all", "member:3"]),
        item(&[], &["member:3", "product:1"]),
        item(&[], &["shop:all", "audit:rare"]),
        item(&[], &["shop:all", "order:absent"]),
        item(&["order.shipped"], &[]),
        item(&["order.placed", "invoice.issued"], &[]),
        item(&["order.unheard"], &[]),
        item(&["order.shipped", "point.used"], &["member:5"]),
        item(&["order.placed"], &["shop:all", "product:2"]),
        item(&["order.unheard"], &["shop:all"]),
    ]
}

/// Asserts that every kind of item finds exactly what the record holds, in all of `(0, until]`.
#[track_caller]
pub(super) fn assert_finds_all<'a>(
    derived: &'a Derived,
    book: &'a Book,
    until: u64,
) -> impl Future<Output = ()> + Send + 'a {
    let place = std::panic::Location::caller();
    async move {
        for item in items() {
            let mut naive = book.naive(&item, 0, until);
            let found = derived.candidates(&item, 0, until, usize::MAX).await.unwrap();
            assert_eq!(found, naive, "{item:?} to {until}, asked at {place}");
            naive.reverse();
            naive.truncate(2);
            let last = derived.last_candidates(&item, until, 2).await.unwrap();
            assert_eq!(last, naive, "last of {item:?} to {until}, asked at {place}");
        }
    }
}

/// Runs statements on the file behind the back of the derived state.
pub(super) async fn tamper(path: &Path, statements: &'static str) {
    use sqlx::{ConnectOptions, Connection};
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut connection = options.connect().await.unwrap();
    sqlx::raw_sql(statements).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
