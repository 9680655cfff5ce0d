//! Lives a book's life on a disk, step by step, and keeps the history. A step that fails is done
//! again, as a caller would do it; the disk is mended when it fails for good.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use daicho_store::vault::{Erasure, Subject, SystemEntropy, Vault as _, VaultError};
use daicho_store::views::{
    ColumnIndex, ColumnKind, RebuildFrom, Value, ViewChanges, ViewColumn, ViewPoint, ViewRow,
    ViewSchema, Views as _,
};
use daicho_store::{
    Append, AppendError, Appended, Blocks as _, Book, Log as _, OpenError, Options, Query,
    SqliteVault, SqliteViews, Stored, sqlite,
};
use daicho_test_vfs::Disk;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;

use crate::history::{Asked, History, INDEXED};
use crate::steps::{Checkpoint, Step};
use crate::support::{BLOCK_EVENTS, TestClock, With as _, one, query};

pub const TODAY: &str = "2026-11-21";
/// Rows of the list: an event falls into one of them by its position.
const ROWS: u64 = 7;
/// Times that a step is tried: twice on the broken disk, then it is mended.
const TRIES_MAX: usize = 12;
const TRIES_BROKEN: usize = 2;
const TRIES_AS_IT_IS: usize = 6;
/// A sealer that takes longer on a mended disk does not go on.
const SEALER_PATIENCE: Duration = Duration::from_secs(10);
/// Microseconds between two steps.
const STEP_US: i64 = 1_000;

/// A book with its vault and its list, open.
pub struct Open {
    pub book: Book,
    pub vault: SqliteVault,
    pub views: SqliteViews,
}

/// What is done where a mended disk does not help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// The book goes on by itself.
    None,
    /// SQLite keeps a page that it was given wrong: only another connection reads it again.
    Reopen,
}

/// The life of a book on a disk.
pub struct Life<'a> {
    disk: &'a Disk,
    clock: TestClock,
    history: History,
    open: Option<Open>,
    /// Tries that failed.
    failures: usize,
    remedy: Remedy,
}

impl<'a> Life<'a> {
    pub fn on(disk: &'a Disk) -> Self {
        let (clock, history) = (TestClock::default(), History::default());
        Self { disk, clock, history, open: None, failures: 0, remedy: Remedy::None }
    }

    /// What is done where a mended disk does not help.
    pub fn with(self, remedy: Remedy) -> Self {
        Self { remedy, ..self }
    }

    /// Creates the book, does every step, and closes it.
    pub async fn live(mut self, steps: &[Step]) -> (History, usize) {
        self.create().await;
        self.reach().await;
        for step in steps {
            self.clock.0.fetch_add(STEP_US, Ordering::SeqCst);
            self.step(step).await;
            self.settle().await;
        }
        self.disk.mend();
        self.history.events = self.everything().await;
        close(self.open.take().unwrap()).await;
        (self.history, self.failures)
    }

    /// The last error may wait for the last read.
    async fn everything(&mut self) -> Vec<Stored> {
        for tries in 1.. {
            match self.open().book.read(&Query::everything(), 0, 0, 100_000).await {
                Ok(page) => return page.events,
                Err(error) => self.failed("reading the whole record", tries, &error).await,
            }
        }
        unreachable!("tries are bounded")
    }

    async fn step(&mut self, step: &Step) {
        match step {
            Step::Append(append) => self.append(append).await,
            Step::AppendLate => self.append_late().await,
            Step::Repeat => self.repeat().await,
            Step::Seal { person, text } => self.seal(person, text).await,
            Step::Erase { person } => self.erase(person).await,
            Step::Fold => self.fold().await,
            Step::Rebuild => self.rebuild().await,
            Step::Checkpoint(kind) => self.checkpoint(*kind).await,
            Step::Reopen => self.reopen().await,
        }
    }

    /// One try has failed; after the last one on a broken disk it is mended.
    async fn failed(&mut self, what: &str, tries: usize, error: &(dyn Debug + Sync)) {
        self.failures += 1;
        if tries == TRIES_BROKEN {
            self.disk.mend();
        }
        assert!(tries < TRIES_MAX, "{what} fails though the disk is mended: {error:?}");
        if tries == TRIES_AS_IT_IS
            && self.remedy == Remedy::Reopen
            && let Some(old) = self.open.take()
        {
            close(old).await;
            self.open = Some(self.open_again().await);
        }
    }

    /// The error that is still to come may wait for the opening.
    async fn open_again(&self) -> Open {
        for tries in 1.. {
            match open(self.disk, &self.clock).await {
                Ok(open) => return open,
                Err(error) => assert!(
                    tries < TRIES_MAX,
                    "opening the book again fails though the disk is mended: {error:?}"
                ),
            }
        }
        unreachable!("tries are bounded")
    }

    fn open(&self) -> &Open {
        self.open.as_ref().unwrap()
    }

    async fn create(&mut self) {
        for tries in 1.. {
            match sqlite::create_book(self.disk.path(), options(&self.clock)).await {
                Ok(book) => {
                    book.close().await;
                    break;
                }
                // An attempt that failed half-way has made it all the same.
                Err(OpenError::AlreadyABook { .. }) if tries > 1 => break,
                Err(error) => self.failed("creating the book", tries, &error).await,
            }
        }
        self.history.created = Some(self.disk.operations());
        let path = self.disk.path().join("vault.db");
        for tries in 1.. {
            match create_vault(&path).await {
                Ok(hash) => {
                    self.history.vault = Some((self.disk.operations(), hash));
                    break;
                }
                Err(error) => self.failed("creating the vault", tries, &error).await,
            }
        }
    }

    /// Opens everything.
    async fn reach(&mut self) {
        for tries in 1.. {
            match open(self.disk, &self.clock).await {
                Ok(open) => {
                    self.open = Some(open);
                    return;
                }
                Err(error) => self.failed("opening the book", tries, &error).await,
            }
        }
    }

    /// Waits until the sealer is done, so that the same seed makes the same life. What is broken
    /// for good is mended first: nobody but the sealer may have met it.
    async fn settle(&mut self) {
        let blocks = self.open().book.known_head() / u64::from(BLOCK_EVENTS);
        let sealed = self.sealed(blocks * u64::from(BLOCK_EVENTS));
        if tokio::time::timeout(SEALER_PATIENCE, sealed).await.is_err() {
            assert_eq!(self.remedy, Remedy::Reopen, "the sealer does not go on");
            self.reopen().await;
        }
    }

    async fn sealed(&self, position: u64) {
        while self.open().book.sealed_to() < position {
            if self.disk.hits() > 0 {
                self.disk.mend();
            }
            tokio::task::yield_now().await;
        }
    }

    async fn reopen(&mut self) {
        close(self.open.take().unwrap()).await;
        self.reach().await;
    }

    async fn append(&mut self, append: &Append) {
        self.history.appends.push(Asked::new(append.clone(), self.disk.operations()));
        let answer = self.answer("an append", append).await;
        let answered = Some((self.disk.operations(), answer));
        self.history.appends.last_mut().unwrap().answered = answered;
    }

    /// The answer to an append that must stand; it names its request.
    async fn answer(&mut self, what: &str, append: &Append) -> Appended {
        for tries in 1.. {
            match self.open().book.append(append.clone()).await {
                Ok(answer) => return answer,
                Err(error) => {
                    assert_honest(&error);
                    self.failed(what, tries, &error).await;
                }
            }
        }
        unreachable!("tries are bounded")
    }

    async fn append_late(&mut self) {
        for tries in 1.. {
            let late = one("late", &[]).unless(query(&["a"], &["every:1"]), 0);
            match self.open().book.append(late).await {
                Err(AppendError::Conflict { .. }) => return,
                Err(error) => {
                    assert_honest(&error);
                    self.failed("an append on an old state", tries, &error).await;
                }
                Ok(answer) => panic!("{answer:?} though the condition does not hold"),
            }
        }
    }

    async fn repeat(&mut self) {
        let asked = self.history.appends.len() / 2;
        let Asked { what, answered, .. } = self.history.appends[asked].clone();
        let again = self.answer("a repeated request", &what).await;
        assert_same_answer(answered.unwrap().1, again);
    }

    async fn seal(&mut self, person: &'static str, text: &str) {
        let asked = Asked::new((person, text.to_owned()), self.disk.operations());
        self.history.seals.push(asked);
        for tries in 1.. {
            match self.open().vault.seal(subject(person), text).await {
                Ok(sealed) => {
                    let answered = Some((self.disk.operations(), sealed));
                    self.history.seals.last_mut().unwrap().answered = answered;
                    return;
                }
                Err(error) => self.failed("sealing", tries, &error).await,
            }
        }
    }

    async fn erase(&mut self, person: &'static str) {
        self.history.erasures.push(Asked::new(person, self.disk.operations()));
        for tries in 1.. {
            match self.open().vault.erase(person, "contact").await {
                Ok(Erasure::Destroyed | Erasure::NothingThere) => break,
                Err(error) => self.failed("erasing", tries, &error).await,
            }
        }
        self.history.erasures.last_mut().unwrap().answered = Some((self.disk.operations(), ()));
    }

    async fn fold(&mut self) {
        for tries in 1.. {
            match fold(self.open()).await {
                Ok(()) => return,
                Err(error) => self.failed("folding", tries, &error).await,
            }
        }
    }

    async fn rebuild(&mut self) {
        for tries in 1.. {
            match rebuild(self.open()).await {
                Ok(()) => return,
                Err(error) => self.failed("rebuilding", tries, &error).await,
            }
        }
    }

    async fn checkpoint(&mut self, kind: Checkpoint) {
        let statement = match kind {
            Checkpoint::Passive => "PRAGMA wal_checkpoint(PASSIVE)",
            Checkpoint::Restart => "PRAGMA wal_checkpoint(RESTART)",
            Checkpoint::Truncate => "PRAGMA wal_checkpoint(TRUNCATE)",
        };
        for tries in 1.. {
            let options = SqliteConnectOptions::new().filename(self.disk.path().join("record.db"));
            let done = async {
                let mut connection = options.connect().await?;
                sqlx::raw_sql(statement).execute(&mut connection).await?;
                sqlx::Connection::close(connection).await
            };
            match done.await {
                Ok(()) => return,
                Err(error) => self.failed("writing back", tries, &error).await,
            }
        }
    }
}

/// A failed disk is never taken for a broken rule or a broken record.
#[track_caller]
fn assert_honest(error: &AppendError) {
    match error {
        AppendError::Unknown { .. } | AppendError::Storage(_) | AppendError::Overloaded { .. } => {}
        AppendError::Conflict { .. }
        | AppendError::RequestReused { .. }
        | AppendError::Refused(_)
        | AppendError::Read(_) => panic!("a failed disk is reported as {error:?}"),
    }
}

#[track_caller]
pub fn assert_same_answer(first: Appended, again: Appended) {
    assert_eq!((again.first, again.last), (first.first, first.last), "the first answer again");
    assert!(again.repeated(), "{again:?} is a second effect");
}

pub fn options(clock: &TestClock) -> Options {
    Options {
        clock: Arc::new(clock.clone()),
        block_events: BLOCK_EVENTS,
        ..Options::new("contract 1")
    }
}

/// Opens everything, in the order of the app.
pub async fn open(disk: &Disk, clock: &TestClock) -> Result<Open, Box<dyn Debug + Send + Sync>> {
    let book = sqlite::open_book(disk.path(), options(clock)).await;
    let book = book.map_err(|error| Box::new(error) as Box<dyn Debug + Send + Sync>)?;
    let path = disk.path().join("vault.db");
    let vault = match SqliteVault::open(&path, Arc::new(SystemEntropy)).await {
        Ok(vault) => vault,
        Err(error) => {
            book.close().await;
            return Err(Box::new(error));
        }
    };
    let opened = async {
        let views = SqliteViews::open(&disk.path().join("derived.db"), book.id()).await?;
        views.ensure(&rows_schema(), TODAY).await?;
        Ok::<_, daicho_store::views::ViewError>(views)
    };
    match opened.await {
        Ok(views) => Ok(Open { book, vault, views }),
        Err(error) => {
            vault.close().await;
            book.close().await;
            Err(Box::new(error))
        }
    }
}

pub async fn close(open: Open) {
    open.views.close().await;
    open.vault.close().await;
    open.book.close().await;
}

/// Makes the vault and returns what it makes of [`INDEXED`].
pub async fn create_vault(path: &std::path::Path) -> Result<String, VaultError> {
    let vault = SqliteVault::create(path, Arc::new(SystemEntropy)).await?;
    let hash = vault.index("email", INDEXED).await;
    vault.close().await;
    hash
}

pub fn subject(person: &str) -> Subject<'_> {
    Subject { person, class: "contact", field: "name" }
}

pub fn rows_schema() -> ViewSchema {
    let name = "rows";
    let last = ViewColumn { name: "last", kind: ColumnKind::Integer, index: ColumnIndex::Indexed };
    ViewSchema { name, version: 1, fingerprint: "1".into(), columns: vec![last] }
}

/// What the list says once it has followed the log to `cursor`: of each row the last event.
pub fn rows_at(cursor: u64) -> Vec<ViewRow> {
    let first = cursor.saturating_sub(ROWS) + 1;
    let mut rows: Vec<ViewRow> = (first..=cursor).map(row_of).collect();
    rows.sort_by(|a, b| a.key.cmp(&b.key));
    rows
}

fn row_of(position: u64) -> ViewRow {
    ViewRow {
        key: format!("row:{}", position % ROWS),
        row: position.to_be_bytes().to_vec(),
        columns: vec![Value::Integer(position.try_into().unwrap())],
        next_change: None,
    }
}

/// The list follows the log to its end.
pub async fn fold(open: &Open) -> Result<(), Box<dyn Debug + Send + Sync>> {
    fn boxed<E: Debug + Send + Sync + 'static>(error: E) -> Box<dyn Debug + Send + Sync> {
        Box::new(error)
    }
    let from = open.views.state("rows").await.map_err(boxed)?.point;
    let head = open.book.head().await.map_err(boxed)?.position;
    assert!(from.cursor <= head, "the list is at {}, the log ends at {head}", from.cursor);
    let mut upserts = rows_at(head);
    upserts.retain(|row| row.columns[0] > Value::Integer(from.cursor.try_into().unwrap()));
    let changes = ViewChanges { upserts, deletes: Vec::new() };
    let to = ViewPoint { cursor: head, as_of: TODAY.into() };
    open.views.write("rows", &from, changes, &to).await.map_err(boxed)
}

async fn rebuild(open: &Open) -> Result<(), Box<dyn Debug + Send + Sync>> {
    let boxed = |error| Box::new(error) as Box<dyn Debug + Send + Sync>;
    let head = open
        .book
        .head()
        .await
        .map_err(|error| Box::new(error) as Box<dyn Debug + Send + Sync>)?
        .position;
    let to = ViewPoint { cursor: head, as_of: TODAY.into() };
    let from = RebuildFrom { point: to.clone(), origin: "the record".into() };
    let shadow = open.views.begin_rebuild(&rows_schema(), &from).await.map_err(boxed)?;
    open.views.load(&shadow, rows_at(head), 1).await.map_err(boxed)?;
    open.views.swap(shadow, &to).await.map_err(boxed)?;
    Ok(())
}
