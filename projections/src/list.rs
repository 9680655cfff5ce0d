//! Lists without their types: what rebuild, catch-up and the stored tables work with.
//! A stored row carries the position last folded into it, so that an event delivered twice counts
//! once.

use std::collections::HashMap;
use std::hash::Hasher;
use std::marker::PhantomData;

use daicho_events::binary::{BinaryError, decode, encode};
use daicho_events::{Date, Position, Recorded, Sample};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{Deserialize, Serialize};

use crate::partition::BuildStableHasher;
use crate::{Column, Partition, Projection, StableHasher, Value};

/// Why a stored row cannot be read: rebuild its list.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// A stored key that is not one of the list's.
    #[error("`{key}` is not a key of the list `{list}`: rebuild the list")]
    Key {
        /// The list.
        list: &'static str,
        /// The key.
        key: String,
    },
    /// Bytes of another form.
    #[error("a row of the list `{list}` is not of the form of this release: rebuild the list")]
    Row {
        /// The list.
        list: &'static str,
        /// What the decoder says.
        #[source]
        source: BinaryError,
    },
    /// A row that JSON cannot hold.
    #[error("a row of the list `{list}` has no JSON form: report it")]
    Json {
        /// The list.
        list: &'static str,
        /// What the writer says.
        #[source]
        source: serde_json::Error,
    },
}

/// A list whose types are hidden.
pub trait List: Send + Sync {
    /// Its name, `quotes`.
    fn name(&self) -> &'static str;
    /// The version of its rows, columns and meaning.
    fn version(&self) -> u32;
    /// What its key is, `quote`: the name of the same value in [`List::json`].
    fn key_name(&self) -> &'static str;
    /// Its columns beside the key.
    fn columns(&self) -> &'static [Column];
    /// A text that changes whenever the stored form of a row or a column changes: 16 digits. It
    /// does
    /// not change with documentation.
    fn fingerprint(&self) -> String;
    /// The JSON Schema of what [`List::json`] answers.
    fn schema(&self) -> serde_json::Value;
    /// The keys of the rows that an event touches.
    fn keys(&self, event: &Recorded) -> Vec<String>;
    /// A fold of one part of the list's keys, empty.
    fn start(&self, partition: Partition) -> Box<dyn Fold>;

    /// The columns of a stored row on a day; `None`: the row is not in the list yet.
    ///
    /// # Errors
    /// Bytes of another form.
    fn columns_on(&self, row: &[u8], on: Date) -> Result<Option<Vec<Value>>, ListError>;

    /// The next day after `on` on which [`List::columns_on`] answers something else by itself.
    ///
    /// # Errors
    /// Bytes of another form.
    fn next_change(&self, row: &[u8], on: Date) -> Result<Option<Date>, ListError>;

    /// A stored row's facts, each with the day from which it counts, and beside them what is
    /// computed
    /// from them for a day, as `status`; `None`: the row is not in the list yet.
    ///
    /// # Errors
    /// Bytes of another form.
    fn json(&self, row: &[u8], on: Date) -> Result<Option<serde_json::Value>, ListError>;
}

/// Changed rows by key, in the order of the keys; `None`: the row is to be deleted.
pub type Changed<T> = Vec<(String, Option<T>)>;

/// A fold in memory over one part of a list's keys.
pub trait Fold: Send {
    /// Takes a stored row to go on from, before any event about it. Rows of other parts are passed
    /// over.
    ///
    /// # Errors
    /// A key or bytes of another form.
    fn load(&mut self, key: &str, row: &[u8]) -> Result<(), ListError>;

    /// Folds an event into the rows that it touches, except where it already is.
    fn apply(&mut self, event: &Recorded);

    /// Rows held.
    fn len(&self) -> usize;

    /// Whether no row is held.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows that events changed.
    ///
    /// # Errors
    /// A row without a binary form.
    fn finish(self: Box<Self>) -> Result<Changed<Vec<u8>>, ListError>;

    /// As [`Fold::finish`], each row with its columns on a day: for stored tables, without decoding
    /// again what was just encoded.
    ///
    /// # Errors
    /// A row without a binary form.
    fn finish_on(self: Box<Self>, on: Date) -> Result<Changed<Shown>, ListError>;
}

/// A row as a stored table keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The whole row in binary.
    pub row: Vec<u8>,
    /// Its columns on the day; `None`: it is not in the list yet.
    pub columns: Option<Vec<Value>>,
    /// The next day on which they change by themselves.
    pub next_change: Option<Date>,
}

/// The erased form of a projection.
pub struct ListOf<P>(PhantomData<fn() -> P>);

impl<P> ListOf<P> {
    /// The one value.
    pub const NEW: Self = Self(PhantomData);
}

/// A row and the last position folded into it.
#[derive(Serialize, Deserialize)]
struct Stored<R> {
    position: Position,
    row: R,
}

/// A row and what it looks like on a day, side by side in one object.
#[derive(Serialize, JsonSchema)]
struct RowOnDay<D, R> {
    #[serde(flatten)]
    day: D,
    #[serde(flatten)]
    row: R,
}

impl<P: Projection> ListOf<P> {
    fn read(row: &[u8]) -> Result<Stored<P::Row>, ListError> {
        decode(row).map_err(|source| ListError::Row { list: P::NAME, source })
    }

    fn columns_of(row: &P::Row, on: Date) -> Option<Vec<Value>> {
        (P::begins(row) <= on).then(|| P::columns(row, on))
    }

    fn next_change_of(row: &P::Row, on: Date) -> Option<Date> {
        let begins = P::begins(row);
        if on < begins { Some(begins) } else { P::next_change(row, on) }
    }
}

impl<P: Projection> List for ListOf<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn version(&self) -> u32 {
        P::VERSION
    }

    fn key_name(&self) -> &'static str {
        P::KEY
    }

    fn columns(&self) -> &'static [Column] {
        P::COLUMNS
    }

    fn fingerprint(&self) -> String {
        let mut schema = SchemaSettings::draft2020_12()
            .into_generator()
            .into_root_schema_for::<P::Row>()
            .to_value();
        drop_prose(&mut schema);
        schema.sort_all_objects();
        // The schema does not know the order of fields, which the binary form lives by: a sample
        // does.
        let sample = Stored { position: Position(1), row: P::Row::sample() };
        let mut hasher = StableHasher::default();
        hasher.write(schema.to_string().as_bytes());
        hasher.write(&encode(&sample).unwrap_or_default());
        hasher.write(serde_json::to_string(&sample).unwrap_or_default().as_bytes());
        for Column { name, kind, role, describe: _ } in P::COLUMNS {
            hasher.write(format!("{name} {kind:?} {role:?}").as_bytes());
        }
        format!("{:016x}", hasher.finish())
    }

    fn schema(&self) -> serde_json::Value {
        SchemaSettings::draft2020_12()
            .into_generator()
            .into_root_schema_for::<RowOnDay<P::OnDay, P::Row>>()
            .to_value()
    }

    fn keys(&self, event: &Recorded) -> Vec<String> {
        P::keys(event).map(|key| key.to_string()).collect()
    }

    fn start(&self, partition: Partition) -> Box<dyn Fold> {
        Box::new(Folding::<P> { partition, slots: HashMap::default() })
    }

    fn columns_on(&self, row: &[u8], on: Date) -> Result<Option<Vec<Value>>, ListError> {
        Ok(Self::columns_of(&Self::read(row)?.row, on))
    }

    fn next_change(&self, row: &[u8], on: Date) -> Result<Option<Date>, ListError> {
        Ok(Self::next_change_of(&Self::read(row)?.row, on))
    }

    fn json(&self, row: &[u8], on: Date) -> Result<Option<serde_json::Value>, ListError> {
        let row = Self::read(row)?.row;
        if on < P::begins(&row) {
            return Ok(None);
        }
        serde_json::to_value(RowOnDay { day: P::on_day(&row, on), row })
            .map(Some)
            .map_err(|source| ListError::Json { list: P::NAME, source })
    }
}

/// Takes titles and descriptions out of a schema.
fn drop_prose(schema: &mut serde_json::Value) {
    match schema {
        serde_json::Value::Object(members) => {
            members.retain(|name, value| {
                !(value.is_string() && matches!(name.as_str(), "title" | "description"))
            });
            members.values_mut().for_each(drop_prose);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(drop_prose),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => {}
    }
}

struct Slot<R> {
    position: Position,
    row: Option<R>,
    changed: bool,
}

struct Folding<P: Projection> {
    partition: Partition,
    slots: HashMap<P::Key, Slot<P::Row>, BuildStableHasher>,
}

impl<P: Projection> Folding<P> {
    fn apply_to(&mut self, key: P::Key, event: &Recorded) {
        let position = event.header.position;
        let Some(slot) = self.slots.get_mut(&key) else {
            if let Some(row) = P::fold(&key, None, event) {
                self.slots.insert(key, Slot { position, row: Some(row), changed: true });
            }
            return;
        };
        if position <= slot.position {
            return; // delivered before
        }
        let row = slot.row.take();
        *slot = Slot { position, row: P::fold(&key, row, event), changed: true };
    }

    fn write(stored: &Stored<P::Row>) -> Result<Vec<u8>, ListError> {
        encode(stored).map_err(|source| ListError::Row { list: P::NAME, source })
    }

    /// The changed rows in the order of their keys, each through `write`.
    fn changed<T>(
        self,
        write: impl Fn(&Stored<P::Row>) -> Result<T, ListError>,
    ) -> Result<Changed<T>, ListError> {
        let mut slots: Vec<_> = self.slots.into_iter().filter(|(_, slot)| slot.changed).collect();
        slots.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
        slots
            .into_iter()
            .map(|(key, Slot { position, row, changed: _ })| {
                let row = row.map(|row| write(&Stored { position, row })).transpose()?;
                Ok((key.to_string(), row))
            })
            .collect()
    }
}

impl<P: Projection> Fold for Folding<P> {
    fn load(&mut self, key: &str, row: &[u8]) -> Result<(), ListError> {
        let error = || ListError::Key { list: P::NAME, key: key.to_owned() };
        let parsed: P::Key = key.parse().map_err(|_| error())?;
        if self.partition.holds(&parsed) {
            let Stored { position, row } = ListOf::<P>::read(row)?;
            self.slots.insert(parsed, Slot { position, row: Some(row), changed: false });
        }
        Ok(())
    }

    fn apply(&mut self, event: &Recorded) {
        for key in P::keys(event) {
            if self.partition.holds(&key) {
                self.apply_to(key, event);
            }
        }
    }

    fn len(&self) -> usize {
        self.slots.len()
    }

    fn finish(self: Box<Self>) -> Result<Changed<Vec<u8>>, ListError> {
        self.changed(Self::write)
    }

    fn finish_on(self: Box<Self>, on: Date) -> Result<Changed<Shown>, ListError> {
        self.changed(|stored| {
            Ok(Shown {
                row: Self::write(stored)?,
                columns: ListOf::<P>::columns_of(&stored.row, on),
                next_change: ListOf::<P>::next_change_of(&stored.row, on),
            })
        })
    }
}
