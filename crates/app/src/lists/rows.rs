//! Rows of a list for its stored table: folded from events and encoded, with their typed columns.
//! Upkeep, rebuild and comparison share this code.

use std::collections::BTreeSet;

use daicho_events::Recorded;
use daicho_projections::{Fold, List, Partition, Shown};
use daicho_store::views::{
    BATCH_ROWS_MAX, ColumnIndex, ColumnKind, Value, ViewChanges, ViewColumn, ViewRow, ViewSchema,
};
use daicho_values::Date;

use crate::error::Failure;

/// The most events folded into a stored list in one transaction.
pub(crate) const CATCH_UP_EVENTS: u64 = 4_096;
/// The most due rows recomputed in one transaction.
pub(crate) const DUE_ROWS: u32 = 10_000;
/// The most rows written to a shadow table, or compared, at once.
pub(crate) const LOAD_ROWS: usize = 10_000;
/// The column that says whether a row is in the list yet (1) or only known (0).
pub(crate) const LISTED: &str = "listed";

pub(crate) fn fold_over<'a>(
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

pub(crate) fn touched(list: &'static dyn List, events: &[Recorded]) -> Vec<String> {
    let keys: BTreeSet<String> = events.iter().flat_map(|event| list.keys(event)).collect();
    assert!(
        keys.len() <= BATCH_ROWS_MAX,
        "a step of {CATCH_UP_EVENTS} events touches that many rows"
    );
    keys.into_iter().collect()
}

pub(crate) fn changes(list: &'static dyn List, rows: Vec<(String, Option<Shown>)>) -> ViewChanges {
    let mut changes = ViewChanges::default();
    for (key, shown) in rows {
        match shown {
            Some(shown) => changes.upserts.push(view_row(list, key, shown)),
            None => changes.deletes.push(key),
        }
    }
    changes
}

/// Rows that became due, each as it looks on the day `on`.
pub(crate) fn changes_of_day(
    list: &'static dyn List,
    due: Vec<(String, Vec<u8>)>,
    on: Date,
) -> Result<ViewChanges, Failure> {
    let shown = |(key, row): (String, Vec<u8>)| {
        let columns = list.columns_on(&row, on)?;
        let next_change = list.next_change(&row, on)?;
        Ok(view_row(list, key, Shown { row, columns, next_change }))
    };
    let upserts = due.into_iter().map(shown).collect::<Result<_, Failure>>()?;
    Ok(ViewChanges { upserts, deletes: Vec::new() })
}

/// The rows of a fold, encoded on a thread that does not serve callers.
pub(crate) async fn changes_blocking(
    list: &'static dyn List,
    fold: Box<dyn Fold>,
    on: Date,
) -> Result<ViewChanges, Failure> {
    let encode = move || Ok(changes(list, fold.finish_on(on)?));
    let broke_off = |error| Failure::BrokeOff { what: format!("encoding rows ({error})") };
    tokio::task::spawn_blocking(encode).await.map_err(broke_off)?
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

/// What the store must know about a list.
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
