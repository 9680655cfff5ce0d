//! The views that this process knows: their schemas, by name.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::{ViewError, ViewSchema};

/// Schemas that were made known, by name.
#[derive(Default)]
pub(crate) struct Known(RwLock<HashMap<String, Arc<ViewSchema>>>);

impl Known {
    pub(crate) fn remember(&self, schema: Arc<ViewSchema>) {
        let mut schemas = self.0.write().unwrap_or_else(PoisonError::into_inner);
        schemas.insert(schema.name.to_owned(), schema);
    }

    pub(crate) fn schema(&self, view: &str) -> Result<Arc<ViewSchema>, ViewError> {
        let schemas = self.0.read().unwrap_or_else(PoisonError::into_inner);
        schemas.get(view).cloned().ok_or_else(|| {
            let mut known: Vec<_> = schemas.keys().map(String::as_str).collect();
            known.sort_unstable();
            ViewError::UnknownView { view: view.to_owned(), known: known.join(", ") }
        })
    }
}
