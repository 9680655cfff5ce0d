//! The hashes by which events are found: 64 bits for a key, 32 bits for a type name.
//!
//! Both are prefixes of SHA-256, so that they are the same on every machine and in every version:
//! the tail and the sealed runs use the same ones, made once by the caller of an append.

use sha2::{Digest, Sha256};

use crate::log::{Query, QueryItem, REQUEST_KEY_PREFIX};

/// A query with the hashes of its tags, made once: batch, tail and runs are all asked by them.
#[derive(Debug, Clone)]
pub(crate) struct HashedQuery {
    pub(crate) items: Vec<HashedItem>,
}

/// A query item with the hashes of its tags, in their order.
#[derive(Debug, Clone)]
pub(crate) struct HashedItem {
    pub(crate) item: QueryItem,
    pub(crate) tags: Vec<u64>,
}

impl From<Query> for HashedQuery {
    fn from(query: Query) -> Self {
        Self { items: query.items.into_iter().map(HashedItem::from).collect() }
    }
}

impl HashedQuery {
    /// Whether one item asks nothing, so that every event matches.
    pub(crate) fn is_everything(&self) -> bool {
        self.items.iter().any(|hashed| hashed.item.is_everything())
    }

    /// Whether an event of this type with these tags matches.
    pub(crate) fn matches<T: AsRef<str>>(&self, type_name: &str, tags: &[T]) -> bool {
        self.items.iter().any(|hashed| hashed.item.matches(type_name, tags))
    }
}

impl From<QueryItem> for HashedItem {
    fn from(item: QueryItem) -> Self {
        let tags = item.tags.iter().map(|tag| key_hash(tag)).collect();
        Self { item, tags }
    }
}

/// First eight bytes of the key's SHA-256, big-endian. A collision only yields one more candidate.
pub(crate) fn key_hash(key: &str) -> u64 {
    first_bytes(Sha256::new().chain_update(key))
}

/// The key by which a recorded request is found.
pub(crate) fn request_hash(id: &str) -> u64 {
    first_bytes(Sha256::new().chain_update(REQUEST_KEY_PREFIX).chain_update(id))
}

fn first_bytes(hash: Sha256) -> u64 {
    let [a, b, c, d, e, f, g, h, ..]: [u8; 32] = hash.finalize().into();
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// First four bytes of the type name's SHA-256, big-endian.
pub(crate) fn type_code(type_name: &str) -> u32 {
    let [a, b, c, d, ..]: [u8; 32] = Sha256::digest(type_name).into();
    u32::from_be_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_found_by_its_prefixed_id() {
        assert_eq!(request_hash("r1"), key_hash("request:r1"));
    }

    #[test]
    fn the_hashes_are_those_of_the_first_release() {
        // SHA-256("abc") = ba7816bf 8f01cfea …, FIPS 180-2 appendix B.1.
        assert_eq!(key_hash("abc"), 0xba78_16bf_8f01_cfea);
        assert_eq!(type_code("abc"), 0xba78_16bf);
    }
}
