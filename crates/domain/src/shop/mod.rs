//! Commands about the shop itself.

mod open_book;
mod revise_calendar;
mod revise_tax_rates;
mod set_cutoff;

pub use open_book::{OpenBook, OpenBookRejection};
pub use revise_calendar::{EXTRA_CLOSED_DAYS_MAX, ReviseCalendar, ReviseCalendarRejection};
pub use revise_tax_rates::{
    ReviseTaxRates, ReviseTaxRatesRejection, TAX_RATE_ROWS_MAX, TaxTableRefused,
};
pub use set_cutoff::SetCutoff;
