//! The writer: one task for each book, the only one that appends. It drains what is queued, decides
//! all of it against the record and the batch so far, writes and commits once, and answers
//! everyone.
//!
//! It fences itself against every other process: the batch is written only behind the head that it
//! was decided on. After a failed commit it acknowledges nothing and begins again from the record.

use std::ops::RangeInclusive;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::error::StorageError;
use crate::log::{AppendError, Appended};
use crate::prepared::Prepared;

use super::batch::{Batch, Held};
use super::core::Core;
use super::database::{RecordDb, RecordWriter, Written};

/// Appends that may wait for the writer; a caller beyond it waits with its append in hand.
pub(crate) const QUEUE_APPENDS_MAX: usize = 1_024;
/// Events after which a batch takes no further append.
const BATCH_EVENTS_MAX: usize = 4_096;
/// Bytes after which a batch takes no further append.
const BATCH_BYTES_MAX: usize = 8 * 1_024 * 1_024;
/// Appends of the last batch after which the next one waits for more: with fewer nobody else is
/// likely to come, and with more the callers do better to work while a batch is written.
const GATHERED: RangeInclusive<usize> = 2..=64;
/// How often a batch is decided anew because another process was faster.
const FENCE_TRIES_MAX: u32 = 1_000;

const WRITING: &str = "write a batch to the log";

/// One append on its way through the writer.
pub(crate) struct Job {
    pub(crate) prepared: Prepared,
    /// The caller has found nothing against it up to here.
    pub(crate) checked_to: u64,
    pub(crate) answer: oneshot::Sender<Answer>,
}

type Answer = Result<Appended, AppendError>;

/// Holds the only connection that appends.
pub(crate) struct Writer {
    core: Arc<Core>,
    jobs: mpsc::Receiver<Job>,
    /// Missing after a failed commit, until the head has been read again.
    held_head: Option<HeldHead>,
}

/// The head that the writer holds: where the record ends, as it was last read or written through
/// this connection, which is clean.
pub(crate) struct HeldHead {
    connection: Box<dyn RecordWriter>,
    end: Held,
}

impl Writer {
    pub(crate) fn new(core: Arc<Core>, jobs: mpsc::Receiver<Job>, held_head: HeldHead) -> Self {
        Self { core, jobs, held_head: Some(held_head) }
    }

    /// Serves until every sender is gone and the queue is empty.
    pub(crate) async fn run(mut self) {
        let mut last_batch = 1;
        while let Some(first) = self.jobs.recv().await {
            let mut batch = Gathering::new(first);
            batch.drain(&mut self.jobs);
            if GATHERED.contains(&last_batch) {
                // Callers that were just answered are about to come again: let them.
                tokio::task::yield_now().await;
                batch.drain(&mut self.jobs);
            }
            last_batch = batch.jobs.len();
            self.serve(batch.jobs).await;
        }
        if let Some(held_head) = self.held_head.take()
            && let Err(error) = held_head.connection.close().await
        {
            tracing::warn!(%error, "the writer's connection did not close cleanly");
        }
    }

    async fn serve(&mut self, mut jobs: Vec<Job>) {
        let answers = match self.commit(&mut jobs).await {
            Ok(answers) => answers,
            Err(failure) => jobs.iter().map(|_| Err(failure.clone())).collect(),
        };
        assert_eq!(answers.len(), jobs.len(), "every append is answered");
        for (job, answer) in jobs.into_iter().zip(answers) {
            // A caller that has gone away does not want to know.
            let _ = job.answer.send(answer);
        }
    }

    /// Decides and writes; the answers stand in the order of the jobs. An error answers all of
    /// them.
    async fn commit(&mut self, jobs: &mut [Job]) -> Result<Vec<Answer>, AppendError> {
        assert!(!jobs.is_empty(), "a batch is begun for an append");
        self.core.wait_for_room().await?;
        for _ in 0..FENCE_TRIES_MAX {
            let (answers, batch) = self.decide(jobs).await?;
            if batch.is_empty() {
                return Ok(answers);
            }
            match self.write(&batch).await? {
                Written::Committed => {
                    self.accept(batch);
                    return Ok(answers);
                }
                Written::HeadMoved => self.follow().await?,
            }
        }
        Err(StorageError::Busy { context: WRITING }.into())
    }

    async fn decide(&mut self, jobs: &mut [Job]) -> Result<(Vec<Answer>, Batch), AppendError> {
        let held = self.held_head().await?.end.clone();
        let tail = self.core.tail.snapshot();
        assert!(tail.end >= held.frontier.size(), "the tail holds what the writer knows");
        let events = jobs.iter().map(|job| job.prepared.events.len()).sum();
        let mut batch = Batch::new(&held, self.core.options.clock.now_us(), events);
        let mut answers = Vec::with_capacity(jobs.len());
        for job in jobs {
            let answer = match self.look_below(job, tail.start).await {
                Ok(None) => batch.add(&job.prepared, job.checked_to, &tail),
                Ok(Some(appended)) => Ok(appended),
                Err(error) => Err(error),
            };
            answers.push(answer);
        }
        Ok((answers, batch))
    }

    /// What the caller looked at may have been sealed since, and more with it: look there, too.
    async fn look_below(&self, job: &mut Job, start: u64) -> Result<Option<Appended>, AppendError> {
        if job.checked_to + 1 >= start {
            return Ok(None);
        }
        let request = job.prepared.request.as_deref();
        if let Some(answer) = self.core.sealed_request(request, start).await? {
            return Ok(Some(answer));
        }
        self.core.sealed_condition(job.prepared.condition.as_ref(), start).await?;
        job.checked_to = start - 1;
        Ok(None)
    }

    async fn write(&mut self, batch: &Batch) -> Result<Written, AppendError> {
        let held_head = self.held_head().await?;
        assert_eq!(batch.before(), held_head.position(), "a batch begins behind the held head");
        match held_head.connection.write(batch).await {
            Ok(written) => Ok(written),
            Err(error @ StorageError::Busy { .. }) => Err(error.into()),
            Err(source) => {
                // Whether it stands, only the record knows: begin again from there.
                self.held_head = None;
                tracing::error!(error = ?source, "a batch was not committed: reopening the record");
                Err(AppendError::Unknown { source })
            }
        }
    }

    fn accept(&mut self, batch: Batch) {
        let first = batch.before() + 1;
        let last = batch.held.frontier.size();
        let events = u64::try_from(batch.events.len());
        assert_eq!(events, Ok(last + 1 - first), "each event of a batch has its position");
        if let Some(held_head) = &mut self.held_head {
            held_head.end = batch.held;
        }
        self.core.publish(first, batch.events);
        self.core.written.send_replace(last);
    }

    /// Takes over what another process has written.
    async fn follow(&mut self) -> Result<(), AppendError> {
        let head = self.core.refresh().await?;
        let before = self.held_head().await?.position();
        assert!(head.position() > before, "the head of a book only moves forward");
        self.held_head().await?.end = head.held();
        Ok(())
    }

    async fn held_head(&mut self) -> Result<&mut HeldHead, AppendError> {
        if self.held_head.is_none() {
            let held_head = HeldHead::open(self.core.record.as_ref()).await?;
            // Whatever the failed commit left behind in the record is in the tail before anything
            // else.
            self.core.refresh_to(held_head.position()).await?;
            assert!(self.core.tail.end() >= held_head.position(), "the tail reaches the held head");
            self.held_head = Some(held_head);
        }
        self.held_head.as_mut().ok_or(AppendError::Storage(StorageError::Closed))
    }
}

impl HeldHead {
    /// A connection of its own, and the head as it reads it.
    pub(crate) async fn open(record: &dyn RecordDb) -> Result<Self, StorageError> {
        let mut connection = record.writer().await?;
        let end = connection.head().await?.held();
        Ok(Self { connection, end })
    }

    /// Position of the last event of the record.
    pub(crate) fn position(&self) -> u64 {
        self.end.frontier.size()
    }
}

/// Appends taken from the queue for one batch.
struct Gathering {
    jobs: Vec<Job>,
    events: usize,
    bytes: usize,
}

impl Gathering {
    fn new(first: Job) -> Self {
        let mut gathering = Self { jobs: Vec::new(), events: 0, bytes: 0 };
        gathering.push(first);
        gathering
    }

    fn push(&mut self, job: Job) {
        assert!(!job.prepared.events.is_empty(), "an append holds an event");
        self.events += job.prepared.events.len();
        self.bytes += job.prepared.bytes;
        self.jobs.push(job);
    }

    fn drain(&mut self, queue: &mut mpsc::Receiver<Job>) {
        while self.events < BATCH_EVENTS_MAX && self.bytes < BATCH_BYTES_MAX {
            match queue.try_recv() {
                Ok(job) => self.push(job),
                Err(_) => return,
            }
        }
    }
}
