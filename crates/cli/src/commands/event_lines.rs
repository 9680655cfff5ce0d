//! Events on lines: which are asked for, and how they are written.

use std::io::{self, BufWriter, Write};

use clap::Args;
use clap::builder::PossibleValuesParser;
use daicho_app::{EventText, PUBLISHED};

use crate::error::CliError;

/// Which events are asked for.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// Only events of this type, as `order.placed`; more than once: of any of these
    #[arg(
        long = "type",
        value_name = "TYPE",
        value_parser = PossibleValuesParser::new(type_names()),
        hide_possible_values = true
    )]
    pub(super) types: Vec<String>,
    /// Only events about this, as `order:<id>`; more than once: about all of these
    #[arg(long = "tag", value_name = "TAG")]
    pub(super) tags: Vec<String>,
}

fn type_names() -> Vec<&'static str> {
    let current = PUBLISHED.iter().flat_map(|family| family.iter()).filter(|known| known.current);
    current.map(|known| known.event_type.name).collect()
}

/// Writes events, one a line, and does not return before they are out of this process.
pub(super) fn write_lines(events: &[EventText]) -> Result<(), CliError> {
    let mut out = BufWriter::new(io::stdout().lock());
    for event in events {
        serde_json::to_writer(&mut out, event).map_err(|error| CliError::Output(error.into()))?;
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}
