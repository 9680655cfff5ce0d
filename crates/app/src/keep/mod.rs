//! Whole books: where they are, and how they are opened, copied, backed up, restored and verified.

pub(crate) mod archive;
pub(crate) mod books;
pub(crate) mod copy;
pub(crate) mod opening;
pub(crate) mod place;
pub(crate) mod presets;
pub(crate) mod verify;

pub use archive::{Archive, ArchiveError};
pub use books::Books;
pub use copy::CopyBookError;
pub use place::BookName;
pub use presets::{Preset, PresetError, preset, preset_or_file};
pub use verify::{Checkpoint, Proof, Verified, VerifyError};
