//! Issues an organisation's invoice for a month (請求確定, R86): services, penalties, goods.
//!
//! An item belongs to the invoice of its own month. What became known only after its month was
//! invoiced or closed comes on the next invoice, so that nothing is lost and nothing billed twice.

use std::collections::BTreeSet;

use daicho_events::billing::InvoiceLine;
use daicho_events::{
    Date, InvoiceNumber, Month, NewEvent, OrganisationId, Query, Recorded, Rounding,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::{DocumentRejection, Draft};
use super::{first_issue_day, lines};
use crate::acting::{StaffOnly, staff_only};
use crate::invoice::line_of;
use crate::series::Series;
use crate::state::{Billed, Contracts, Goods, GoodsOrder, Organisations, Shop, ShopNotOpen};
use crate::{Command, Decision, Moment};

/// Issues the invoice of an organisation for a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IssueInvoice {
    /// The month.
    pub month: Month,
    /// Who pays.
    pub organisation: OrganisationId,
    /// Day of issue, from the shop's issue day of the next month to today; `null`: today.
    #[serde(default)]
    pub issued_on: Option<Date>,
}

/// How many months back an item that became known late is still looked for.
const LATE_MONTHS_MAX: usize = 120;

/// What must be known of an organisation: its contracts, orders and documents.
const TYPES: [&str; 9] = [
    "organisation.registered",
    "order.placed",
    "contract.concluded",
    "contract.service_activated",
    "contract.quantity_changed",
    "contract.cancellation_scheduled",
    "contract.penalty_assessed",
    "billing.invoice_issued",
    "billing.credit_issued",
];

/// What must be known of an order besides.
const ORDER_TYPES: [&str; 2] = ["order.fulfilled", "order.cancelled"];

rejections! {
    /// Why no invoice is issued.
    pub enum IssueInvoiceRejection {
        /// A month is billed from the issue day of the next one (R86).
        MonthNotOver { month: Month, first: Date } = "month_not_over":
            "{month} can be invoiced from {first} on: wait for that day",
        /// Neither before that day nor in the future.
        IssueDayOutside { issued_on: Date, first: Date, today: Date } = "issue_day_outside":
            "{issued_on} cannot be the day of issue: give a day from {first} to {today}",
        /// The invoices of a closed month stand.
        MonthClosed { month: Month } = "month_closed":
            "{month} is closed: what is still due comes with the invoice of a later month",
        /// Nobody to bill.
        OrganisationUnknown { organisation: OrganisationId } = "organisation_unknown":
            "no organisation {organisation} in this book: register it first",
        /// One invoice an organisation and month.
        AlreadyInvoiced { month: Month, invoice: InvoiceNumber } = "month_already_invoiced":
            "{month} is invoiced as {invoice}: what is still due comes with a later month",
        /// No empty invoices.
        NothingToInvoice { month: Month, organisation: OrganisationId } = "nothing_to_invoice":
            "organisation {organisation} owes nothing for {month}: no invoice is needed",
        shared {
            /// A customer asked for what the shop does; comes first.
            StaffOnly(StaffOnly),
            /// The book has no settings; comes second.
            NotOpen(ShopNotOpen),
            /// The document cannot be made; comes last.
            Document(DocumentRejection),
        }
    }
}

known! {
    /// The organisation's contracts, goods and documents, and the series.
    pub struct Known {
        shop: Shop,
        series: Series,
        organisations: Organisations,
        contracts: Contracts,
        goods: Goods,
        billed: Billed,
    }
}

impl Decision for IssueInvoice {
    type State = Known;
    type Rejection = IssueInvoiceRejection;

    fn query(&self, known: &Known) -> Query {
        let query = Shop::query()
            .or(Series::query())
            .and_types(&TYPES, self.organisation.tag())
            .and_types(&[Billed::CLOSED], self.month.tag());
        let orders = known.goods.orders().filter(|order| known.is_unbilled(order));
        let query =
            orders.fold(query, |query, order| query.and_types(&ORDER_TYPES, order.order.tag()));
        let late = self.late_months(known).into_iter();
        late.fold(query, |query, month| query.and_types(&[Billed::CLOSED], month.tag()))
    }

    fn evolve(known: &mut Known, event: &Recorded) {
        known.apply(event);
    }

    fn decide(&self, known: &Known, at: &Moment) -> Result<Vec<NewEvent>, IssueInvoiceRejection> {
        staff_only(at, Self::NAME)?;
        let rounding = known.shop.settings()?.rounding;
        let issued_on = self.check(known, known.shop.today(at))?;
        let mut lines = Vec::new();
        for month in self.due_months(known) {
            lines.extend(known.lines(month, rounding)?);
        }
        if lines.is_empty() {
            let (month, organisation) = (self.month, self.organisation);
            return Err(IssueInvoiceRejection::NothingToInvoice { month, organisation });
        }
        let draft = Draft {
            organisation: self.organisation,
            order: None,
            month: Some(self.month),
            lines,
            issued_on,
        };
        Ok(vec![draft.issue(&known.shop, known.series)?])
    }
}

impl IssueInvoice {
    /// The day of issue, if the month may be invoiced.
    fn check(&self, known: &Known, today: Date) -> Result<Date, IssueInvoiceRejection> {
        let (month, organisation) = (self.month, self.organisation);
        let first = first_issue_day(&known.shop, month);
        if today < first {
            return Err(IssueInvoiceRejection::MonthNotOver { month, first });
        }
        let issued_on = self.issued_on.unwrap_or(today);
        if issued_on < first || issued_on > today {
            return Err(IssueInvoiceRejection::IssueDayOutside { issued_on, first, today });
        }
        if known.billed.is_closed(month) {
            return Err(IssueInvoiceRejection::MonthClosed { month });
        }
        if known.organisations.get(organisation).is_none() {
            return Err(IssueInvoiceRejection::OrganisationUnknown { organisation });
        }
        if let Some(invoice) = known.billed.month(organisation, month) {
            let invoice = invoice.clone();
            return Err(IssueInvoiceRejection::AlreadyInvoiced { month, invoice });
        }
        Ok(issued_on)
    }

    /// Earlier months in which something of the organisation's may have been left out.
    fn late_months(&self, known: &Known) -> BTreeSet<Month> {
        let contracts = known.contracts.iter().map(|contract| contract.charged_from());
        let orders = known.goods.orders().filter(|order| known.is_unbilled(order));
        let orders = orders.filter_map(|order| order.fulfilled_on);
        let Some(first) = contracts.chain(orders).map(Date::month).min() else {
            return BTreeSet::new();
        };
        let before = std::iter::successors(Some(self.month), |month| {
            Some(month.first().previous().month()).filter(|before| before < month)
        });
        before.skip(1).take(LATE_MONTHS_MAX).take_while(|month| *month >= first).collect()
    }

    /// The month itself, and earlier ones that can have no invoice of their own any more.
    fn due_months(&self, known: &Known) -> BTreeSet<Month> {
        let is_past = |month: &Month| {
            known.billed.is_closed(*month)
                || known.billed.month(self.organisation, *month).is_some()
        };
        self.late_months(known).into_iter().filter(is_past).chain([self.month]).collect()
    }
}

impl Known {
    fn is_unbilled(&self, order: &GoodsOrder) -> bool {
        self.billed.order(order.order).is_none()
    }

    /// What is due for a month and not billed: services, then penalties, then goods.
    fn lines(
        &self,
        month: Month,
        rounding: Rounding,
    ) -> Result<Vec<InvoiceLine>, DocumentRejection> {
        let mut found = Vec::new();
        for contract in self.contracts.iter() {
            if !self.billed.has_contract_month(contract.concluded.contract, month) {
                found.extend(lines::of_contract(contract, month, &self.shop, rounding)?);
            }
        }
        let open = self.contracts.iter();
        let open = open.filter(|it| !self.billed.has_penalty(it.concluded.contract));
        found.extend(open.filter_map(|contract| lines::of_penalty(contract, month)));
        let orders = self.goods.orders().filter(|order| self.is_unbilled(order));
        let due = orders
            .filter(|order| !order.cancelled && order.fulfilled_on.map(Date::month) == Some(month));
        for order in due {
            let goods = self.goods.lines(order);
            found.extend(goods.map(|line| line_of(line, Some(order.order))));
        }
        Ok(found)
    }
}

impl Command for IssueInvoice {
    const NAME: &'static str = "billing.issue_invoice";
}
