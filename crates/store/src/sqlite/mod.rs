//! A book on SQLite: a folder with one file for each kind of state.
//! `record.db` is the ledger; `derived.db` can be dropped and is made anew.

pub mod backup;
mod batch;
mod core;
mod derived;
mod gate;
mod index;
mod inspect;
mod options;
mod read;
mod record;
mod sealer;
mod tail;
mod vault;
mod verify;
mod views;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use sqlx::sqlite::SqlitePool;
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::error::StorageError;
use crate::limits;
use crate::log::{
    Append, AppendError, Appended, Head, Log, Page, Query, ReadError, Request, Stored,
};
use crate::merkle::Frontier;
use crate::prepared::{Prepared, RequestRecord};

pub use derived::{Pause, Pauses};
pub use gate::{CLOCK_SKEW_US_MAX, OpenError};
pub use inspect::inspect;
pub use options::{BLOCK_EVENTS, NoPacker, Options, Packer};
pub use vault::SqliteVault;
pub use verify::{Fault, Progress, Record};
pub use views::SqliteViews;

use self::core::{Core, Probe};
use self::derived::Derived;
use self::read::Looked;
use self::tail::Tail;
use self::writer::{Ground, Job, QUEUE_APPENDS_MAX, Writer};

/// The record of a book.
const RECORD_FILE: &str = "record.db";
/// What is made from it.
const DERIVED_FILE: &str = "derived.db";

/// Sealed blocks and bulk reads, for whoever makes something from the whole book.
#[async_trait]
pub trait Blocks: Send + Sync {
    /// Events of a block. Block `n` holds the positions from `n * block_events + 1` on.
    fn block_events(&self) -> u64;
    /// Position up to which blocks are there; the end of a block.
    fn sealed_to(&self) -> u64;
    /// Block `index` (from 0) as the packer packed it; none when it is not sealed.
    async fn block(&self, index: u64) -> Result<Option<Vec<u8>>, ReadError>;
    /// Every event in (after, until] (0: the head), at most `limit` and at most a page's bytes of
    /// them: from memory where they are not sealed, else from the record.
    async fn events(&self, after: u64, until: u64, limit: usize) -> Result<Vec<Stored>, ReadError>;
    /// The same, but always from the record itself: for verification and export.
    async fn scan(&self, after: u64, until: u64, limit: usize) -> Result<Vec<Stored>, ReadError>;
}

/// An open book.
pub struct SqliteBook {
    core: Arc<Core>,
    jobs: mpsc::Sender<Job>,
    stop: watch::Sender<bool>,
    writer: JoinHandle<()>,
    sealer: JoinHandle<()>,
}

impl SqliteBook {
    /// Creates a book in `folder`, which is made if need be, and opens it.
    pub async fn create(folder: &Path, options: Options) -> Result<Self, OpenError> {
        limits::check_software(&options.software).map_err(OpenError::Options)?;
        std::fs::create_dir_all(folder).map_err(StorageError::io("create", folder))?;
        create_record(folder, &options.software).await?;
        Self::open(folder, options).await
    }

    /// Opens the book in `folder`. Returns when everything but the last, unfinished block is
    /// sealed:
    /// a missing or foreign derived state is made anew first.
    pub async fn open(folder: &Path, options: Options) -> Result<Self, OpenError> {
        limits::check_software(&options.software).map_err(OpenError::Options)?;
        if options.block_events == 0 {
            return Err(OpenError::Options("block_events is 0: a block holds events".into()));
        }
        let path = folder.join(RECORD_FILE);
        if !path.is_file() {
            return Err(OpenError::NotABook { folder: folder.into() });
        }
        let pool = record::readers(&path);
        gate::check_sqlite(&pool).await?;
        let book_id = gate::check_schema(&pool, folder).await?;
        gate::check_durability(&pool, &path).await?;
        let head = gate::check_end(&pool).await?;
        gate::check_clock(options.clock.as_ref(), head.recorded_at_us)?;
        let core = Arc::new(open_core(folder, book_id, options, pool).await?);
        sealer::seal_full_blocks(&core, Some(head.position())).await?;
        // The writer's ground is read before the tail is brought to it, so the tail is never
        // behind.
        let ground = Ground::open(&path).await?;
        core.refresh().await?;
        Ok(Self::start(core, path, ground))
    }

    fn start(core: Arc<Core>, path: PathBuf, ground: Ground) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUE_APPENDS_MAX);
        let (stop, stopped) = watch::channel(false);
        let writer = Writer::new(Arc::clone(&core), path, queue, ground);
        let writer = tokio::spawn(writer.run());
        let sealer = tokio::spawn(sealer::run(Arc::clone(&core), stopped));
        Self { core, jobs, stop, writer, sealer }
    }

    /// The folder of the book.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.core.folder
    }

    /// Random id given at creation: no two books share it.
    #[must_use]
    pub fn id(&self) -> [u8; 16] {
        self.core.book_id
    }

    /// Tile `index` of `level` of the Merkle tree, as C2SP tlog-tiles has it: up to 256 hashes, the
    /// last one partial; over what is sealed.
    pub async fn tile(&self, level: u8, index: u64) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(self.core.derived.tile(level, index).await?)
    }

    /// Connections that read the record.
    #[allow(dead_code, reason = "the backup reads through them")]
    pub(crate) fn record_pool(&self) -> &SqlitePool {
        &self.core.pool
    }

    /// Serves what is queued, then ends the tasks and closes the files. A book that is dropped does
    /// the same, but nobody waits for it.
    pub async fn close(self) {
        let Self { core, jobs, stop, writer, sealer } = self;
        drop(jobs);
        for (task, name) in [(writer, "writer"), (sealer, "sealer")] {
            if let Err(error) = task.await {
                tracing::error!(%error, name, "a task of the book did not end cleanly");
            }
            // The sealer ends after the writer, so that it seals what the writer still wrote.
            stop.send_replace(true);
        }
        core.derived.close().await;
        core.pool.close().await;
    }
}

async fn open_core(
    folder: &Path,
    book_id: [u8; 16],
    options: Options,
    pool: SqlitePool,
) -> Result<Core, OpenError> {
    let derived = Derived::open(
        &folder.join(DERIVED_FILE),
        book_id,
        &options.packer.fingerprint(),
        options.block_events,
        &Probe(pool.clone()),
        options.pauses.clone(),
    )
    .await?;
    let sealed_to = derived.sealed_to();
    let tail = Tail::new(u64::from(options.block_events), sealed_to);
    Ok(Core {
        folder: folder.into(),
        book_id,
        options,
        pool,
        derived,
        tail,
        head: watch::Sender::new(sealed_to),
        grown: Notify::new(),
        sealer_fault: Mutex::default(),
    })
}

/// Makes the tables in one transaction, so that a book is there whole or not at all.
async fn create_record(folder: &Path, software: &str) -> Result<(), OpenError> {
    const CREATING: &str = "create the record";
    let options = record::connect_options(&folder.join(RECORD_FILE)).create_if_missing(true);
    let mut connection = options.connect().await.map_err(StorageError::sqlx(CREATING))?;
    let mut tx =
        connection.begin_with("BEGIN IMMEDIATE").await.map_err(StorageError::sqlx(CREATING))?;
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema")
        .fetch_one(&mut *tx)
        .await
        .map_err(StorageError::sqlx(CREATING))?;
    if tables > 0 {
        return Err(OpenError::AlreadyABook { folder: folder.into() });
    }
    sqlx::query(include_str!("sql/schema.sql"))
        .execute(&mut *tx)
        .await
        .map_err(StorageError::sqlx(CREATING))?;
    sqlx::query(include_str!("sql/insert_meta.sql"))
        .bind(gate::SCHEMA_VERSION)
        .bind(software)
        .bind(Frontier::default().encode())
        .execute(&mut *tx)
        .await
        .map_err(StorageError::sqlx(CREATING))?;
    tx.commit().await.map_err(StorageError::sqlx(CREATING))?;
    connection.close().await.map_err(StorageError::sqlx(CREATING))?;
    Ok(())
}

#[async_trait]
impl Log for SqliteBook {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let prepared =
            Prepared::new(append, &self.core.options.software).map_err(AppendError::Refused)?;
        let checked_to = match self.core.look(&prepared).await? {
            Looked::Recorded(answer) => return Ok(answer),
            Looked::FreeTo(position) => position,
        };
        self.core.pauses().at("append:looked").await;
        let (answer, answered) = oneshot::channel();
        let job = Job { prepared, checked_to, answer };
        self.jobs.send(job).await.map_err(|_| StorageError::Closed)?;
        // The writer answers every job, unless it stopped at a broken invariant in the midst of
        // one.
        answered.await.map_err(|_| AppendError::Unknown { source: StorageError::Closed })?
    }

    async fn head(&self) -> Result<Head, ReadError> {
        let head = record::read_head(&self.core.pool).await?;
        Ok(Head {
            position: head.position(),
            root: head.frontier.root(),
            recorded_at_us: head.recorded_at_us,
        })
    }

    async fn read(
        &self,
        query: &Query,
        after: u64,
        until: u64,
        limit: usize,
    ) -> Result<Page, ReadError> {
        self.core.read(query, after, until, limit).await
    }

    async fn last(&self, query: &Query, until: u64) -> Result<Option<Stored>, ReadError> {
        self.core.last(query, until).await
    }

    async fn answered(&self, request: &Request) -> Result<Option<Appended>, AppendError> {
        limits::check_request(request).map_err(AppendError::Refused)?;
        self.core.answered(&RequestRecord::of(request, 0)).await
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.core.head.subscribe()
    }
}

#[async_trait]
impl Blocks for SqliteBook {
    fn block_events(&self) -> u64 {
        self.core.block_events()
    }

    fn sealed_to(&self) -> u64 {
        self.core.derived.sealed_to()
    }

    async fn block(&self, index: u64) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(self.core.derived.block(index).await?)
    }

    async fn events(&self, after: u64, until: u64, limit: usize) -> Result<Vec<Stored>, ReadError> {
        Ok(self.core.read(&Query::everything(), after, until, limit).await?.events)
    }

    async fn scan(&self, after: u64, until: u64, limit: usize) -> Result<Vec<Stored>, ReadError> {
        self.record().scan(after, until, limit).await
    }
}
