//! What is said: the event types, their JSON form, upcasters and published schemas.
//!
//! Pure: no I/O, no clock, no random numbers, no floats. A family of events is one file; the
//! stored name and version of every event stand in that file's `family!` table and nowhere else.

#[macro_use]
mod family;

mod actor;
pub mod binary;
mod position;
mod published;
mod query;
mod recorded;
mod setting_value;

pub mod access;
pub mod billing;
pub mod contract;
pub mod member;
pub mod order;
pub mod organisation;
pub mod product;
pub mod quote;
pub mod shop;

pub use actor::{Actor, ActorError};
pub use family::{DecodeError, EventType};
pub use position::Position;
pub use published::{PUBLISHED, Published};
pub use query::*;
pub use recorded::*;
pub use setting_value::{SETTING_BYTES_MAX, SettingValue, SettingValueError};

use access::AccessEvent;
use billing::BillingEvent;
use contract::ContractEvent;
use member::MemberEvent;
use order::OrderEvent;
use organisation::OrganisationEvent;
use product::ProductEvent;
use quote::QuoteEvent;
use shop::ShopEvent;

families! {
    /// Everything that can have happened, by family.
    pub enum Event {
        /// The shop and its settings.
        Shop(ShopEvent),
        /// The catalogue: products, plans, rules, terms.
        Product(ProductEvent),
        /// Organisations (会社).
        Organisation(OrganisationEvent),
        /// Members (会員).
        Member(MemberEvent),
        /// Quotes (見積).
        Quote(QuoteEvent),
        /// Orders (注文) and returns (返品).
        Order(OrderEvent),
        /// Contracts (契約) and their licences.
        Contract(ContractEvent),
        /// Invoices (請求書), credits (適格返還請求書) and payments (入金).
        Billing(BillingEvent),
        /// Who may do what: keys of the API.
        Access(AccessEvent),
    }
}
