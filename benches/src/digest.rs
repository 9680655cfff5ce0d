//! Hashes of results. Two ways to the same result have the same hash, or one of them is wrong.

use sha2::{Digest, Sha256};

use crate::error::BenchError;

/// What a record holds, whichever caller came first: its events, and SHA-256 over the sorted
/// SHA-256
/// of their data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordDigest {
    /// Events.
    pub events: u64,
    /// 64 hexadecimal digits.
    pub sha256: String,
}

impl RecordDigest {
    /// The digest of events with data of these hashes.
    pub(crate) fn of(mut hashes: Vec<[u8; 32]>) -> Self {
        hashes.sort_unstable();
        let mut digest = Sha256::new();
        hashes.iter().for_each(|hash| digest.update(hash));
        Self { events: hashes.len() as u64, sha256: hex::encode(digest.finalize()) }
    }

    /// The digest of a table `log` with a column `data`.
    pub(crate) async fn of_table(
        connection: &mut sqlx::SqliteConnection,
    ) -> Result<Self, BenchError> {
        let data: Vec<String> =
            sqlx::query_scalar("SELECT data FROM log").fetch_all(connection).await?;
        Ok(Self::of(data.iter().map(|data| daicho_store::NewEvent::hash_data(data)).collect()))
    }

    /// Says so when `found` is not this.
    pub(crate) fn expect(&self, found: &Self, what: &str) -> Result<(), BenchError> {
        if self == found {
            return Ok(());
        }
        Err(BenchError::Wrong(format!("{what} holds {found:?} instead of {self:?}")))
    }

    /// The first digits, for a table.
    #[must_use]
    pub fn short(&self) -> &str {
        short(&self.sha256)
    }
}

/// The first 12 digits of a hash.
pub(crate) fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}
