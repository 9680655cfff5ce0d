//! Closes a month's billing: every invoice of the month stands, with their count and sum.

use daicho_events::billing::MonthClosed;
use daicho_events::{Date, Money, MoneyError, Month, NewEvent, Query, Recorded};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::first_issue_day;
use crate::acting::{StaffOnly, staff_only};
use crate::state::{Billed, Invoices, Shop, ShopNotOpen};
use crate::{Command, Decision, Moment};

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
            /// A customer asked for what the shop does; comes first.
            StaffOnly(StaffOnly),
            /// The book has no settings; comes second.
            NotOpen(ShopNotOpen),
            /// The sum is beyond the limits.
            Money(MoneyError),
        }
    }
}

known! {
    /// The invoices of the month.
    pub struct Known { shop: Shop, invoices: Invoices, billed: Billed, }
}

impl Decision for CloseMonth {
    type State = Known;
    type Rejection = CloseMonthRejection;

    fn query(&self, _: &Known) -> Query {
        Shop::query().and(self.month.tag())
    }

    fn evolve(known: &mut Known, event: &Recorded) {
        known.apply(event);
    }

    fn decide(&self, known: &Known, at: &Moment) -> Result<Vec<NewEvent>, CloseMonthRejection> {
        staff_only(at, Self::NAME)?;
        let currency = known.shop.settings()?.currency;
        let (month, today) = (self.month, known.shop.today(at));
        let first = first_issue_day(&known.shop, month);
        if today < first {
            return Err(CloseMonthRejection::MonthNotOver { month, first });
        }
        if known.billed.is_closed(month) {
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
}
