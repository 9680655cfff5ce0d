//! Decisions: what may happen, one command a file. Money, tax and calendars stand beside them.
//!
//! Pure: the same inputs give the same answer in ten years. No I/O, no clock, no random numbers,
//! no floats. Time and ids come in a [`Moment`]; what must be known comes as recorded events.

#[macro_use]
mod rejection;
#[macro_use]
mod decision;

pub mod acting;
pub mod billing;
pub mod calendar;
pub mod contract;
pub mod invoice;
pub mod reason;
pub mod series;
pub mod shop;
pub mod state;
pub mod tax;

#[cfg(test)]
mod testing;

pub use decision::{Command, Decision, Moment, Personal, PersonalField, QUERY_ROUNDS_MAX};
pub use rejection::Rejection;

/// Calls a macro with the list of every command, by its type: the API and CLI tables are made of it.
#[macro_export]
macro_rules! for_each_command {
    ($table:ident) => {
        $table! {
            shop::OpenBook,
            contract::Activate,
            contract::AddLicences,
            contract::ReduceLicences,
            contract::Cancel,
            billing::IssueInvoice,
            billing::InvoiceOrder,
            billing::CreditReturn,
            billing::CloseMonth,
            billing::RecordPayment,
        }
    };
}
