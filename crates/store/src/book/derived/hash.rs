//! The stable hashes of the key index: 64 bits for a key, 32 bits for a type name.
//!
//! Both are prefixes of SHA-256, so that they are the same on every machine and in every version.

use sha2::{Digest, Sha256};

/// First eight bytes of the key's SHA-256, big-endian. A collision only yields one candidate more.
pub(super) fn key_hash(key: &str) -> u64 {
    let [a, b, c, d, e, f, g, h, ..]: [u8; 32] = Sha256::digest(key).into();
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// First four bytes of the type name's SHA-256, big-endian.
pub(super) fn type_code(type_name: &str) -> u32 {
    let [a, b, c, d, ..]: [u8; 32] = Sha256::digest(type_name).into();
    u32::from_be_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hashes_are_those_of_the_first_release() {
        // SHA-256("abc") = ba7816bf 8f01cfea …, FIPS 180-2 appendix B.1.
        assert_eq!(key_hash("abc"), 0xba78_16bf_8f01_cfea);
        assert_eq!(type_code("abc"), 0xba78_16bf);
    }
}
