//! The list of quotes (見積一覧, R50, R53): what was offered, and whether it can still be ordered.
//! Lines are not kept: the document is made from the event itself.

use daicho_events::quote::{QuoteEvent, QuoteIssued};
use daicho_events::{Event, Recorded};
use daicho_values::{Date, MemberId, Money, Name, OrderId, OrganisationId, QuoteId};

use crate::{History, Keys, Projection, Value, columns};

/// The list of quotes, a row a quote.
pub struct Quotes;

daicho_values::data! {
    /// A quote.
    pub struct QuoteRow {
        /// Its id, which is also its number.
        pub quote: QuoteId,
        /// Who asked.
        pub member: MemberId,
        /// For whom.
        pub organisation: OrganisationId,
        /// The business day of issue.
        pub issued_on: Date,
        /// Last day on which it can be ordered.
        pub valid_until: Date,
        /// What the first line offers, as named that day (R4).
        pub item: Option<Name>,
        /// How many lines it has.
        pub lines: u32,
        /// Before tax.
        pub net: Money,
        /// The tax.
        pub tax: Money,
        /// What is to be paid.
        pub gross: Money,
        /// The order that it became (R51).
        pub converted: History<OrderId>,
        /// Why it was taken back.
        pub withdrawn: History<String>,
    }
}

daicho_values::data! {
    /// Where a quote stands on a day.
    pub enum QuoteStatus {
        /// It can be ordered.
        Issued,
        /// Its last day is over.
        Lapsed,
        /// It became an order (R51).
        Converted,
        /// It was taken back.
        Withdrawn,
    }
}

daicho_values::data! {
    /// A quote on a day.
    pub struct QuoteOnDay {
        /// Where it stands.
        pub status: QuoteStatus,
        /// The order that it has become.
        pub order: Option<OrderId>,
    }
}

impl Projection for Quotes {
    type Key = QuoteId;
    type Row = QuoteRow;
    type OnDay = QuoteOnDay;

    const NAME: &'static str = "quotes";
    const ABOUT: &'static str = "Quotes (見積)";
    const VERSION: u32 = 1;
    const KEY: &'static str = "quote";

    fn keys(event: &Recorded) -> Keys<QuoteId> {
        let Event::Quote(event) = &event.event else { return Keys::None };
        Keys::One(match event {
            QuoteEvent::Issued(issued) => issued.quote,
            QuoteEvent::Converted(converted) => converted.quote,
            QuoteEvent::Withdrawn(withdrawn) => withdrawn.quote,
        })
    }

    fn fold(_: &QuoteId, row: Option<QuoteRow>, event: &Recorded) -> Option<QuoteRow> {
        let on = event.header.effective_on;
        let Event::Quote(event) = &event.event else { return row };
        let Some(mut row) = row else { return QuoteRow::begin(event, on) };
        match event {
            QuoteEvent::Issued(_) => {} // an id is given once
            QuoteEvent::Converted(converted) => row.converted.add(on, converted.order),
            QuoteEvent::Withdrawn(withdrawn) => row.withdrawn.add(on, withdrawn.reason.clone()),
        }
        Some(row)
    }

    fn begins(row: &QuoteRow) -> Date {
        row.issued_on
    }

    fn on_day(row: &QuoteRow, on: Date) -> QuoteOnDay {
        let order = row.converted.on(on).copied();
        QuoteOnDay { status: row.status(order, on), order }
    }

    columns! { |row, day, _|
        indexed status: Text, "issued, lapsed, converted or withdrawn"
            => Value::name_of(&day.status);
        indexed organisation: Text, "for whom" => Value::text(row.organisation);
        indexed member: Text, "who asked" => Value::text(row.member);
        indexed issued_on: Date, "business day of issue" => Value::text(row.issued_on);
        plain valid_until: Date, "last day on which it can be ordered"
            => Value::text(row.valid_until);
        plain item: Text, "what the first line offers" => Value::text_or_null(row.item.as_ref());
        plain lines: Integer, "how many lines" => Value::integer(row.lines);
        plain net: Money, "before tax" => Value::money(row.net);
        plain tax: Money, "the tax" => Value::money(row.tax);
        plain gross: Money, "what is to be paid" => Value::money(row.gross);
        plain currency: Text, "of the amounts" => Value::text(row.gross.currency());
        plain order_id: Text, "the order that it has become" => Value::text_or_null(day.order);
    }

    fn turning_days(row: &QuoteRow, _: Date) -> Vec<Date> {
        let facts = row.converted.days().chain(row.withdrawn.days());
        facts.chain([row.valid_until.next()]).collect()
    }
}

impl QuoteRow {
    fn begin(event: &QuoteEvent, on: Date) -> Option<Self> {
        match event {
            QuoteEvent::Issued(issued) => Some(Self::issued(issued, on)),
            QuoteEvent::Converted(_) | QuoteEvent::Withdrawn(_) => None,
        }
    }

    fn issued(event: &QuoteIssued, on: Date) -> Self {
        Self {
            quote: event.quote,
            member: event.member,
            organisation: event.organisation,
            issued_on: on,
            valid_until: event.valid_until,
            item: event.lines.first().map(|line| line.name.clone()),
            lines: u32::try_from(event.lines.len()).unwrap_or(u32::MAX),
            net: event.totals.net,
            tax: event.totals.tax,
            gross: event.totals.gross,
            converted: History::default(),
            withdrawn: History::default(),
        }
    }

    fn status(&self, order: Option<OrderId>, on: Date) -> QuoteStatus {
        if order.is_some() {
            QuoteStatus::Converted
        } else if self.withdrawn.on(on).is_some() {
            QuoteStatus::Withdrawn
        } else if self.valid_until < on {
            QuoteStatus::Lapsed
        } else {
            QuoteStatus::Issued
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{day, given};
    use daicho_events::quote::{QuoteConverted, QuoteWithdrawn};
    use daicho_values::Sample;

    fn issued(valid_until: Date) -> QuoteIssued {
        QuoteIssued { valid_until, ..Sample::sample() }
    }

    #[test]
    fn a_quote_lapses_by_itself_on_the_day_after_its_last_r53() {
        given::<Quotes>()
            .on(day(1), issued(day(30)))
            .then(day(30), |quote| assert_eq!(quote.status, QuoteStatus::Issued))
            .then(day(31), |quote| assert_eq!(quote.status, QuoteStatus::Lapsed))
            .then_next_change(day(1), Some(day(31)))
            .then_next_change(day(31), None);
    }

    #[test]
    fn a_quote_that_became_an_order_never_lapses_r51() {
        given::<Quotes>()
            .on(day(1), issued(day(30)))
            .on(day(10), QuoteConverted::sample())
            .then(day(9), |quote| assert_eq!(quote.order, None))
            .then(day(31), |quote| assert_eq!(quote.status, QuoteStatus::Converted))
            .then(day(31), |quote| assert_eq!(quote.order, Some(OrderId::sample())));
    }

    #[test]
    fn a_quote_is_not_in_the_list_before_its_day_of_issue() {
        given::<Quotes>()
            .on(day(5), issued(day(30)))
            .then_absent(day(4))
            .then_next_change(day(4), Some(day(5)));
    }

    #[test]
    fn a_withdrawal_counts_from_its_own_day() {
        given::<Quotes>()
            .on(day(1), issued(day(30)))
            .on(day(20), QuoteWithdrawn::sample())
            .then(day(19), |quote| assert_eq!(quote.status, QuoteStatus::Issued))
            .then(day(20), |quote| assert_eq!(quote.status, QuoteStatus::Withdrawn));
    }

    #[test]
    fn a_fact_about_a_quote_that_was_never_issued_makes_no_row() {
        given::<Quotes>().on(day(1), QuoteConverted::sample()).then_no_row();
    }
}
