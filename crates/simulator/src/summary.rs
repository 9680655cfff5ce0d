//! The result of a simulated life, counted from the events that were recorded.

use std::collections::BTreeMap;

use daicho_events::Recorded;
use daicho_events::billing::{CreditIssued, InvoiceIssued, PaymentReceived};
use daicho_events::contract::ContractConcluded;
use daicho_events::member::{MainRegistrationCompleted, MemberMigrated};
use daicho_events::order::OrderPlaced;
use daicho_events::organisation::OrganisationRegistered;
use daicho_events::quote::QuoteIssued;
use daicho_values::Date;

/// The result of a simulated life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Events in the book.
    pub events: u64,
    /// Organisations registered.
    pub organisations: u64,
    /// Members whose registration is complete, migrated ones among them.
    pub members: u64,
    /// Quotes issued.
    pub quotes: u64,
    /// Orders placed.
    pub orders: u64,
    /// Contracts concluded.
    pub contracts: u64,
    /// Invoices issued.
    pub invoices: u64,
    /// Credits issued.
    pub credits: u64,
    /// Payments received.
    pub payments: u64,
    /// First day.
    pub from: Date,
    /// Last day that was reached.
    pub to: Date,
    /// Events by the name of their type.
    pub by_type: BTreeMap<&'static str, u64>,
    /// Commands that a rule refused, as the life meant them to be, by code.
    pub rejections: BTreeMap<&'static str, u64>,
}

/// Counts as the life goes on.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    by_type: BTreeMap<&'static str, u64>,
    rejections: BTreeMap<&'static str, u64>,
}

impl Tally {
    pub(crate) fn recorded(&mut self, event: &Recorded) {
        *self.by_type.entry(event.event.event_type().name).or_default() += 1;
    }

    pub(crate) fn rejected(&mut self, code: &'static str) {
        *self.rejections.entry(code).or_default() += 1;
    }

    pub(crate) fn summary(&self, from: Date, to: Date) -> Summary {
        let of = |name: &str| self.by_type.get(name).copied().unwrap_or(0);
        Summary {
            events: self.by_type.values().sum(),
            organisations: of(OrganisationRegistered::STORED),
            members: of(MainRegistrationCompleted::STORED) + of(MemberMigrated::STORED),
            quotes: of(QuoteIssued::STORED),
            orders: of(OrderPlaced::STORED),
            contracts: of(ContractConcluded::STORED),
            invoices: of(InvoiceIssued::STORED),
            credits: of(CreditIssued::STORED),
            payments: of(PaymentReceived::STORED),
            from,
            to,
            by_type: self.by_type.clone(),
            rejections: self.rejections.clone(),
        }
    }
}
