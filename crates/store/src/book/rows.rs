//! Rows of the log as they come from a database. Every row that is read is checked: either it is
//! what was written, or the read says which row is not.

use std::str;
use std::sync::Arc;

use crate::envelope::Envelope;
use crate::log::{NewEvent, ReadError, Stored};
use crate::merkle::{Hash, leaf_hash};

/// Rows that are read at once. With the largest data they stay below what a database can answer as
/// one value.
pub(crate) const CHUNK_ROWS_MAX: u64 = 512;

/// One row whose texts, hashes and position were found to agree.
pub(crate) struct Checked<'a> {
    pub(crate) position: u64,
    pub(crate) leaf: Hash,
    pub(crate) envelope_text: &'a str,
    pub(crate) envelope: Envelope<'a>,
    pub(crate) data: &'a str,
}

impl Checked<'_> {
    pub(crate) fn stored(&self) -> Stored {
        Stored {
            position: self.position,
            envelope: Arc::from(self.envelope_text),
            data: Arc::from(self.data),
        }
    }
}

/// Checks one row against itself.
fn check<'a>(
    position: u64,
    leaf: &[u8],
    envelope: &'a [u8],
    data: &'a [u8],
) -> Result<Checked<'a>, String> {
    let envelope_text =
        str::from_utf8(envelope).map_err(|_| "its envelope is not UTF-8".to_owned())?;
    let data = str::from_utf8(data).map_err(|_| "its data is not UTF-8".to_owned())?;
    let hash = leaf_hash(envelope);
    if leaf != hash {
        return Err("its envelope does not hash to its leaf".into());
    }
    let envelope = Envelope::parse(envelope_text).map_err(|error| error.to_string())?;
    if envelope.position != position {
        return Err(format!("its envelope says position {}", envelope.position));
    }
    if NewEvent::hash_data(data) != envelope.data_sha256 {
        return Err("its data does not hash to what its envelope says".into());
    }
    Ok(Checked { position, leaf: hash, envelope_text, envelope, data })
}

/// Rows as they came from the database, not checked yet.
#[derive(Default)]
pub(crate) struct Chunk {
    pub(crate) positions: Vec<u64>,
    pub(crate) leaf_bytes: Vec<usize>,
    pub(crate) envelope_bytes: Vec<usize>,
    pub(crate) data_bytes: Vec<usize>,
    pub(crate) leaves: Vec<u8>,
    pub(crate) envelopes: Vec<u8>,
    pub(crate) datas: Vec<u8>,
}

impl Chunk {
    /// Adds a row as it came from the database.
    pub(crate) fn push(&mut self, position: u64, leaf: &[u8], envelope: &[u8], data: &[u8]) {
        self.positions.push(position);
        self.leaf_bytes.push(leaf.len());
        self.envelope_bytes.push(envelope.len());
        self.data_bytes.push(data.len());
        self.leaves.extend_from_slice(leaf);
        self.envelopes.extend_from_slice(envelope);
        self.datas.extend_from_slice(data);
    }

    /// The rows in their order, each checked; `wanted` are the positions that must be there.
    /// Ends at the first bad one.
    pub(crate) fn rows(
        &self,
        wanted: impl IntoIterator<Item = u64>,
    ) -> impl Iterator<Item = Result<Checked<'_>, ReadError>> {
        let mut leaves = Pieces { bytes: &self.leaves };
        let mut envelopes = Pieces { bytes: &self.envelopes };
        let mut datas = Pieces { bytes: &self.datas };
        let lengths = self.leaf_bytes.iter().zip(&self.envelope_bytes).zip(&self.data_bytes);
        let mut found = self.positions.iter().zip(lengths);
        wanted.into_iter().map(move |position| {
            let corrupt = |reason| ReadError::Corrupt { position, reason };
            let Some((at, ((leaf, envelope), data))) = found.next() else {
                return Err(corrupt("it is missing".into()));
            };
            if *at != position {
                return Err(corrupt("it is missing".into()));
            }
            check(position, leaves.next(*leaf), envelopes.next(*envelope), datas.next(*data))
                .map_err(corrupt)
        })
    }
}

/// Cuts one value into the texts that were joined in it.
struct Pieces<'a> {
    bytes: &'a [u8],
}

impl<'a> Pieces<'a> {
    /// What is missing comes back shorter, and then does not hash to what it must.
    fn next(&mut self, length: usize) -> &'a [u8] {
        let (piece, rest) = self.bytes.split_at(length.min(self.bytes.len()));
        self.bytes = rest;
        piece
    }
}
