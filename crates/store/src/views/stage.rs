//! How far a rebuild has come, and what it takes at which stage.

use super::ViewError;

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
