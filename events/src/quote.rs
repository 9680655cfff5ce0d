//! Quotes (見積): what was offered, until when, and the one order that each may become.

use daicho_values::{Date, MemberId, OrderId, OrganisationId, QuoteId, Totals};

use crate::order::OrderLine;

family! {
    /// Quotes.
    pub enum QuoteEvent tags [] {
        /// Issued with prices that hold until a day (見積発行).
        Issued(QuoteIssued) = "quote.issued" 1,
        /// Became an order (この見積内容で注文, R51).
        Converted(QuoteConverted) = "quote.converted" 1,
        /// Taken back by the shop or the customer.
        Withdrawn(QuoteWithdrawn) = "quote.withdrawn" 1,
    }
}

event! {
    /// An offer. It lapses by itself after its last day; that is no event.
    pub struct QuoteIssued tags [quote, member, organisation] {
        /// Its id, which is also its number.
        pub quote: QuoteId,
        /// Who asked.
        pub member: MemberId,
        /// For whom.
        pub organisation: OrganisationId,
        /// What is offered, at the prices of the day.
        pub lines: Vec<OrderLine>,
        /// Sums and tax.
        pub totals: Totals,
        /// Last day on which it can be ordered.
        pub valid_until: Date,
    }
}

event! {
    /// Used, once.
    pub struct QuoteConverted tags [quote, order] {
        /// The quote.
        pub quote: QuoteId,
        /// The order.
        pub order: OrderId,
    }
}

event! {
    /// Taken back.
    pub struct QuoteWithdrawn tags [quote] {
        /// The quote.
        pub quote: QuoteId,
        /// Why.
        pub reason: String,
    }
}
