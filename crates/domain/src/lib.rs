//! Decisions: what may happen, one command a file. Money, tax and calendars stand beside them.
//!
//! Pure: the same inputs give the same answer in ten years. No I/O, no clock, no random numbers,
//! no floats. Time and ids come in a [`Moment`]; what must be known comes as recorded events.

#[macro_use]
mod rejection;
#[macro_use]
mod decision;

pub mod access;
pub mod acting;
pub mod billing;
pub mod contract;
pub mod invoice;
pub mod order;
pub mod pricing;
pub mod product;
pub mod quote;
pub mod reason;
pub mod registration;
pub mod series;
pub mod shop;
pub mod state;

#[cfg(test)]
mod testing;

pub use decision::{Command, Decision, Moment, Personal, PersonalField, QUERY_ROUNDS_MAX};
pub use rejection::Rejection;

/// Calls a macro with the list of every command, by its type: the API and CLI tables are made of
/// it.
#[macro_export]
macro_rules! for_each_command {
    ($table:ident) => {
        $table! {
            shop::OpenBook,
            shop::ReviseCalendar,
            shop::ReviseTaxRates,
            shop::SetCutoff,
            product::ListProduct,
            product::RenameProduct,
            product::PublishPlan,
            product::SetRules,
            product::PublishTerms,
            product::RetireProduct,
            registration::RegisterOrganisation,
            registration::RequestRegistration,
            registration::VerifyMember,
            registration::CompleteRegistration,
            registration::MigrateMember,
            quote::IssueQuote,
            quote::WithdrawQuote,
            order::PlaceOrder,
            order::AcceptOrder,
            order::FixDelivery,
            order::ConfirmOrder,
            order::FulfilOrder,
            order::CancelOrder,
            order::TakeBack,
            order::RecordSale,
            order::RecordReturn,
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
