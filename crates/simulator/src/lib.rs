//! A seeded shop that lives for years in seconds, through the real decisions.
//!
//! Everything that could differ between two runs (ids, keys, nonces, times) comes from the seed, so
//! the same seed writes the same record. A decision that is refused by a rule which the life did
//! not mean to break is an error: the simulator is a test of the rules.

mod agenda;
mod assortment;
mod billing;
mod buying;
mod catalogue;
mod chance;
mod clock_and_entropy;
mod contracts;
mod days;
mod fulfilment;
mod opening;
mod pace;
mod people;
mod registration;
mod returns;
mod summary;
mod world;

use daicho_app::{ExecuteError, Failure, Ledger, Progress};
use daicho_values::calendar::CalendarError;
use daicho_values::{MoneyError, QuantityError, TextError, TimeError, Timestamp};

pub use clock_and_entropy::{Simulated, clock_and_entropy};
pub use summary::Summary;

use world::World;

/// How long, how much, and from which seed a shop lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The life stops once the book holds at least this many events.
    pub events: u64,
    /// Same seed, same record.
    pub seed: u64,
    /// The simulated clock ends at or before this: the life covers about three years up to the day
    /// before. From October 2022 to 2098, for which the shop knows tax rates and holidays.
    pub until: Timestamp,
}

/// Why a life broke off.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// The book has a past already.
    #[error("the book holds {events} events: a life begins in an empty book, create another one")]
    NotEmpty {
        /// How many.
        events: u64,
    },
    /// A command did not happen, and the life did not mean to break a rule.
    #[error("`{command}` was answered with `{code}` at the simulated time {at}")]
    Unexpected {
        /// The command.
        command: &'static str,
        /// The stable code of the answer.
        code: &'static str,
        /// The simulated time.
        at: Timestamp,
        /// The answer.
        #[source]
        source: Box<ExecuteError>,
    },
    /// The book could not be read.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// The span of the life lies outside the years of the calendar.
    #[error(transparent)]
    Calendar(#[from] CalendarError),
    /// The life made a text that the record does not take.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The life made a day or time that the record does not take.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// The life made an amount that the record does not take.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// The life made a quantity that the record does not take.
    #[error(transparent)]
    Quantity(#[from] QuantityError),
}

/// Lets a shop live in an empty book that was created with the clock and entropy of `simulated`.
///
/// # Errors
/// A book that is not empty, a failure of the ledger, or a command that was refused unexpectedly.
pub async fn simulate(
    ledger: &Ledger,
    simulated: &Simulated,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Summary, SimulateError> {
    let events = ledger.proof().checkpoint().await?.position.0;
    if events > 0 {
        return Err(SimulateError::NotEmpty { events });
    }
    let mut world = World::new(ledger, simulated.clock(), options);
    progress.begin("events simulated", options.events);
    world.live(progress).await?;
    progress.end();
    Ok(world.summary())
}
