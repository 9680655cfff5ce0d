//! Closes a month's billing: its invoices are final, and their count and sum are recorded.

use daicho_events::access::Role;
use daicho_events::billing::MonthClosed;
use daicho_events::{NewEvent, Query};
use daicho_values::{Date, Money, MoneyError, Month};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::first_issue_day;
use crate::frame::Known;
use crate::state::{ClosedMonths, Invoices, ShopNotOpen};
use crate::{By, Command, Decision, Moment};

/// Closes the billing of a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseMonth {
    /// The month.
    pub month: Month,
}

rejections! {
    /// Why a month is not closed.
    pub enum CloseMonthRejection {
        /// A month is billed from the issue day of the next one (R86).
        MonthNotOver { month: Month, first: Date } = "month_not_over":
            "{month} can be closed from {first} on: wait for that day",
        /// A month is closed once.
        AlreadyClosed { month: Month } = "month_already_closed":
            "{month} is closed already: a month is closed once",
        shared {
            /// The book has no settings; comes second.
            NotOpen(ShopNotOpen),
            /// The sum is beyond the limits.
            Money(MoneyError),
        }
    }
}

known! {
    /// The invoices of the month.
    pub struct CloseMonthState { invoices: Invoices, closed: ClosedMonths, }
}

impl Decision for CloseMonth {
    type State = CloseMonthState;
    type Rejection = CloseMonthRejection;

    fn query(&self, _: &Known<CloseMonthState>) -> Query {
        ClosedMonths::query(self.month).or(Invoices::month_query(self.month))
    }

    fn decide(
        &self,
        known: &Known<CloseMonthState>,
        at: &Moment,
    ) -> Result<Vec<NewEvent>, CloseMonthRejection> {
        let currency = known.shop.opened()?.currency;
        let (month, today) = (self.month, known.shop.today(at));
        let first = first_issue_day(&known.shop, month);
        if today < first {
            return Err(CloseMonthRejection::MonthNotOver { month, first });
        }
        if known.closed.is_closed(month) {
            return Err(CloseMonthRejection::AlreadyClosed { month });
        }
        let mut closed = MonthClosed { month, invoices: 0, gross: Money::zero(currency) };
        for invoice in known.invoices.of_month(month) {
            closed.invoices = closed.invoices.saturating_add(1);
            closed.gross = closed.gross.plus(invoice.gross)?;
        }
        Ok(vec![NewEvent::on(today, closed)])
    }
}

impl Command for CloseMonth {
    const NAME: &'static str = "billing.close_month";
    const BY: By<Self> = By::Staff;
    const ROLES: &'static [Role] = &[Role::Billing];
}

#[cfg(test)]
mod tests {
    use daicho_events::Actor;
    use daicho_values::Sample;

    use super::super::InvoiceOrder;
    use super::super::fixtures::{book, chair, fulfilled, invoice, order, placed};
    use super::*;
    use crate::contract::fixtures::concluded;
    use crate::testing::{at, by, event, given, yen};

    fn close() -> CloseMonth {
        CloseMonth { month: "2026-05".parse().unwrap() }
    }

    fn closed(invoices: u32, gross: i64) -> MonthClosed {
        MonthClosed { month: close().month, invoices, gross: yen(gross) }
    }

    #[test]
    fn a_month_is_closed_with_its_invoices_and_their_sum() {
        // An order's own invoice and the invoice of another month are not the month's.
        let history = book([
            placed(order(1), vec![chair(100)]),
            fulfilled(order(1), "2026-05-11"),
            InvoiceOrder { order: order(1) }.into(),
            event(concluded()),
            at("2026-07-10T10:00"),
            invoice("2026-05").into(),
            invoice("2026-06").into(),
        ]);
        given(history).when(close()).then([closed(1, 7_451).into()]);
    }

    #[test]
    fn a_month_without_invoices_is_closed_too() {
        given(book([at("2026-06-10T10:00")])).when(close()).then([closed(0, 0).into()]);
    }

    #[test]
    fn a_customer_does_not_close_a_month() {
        given(book([at("2026-06-10T10:00"), by(Actor::Member(Sample::sample()))]))
            .when(close())
            .then_rejected("staff_only");
    }

    #[test]
    fn a_book_without_settings_closes_nothing() {
        given([]).when(close()).then_rejected("shop_not_open");
    }

    #[test]
    fn a_month_is_not_closed_before_it_can_be_billed_r86() {
        given(book([at("2026-06-09T23:59")])).when(close()).then_rejected("month_not_over");
    }

    #[test]
    fn a_month_is_closed_once() {
        given(book([at("2026-06-10T10:00"), close().into()]))
            .when(close())
            .then_rejected("month_already_closed");
    }
}
