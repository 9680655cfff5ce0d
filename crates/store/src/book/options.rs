//! What a book is opened with.

use std::fmt;
use std::sync::Arc;

use crate::clock::{Clock, SystemClock};
use crate::limits;
use crate::log::Stored;

use super::derived::{Identity, Pauses};
use super::gate::OpenError;

/// Events of a sealed block, unless the options say otherwise.
pub const BLOCK_EVENTS: u32 = 4_096;

/// Packs a block of events for fast replay. The store does not know what events mean; whoever does
/// brings a packer.
pub trait Packer: Send + Sync {
    /// Changes whenever the packed form does: blocks of another fingerprint are dropped and remade.
    fn fingerprint(&self) -> String;
    /// The packed form of one block; the same bytes for the same events.
    fn pack(&self, events: &[Stored]) -> Result<Vec<u8>, String>;
}

/// Keeps no replay blocks: for books that are rebuilt from their rows.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPacker;

impl Packer for NoPacker {
    fn fingerprint(&self) -> String {
        "none".into()
    }

    fn pack(&self, _events: &[Stored]) -> Result<Vec<u8>, String> {
        Ok(Vec::new())
    }
}

/// How processes wake each other where the database can carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wakes {
    /// What this process writes is told to the others, and theirs is heard while somebody follows.
    #[default]
    Told,
    /// Nothing is told or heard, as behind a pooler that does not keep a connection to a session.
    Polled,
}

/// What a book is opened with.
#[derive(Clone)]
pub struct Options {
    /// Where the time of recording comes from.
    pub clock: Arc<dyn Clock>,
    /// Packs sealed blocks.
    pub packer: Arc<dyn Packer>,
    /// Events of a sealed block; another number than before remakes the derived state.
    pub block_events: u32,
    /// Program and version, written into every envelope, e.g. `daicho 0.1.0`.
    pub software: String,
    /// How processes wake each other.
    pub wakes: Wakes,
    /// Places at which a test may hold the sealer.
    pub pauses: Pauses,
}

impl Options {
    /// The machine's clock, no packer, blocks of [`BLOCK_EVENTS`].
    #[must_use]
    pub fn new(software: &str) -> Self {
        Self {
            clock: Arc::new(SystemClock),
            packer: Arc::new(NoPacker),
            block_events: BLOCK_EVENTS,
            software: software.to_owned(),
            wakes: Wakes::default(),
            pauses: Pauses::default(),
        }
    }
}

impl Options {
    /// Refuses options that no book can be opened with.
    pub(crate) fn check(&self) -> Result<(), OpenError> {
        limits::check_software(&self.software).map_err(OpenError::Options)?;
        if self.block_events == 0 {
            return Err(OpenError::Options("block_events is 0: a block holds events".into()));
        }
        Ok(())
    }

    /// What the derived state of a book must have been made from and for.
    pub(crate) fn identity(&self, book_id: [u8; 16]) -> Identity {
        assert!(self.block_events > 0, "options are checked before a book is opened with them");
        Identity {
            book_id,
            packer_fingerprint: self.packer.fingerprint(),
            block_events: self.block_events,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Options")
            .field("packer", &self.packer.fingerprint())
            .field("block_events", &self.block_events)
            .field("software", &self.software)
            .finish_non_exhaustive()
    }
}
