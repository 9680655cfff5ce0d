//! A bounded cache of blobs that never change once written: pages of runs and type columns.
//!
//! Two generations stand for "least recently used": what is found in the old one moves to the young
//! one, and when the young one is full it becomes the old one.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

/// Blobs a generation holds; two generations of 4 KiB pages make 16 MiB.
const GENERATION_BLOBS_MAX: usize = 2_048;

/// What a cached blob is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Blob {
    /// A page, by its id.
    Page(i64),
    /// The type column of a block, by the block's number.
    Types(i64),
}

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Blob, Arc<[u8]>>,
    old: HashMap<Blob, Arc<[u8]>>,
}

/// The cache; shared by all lookups of a process.
#[derive(Debug, Default)]
pub(super) struct Cache(Mutex<Generations>);

impl Cache {
    /// The blob, when it is held.
    pub(super) fn get(&self, blob: Blob) -> Option<Arc<[u8]>> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = held.young.get(&blob) {
            return Some(Arc::clone(bytes));
        }
        let bytes = held.old.remove(&blob)?;
        held.insert(blob, Arc::clone(&bytes));
        Some(bytes)
    }

    /// Keeps the blob for a while.
    pub(super) fn put(&self, blob: Blob, bytes: Arc<[u8]>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(blob, bytes);
    }
}

impl Generations {
    fn insert(&mut self, blob: Blob, bytes: Arc<[u8]>) {
        if self.young.len() >= GENERATION_BLOBS_MAX {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(blob, bytes);
        assert!(self.young.len() <= GENERATION_BLOBS_MAX, "a generation keeps its limit");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_bounded_and_keeps_what_is_asked_for() {
        let cache = Cache::default();
        let limit = i64::try_from(GENERATION_BLOBS_MAX).unwrap();
        for id in 0..10 * limit {
            cache.put(Blob::Page(id), Arc::from([1_u8]));
            assert!(cache.get(Blob::Page(0)).is_some(), "asked for after each of {id}");
        }
        assert!(cache.get(Blob::Page(1)).is_none());
        assert!(cache.get(Blob::Types(0)).is_none());
        let held = cache.0.lock().unwrap();
        assert!(held.young.len() + held.old.len() <= 2 * GENERATION_BLOBS_MAX);
    }
}
