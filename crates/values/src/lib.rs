//! What things are made of: money, tax, days, terms, calendars, texts and identities.
//!
//! A leaf: it knows no event, no command and no store. Pure: no I/O, no clock, no random numbers,
//! no floats. What two parts must know about a value (how months are counted, how tax is rounded,
//! which days are closed) stands here once.

#[macro_use]
mod data;

pub mod calendar;
mod id;
mod money;
mod months;
mod quantity;
mod sample;
mod sealed;
mod tag;
mod tax;
mod term;
mod text;
mod time;

pub use id::*;
pub use money::*;
pub use quantity::*;
pub use sample::Sample;
pub use sealed::*;
pub use tag::{Tag, Tagged};
pub use tax::*;
pub use term::{MONTHS_A_YEAR, Term};
pub use text::*;
pub use time::*;
