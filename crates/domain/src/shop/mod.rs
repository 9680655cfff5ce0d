//! Commands about the shop itself, and the table of its settings.

mod calendar;
mod first_day;
#[cfg(test)]
mod laws;
mod open_book;
mod refused;
mod revise_calendar;
mod revise_tax_rates;
mod set;
mod set_cutoff;
mod settings;
mod table;
#[cfg(test)]
mod tests;

pub use calendar::Calendar;
pub use first_day::{FROM_MONTHS_BACK_MAX, FirstDayRefused};
pub use open_book::OpenBookRejection;
pub use refused::{
    EXTRA_CLOSED_DAYS_MAX, INVOICE_PREFIX_CHARS_MAX, SettingRefused, TAX_RATE_ROWS_MAX,
    TaxTableRefused, Within,
};
pub use revise_calendar::ReviseCalendar;
pub use revise_tax_rates::ReviseTaxRates;
pub use set::{SetSettings, SetSettingsRejection};
pub use set_cutoff::SetCutoff;
pub use settings::{OnDay, OpenBook, ROWS, SettingChanges, Settings};
pub use table::{Given, Row};

pub(crate) use first_day::{check_first_day, closed_months_query};
