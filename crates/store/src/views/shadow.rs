//! A view being made anew beside the one that people read: what it is made from, how far it has
//! come, and what it takes at which stage.

use std::sync::Arc;

use super::{ViewError, ViewPoint, ViewSchema};

/// A view that is being made anew. Its holder works on it until somebody else begins or resumes a
/// rebuild of the same view.
#[derive(Debug, Clone)]
pub struct Shadow {
    pub(crate) schema: Arc<ViewSchema>,
    /// Number of its table.
    pub(crate) generation: i64,
    /// Number of the lease under which it is worked on: whoever takes a later one has it.
    pub(crate) work_lease: i64,
}

impl Shadow {
    /// What its rows look like.
    pub fn schema(&self) -> &ViewSchema {
        &self.schema
    }

    pub(crate) fn superseded(&self) -> ViewError {
        ViewError::Superseded { view: self.schema.name.to_owned() }
    }
}

/// What a rebuild is made from. A rebuild that was stopped may only go on from the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RebuildFrom {
    /// The end of the record that it loads, and the day of its columns.
    pub point: ViewPoint,
    /// Which record and which program, in the caller's words.
    pub origin: String,
}

/// A rebuild that was stopped and goes on here.
#[derive(Debug, Clone)]
pub struct Resumed {
    /// To go on with.
    pub shadow: Shadow,
    /// What it was begun from.
    pub from: RebuildFrom,
    /// What the last [`super::Views::load`] said was loaded; 0 for nothing.
    pub loaded: u32,
    /// Position of the last event folded in.
    pub cursor: u64,
}

/// A shadow as the catalogue knows it.
pub(crate) struct ShadowEntry {
    pub(crate) generation: i64,
    pub(crate) work_lease: i64,
    /// Version and form of its table.
    pub(crate) version: i64,
    pub(crate) form: String,
    pub(crate) from: RebuildFrom,
    pub(crate) loaded: u32,
    pub(crate) rows: u64,
    pub(crate) cursor: u64,
    pub(crate) stage: Stage,
}

impl ShadowEntry {
    /// Whether its table has the form that `schema` asks for.
    pub(crate) fn is_of(&self, schema: &ViewSchema) -> bool {
        self.version == i64::from(schema.version) && self.form == super::sql::form(schema)
    }

    /// The same rebuild, worked on under `work_lease` from now on.
    pub(crate) fn resumed(self, schema: Arc<ViewSchema>, work_lease: i64) -> Resumed {
        let shadow = Shadow { schema, generation: self.generation, work_lease };
        Resumed { shadow, from: self.from, loaded: self.loaded, cursor: self.cursor }
    }
}

/// Which live view a swap may replace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replaces {
    /// Whatever stands there.
    Any,
    /// A view of the same form that was folded no further and is of no later day.
    NoFurther,
}

impl Replaces {
    /// Whether a live view at `live` must stay in the place of a rebuild at `made`.
    pub(crate) fn spares(self, live: &ViewPoint, made: &ViewPoint) -> bool {
        match self {
            Self::Any => false,
            Self::NoFurther => live.cursor > made.cursor || live.as_of > made.as_of,
        }
    }
}

/// How far a shadow has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It takes rows in bulk.
    Loading,
    /// It is read and changed row by row.
    Indexed,
}

impl Stage {
    /// Refuses a shadow that has come to another stage than `wanted`.
    pub(crate) fn require(self, wanted: Self) -> Result<(), ViewError> {
        if self == wanted {
            return Ok(());
        }
        Err(ViewError::Refused(match wanted {
            Self::Loading => "an indexed rebuild takes changes, no more bulk loads".into(),
            Self::Indexed => "a rebuild is read and changed after its indexes are built".into(),
        }))
    }
}
