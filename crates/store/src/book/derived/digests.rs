//! Hashes over the postings of blocks, by which a run is compared with the record.

use sha2::{Digest, Sha256};

use crate::StorageError;

use super::database::to_count;
use super::page::Entry;
use super::tiles::Hash;

/// A hash over the postings of each block of a run, in order of key and position.
#[derive(Debug)]
pub(super) struct RunDigests {
    pub(super) run: i64,
    pub(super) first_block: u64,
    pub(super) digests: Vec<Hash>,
    /// The last block compared with these; a block at or before it has the run read again.
    pub(super) compared_to: u64,
}

/// Adds each entry to the hash of its block, with its offset in the block.
pub(super) fn add(
    hashers: &mut [Sha256],
    entries: &[Entry],
    events: u64,
) -> Result<(), StorageError> {
    for entry in entries {
        let block = to_count(entry.offset / events)?;
        let beyond = || StorageError::Corrupt("a posting points beyond its run".to_owned());
        let hasher = hashers.get_mut(block).ok_or_else(beyond)?;
        add_one(hasher, &Entry { offset: entry.offset % events, ..*entry });
    }
    Ok(())
}

fn add_one(hasher: &mut Sha256, entry: &Entry) {
    hasher.update(entry.hash.to_le_bytes());
    hasher.update(entry.offset.to_le_bytes());
    hasher.update(entry.type_code.to_le_bytes());
}

/// The digest of entries of one block, whose offsets count from the block's first position.
pub(super) fn digest(entries: &[Entry]) -> Hash {
    assert!(entries.is_sorted(), "postings are hashed in order of key and position");
    let mut hasher = Sha256::new();
    for entry in entries {
        add_one(&mut hasher, entry);
    }
    hasher.finalize().into()
}
