//! The events that every peer appends: those of our own benches, read from the file that they
//! write, one JSON object a line.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use daicho_events::Event;
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use crate::error::PeerError;

/// One event as a peer gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    /// What happened, decoded.
    pub(crate) event: Event,
    /// The same as JSON text, for those who take bytes.
    pub(crate) data: String,
    /// What it is about, `contract:01J…`; of the first nothing was recorded before.
    pub(crate) tags: Vec<String>,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "type")]
    type_name: &'a str,
    version: u32,
    subject: String,
    tags: Vec<String>,
    #[serde(borrow)]
    data: &'a RawValue,
}

impl Fact {
    /// The first `events` facts of `file`.
    pub(crate) fn read(file: &Path, events: usize) -> Result<Vec<Self>, PeerError> {
        let lines = BufReader::new(File::open(file)?).lines().take(events);
        lines.map(|line| Self::parse(&line?)).collect()
    }

    fn parse(line: &str) -> Result<Self, PeerError> {
        let Line { type_name, version, subject, tags, data } = serde_json::from_str(line)?;
        let event = Event::decode(type_name, version, data.get())?;
        let others = tags.into_iter().filter(|tag| *tag != subject);
        let tags = std::iter::once(subject.clone()).chain(others).collect();
        Ok(Self { event, data: data.get().to_owned(), tags })
    }

    pub(crate) fn subject(&self) -> &str {
        self.tags.first().map_or("", String::as_str)
    }
}

/// SHA-256 over the sorted SHA-256 of the data of all events: what a record holds.
pub(crate) fn digest<'a>(data: impl Iterator<Item = &'a str>) -> String {
    let mut hashes: Vec<[u8; 32]> = data.map(|data| Sha256::digest(data).into()).collect();
    hashes.sort_unstable();
    let mut digest = Sha256::new();
    hashes.iter().for_each(|hash| digest.update(hash));
    hex::encode(digest.finalize())
}
