//! What a backup holds, as `manifest.json` in it: enough to check every file and, with the book's
//! own proofs, every event.

use serde::{Deserialize, Serialize};

use super::error::BackupError;
use super::parts::PARTS;

/// The manifest's file name.
pub(super) const FILE: &str = "manifest.json";
/// Bytes a manifest may have.
pub(super) const BYTES_MAX: u64 = 64 * 1_024;
/// Names the form of a backup. A new form gets a new name and this one is read for ever.
const FORMAT: &str = "daicho backup 1";

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The book's id, hexadecimal.
    pub book: String,
    /// Position of the last event in the copied record.
    pub position: u64,
    /// Root of the copied record's Merkle tree, hexadecimal.
    pub root: String,
    /// When the backup was made, as the caller's clock said.
    pub made_at: String,
    /// Its files.
    pub files: Vec<BackedUpFile>,
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackedUpFile {
    /// Path within the backup.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of it, hexadecimal.
    pub sha256: String,
}

impl Manifest {
    /// JSON with the format's name first.
    pub(super) fn to_json(&self) -> String {
        let json = serde_json::json!({
            "format": FORMAT,
            "book": self.book,
            "position": self.position,
            "root": self.root,
            "made_at": self.made_at,
            "note": "vault/ holds the keys of personal data: keep it apart and not for long",
            "files": self.files,
        });
        format!("{json:#}\n")
    }

    /// Reads a manifest. Its paths are checked: it comes from outside.
    pub(super) fn from_json(json: &[u8]) -> Result<Self, BackupError> {
        let value: serde_json::Value = parse(json)?;
        if value.get("format").and_then(|format| format.as_str()) != Some(FORMAT) {
            return Err(BackupError::Manifest(format!("its format is not {FORMAT:?}")));
        }
        let manifest: Self = parse(json)?;
        for (place, file) in manifest.files.iter().enumerate() {
            let known = PARTS.iter().any(|part| part.copy == file.path);
            let mut before = manifest.files.iter().take(place);
            if !known || before.any(|other| other.path == file.path) {
                let path = &file.path;
                return Err(BackupError::Manifest(format!("{path} has no place in a backup")));
            }
        }
        Ok(manifest)
    }
}

fn parse<T: serde::de::DeserializeOwned>(json: &[u8]) -> Result<T, BackupError> {
    serde_json::from_slice(json).map_err(|error| BackupError::Manifest(error.to_string()))
}
