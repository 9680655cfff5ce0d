//! A book over any database: one writer, the tail in memory, the sealed keys below it, one sealer.
//! What it asks of the database stands in `database.rs` and `derived/database.rs`.

mod batch;
mod copy;
mod core;
mod database;
mod derived;
mod gate;
mod index;
mod options;
mod read;
mod rows;
mod scan;
mod sealer;
mod tail;
mod verify;
mod wakes;
mod writer;

use std::sync::{Arc, Mutex, OnceLock};

use async_trait::async_trait;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::error::StorageError;
use crate::limits;
use crate::log::{
    Append, AppendError, Appended, Head, Log, Page, Query, ReadError, Request, Stored,
};
use crate::prepared::{Prepared, RequestRecord};
use crate::vault::{Entropy as _, SystemEntropy};

pub(crate) use batch::Batch;
pub use copy::CopyError;
pub(crate) use copy::copy;
pub(crate) use database::{HeadRow, RecordDb, RecordWriter, Written};
pub(crate) use derived::{
    BlockColumns, BlockRow, Derived, DerivedDb, DerivedTx, FORMAT, HeldRuns, Identity, Meta,
    MetaColumns, NewRun, PageColumns, PageRow, RecordProbe, RunColumns, RunRow,
};
pub use derived::{Pause, Pauses};
pub(crate) use gate::SCHEMA_VERSION;
pub use gate::{CLOCK_SKEW_US_MAX, OpenError};
pub use options::{BLOCK_EVENTS, NoPacker, Options, Packer, Wakes};
pub(crate) use rows::{CHUNK_ROWS_MAX, Chunk};
pub use verify::{Fault, Progress, Record};
pub(crate) use wakes::{Listener, Notifier};

use self::core::Core;
use self::read::Looked;
use self::tail::Tail;
use self::writer::{HeldHead, Job, QUEUE_APPENDS_MAX, Writer};

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
pub struct Book {
    core: Arc<Core>,
    jobs: mpsc::Sender<Job>,
    stop: watch::Sender<bool>,
    writer: JoinHandle<()>,
    sealer: JoinHandle<()>,
    notifier: Option<Notifying>,
}

/// How this process and others wake each other.
struct Notifying {
    notifier: Arc<dyn Notifier>,
    telling: JoinHandle<()>,
    /// Begun when somebody follows.
    listening: OnceLock<JoinHandle<()>>,
}

/// A book as its database has found it.
pub(crate) struct Found {
    pub(crate) book_id: [u8; 16],
    pub(crate) record: Arc<dyn RecordDb>,
    pub(crate) derived: Derived,
    pub(crate) head: HeadRow,
    /// Where the database carries hints from process to process.
    pub(crate) notifier: Option<Arc<dyn Notifier>>,
}

/// An id for a new book: it only has to differ from every other book's, nothing that is kept secret
/// hangs on it.
pub(crate) fn new_id() -> [u8; 16] {
    let mut id = [0; 16];
    SystemEntropy.fill(&mut id);
    id
}

/// What is asked of a record before anything is derived from it: an end that agrees with the head,
/// and a clock that is not behind it.
pub(crate) async fn check_record(
    record: &dyn RecordDb,
    options: &Options,
) -> Result<HeadRow, OpenError> {
    let head = gate::check_end(record).await?;
    gate::check_clock(options.clock.as_ref(), head.recorded_at_us)?;
    Ok(head)
}

impl Book {
    /// Opens a book that its database has found. Returns when everything but the last, unfinished
    /// block is sealed.
    pub(crate) async fn open(found: Found, options: Options) -> Result<Self, OpenError> {
        let sealed_to = found.derived.sealed_to();
        let core = Arc::new(Core {
            book_id: found.book_id,
            tail: Tail::new(u64::from(options.block_events), sealed_to),
            options,
            record: found.record,
            derived: found.derived,
            head: watch::Sender::new(sealed_to),
            written: watch::Sender::new(0),
            grown: Notify::new(),
            sealer_fault: Mutex::default(),
        });
        sealer::seal_full_blocks(&core, Some(found.head.position())).await?;
        // The head that the writer holds is read before the tail is brought to it, so the tail is
        // never behind it.
        let held_head = HeldHead::open(core.record.as_ref()).await?;
        core.refresh().await?;
        assert!(core.tail.end() >= held_head.position(), "the tail reaches the head that is held");
        let notifier = found.notifier.filter(|_| core.options.wakes == Wakes::Told);
        Ok(Self::start(core, held_head, notifier))
    }

    fn start(core: Arc<Core>, held_head: HeldHead, notifier: Option<Arc<dyn Notifier>>) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUE_APPENDS_MAX);
        let (stop, stopped) = watch::channel(false);
        let writer = Writer::new(Arc::clone(&core), queue, held_head);
        let writer = tokio::spawn(writer.run());
        let sealer = tokio::spawn(sealer::run(Arc::clone(&core), stopped.clone()));
        let notifier = notifier.map(|notifier| Notifying {
            telling: tokio::spawn(wakes::tell(Arc::clone(&core), Arc::clone(&notifier), stopped)),
            notifier,
            listening: OnceLock::new(),
        });
        Self { core, jobs, stop, writer, sealer, notifier }
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

    /// Serves what is queued, then ends the tasks and lets go of the database. A book that is
    /// dropped does the same, but nobody waits for it.
    pub async fn close(self) {
        let Self { core, jobs, stop, writer, sealer, notifier } = self;
        drop(jobs);
        let mut tasks = vec![(writer, "writer"), (sealer, "sealer")];
        if let Some(Notifying { telling, listening, .. }) = notifier {
            tasks.push((telling, "telling"));
            tasks.extend(listening.into_inner().map(|task| (task, "listening")));
        }
        for (task, name) in tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, name, "a task of the book did not end cleanly");
            }
            // The sealer ends after the writer, so that it seals what the writer still wrote.
            stop.send_replace(true);
        }
        core.derived.close().await;
        core.record.close().await;
    }
}

#[async_trait]
impl Log for Book {
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
        Ok(self.core.record.head().await?.head())
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

    fn known_head(&self) -> u64 {
        *self.core.head.borrow()
    }

    fn watch(&self) -> watch::Receiver<u64> {
        if let Some(Notifying { notifier, listening, .. }) = &self.notifier {
            listening.get_or_init(|| {
                let (core, stop) = (Arc::clone(&self.core), self.stop.subscribe());
                tokio::spawn(wakes::listen(core, Arc::clone(notifier), stop))
            });
        }
        self.core.head.subscribe()
    }
}

#[async_trait]
impl Blocks for Book {
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
