//! The published form of every event version: JSON Schema and sample.

use daicho_values::Sample;
use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Event, EventType};

/// Every version of every event ever stored, family by family.
pub const PUBLISHED: &[&[Published]] = Event::TABLES;

/// One version of one event as the world knows it.
#[derive(Debug)]
pub struct Published {
    /// Stored name and version.
    pub event_type: EventType,
    /// The version written today.
    pub current: bool,
    schema: fn() -> Schema,
    sample: fn() -> String,
}

impl Published {
    pub(crate) const fn of<T: Sample + Serialize + DeserializeOwned + JsonSchema>(
        name: &'static str,
        version: u32,
        current: bool,
    ) -> Self {
        Self {
            event_type: EventType { name, version },
            current,
            schema: || SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>(),
            sample: || json(&T::sample()),
        }
    }

    /// The JSON Schema of its data (draft 2020-12).
    pub fn schema(&self) -> Schema {
        (self.schema)()
    }

    /// One plausible text of its data.
    pub fn sample(&self) -> String {
        (self.sample)()
    }
}

/// The stored text of a value whose serialisation cannot fail (no maps with odd keys, no floats).
pub(crate) fn json<T: Serialize>(value: &T) -> String {
    match serde_json::to_string(value) {
        Ok(text) => text,
        Err(error) => unreachable!("event data is plain structs, strings and integers: {error}"),
    }
}
