//! The rebuild as the comparison takes it: beside decode-and-fold alone, as lines.

use sha2::{Digest as _, Sha256};

use crate::error::BenchError;
use crate::machine;
use crate::measure::Rate;
use crate::measurement::Measurement;
use crate::rebuild::{self, Options, Report, Round};

/// Our rebuild of all lists.
pub(crate) const REBUILD: &str = "rebuild, rows written and indexed";
/// The limit of it.
pub(crate) const DECODE_AND_FOLD: &str = "decode-and-fold alone, no rows";

/// Makes a book and rebuilds its lists, once.
///
/// # Errors
/// Anything that fails, and lists that are not the same whichever way they were made.
pub async fn rebuilt(options: &Options) -> Result<Vec<Measurement>, BenchError> {
    let report = rebuild::run(options).await?;
    let Report { round: Round { rebuild, limit, naive, .. }, lists, .. } = &report;
    let mut digest = Sha256::new();
    lists.iter().for_each(|list| digest.update(&list.sha256));
    let result = hex::encode(digest.finalize());
    let storage = format!("SQLite {}", machine::sqlite().await?);
    let line = |work: &str, rate: &Rate| Measurement {
        who: crate::SOFTWARE.to_owned(),
        storage: storage.clone(),
        durability: "derived: WAL, synchronous=NORMAL".to_owned(),
        work: work.to_owned(),
        writers: machine::cores(),
        events: rate.events,
        seconds: rate.took.as_secs_f64(),
        result: result.clone(),
        ..Measurement::blank()
    };
    Ok(vec![
        line(REBUILD, rebuild),
        line(DECODE_AND_FOLD, limit),
        line("rows streamed, JSON decoded, folded", naive),
    ])
}
