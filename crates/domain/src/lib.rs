//! Decisions: what may happen, one command a file. Money, tax and calendars are in `daicho-values`.
//!
//! Pure: the same inputs give the same answer in ten years. No I/O, no clock, no random numbers,
//! no floats. Time and ids come in a [`Moment`]; what must be known comes as recorded events.

#[macro_use]
mod rejection;
#[macro_use]
mod decision;
pub mod frame;

pub mod access;
pub mod billing;
mod commands;
pub mod contract;
pub mod member;
mod moment;
pub mod order;
pub mod organisation;
pub mod pricing;
mod private;
pub mod product;
pub mod quote;
pub mod reason;
pub mod returns;
pub mod shop;
pub mod state;

#[cfg(test)]
mod testing;

pub use access::{CommandRow, GivenBy};
pub use commands::COMMANDS;
pub use decision::{By, Command, Decision, QUERY_ROUNDS_MAX};
pub use moment::Moment;
pub use private::{Person, Private};
pub use rejection::Rejection;

/// Calls a macro with the list of every command, by its type: the tables of the API and of the CLI
/// are built from it.
#[macro_export]
macro_rules! for_each_command {
    ($table:ident) => {
        $table! {
            access::CreateKey,
            access::RevokeKey,
            shop::OpenBook,
            shop::ReviseCalendar,
            shop::ReviseTaxRates,
            shop::SetCutoff,
            shop::SetSettings,
            product::ListProduct,
            product::RenameProduct,
            product::PublishPlan,
            product::SetRules,
            product::PublishTerms,
            product::RetireProduct,
            organisation::RegisterOrganisation,
            member::RequestRegistration,
            member::VerifyMember,
            member::CompleteRegistration,
            member::MigrateMember,
            quote::IssueQuote,
            quote::WithdrawQuote,
            order::PlaceOrder,
            order::AcceptOrder,
            order::FixDelivery,
            order::ConfirmOrder,
            order::FulfilOrder,
            order::CancelOrder,
            returns::AcceptReturn,
            order::RecordSale,
            returns::ImportReturn,
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
