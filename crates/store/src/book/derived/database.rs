//! What the derived state asks of its database: rows by their numbers, whole values, one writer at
//! a time. What the values mean is known above it.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::StorageError;

/// Version of the tables and their values; another one is dropped and made again.
pub(crate) const FORMAT: i64 = 1;

/// What a derived state must have been made from and for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) book_id: [u8; 16],
    pub(crate) packer_fingerprint: String,
    pub(crate) block_events: u32,
}

/// The row of `meta`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) format: i64,
    pub(crate) book: Vec<u8>,
    pub(crate) packer: String,
    pub(crate) block_events: i64,
    pub(crate) incarnation: Vec<u8>,
    pub(crate) generation: i64,
    pub(crate) sealed_to: i64,
    pub(crate) next_run: i64,
}

/// The place of a run: a row of `run` without its large values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunRow {
    pub(crate) id: i64,
    pub(crate) level: i64,
    pub(crate) first_block: i64,
    pub(crate) blocks: i64,
    pub(crate) pages: i64,
}

/// A run as it is written.
#[derive(Debug)]
pub(crate) struct NewRun {
    pub(crate) place: RunRow,
    /// Distinct keys.
    pub(crate) keys: i64,
    pub(crate) filter: Vec<u8>,
    pub(crate) directory: Vec<u8>,
}

/// A block's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BlockRow {
    pub(crate) type_codes: Vec<u8>,
    pub(crate) type_column: Vec<u8>,
    /// The replay block.
    pub(crate) packed: Vec<u8>,
}

/// The columns of [`Meta`], in the order of its fields.
pub(crate) type MetaColumns = (i64, Vec<u8>, String, i64, Vec<u8>, i64, i64, i64);
/// The columns of [`RunRow`], in the order of its fields.
pub(crate) type RunColumns = (i64, i64, i64, i64, i64);
/// The columns of [`BlockRow`], in the order of its fields.
pub(crate) type BlockColumns = (Vec<u8>, Vec<u8>, Vec<u8>);
/// The columns of [`PageRow`], in the order of its fields.
pub(crate) type PageColumns = (bool, i64, Option<Vec<u8>>);

impl From<MetaColumns> for Meta {
    fn from(columns: MetaColumns) -> Self {
        let (format, book, packer, block_events, incarnation, generation, sealed_to, next_run) =
            columns;
        Self { format, book, packer, block_events, incarnation, generation, sealed_to, next_run }
    }
}

impl From<RunColumns> for RunRow {
    fn from((id, level, first_block, blocks, pages): RunColumns) -> Self {
        Self { id, level, first_block, blocks, pages }
    }
}

impl From<BlockColumns> for BlockRow {
    fn from((type_codes, type_column, packed): BlockColumns) -> Self {
        Self { type_codes, type_column, packed }
    }
}

impl From<PageColumns> for PageRow {
    fn from((current, id, data): PageColumns) -> Self {
        Self { current, id, data }
    }
}

/// Which list of runs a reader holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeldRuns<'a> {
    pub(crate) incarnation: &'a [u8],
    pub(crate) generation: i64,
}

/// A page that was asked for.
#[derive(Debug)]
pub(crate) struct PageRow {
    /// The reader's list of runs still stands, at the moment of this read.
    pub(crate) current: bool,
    pub(crate) id: i64,
    pub(crate) data: Option<Vec<u8>>,
}

/// The derived state of one book.
#[async_trait]
pub(crate) trait DerivedDb: Debug + Send + Sync {
    /// One moment of it, to be read.
    async fn read(&self) -> Result<Box<dyn DerivedTx>, StorageError>;
    /// The same, to be written too. Only one may write at a time: this waits for its turn.
    async fn write(&self, context: &'static str) -> Result<Box<dyn DerivedTx>, StorageError>;
    /// These pages, and in the same moment whether the reader's list of runs still stands.
    async fn pages(&self, ids: &[i64], held: HeldRuns<'_>) -> Result<Vec<PageRow>, StorageError>;
    /// The column of types of a block, and whether the incarnation still stands.
    async fn type_column(
        &self,
        block: i64,
        incarnation: &[u8],
    ) -> Result<(bool, Option<Vec<u8>>), StorageError>;
    /// A replay block, and whether the incarnation still stands.
    async fn packed(
        &self,
        block: i64,
        incarnation: &[u8],
    ) -> Result<(bool, Option<Vec<u8>>), StorageError>;
    /// A tile.
    async fn tile(&self, level: i64, index: i64) -> Result<Option<Vec<u8>>, StorageError>;
    /// Whether an error says that this is not the derived state of this release: missing tables,
    /// wrong types, bad values.
    fn is_unusable(&self, error: &StorageError) -> bool;
    /// Lets go of the connections.
    async fn close(&self);
}

/// One transaction; dropped, it is rolled back.
#[async_trait]
pub(crate) trait DerivedTx: Send {
    async fn meta(&mut self) -> Result<Meta, StorageError>;
    /// All runs, in order of their first block.
    async fn runs(&mut self) -> Result<Vec<RunRow>, StorageError>;
    /// The first `count` runs of a level.
    async fn runs_of_level(&mut self, level: i64, count: i64) -> Result<Vec<RunRow>, StorageError>;
    /// Filter and directory of a run.
    async fn run(&mut self, id: i64) -> Result<(Vec<u8>, Vec<u8>), StorageError>;
    /// Pages with ids from `first` to `last`, in order.
    async fn pages(&mut self, first: i64, last: i64) -> Result<Vec<Vec<u8>>, StorageError>;
    /// Codes of the types of blocks from `first` on and before `end`, in order.
    async fn type_codes(&mut self, first: i64, end: i64) -> Result<Vec<Vec<u8>>, StorageError>;
    async fn tile(&mut self, level: i64, index: i64) -> Result<Option<Vec<u8>>, StorageError>;
    async fn block(&mut self, block: i64) -> Result<Option<BlockRow>, StorageError>;

    /// Writes pages with consecutive ids.
    async fn put_pages(&mut self, first_id: i64, pages: &[Vec<u8>]) -> Result<(), StorageError>;
    async fn put_run(&mut self, run: &NewRun) -> Result<(), StorageError>;
    async fn put_block(&mut self, block: i64, row: &BlockRow) -> Result<(), StorageError>;
    /// Writes tiles (level, index, hashes), the partial ones of before once more.
    async fn put_tiles(&mut self, tiles: &[(i64, i64, Vec<u8>)]) -> Result<(), StorageError>;
    /// Takes a run away, whose pages have ids from `first` to `last`.
    async fn delete_run(&mut self, id: i64, first: i64, last: i64) -> Result<(), StorageError>;
    /// Moves the seal to a position, and the next run's id on.
    async fn move_seal(&mut self, sealed_to: i64) -> Result<(), StorageError>;
    /// Moves the generation and the next run's id on.
    async fn move_generation(&mut self) -> Result<(), StorageError>;
    /// Drops everything that is derived and makes it empty, of another incarnation.
    async fn begin_anew(&mut self, identity: &Identity) -> Result<(), StorageError>;
    async fn commit(self: Box<Self>) -> Result<(), StorageError>;
    async fn rollback(self: Box<Self>) -> Result<(), StorageError>;
}

/// A number as databases store it.
pub(super) fn to_sql(number: u64) -> Result<i64, StorageError> {
    i64::try_from(number).map_err(|_| StorageError::Corrupt(format!("{number} is no position")))
}

/// A number as a database has stored it.
pub(super) fn from_sql(number: i64) -> Result<u64, StorageError> {
    u64::try_from(number).map_err(|_| StorageError::Corrupt(format!("{number} is negative")))
}

/// A count that fits into memory.
pub(super) fn to_count(number: u64) -> Result<usize, StorageError> {
    usize::try_from(number).map_err(|_| StorageError::Corrupt(format!("{number} is too large")))
}
