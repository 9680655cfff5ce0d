//! Lists without their types: what rebuild, catch-up and the stored tables work with.
//! A stored row carries the position of the last event folded into it, so that an event that is
//! delivered twice counts once.

#[cfg(test)]
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::hash::Hasher;
use std::marker::PhantomData;

use daicho_events::binary::{BinaryError, decode, encode};
use daicho_events::{Position, Recorded};
use daicho_values::{Date, Sample};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{Deserialize, Serialize};

use crate::partition::{BuildStableHasher, slice_of};
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
    /// What it is of, in a few words: `Quotes (見積)`.
    fn about(&self) -> &'static str;
    /// The version of its rows, columns and meaning.
    fn version(&self) -> u32;
    /// What its key is, `quote`: the name of the same value in [`List::json`].
    fn key_name(&self) -> &'static str;
    /// Its columns beside the key.
    fn columns(&self) -> &'static [Column];
    /// A text that changes whenever the stored form of a row or a column changes: 16 digits. It
    /// does not change with documentation.
    fn fingerprint(&self) -> String;
    /// The JSON Schema of what [`List::json`] answers.
    fn schema(&self) -> serde_json::Value;
    /// The keys of the rows that an event touches.
    fn keys(&self, event: &Recorded) -> Vec<String>;
    /// Checks that a text has the form of the list's keys.
    ///
    /// # Errors
    /// What is wrong with the text, for people.
    fn check_key(&self, key: &str) -> Result<(), String>;
    /// The names of the fields of a row, and of those computed from it for a day.
    #[cfg(test)]
    fn sample_fields(&self) -> (BTreeSet<String>, BTreeSet<String>);
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
    /// computed from them for a day, such as `status`; `None`: the row is not in the list yet.
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

    /// Folds an event into the rows that it touches, unless it is folded into them already.
    fn apply(&mut self, event: &Recorded);

    /// Rows held.
    fn len(&self) -> usize;

    /// Roughly how many bytes of memory the rows hold: the size of their maps is known, and what
    /// the rows hold beside them is estimated from the encoded size of some of them.
    fn bytes(&self) -> usize;

    /// Drops the slices from `end` on: their rows are folded in another pass.
    fn shed(&mut self, end: u32);

    /// Takes the rows of one slice out, as [`Fold::finish_on`] does for all slices; nothing if the
    /// slice is not held.
    ///
    /// # Errors
    /// A row without a binary form.
    fn take_slice(&mut self, slice: u32, on: Date) -> Result<Changed<Shown>, ListError>;

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

    fn about(&self) -> &'static str {
        P::ABOUT
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
        // The binary form depends on the order of the fields, which a schema does not show and a
        // sample does.
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

    fn check_key(&self, key: &str) -> Result<(), String> {
        key.parse::<P::Key>().map(drop).map_err(|error| error.to_string())
    }

    #[cfg(test)]
    fn sample_fields(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        (fields(&P::Row::sample()), fields(&P::OnDay::sample()))
    }

    fn start(&self, partition: Partition) -> Box<dyn Fold> {
        Box::new(Folding::<P>::start(partition))
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

#[cfg(test)]
fn fields(value: &impl Serialize) -> BTreeSet<String> {
    let value = serde_json::to_value(value).unwrap();
    value.as_object().unwrap().keys().cloned().collect()
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

type Slots<P> = HashMap<<P as Projection>::Key, Slot<<P as Projection>::Row>, BuildStableHasher>;

/// One map for each slice that the partition covers; a single map for a whole list until
/// somebody asks for a slice.
struct Folding<P: Projection> {
    partition: Partition,
    slices: Vec<Slots<P>>,
    is_cut: bool,
    sizes: Sizes,
}

/// The encoded size of rows, estimated from samples; later ones count more, since rows grow.
#[derive(Default)]
struct Sizes {
    /// Rows that events changed.
    changes: u64,
    /// Bytes of a row, times [`SAMPLE_WEIGHT`].
    weighted: u64,
}

/// One of so many changed rows is a sample.
const SAMPLE_EVERY: u64 = 64;
/// The weight of one sample: one part in so many.
const SAMPLE_WEIGHT: u64 = 64;
/// Memory that a row holds beside its slot, for each byte of its binary form.
const HEAP_FACTOR: usize = 3;

impl Sizes {
    /// Looks at a row that an event changed, if it is a sample.
    fn sample(&mut self, row: &impl Serialize) {
        self.changes += 1;
        if self.changes % SAMPLE_EVERY != 1 {
            return;
        }
        let bytes = encode(row).map_or(0, |bytes| bytes.len() as u64);
        self.weighted = match self.weighted {
            0 => bytes * SAMPLE_WEIGHT,
            before => before - before / SAMPLE_WEIGHT + bytes,
        };
    }

    fn encoded_bytes(&self) -> usize {
        usize::try_from(self.weighted / SAMPLE_WEIGHT).unwrap_or(usize::MAX)
    }
}

impl<P: Projection> Folding<P> {
    fn start(partition: Partition) -> Self {
        let is_cut = partition != Partition::WHOLE;
        let maps = if is_cut { partition.reach() } else { 1 };
        let slices = (0..maps).map(|_| HashMap::default()).collect();
        Self { partition, slices, is_cut, sizes: Sizes::default() }
    }

    /// Deals the rows of a whole list out to its slices.
    fn cut(&mut self) {
        if self.is_cut {
            return;
        }
        let rows = std::mem::take(&mut self.slices).into_iter().flatten();
        self.slices = (0..self.partition.reach()).map(|_| HashMap::default()).collect();
        self.is_cut = true;
        for (key, slot) in rows {
            if let Some(slots) = self.slots_of(&key) {
                slots.insert(key, slot);
            }
        }
    }

    /// The place of a key's map; `None`: the key is in another part.
    fn place(&self, key: &P::Key) -> Option<usize> {
        if self.is_cut { self.partition.place(slice_of(key)) } else { Some(0) }
    }

    fn slots_of(&mut self, key: &P::Key) -> Option<&mut Slots<P>> {
        let place = self.place(key)?;
        self.slices.get_mut(place)
    }

    fn apply_to(slots: &mut Slots<P>, sizes: &mut Sizes, key: P::Key, event: &Recorded) {
        let position = event.header.position;
        let Some(slot) = slots.get_mut(&key) else {
            if let Some(row) = P::fold(&key, None, event) {
                sizes.sample(&row);
                slots.insert(key, Slot { position, row: Some(row), changed: true });
            }
            return;
        };
        if position <= slot.position {
            return; // delivered before
        }
        let row = P::fold(&key, slot.row.take(), event);
        row.iter().for_each(|row| sizes.sample(row));
        *slot = Slot { position, row, changed: true };
    }

    fn write(stored: &Stored<P::Row>) -> Result<Vec<u8>, ListError> {
        encode(stored).map_err(|source| ListError::Row { list: P::NAME, source })
    }

    fn show(stored: &Stored<P::Row>, on: Date) -> Result<Shown, ListError> {
        Ok(Shown {
            row: Self::write(stored)?,
            columns: ListOf::<P>::columns_of(&stored.row, on),
            next_change: ListOf::<P>::next_change_of(&stored.row, on),
        })
    }
}

/// The changed rows in the order of their keys, each through `write`.
fn changed<P: Projection, T>(
    slots: impl Iterator<Item = (P::Key, Slot<P::Row>)>,
    write: impl Fn(&Stored<P::Row>) -> Result<T, ListError>,
) -> Result<Changed<T>, ListError> {
    let mut slots: Vec<_> = slots.filter(|(_, slot)| slot.changed).collect();
    slots.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
    slots
        .into_iter()
        .map(|(key, Slot { position, row, changed: _ })| {
            let row = row.map(|row| write(&Stored { position, row })).transpose()?;
            Ok((key.to_string(), row))
        })
        .collect()
}

impl<P: Projection> Fold for Folding<P> {
    fn load(&mut self, key: &str, row: &[u8]) -> Result<(), ListError> {
        let error = || ListError::Key { list: P::NAME, key: key.to_owned() };
        let parsed: P::Key = key.parse().map_err(|_| error())?;
        if let Some(slots) = self.slots_of(&parsed) {
            let Stored { position, row } = ListOf::<P>::read(row)?;
            slots.insert(parsed, Slot { position, row: Some(row), changed: false });
        }
        Ok(())
    }

    fn apply(&mut self, event: &Recorded) {
        for key in P::keys(event) {
            let place = self.place(&key);
            if let Some(slots) = place.and_then(|place| self.slices.get_mut(place)) {
                Self::apply_to(slots, &mut self.sizes, key, event);
            }
        }
    }

    fn len(&self) -> usize {
        self.slices.iter().map(HashMap::len).sum()
    }

    fn bytes(&self) -> usize {
        let slot = size_of::<(P::Key, Slot<P::Row>)>() + 1;
        // A map holds up to 7 rows for each 8 places.
        let places = self.slices.iter().map(|slots| (slots.capacity() * 8).div_ceil(7));
        places.sum::<usize>() * slot + self.len() * self.sizes.encoded_bytes() * HEAP_FACTOR
    }

    fn shed(&mut self, end: u32) {
        self.cut();
        self.partition = self.partition.until(end);
        self.slices.truncate(self.partition.reach());
    }

    fn take_slice(&mut self, slice: u32, on: Date) -> Result<Changed<Shown>, ListError> {
        self.cut();
        let place = self.partition.place(slice);
        let slots = place.and_then(|place| self.slices.get_mut(place)).map(std::mem::take);
        let slots = slots.unwrap_or_default();
        changed::<P, _>(slots.into_iter(), |stored| Self::show(stored, on))
    }

    fn finish(self: Box<Self>) -> Result<Changed<Vec<u8>>, ListError> {
        changed::<P, _>(self.slices.into_iter().flatten(), Self::write)
    }

    fn finish_on(self: Box<Self>, on: Date) -> Result<Changed<Shown>, ListError> {
        changed::<P, _>(self.slices.into_iter().flatten(), |stored| Self::show(stored, on))
    }
}
