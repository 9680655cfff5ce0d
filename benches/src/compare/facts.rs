//! The events of our workload as a file for the peers: one JSON object a line.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use serde_json::json;

use crate::append::Workload;
use crate::error::BenchError;

/// Writes the events of a seed: those that we append with the same seed, in the same order.
pub(crate) fn write(file: &Path, seed: u64, events: u64) -> Result<(), BenchError> {
    let mut out = BufWriter::new(File::create(file)?);
    for append in Workload::generate(seed, events)?.appends {
        let query = append.condition.as_ref().and_then(|condition| condition.query.items.first());
        let subject = query.and_then(|item| item.tags.first());
        for event in &append.events {
            let data: &serde_json::value::RawValue = serde_json::from_str(&event.data)?;
            let line = json!({
                "type": event.type_name, "version": event.version,
                "subject": subject, "tags": event.tags,
            });
            // The data goes in as it is: its hash is over these very bytes.
            let line = line.to_string();
            let open = line.strip_suffix('}').unwrap_or(&line);
            writeln!(out, "{open},\"data\":{}}}", data.get())?;
        }
    }
    Ok(out.flush()?)
}
