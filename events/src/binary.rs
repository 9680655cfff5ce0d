//! The binary form of derived data (replay blocks, view rows). The only file that knows bincode.
//!
//! Never the record: that is JSON text. Each form begins with a format tag and the caller keeps a
//! [`fingerprint`] of the types beside it, so that another release's bytes are remade, not misread.

use bincode::config::{Configuration, standard};
use bincode::serde::{decode_from_slice, encode_to_vec};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Event, PUBLISHED, Recorded};

/// First byte of every block: bincode 2 standard configuration, then lz4 with its size prepended.
const BLOCK_FORMAT: u8 = 4;
/// Largest decoded block that is taken, in bytes: 4,096 events of the largest data and envelope.
const BLOCK_BYTES_MAX: usize = 4_096 * 2 * 1_024 * 1_024;

const CONFIGURATION: Configuration = standard();
/// Bytes up to which damaged lengths are held to [`SMALL_LIMIT`]: nearly all blocks, and every row.
const SMALL_BYTES_MAX: usize = 16 * 1_024 * 1_024;
/// What so few bytes can come to, where a number of 16 bytes takes one.
const SMALL_LIMIT: usize = 16 * SMALL_BYTES_MAX;

/// Why bytes are not what they should be: remake them from the record.
#[derive(Debug, thiserror::Error)]
pub enum BinaryError {
    /// A value that has no binary form.
    #[error("a value has no binary form")]
    Encode(#[source] bincode::error::EncodeError),
    /// Bytes of another form.
    #[error("derived bytes are not of the form of this release: remake them")]
    Decode(#[source] bincode::error::DecodeError),
    /// A block that another format wrote, or that is cut short.
    #[error("a replay block is not of the form of this release: remake it")]
    Block,
    /// A block that lz4 refuses.
    #[error("a replay block is damaged: remake it")]
    Damaged(#[source] lz4_flex::block::DecompressError),
}

/// A row in binary.
///
/// # Errors
/// A value without a binary form.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, BinaryError> {
    encode_to_vec(value, CONFIGURATION).map_err(BinaryError::Encode)
}

/// A row from binary, all of its bytes.
///
/// # Errors
/// Bytes of another form, or bytes left over.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, BinaryError> {
    // A damaged length must not ask for more memory than there is.
    let decoded = if bytes.len() <= SMALL_BYTES_MAX {
        decode_from_slice(bytes, CONFIGURATION.with_limit::<SMALL_LIMIT>())
    } else {
        decode_from_slice(bytes, CONFIGURATION.with_limit::<BLOCK_BYTES_MAX>())
    };
    let (value, read) = decoded.map_err(BinaryError::Decode)?;
    if read == bytes.len() { Ok(value) } else { Err(BinaryError::Block) }
}

/// A replay block: events in binary, packed.
///
/// # Errors
/// A value without a binary form.
pub fn pack(events: &[Recorded]) -> Result<Vec<u8>, BinaryError> {
    let plain = encode_to_vec(events, CONFIGURATION).map_err(BinaryError::Encode)?;
    let mut block = vec![BLOCK_FORMAT];
    block.extend(lz4_flex::compress_prepend_size(&plain));
    Ok(block)
}

/// The events of a replay block.
///
/// # Errors
/// Another format, damage, or bytes left over.
pub fn unpack(block: &[u8]) -> Result<Vec<Recorded<Event>>, BinaryError> {
    let Some((&BLOCK_FORMAT, packed)) = block.split_first() else { return Err(BinaryError::Block) };
    let (size, packed) =
        lz4_flex::block::uncompressed_size(packed).map_err(BinaryError::Damaged)?;
    if size > BLOCK_BYTES_MAX {
        return Err(BinaryError::Block);
    }
    decode(&lz4_flex::decompress(packed, size).map_err(BinaryError::Damaged)?)
}

/// A text that changes whenever the binary form of any event may change: the format and every
/// published schema.
pub fn fingerprint() -> String {
    let mut text = format!("bincode2+lz4/{BLOCK_FORMAT}");
    for published in PUBLISHED.iter().copied().flatten().filter(|published| published.current) {
        text.push('\n');
        text.push_str(&published.event_type.to_string());
        text.push_str(&published.schema().to_value().to_string());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Actor, Header, Position};
    use daicho_values::{Date, Login, Sample, Timestamp};

    fn every_event() -> Vec<Recorded> {
        let current = PUBLISHED.iter().copied().flatten().filter(|published| published.current);
        let recorded = |(index, published): (usize, &crate::Published)| Recorded {
            header: Header {
                position: Position(index as u64 + 1),
                recorded_at: Timestamp::sample(),
                effective_on: Date::sample(),
                actor: Actor::System(Login::sample()),
                on_behalf_of: None,
                cause: None,
            },
            event: Event::decode(
                published.event_type.name,
                published.event_type.version,
                &published.sample(),
            )
            .unwrap(),
        };
        current.enumerate().map(recorded).collect()
    }

    #[test]
    fn every_event_comes_back_from_a_block() {
        let events = every_event();
        assert!(events.len() > 30);
        assert_eq!(unpack(&pack(&events).unwrap()).unwrap(), events);
    }

    #[test]
    fn a_damaged_block_is_an_error_and_never_a_panic() {
        let block = pack(&every_event()).unwrap();
        for cut in 0..block.len().min(400) {
            assert!(unpack(&block[..cut]).is_err(), "cut at {cut}");
        }
        for index in 0..block.len() {
            let mut damaged = block.clone();
            damaged[index] ^= 0x40;
            let _ = unpack(&damaged); // may decode to other values; the store's checks find those
        }
    }
}
