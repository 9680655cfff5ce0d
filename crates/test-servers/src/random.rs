//! Names, passwords and ports that no other test has.

use std::fs::File;
use std::io::Read as _;

use crate::need;

/// 128 random bits.
pub(crate) fn random_hex() -> String {
    let bits = u128::from_ne_bytes(random_bytes());
    format!("{bits:032x}")
}

pub(crate) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let read = File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    need(read, "read random bytes");
    bytes
}
