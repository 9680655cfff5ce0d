//! The state of quotes: issued, and perhaps used or withdrawn.

use std::collections::BTreeMap;

use daicho_events::quote::{QuoteEvent, QuoteIssued};
use daicho_events::{Event, Query, Recorded};
use daicho_values::{OrderId, OrganisationId, QuoteId};

use super::Fold;

/// What is known of a quote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// As it was issued.
    pub issued: QuoteIssued,
    /// The order that it became (R51).
    pub converted: Option<OrderId>,
    /// Whether it was taken back.
    pub withdrawn: bool,
}

/// The quotes that a command asked about.
#[derive(Debug, Default)]
pub struct Quotes(BTreeMap<QuoteId, Quote>);

impl Quotes {
    /// What must be read to know a quote.
    pub fn query(quote: QuoteId) -> Query {
        Self::about(quote.tag())
    }

    /// The quote, if it was issued.
    pub fn get(&self, quote: QuoteId) -> Option<&Quote> {
        self.0.get(&quote)
    }

    /// The organisation that it was issued to, if it was issued.
    pub fn owner(&self, quote: QuoteId) -> Option<OrganisationId> {
        self.get(quote).map(|quote| quote.issued.organisation)
    }

    fn change(&mut self, quote: QuoteId, change: impl FnOnce(&mut Quote)) {
        self.0.get_mut(&quote).map(change);
    }
}

impl Fold for Quotes {
    const READS: &'static [&'static [&'static str]] = &[QuoteEvent::STORED];

    fn apply(&mut self, recorded: &Recorded) {
        let Event::Quote(event) = &recorded.event else { return };
        match event {
            QuoteEvent::Issued(event) => {
                let quote = Quote { issued: event.clone(), converted: None, withdrawn: false };
                self.0.insert(event.quote, quote);
            }
            QuoteEvent::Converted(event) => {
                self.change(event.quote, |quote| quote.converted = Some(event.order));
            }
            QuoteEvent::Withdrawn(event) => {
                self.change(event.quote, |quote| quote.withdrawn = true);
            }
        }
    }
}
