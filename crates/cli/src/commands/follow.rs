//! `daicho events follow`: every event on a line, those to come as they are recorded.
//!
//! Under a name, what was written out whole is acknowledged, and nothing else: after a crash, a
//! closed pipe or a stop, a few lines may come again, and none is missing.

use std::io;
use std::pin::{Pin, pin};
use std::time::Duration;

use clap::Args;
use daicho_app::{EventStretch, FollowRequest, Ledger, Position};
use tokio::time::timeout;

use super::event_lines::{Which, write_lines};
use crate::error::CliError;
use crate::stop::asked_to_stop;

/// Milliseconds that a reader of the answer is given to take what is being written, when the
/// process is asked to end.
const LAST_WRITE_MS_MAX: u64 = 500;

#[derive(Debug, Args)]
pub(crate) struct FollowArgs {
    /// Continue at this cursor, and move it past what was printed; created at its first use
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Begin after this position; an existing cursor takes precedence
    #[arg(long, value_name = "POSITION", default_value_t = 0)]
    after: u64,
    #[command(flatten)]
    which: Which,
    /// Stop at the head that the book had at the start, and do not wait for more
    #[arg(long)]
    until_head: bool,
}

/// The outcome of writing a stretch of events.
struct Wrote {
    /// The reader of the answer took all of it.
    is_whole: bool,
    /// The process was asked to end meanwhile.
    stopped: Option<io::Result<()>>,
}

pub(super) async fn follow(ledger: &Ledger, args: &FollowArgs) -> Result<(), CliError> {
    let until = match args.until_head {
        true => Some(ledger.proof().checkpoint().await?.position),
        false => None,
    };
    let request = FollowRequest {
        name: args.name.clone(),
        after: Position(args.after),
        types: args.which.types.clone(),
        tags: args.which.tags.clone(),
    };
    let mut follower = ledger.following().start(&request).await?;
    let mut stop = pin!(asked_to_stop());
    while until.is_none_or(|until| follower.position() < until) {
        let mut stretch = tokio::select! {
            biased;
            stopped = &mut stop => return Ok(stopped?),
            stretch = follower.next() => stretch?,
        };
        if let Some(until) = until {
            stretch.cut_at(until);
        }
        let end = stretch.scanned_to;
        let wrote = write(stretch, stop.as_mut()).await?;
        if wrote.is_whole {
            follower.acknowledge(end).await?;
        }
        if let Some(stopped) = wrote.stopped {
            return Ok(stopped?);
        }
    }
    Ok(())
}

/// Writes on a thread of its own: a reader that takes nothing must not hold back a stop.
async fn write(
    stretch: EventStretch,
    stop: Pin<&mut impl Future<Output = io::Result<()>>>,
) -> Result<Wrote, CliError> {
    let mut writing = tokio::task::spawn_blocking(move || write_lines(&stretch.events));
    let (written, stopped) = tokio::select! {
        written = &mut writing => (Some(written), None),
        stopped = stop => {
            let last = timeout(Duration::from_millis(LAST_WRITE_MS_MAX), writing).await;
            (last.ok(), Some(stopped))
        }
    };
    let is_whole = match written {
        None => false,
        Some(Ok(written)) => written.map(|()| true)?,
        Some(Err(broken)) => return Err(CliError::Output(io::Error::other(broken))),
    };
    Ok(Wrote { is_whole, stopped })
}
