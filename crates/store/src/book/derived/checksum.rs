//! Eight bytes after a stored blob that say whether it is still what was written.
//!
//! A flipped bit in a key hash would otherwise hide an event from a condition without a word.

use sha2::{Digest, Sha256};

use crate::StorageError;

/// Bytes of the sum: the first of the SHA-256 of what stands before them.
pub(super) const SUM_BYTES: usize = 8;

fn sum(bytes: &[u8]) -> [u8; SUM_BYTES] {
    let [a, b, c, d, e, f, g, h, ..]: [u8; 32] = Sha256::digest(bytes).into();
    [a, b, c, d, e, f, g, h]
}

/// `bytes` followed by their sum.
pub(super) fn with_sum(mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = sum(&bytes);
    bytes.extend_from_slice(&sum);
    bytes
}

/// The bytes before the sum, when it is theirs; `what` names the blob in the error.
pub(super) fn verified<'a>(blob: &'a [u8], what: &str) -> Result<&'a [u8], StorageError> {
    match blob.split_last_chunk::<SUM_BYTES>() {
        Some((bytes, stored)) if *stored == sum(bytes) => Ok(bytes),
        Some(_) | None => Err(StorageError::Corrupt(format!(
            "{what} of the derived state does not match its checksum: drop it, it is made again"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_comes_back_whole_and_a_flipped_bit_is_seen() {
        let blob = with_sum(b"postings".to_vec());
        assert_eq!(verified(&blob, "page 1").unwrap(), b"postings");
        for at in 0..blob.len() {
            let mut bad = blob.clone();
            bad[at] ^= 1;
            assert!(verified(&bad, "page 1").is_err(), "byte {at}");
        }
        assert!(verified(&[], "page 1").is_err());
    }
}
