//! The series of invoice numbers: 1, 2, 3 … over invoices and credits, without a gap.
//!
//! Only the last of the series is read. The append fails when anything joined the series since,
//! so two documents never take one number and none is left out.

use daicho_events::billing::{
    BillingEvent, CreditIssued, INVOICE_SERIES, InvoiceIssued, SeriesNumber,
};
use daicho_events::{Event, Query, Recorded};
use daicho_values::{InvoiceNumber, Tag};

use crate::state::Fold;

/// The last place taken in the series.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Series {
    /// The place of the last document; 0 before the first.
    pub last: u64,
}

impl Series {
    /// What must be read to know it: one event, however long the series is.
    pub fn query() -> Query {
        Self::last_about(Tag::from(INVOICE_SERIES))
    }

    /// Takes the next place: the number `{prefix}{place, at least eight digits}` (R92) and the
    /// place. A decision that issues several documents takes a copy and calls this for each.
    pub fn next(&mut self, prefix: &str) -> (InvoiceNumber, SeriesNumber) {
        self.last += 1;
        let text = format!("{prefix}{:08}", self.last);
        match InvoiceNumber::new(&text) {
            Ok(number) => (number, SeriesNumber(self.last)),
            Err(error) => unreachable!("a book opens with a short, printable prefix: {error}"),
        }
    }
}

impl Fold for Series {
    const READS: &'static [&'static [&'static str]] =
        &[&[InvoiceIssued::STORED, CreditIssued::STORED]];

    fn apply(&mut self, recorded: &Recorded) {
        let Event::Billing(event) = &recorded.event else { return };
        let place = match event {
            BillingEvent::InvoiceIssued(event) => event.sequence,
            BillingEvent::CreditIssued(event) => event.sequence,
            BillingEvent::MonthClosed(_) | BillingEvent::PaymentReceived(_) => return,
        };
        self.last = self.last.max(place.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_begin_with_the_prefix_and_follow_each_other() {
        let mut series = Series { last: 41 };
        let (number, place) = series.next("R");
        assert_eq!((number.as_str(), place), ("R00000042", SeriesNumber(42)));
        assert_eq!(series.next("R").0.as_str(), "R00000043");
    }

    #[test]
    fn a_number_of_more_than_eight_digits_is_not_cut() {
        let mut series = Series { last: 99_999_999 };
        assert_eq!(series.next("R").0.as_str(), "R100000000");
    }
}
