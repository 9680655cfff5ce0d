//! A block of events on its way into the derived state, and the index entries that it makes.

use std::sync::Arc;

use crate::prepared::Facets;

use super::page::Entry;

/// A full block of committed events.
#[derive(Debug, Clone)]
pub(crate) struct SealBlock {
    /// Position of its first event.
    pub(crate) first: u64,
    /// As many events as a block has.
    pub(crate) events: Vec<SealEvent>,
    /// The replay block, opaque here.
    pub(crate) packed: Vec<u8>,
}

/// What the index needs of an event.
#[derive(Debug, Clone)]
pub(crate) struct SealEvent {
    /// The hashes of its type and keys.
    pub(crate) facets: Arc<Facets>,
    /// Its Merkle leaf.
    pub(crate) leaf: [u8; 32],
}

/// Type code of each event of the block.
pub(super) fn type_codes(block: &SealBlock) -> Vec<u32> {
    block.events.iter().map(|event| event.facets.type_code).collect()
}

/// The entries of the block, sorted; offsets count from its first position.
pub(super) fn entries_of(block: &SealBlock) -> Vec<Entry> {
    let keys = block.events.iter().map(|event| event.facets.key_hashes.len()).sum();
    let mut entries = Vec::with_capacity(keys);
    for (offset, SealEvent { facets, .. }) in (0_u64..).zip(&block.events) {
        let hashes = facets.key_hashes.iter();
        let type_code = facets.type_code;
        entries.extend(hashes.map(|hash| Entry { hash: *hash, offset, type_code }));
    }
    entries.sort_unstable();
    entries.dedup_by_key(|entry| (entry.hash, entry.offset));
    entries
}
