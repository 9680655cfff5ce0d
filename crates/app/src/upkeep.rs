//! Upkeep of the stored lists: live catch-up, rebuild beside the live list, comparison of both.

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use daicho_events::{Date, Recorded};
use daicho_projections::{Fold, List, Partition, Shown, all};
use daicho_store::Log;
use daicho_store::views::{
    BATCH_ROWS_MAX, ColumnIndex, ColumnKind, Shadow, Value, ViewChanges, ViewColumn, ViewPoint,
    ViewRow, ViewSchema, ViewState, ViewWriteError,
};
use sha2::{Digest, Sha256};
use tokio::task::JoinHandle;

use crate::error::Failure;
use crate::ledger::Ledger;
use crate::progress::Progress;
use crate::replay::Folds;

/// Events folded into a stored list in one transaction.
const CATCH_UP_EVENTS: u64 = 4_096;
/// Behind by more than this, an empty list is rebuilt and not caught up with.
const REBUILD_EVENTS_MIN: u64 = 4 * CATCH_UP_EVENTS;
/// Rows that became due, recomputed in one transaction.
const DUE_ROWS: u32 = 10_000;
/// Rows written to a shadow table, or compared, at once.
const LOAD_ROWS: usize = 10_000;
/// The column that says whether a row is in the list yet (1) or only known (0).
pub(crate) const LISTED: &str = "listed";

/// A list that was rebuilt.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Rebuilt {
    /// Its name.
    pub list: &'static str,
    /// Its rows.
    pub rows: u64,
}

/// A pass that rebuilt one or more lists.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Rebuild {
    /// Events folded.
    pub events: u64,
    /// How long it took, from the first read to the last swap.
    #[serde(skip)]
    pub took: Duration,
    /// The lists.
    pub lists: Vec<Rebuilt>,
}

/// A stored list held against the same list made anew.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Compared {
    /// Its name.
    pub list: &'static str,
    /// The position at which both stand.
    pub position: u64,
    /// Rows of the one made anew.
    pub rows: u64,
    /// SHA-256 over keys, rows and columns of the stored list.
    pub live: String,
    /// The same over the list made anew.
    pub rebuilt: String,
    /// The first key at which they differ.
    pub first_difference: Option<String>,
}

impl Compared {
    /// Whether both are the same, byte for byte.
    pub fn is_same(&self) -> bool {
        self.live == self.rebuilt
    }
}

/// The folds of a rebuild on their way to rows: while the rows of one part are written, those of
/// the next are encoded.
struct Encoding {
    parts: VecDeque<(&'static dyn List, Box<dyn Fold>)>,
    ahead: Option<Ahead>,
    on: Date,
}

/// A part that is being encoded.
struct Ahead {
    list: &'static dyn List,
    rows: usize,
    encoded: JoinHandle<Result<ViewChanges, Failure>>,
}

impl Encoding {
    /// Part by part, in the order of the lists.
    fn start(lists: &[&'static dyn List], folds: Folds, on: Date) -> Self {
        let parts = lists.iter().zip(folds.by_list());
        let parts = parts.flat_map(|(list, parts)| parts.into_iter().map(|part| (*list, part)));
        let mut encoding = Self { parts: parts.collect(), ahead: None, on };
        encoding.look_ahead();
        encoding
    }

    /// How many rows a list has that are not encoded yet.
    fn rows_of(&self, list: &'static dyn List) -> u64 {
        let ahead = self.ahead.iter().map(|ahead| (ahead.list, ahead.rows));
        let parts = self.parts.iter().map(|(of, fold)| (*of, fold.len()));
        let of_list = ahead.chain(parts).filter(|(of, _)| of.name() == list.name());
        of_list.map(|(_, rows)| rows as u64).sum()
    }

    /// The rows of the next part of a list; none when it has no more.
    async fn next_of(&mut self, list: &'static dyn List) -> Result<Option<Vec<ViewRow>>, Failure> {
        let ahead = self.ahead.take_if(|ahead| ahead.list.name() == list.name());
        let Some(Ahead { encoded, .. }) = ahead else { return Ok(None) };
        self.look_ahead();
        Ok(Some(joined(encoded).await?.upserts))
    }

    fn look_ahead(&mut self) {
        let on = self.on;
        self.ahead = self.parts.pop_front().map(|(list, fold)| Ahead {
            list,
            rows: fold.len(),
            encoded: encode(list, fold, on),
        });
    }
}

impl Ledger {
    /// Brings the stored form of a list to the head of the log and to today.
    pub(crate) async fn keep_up(&self, list: &'static dyn List) -> Result<ViewState, Failure> {
        let today = self.today().await?;
        let head = self.log().head().await?.position;
        let schema = schema_of(list);
        let state = self.views().ensure(&schema, &today.to_string()).await?;
        // Derived state never leads the record: a list ahead of it is of another record.
        let leads = state.point.cursor > head;
        if leads || (state.point.cursor == 0 && head > REBUILD_EVENTS_MIN) {
            self.rebuild(&[list], &crate::progress::Unwatched).await?;
        }
        loop {
            let point = self.views().state(list.name()).await?.point;
            let as_of = point.as_of.parse::<Date>().unwrap_or(today);
            let step = match (point.cursor < head, as_of < today) {
                (true, _) => self.fold_step(list, &point, as_of, head).await,
                (false, true) => self.day_step(list, &point, today).await,
                (false, false) => break,
            };
            match step {
                // Another process keeps the same list up: look where it stands now.
                Ok(()) | Err(Failure::ViewWrite(ViewWriteError::Moved { .. })) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.views().state(list.name()).await?)
    }

    /// Folds the next events into the stored rows that they touch.
    async fn fold_step(
        &self,
        list: &'static dyn List,
        from: &ViewPoint,
        as_of: Date,
        head: u64,
    ) -> Result<(), Failure> {
        let until = head.min(from.cursor + CATCH_UP_EVENTS);
        let events = self.events_between(from.cursor, until).await?;
        let keys = touched(list, &events);
        let rows = self.views().rows(list.name(), &keys).await?;
        let changes = changes(list, fold_over(list, rows.iter(), &events)?.finish_on(as_of)?);
        let to = ViewPoint { cursor: until, as_of: from.as_of.clone() };
        Ok(self.views().write(list.name(), from, changes, &to).await?)
    }

    /// Recomputes the columns of rows that changed because a day came; the last step moves the day.
    async fn day_step(
        &self,
        list: &'static dyn List,
        from: &ViewPoint,
        today: Date,
    ) -> Result<(), Failure> {
        let due = self.views().due(list.name(), &today.to_string(), DUE_ROWS).await?;
        let is_last = due.len() < DUE_ROWS as usize;
        let upserts = due
            .into_iter()
            .map(|(key, row)| {
                let columns = list.columns_on(&row, today)?;
                let next_change = list.next_change(&row, today)?;
                Ok(view_row(list, key, Shown { row, columns, next_change }))
            })
            .collect::<Result<_, Failure>>()?;
        let as_of = if is_last { today.to_string() } else { from.as_of.clone() };
        let to = ViewPoint { cursor: from.cursor, as_of };
        let changes = ViewChanges { upserts, deletes: Vec::new() };
        Ok(self.views().write(list.name(), from, changes, &to).await?)
    }

    /// Makes lists anew beside the live ones, in one pass over the log, and swaps them in.
    ///
    /// # Errors
    /// An event that cannot be read, or storage that fails; the live lists stay as they were.
    pub async fn rebuild(
        &self,
        lists: &[&'static dyn List],
        progress: &dyn Progress,
    ) -> Result<Rebuild, Failure> {
        let started = Instant::now();
        let today = self.today().await?;
        let target = self.log().head().await?.position;
        let folds = self.replay(Folds::start(lists), target, progress).await?;
        let mut encoding = Encoding::start(lists, folds, today);
        let mut rebuilt = Vec::new();
        for list in lists {
            self.views().ensure(&schema_of(*list), &today.to_string()).await?;
            let shadow = self.views().begin_rebuild(&schema_of(*list)).await?;
            self.load(*list, &shadow, &mut encoding, progress).await?;
            self.views().index_shadow(&shadow).await?;
            let cursor = self.catch_up_shadow(*list, &shadow, target, today).await?;
            let point = ViewPoint { cursor, as_of: today.to_string() };
            let state = self.views().swap(shadow, &point).await?;
            rebuilt.push(Rebuilt { list: list.name(), rows: state.rows });
        }
        Ok(Rebuild { events: target, took: started.elapsed(), lists: rebuilt })
    }

    /// Writes the rows of a list as they are encoded.
    async fn load(
        &self,
        list: &'static dyn List,
        shadow: &Shadow,
        encoding: &mut Encoding,
        progress: &dyn Progress,
    ) -> Result<(), Failure> {
        progress.begin(&format!("rows of {} written", list.name()), encoding.rows_of(list));
        let mut written = 0;
        while let Some(rows) = encoding.next_of(list).await? {
            let mut rows = rows.into_iter().peekable();
            while rows.peek().is_some() {
                let batch: Vec<ViewRow> = rows.by_ref().take(LOAD_ROWS).collect();
                written += batch.len() as u64;
                self.views().load(shadow, batch).await?;
                progress.at(written);
            }
        }
        progress.end();
        Ok(())
    }

    /// Folds into a shadow what was recorded since its target; answers where it then stands.
    async fn catch_up_shadow(
        &self,
        list: &'static dyn List,
        shadow: &Shadow,
        target: u64,
        today: Date,
    ) -> Result<u64, Failure> {
        let (head, mut cursor) = (self.log().head().await?.position, target);
        while cursor < head {
            let until = head.min(cursor + CATCH_UP_EVENTS);
            let events = self.events_between(cursor, until).await?;
            let rows = self.views().shadow_rows(shadow, &touched(list, &events)).await?;
            let changes = changes(list, fold_over(list, rows.iter(), &events)?.finish_on(today)?);
            self.views().shadow_write(shadow, changes).await?;
            cursor = until;
        }
        Ok(cursor)
    }

    /// Holds every stored list against the same list made anew at the same position.
    ///
    /// # Errors
    /// An event that cannot be read, or storage that fails. A difference is an answer, not an
    /// error.
    pub async fn compare(&self, progress: &dyn Progress) -> Result<Vec<Compared>, Failure> {
        let mut compared = Vec::new();
        for list in all() {
            compared.push(self.compare_list(*list, progress).await?);
        }
        Ok(compared)
    }

    async fn compare_list(
        &self,
        list: &'static dyn List,
        progress: &dyn Progress,
    ) -> Result<Compared, Failure> {
        let point = self.keep_up(list).await?.point;
        let on = point.as_of.parse::<Date>().unwrap_or(self.today().await?);
        let folds = self.replay(Folds::start(&[list]), point.cursor, progress).await?;
        let mut anew = Vec::new();
        for part in folds.by_list().into_iter().flatten() {
            anew.extend(changes_blocking(list, part, on).await?.upserts);
        }
        anew.sort_by(|left, right| left.key.cmp(&right.key));
        let (mut live_digest, mut first_difference) = (Sha256::new(), None);
        let (mut after, mut expected) = (None, anew.iter());
        loop {
            let limit = u32::try_from(LOAD_ROWS).unwrap_or(u32::MAX);
            let rows = self.views().scan(list.name(), after.as_deref(), limit).await?;
            for row in &rows {
                digest(&mut live_digest, row);
                let anew = expected.next();
                if first_difference.is_none() && anew != Some(row) {
                    let key = anew.map_or(&row.key, |anew| (&anew.key).min(&row.key));
                    first_difference = Some(key.clone());
                }
            }
            let Some(last) = rows.last() else { break };
            after = Some(last.key.clone());
        }
        let missing = expected.next().map(|row| row.key.clone());
        let mut rebuilt_digest = Sha256::new();
        anew.iter().for_each(|row| digest(&mut rebuilt_digest, row));
        Ok(Compared {
            list: list.name(),
            position: point.cursor,
            rows: anew.len() as u64,
            live: hex::encode(live_digest.finalize()),
            rebuilt: hex::encode(rebuilt_digest.finalize()),
            first_difference: first_difference.or(missing),
        })
    }
}

fn fold_over<'a>(
    list: &'static dyn List,
    rows: impl Iterator<Item = (&'a String, &'a Vec<u8>)>,
    events: &[Recorded],
) -> Result<Box<dyn Fold>, Failure> {
    let mut fold = list.start(Partition::WHOLE);
    for (key, row) in rows {
        fold.load(key, row)?;
    }
    events.iter().for_each(|event| fold.apply(event));
    Ok(fold)
}

fn touched(list: &'static dyn List, events: &[Recorded]) -> Vec<String> {
    let keys: BTreeSet<String> = events.iter().flat_map(|event| list.keys(event)).collect();
    assert!(
        keys.len() <= BATCH_ROWS_MAX,
        "a step of {CATCH_UP_EVENTS} events touches that many rows"
    );
    keys.into_iter().collect()
}

fn changes(list: &'static dyn List, rows: Vec<(String, Option<Shown>)>) -> ViewChanges {
    let mut changes = ViewChanges::default();
    for (key, shown) in rows {
        match shown {
            Some(shown) => changes.upserts.push(view_row(list, key, shown)),
            None => changes.deletes.push(key),
        }
    }
    changes
}

/// The rows of a fold, encoded away from the threads that serve callers.
pub(crate) async fn changes_blocking(
    list: &'static dyn List,
    fold: Box<dyn Fold>,
    on: Date,
) -> Result<ViewChanges, Failure> {
    joined(encode(list, fold, on)).await
}

fn encode(
    list: &'static dyn List,
    fold: Box<dyn Fold>,
    on: Date,
) -> JoinHandle<Result<ViewChanges, Failure>> {
    tokio::task::spawn_blocking(move || Ok(changes(list, fold.finish_on(on)?)))
}

async fn joined(encoded: JoinHandle<Result<ViewChanges, Failure>>) -> Result<ViewChanges, Failure> {
    let broke_off = |error| Failure::Limit(format!("encoding rows broke off: {error}"));
    encoded.await.map_err(broke_off)?
}

fn view_row(list: &'static dyn List, key: String, shown: Shown) -> ViewRow {
    let listed = Value::Integer(i64::from(shown.columns.is_some()));
    let cells = match shown.columns {
        Some(columns) => columns.into_iter().map(cell).collect(),
        None => vec![Value::Null; list.columns().len()],
    };
    ViewRow {
        key,
        row: shown.row,
        columns: std::iter::once(listed).chain(cells).collect(),
        next_change: shown.next_change.map(|day| day.to_string()),
    }
}

fn cell(value: daicho_projections::Value) -> Value {
    match value {
        daicho_projections::Value::Null => Value::Null,
        daicho_projections::Value::Text(text) => Value::Text(text),
        daicho_projections::Value::Integer(number) => Value::Integer(number),
    }
}

/// What the store must know of a list.
pub(crate) fn schema_of(list: &'static dyn List) -> ViewSchema {
    let listed = ViewColumn { name: LISTED, kind: ColumnKind::Integer, index: ColumnIndex::Plain };
    let columns = list.columns().iter().map(|column| ViewColumn {
        name: column.name,
        kind: match column.kind {
            daicho_projections::ColumnKind::Text => ColumnKind::Text,
            daicho_projections::ColumnKind::Integer => ColumnKind::Integer,
            daicho_projections::ColumnKind::Date => ColumnKind::Date,
            daicho_projections::ColumnKind::Timestamp => ColumnKind::Timestamp,
            daicho_projections::ColumnKind::Money => ColumnKind::Money,
        },
        index: match column.role {
            daicho_projections::ColumnRole::Indexed => ColumnIndex::Indexed,
            daicho_projections::ColumnRole::Plain => ColumnIndex::Plain,
        },
    });
    ViewSchema {
        name: list.name(),
        version: list.version(),
        fingerprint: list.fingerprint(),
        columns: std::iter::once(listed).chain(columns).collect(),
    }
}

fn digest(digest: &mut Sha256, row: &ViewRow) {
    let cells = format!("{:?}{:?}", row.columns, row.next_change);
    for part in [row.key.as_bytes(), &row.row, cells.as_bytes()] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
}
