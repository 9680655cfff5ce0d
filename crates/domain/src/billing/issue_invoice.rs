//! Issues an organisation's invoice for a month (請求確定, R86): services, penalties, goods.
//!
//! An item belongs to the invoice of its own month. What became known only after its month was
//! invoiced or closed comes on the next invoice, so that nothing is lost and nothing billed twice.

use std::collections::BTreeSet;

use daicho_events::access::Role;
use daicho_events::billing::InvoiceLine;
use daicho_events::{NewEvent, Query};
use daicho_values::{Date, InvoiceNumber, Month, OrganisationId, Rounding};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::{DocumentRejection, Draft};
use super::invoice::line_of;
use super::series::Series;
use super::{first_issue_day, lines};
use crate::frame::Known;
use crate::state::{Billed, ClosedMonths, Contracts, Order, Orders, Organisations, Shop};
use crate::{By, Command, Decision, Moment};

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

rejections! {
    /// Why no invoice is issued.
    pub enum IssueInvoiceRejection {
        /// A month is billed from the issue day of the next one (R86).
        MonthNotOver { month: Month, first: Date } = "month_not_over":
            "{month} can be invoiced from {first} on: wait for that day",
        /// The day of issue is neither before that day nor in the future.
        IssueDayOutside { issued_on: Date, first: Date, today: Date } = "issue_day_outside":
            "{issued_on} cannot be the day of issue: give a day from {first} to {today}",
        /// The invoices of a closed month are final.
        MonthClosed { month: Month } = "month_closed":
            "{month} is closed: what is still due comes with the invoice of a later month",
        /// There is nobody to bill.
        OrganisationUnknown { organisation: OrganisationId } = "organisation_unknown":
            "no organisation {organisation} in this book: register it first",
        /// An organisation has one invoice a month.
        AlreadyInvoiced { month: Month, invoice: InvoiceNumber } = "month_already_invoiced":
            "{month} is invoiced as {invoice}: what is still due comes with a later month",
        /// An invoice has at least one line.
        NothingToInvoice { month: Month, organisation: OrganisationId } = "nothing_to_invoice":
            "organisation {organisation} owes nothing for {month}: no invoice is needed",
        shared {
            /// The document cannot be made; comes last.
            Document(DocumentRejection),
        }
    }
}

known! {
    /// The organisation's contracts, goods and documents, and the series.
    pub struct IssueInvoiceState {
        series: Series,
        organisations: Organisations,
        contracts: Contracts,
        orders: Orders,
        billed: Billed,
        closed: ClosedMonths,
    }
}

impl Decision for IssueInvoice {
    type State = IssueInvoiceState;
    type Rejection = IssueInvoiceRejection;

    fn query(&self, known: &Known<IssueInvoiceState>) -> Query {
        let unbilled = known.orders.with_goods().filter(|order| known.is_unbilled(order));
        let late = self.late_months(known).into_iter();
        Series::query()
            .or(Organisations::query(self.organisation))
            .or(Contracts::of(self.organisation))
            .or(Orders::placed_by(self.organisation))
            .or(Billed::query(self.organisation))
            .or(ClosedMonths::query(self.month))
            .or(Query::any(unbilled.map(|order| Orders::query(order.placed.order))))
            .or(Query::any(late.map(ClosedMonths::query)))
    }

    fn decide(
        &self,
        known: &Known<IssueInvoiceState>,
        at: &Moment,
    ) -> Result<Vec<NewEvent>, IssueInvoiceRejection> {
        let issued_on = self.check(known, known.shop.today(at))?;
        assert!(issued_on > self.month.last(), "a month is billed when it is over");
        let rounding = known.shop.on(issued_on).rounding();
        let mut lines = Vec::new();
        for month in self.due_months(known) {
            lines.extend(known.lines(&known.shop, month, rounding)?);
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
    fn check(
        &self,
        known: &Known<IssueInvoiceState>,
        today: Date,
    ) -> Result<Date, IssueInvoiceRejection> {
        let (month, organisation) = (self.month, self.organisation);
        let first = first_issue_day(&known.shop, month);
        assert!(first > month.last(), "the issue day is in the month after");
        if today < first {
            return Err(IssueInvoiceRejection::MonthNotOver { month, first });
        }
        let issued_on = self.issued_on.unwrap_or(today);
        if issued_on < first || issued_on > today {
            return Err(IssueInvoiceRejection::IssueDayOutside { issued_on, first, today });
        }
        if known.closed.is_closed(month) {
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
    fn late_months(&self, known: &Known<IssueInvoiceState>) -> BTreeSet<Month> {
        let contracts = known.contracts.iter().map(|contract| contract.charged_from());
        let orders = known.orders.with_goods().filter(|order| known.is_unbilled(order));
        let orders = orders.filter_map(|order| order.fulfilled_on);
        let Some(first) = contracts.chain(orders).map(Date::month).min() else {
            return BTreeSet::new();
        };
        let before = std::iter::successors(Some(self.month), |month| {
            Some(month.first().previous().month()).filter(|before| before < month)
        });
        let late: BTreeSet<Month> =
            before.skip(1).take(LATE_MONTHS_MAX).take_while(|month| *month >= first).collect();
        assert!(late.last().is_none_or(|last| *last < self.month), "late months are earlier ones");
        late
    }

    /// The month itself, and earlier ones that can have no invoice of their own any more.
    fn due_months(&self, known: &Known<IssueInvoiceState>) -> BTreeSet<Month> {
        let is_past = |month: &Month| {
            known.closed.is_closed(*month)
                || known.billed.month(self.organisation, *month).is_some()
        };
        let late = self.late_months(known).into_iter().filter(is_past);
        let due: BTreeSet<Month> = late.chain([self.month]).collect();
        assert_eq!(due.last(), Some(&self.month), "no later month is billed along");
        due
    }
}

impl IssueInvoiceState {
    fn is_unbilled(&self, order: &Order) -> bool {
        self.billed.order(order.placed.order).is_none()
    }

    /// What is due for a month and not billed: services, then penalties, then goods.
    fn lines(
        &self,
        shop: &Shop,
        month: Month,
        rounding: Rounding,
    ) -> Result<Vec<InvoiceLine>, DocumentRejection> {
        let mut found = Vec::new();
        for contract in self.contracts.iter() {
            if !self.billed.has_contract_month(contract.concluded.contract, month) {
                found.extend(lines::of_contract(contract, month, shop, rounding)?);
            }
        }
        let open = self.contracts.iter();
        let open = open.filter(|it| !self.billed.has_penalty(it.concluded.contract));
        found.extend(open.filter_map(|contract| lines::of_penalty(contract, month)));
        let orders = self.orders.with_goods().filter(|order| self.is_unbilled(order));
        let due = orders
            .filter(|order| !order.cancelled && order.fulfilled_on.map(Date::month) == Some(month));
        for order in due {
            let goods = self.orders.goods(order);
            found.extend(goods.map(|line| line_of(line, Some(order.placed.order))));
        }
        Ok(found)
    }
}

impl Command for IssueInvoice {
    const NAME: &'static str = "billing.issue_invoice";
    const BY: By<Self> = By::Staff;
    const ROLES: &'static [Role] = &[Role::Billing];
}

#[cfg(test)]
mod tests {
    use daicho_events::billing::{
        BillingEvent, CreditIssued, InvoiceIssued, MonthClosed, PayableAt, SeriesNumber,
    };
    use daicho_events::contract::{
        CancellationScheduled, ContractConcluded, ContractTerms, PenaltyAssessed,
    };
    use daicho_events::product::BillingPeriod;
    use daicho_events::shop::TaxRateTableRevised;
    use daicho_events::{Actor, Event};
    use daicho_values::{
        ContractId, DatedTaxRate, IssuerNumber, RateTotal, Sample, TaxCategory, TaxRate, Totals,
    };
    use ulid::Ulid;

    use super::super::fixtures::{
        book, cancelled, chair, fulfilled, invoice, line, order, period, placed,
    };
    use super::super::{CloseMonth, InvoiceOrder};
    use super::*;
    use crate::contract::ReduceLicences;
    use crate::contract::fixtures::{concluded, licences, organisation, terms};
    use crate::testing::{Outcome, Step, at, by, day, event, given, open_book, yen};

    fn issued(outcome: Outcome<IssueInvoice>) -> InvoiceIssued {
        let event = outcome.events().remove(0).event;
        let Event::Billing(BillingEvent::InvoiceIssued(issued)) = event else {
            panic!("not an invoice: {event:?}")
        };
        issued
    }

    /// What each line says and costs.
    fn lines(invoice: &InvoiceIssued) -> Vec<(u32, String, i64)> {
        let lines = invoice.lines.iter();
        lines.map(|it| (it.line, it.description.to_string(), it.amount.minor_units())).collect()
    }

    fn june(steps: impl IntoIterator<Item = Step>) -> Vec<Step> {
        book(steps).into_iter().chain([at("2026-06-10T10:00")]).collect()
    }

    #[test]
    fn a_months_invoice_has_its_tax_its_due_date_and_its_number_r85_r86() {
        let line = InvoiceLine {
            line: 1,
            description: concluded().name,
            product: Some(concluded().product),
            order: None,
            contract: Some(concluded().contract),
            period: period("2026-05-11", "2026-05-31"),
            quantity: licences(10),
            unit_price: yen(1_000),
            amount: yen(6_774),
            tax: TaxCategory::Standard,
            rate: TaxRate(1_000),
        };
        let (category, rate) = (line.tax, line.rate);
        let rates = vec![RateTotal { category, rate, net: yen(6_774), tax: yen(677) }];
        let expected = InvoiceIssued {
            invoice: InvoiceNumber::new("R00000001").unwrap(),
            sequence: SeriesNumber(1),
            organisation: Sample::sample(),
            order: None,
            month: Some("2026-05".parse().unwrap()),
            lines: vec![line],
            totals: Totals { net: yen(6_774), tax: yen(677), gross: yen(7_451), rates },
            issued_on: day("2026-06-10"),
            due_on: day("2026-06-30"),
            payable_at: PayableAt::BanksAndStores,
            issuer: Some(IssuerNumber::sample()),
        };
        given(june([event(concluded())])).when(invoice("2026-05")).then([expected.into()]);
    }

    #[test]
    fn a_charge_without_a_rate_in_the_table_is_not_billed_at_nothing_r101() {
        let table = |rates| event(TaxRateTableRevised { rates });
        let rate = DatedTaxRate {
            category: TaxCategory::Standard,
            from: day("2027-04-01"),
            rate: TaxRate(1_000),
        };
        let history = june([event(concluded()), table(vec![rate])]);
        given(history).when(invoice("2026-05")).then_rejected("tax_rate_missing");
        let exempt = ContractConcluded { tax: TaxCategory::Exempt, ..concluded() };
        let exempt =
            issued(given(june([event(exempt), table(vec![rate])])).when(invoice("2026-05")));
        assert_eq!(exempt.totals.tax, yen(0));
        let untaxed =
            issued(given(june([event(concluded()), table(vec![])])).when(invoice("2026-05")));
        assert_eq!(untaxed.totals.tax, yen(0), "a shop without any rate levies no tax");
    }

    #[test]
    fn a_due_date_on_a_sunday_is_the_next_business_day_r85() {
        let contract = ContractConcluded { starts_on: day("2026-04-01"), ..concluded() };
        let history = book([event(contract)]);
        assert_eq!(issued(given(history).when(invoice("2026-04"))).due_on, day("2026-06-01"));
    }

    #[test]
    fn an_invoice_may_bear_an_earlier_day_of_issue() {
        let history = book([event(concluded()), at("2026-07-03T10:00")]);
        let command = IssueInvoice { issued_on: Some(day("2026-06-10")), ..invoice("2026-05") };
        let events = given(history).when(command).events();
        assert_eq!(events[0].effective_on, day("2026-06-10"));
    }

    #[test]
    fn goods_and_services_stand_on_one_invoice_with_tax_once_per_rate_r101() {
        let goods = vec![chair(105), chair(105), line("tea", 99, TaxCategory::Reduced)];
        let history =
            [event(concluded()), placed(order(1), goods), fulfilled(order(1), "2026-05-31")];
        let invoice = issued(given(june(history)).when(invoice("2026-05")));
        assert_eq!(
            lines(&invoice),
            [
                (1, "Business Suite".to_owned(), 6_774),
                (2, "chair".to_owned(), 105),
                (3, "chair".to_owned(), 105),
                (4, "tea".to_owned(), 99)
            ]
        );
        let taxes: Vec<_> = invoice.totals.rates.iter().map(|rate| rate.tax).collect();
        // 10 % of 6,984 and 8 % of 99, each rounded down once.
        assert_eq!(taxes, [yen(698), yen(7)]);
    }

    #[test]
    fn a_penalty_is_billed_once_outside_the_taxs_scope_with_the_month_of_the_end_r76() {
        let (contract, organisation) = (ContractId::sample(), Sample::sample());
        let ends_on = day("2026-05-20");
        let reason = "moved".to_owned();
        let history = || {
            [
                event(concluded()),
                event(CancellationScheduled {
                    contract,
                    organisation,
                    ends_on,
                    reason: reason.clone(),
                }),
                event(PenaltyAssessed {
                    contract,
                    organisation,
                    amount: yen(110_000),
                    assessed_on: ends_on,
                }),
            ]
        };
        let found = issued(given(june(history())).when(invoice("2026-05")));
        assert_eq!(
            lines(&found),
            [(1, "Business Suite".to_owned(), 3_225), (2, "違約金".to_owned(), 110_000)]
        );
        assert_eq!(found.lines[1].tax, TaxCategory::OutOfScope);
        assert_eq!(found.totals.gross, yen(3_225 + 322 + 110_000));
        let later =
            june(history()).into_iter().chain([invoice("2026-05").into(), at("2026-07-10T10:00")]);
        given(later).when(invoice("2026-06")).then_rejected("nothing_to_invoice");
    }

    #[test]
    fn only_goods_delivered_in_the_month_and_not_cancelled_are_billed() {
        let history = [
            placed(order(1), vec![chair(100)]),
            placed(order(2), vec![chair(200)]),
            fulfilled(order(2), "2026-05-31"),
            placed(order(3), vec![chair(400)]),
            fulfilled(order(3), "2026-06-01"),
            placed(order(4), vec![chair(800)]),
            fulfilled(order(4), "2026-05-12"),
            cancelled(order(4)),
            placed(order(5), vec![chair(1_600)]),
            fulfilled(order(5), "2026-04-30"),
        ];
        let invoice = issued(given(june(history)).when(invoice("2026-05")));
        assert_eq!(invoice.totals.net, yen(200));
        assert_eq!(invoice.lines[0].order, Some(order(2)));
    }

    #[test]
    fn the_services_of_an_order_are_billed_by_their_contract_alone() {
        let service = line("SUITE-01", 10_000, TaxCategory::Standard);
        let contract = ContractConcluded { order: order(1), ..concluded() };
        let history = [
            placed(order(1), vec![service, chair(100)]),
            event(contract),
            fulfilled(order(1), "2026-05-11"),
        ];
        let invoice = issued(given(june(history)).when(invoice("2026-05")));
        assert_eq!(
            lines(&invoice),
            [(1, "Business Suite".to_owned(), 6_774), (2, "chair".to_owned(), 100)]
        );
    }

    #[test]
    fn goods_with_an_invoice_of_their_own_are_not_billed_again() {
        let history = [
            placed(order(1), vec![chair(100)]),
            fulfilled(order(1), "2026-05-11"),
            InvoiceOrder { order: order(1) }.into(),
        ];
        given(june(history)).when(invoice("2026-05")).then_rejected("nothing_to_invoice");
    }

    #[test]
    fn what_became_known_after_its_month_was_invoiced_comes_with_the_next() {
        let contract: ContractId = Ulid(2).into();
        let history = june([event(concluded())]).into_iter().chain([
            invoice("2026-05").into(),
            event(ContractConcluded { contract, ..concluded() }),
            placed(order(1), vec![chair(100)]),
            fulfilled(order(1), "2026-05-31"),
            at("2026-07-10T10:00"),
        ]);
        let found = issued(given(history).when(invoice("2026-06")));
        let amounts: Vec<i64> = lines(&found).into_iter().map(|line| line.2).collect();
        assert_eq!(amounts, [6_774, 100, 10_000, 10_000]);
        assert_eq!(found.sequence, SeriesNumber(2));
    }

    #[test]
    fn what_became_known_after_its_month_was_closed_comes_with_the_next() {
        let may = "2026-05".parse().unwrap();
        let history = june([]).into_iter().chain([
            CloseMonth { month: may }.into(),
            event(concluded()),
            at("2026-07-10T10:00"),
        ]);
        let found = issued(given(history).when(invoice("2026-06")));
        assert_eq!(found.totals.net, yen(16_774));
    }

    #[test]
    fn what_is_late_is_looked_for_ten_years_back() {
        let history = |delivered: &str| {
            let month = day(delivered).month();
            june([
                placed(order(1), vec![chair(100)]),
                fulfilled(order(1), delivered),
                event(MonthClosed { month, invoices: 0, gross: yen(0) }),
            ])
        };
        let found = issued(given(history("2016-05-01")).when(invoice("2026-05")));
        assert_eq!(found.totals.net, yen(100));
        given(history("2016-04-30")).when(invoice("2026-05")).then_rejected("nothing_to_invoice");
    }

    #[test]
    fn an_earlier_month_without_invoice_keeps_its_own() {
        let history = || book([event(concluded()), at("2026-07-10T10:00")]);
        let found = issued(given(history()).when(invoice("2026-06")));
        assert_eq!(found.totals.net, yen(10_000));
        let then = history().into_iter().chain([invoice("2026-06").into()]);
        assert_eq!(issued(given(then).when(invoice("2026-05"))).totals.net, yen(6_774));
    }

    #[test]
    fn more_given_back_than_charged_is_a_credit_r75() {
        let terms = ContractTerms {
            billing: BillingPeriod::Annual,
            licence_reduction: daicho_events::product::ReductionPolicy::WithRefund,
            ..terms()
        };
        let reduce =
            ReduceLicences { contract: ContractId::sample(), reduce: 6, from: day("2026-10-11") };
        let history = book([
            event(ContractConcluded { terms, ..concluded() }),
            reduce.into(),
            at("2026-11-10T10:00"),
        ]);
        let history = history.into_iter().chain([invoice("2026-05").into()]);
        let event = given(history).when(invoice("2026-10")).events().remove(0).event;
        let Event::Billing(BillingEvent::CreditIssued(credit)) = event else { panic!("{event:?}") };
        let CreditIssued { sequence, totals, lines, document_required, .. } = credit;
        assert_eq!((sequence, totals.gross), (SeriesNumber(2), yen(3_850)));
        assert_eq!((lines[0].amount, document_required), (yen(3_500), false));
    }

    #[test]
    fn what_a_credit_settled_is_not_billed_again() {
        let terms = ContractTerms {
            billing: BillingPeriod::Annual,
            licence_reduction: daicho_events::product::ReductionPolicy::WithRefund,
            ..terms()
        };
        let reduce =
            ReduceLicences { contract: ContractId::sample(), reduce: 6, from: day("2026-10-11") };
        let history = book([
            event(ContractConcluded { terms, ..concluded() }),
            reduce.into(),
            at("2026-11-10T10:00"),
            invoice("2026-05").into(),
            invoice("2026-10").into(),
        ]);
        given(history).when(invoice("2026-10")).then_rejected("nothing_to_invoice");
    }

    #[test]
    fn at_exactly_the_boundary_only_banks_take_it_r95() {
        // With 10 % rounded down: 299,999 and 300,000 yen.
        for (net, place) in [(272_727, PayableAt::BanksAndStores), (272_728, PayableAt::BanksOnly)]
        {
            let history = [placed(order(1), vec![chair(net)]), fulfilled(order(1), "2026-05-31")];
            let invoice = issued(given(june(history)).when(invoice("2026-05")));
            assert_eq!(invoice.payable_at, place, "{}", invoice.totals.gross);
        }
    }

    #[test]
    fn a_customer_does_not_bill_himself() {
        let member = by(Actor::Member(Sample::sample()));
        given(june([event(concluded()), member]))
            .when(invoice("2026-05"))
            .then_rejected("staff_only");
    }

    #[test]
    fn a_book_without_settings_bills_nothing() {
        given([event(concluded())]).when(invoice("2026-05")).then_rejected("shop_not_open");
    }

    #[test]
    fn a_month_is_billed_from_the_issue_day_of_the_next_r86() {
        let history = |clock| book([event(concluded()), at(clock)]);
        given(history("2026-06-09T23:59")).when(invoice("2026-05")).then_rejected("month_not_over");
        given(history("2026-06-10T00:00"))
            .when(invoice("2026-05"))
            .then_types(["billing.invoice_issued"]);
    }

    #[test]
    fn a_day_of_issue_is_neither_too_early_nor_to_come() {
        for issued_on in ["2026-06-09", "2026-06-11"] {
            let command = IssueInvoice { issued_on: Some(day(issued_on)), ..invoice("2026-05") };
            given(june([event(concluded())])).when(command).then_rejected("issue_day_outside");
        }
    }

    #[test]
    fn a_closed_month_is_not_invoiced_any_more() {
        let close = CloseMonth { month: "2026-05".parse().unwrap() };
        let history = june([event(concluded())]).into_iter().chain([close.into()]);
        given(history).when(invoice("2026-05")).then_rejected("month_closed");
    }

    #[test]
    fn an_unknown_organisation_is_refused() {
        given([open_book().into(), event(concluded()), at("2026-06-10T10:00")])
            .when(invoice("2026-05"))
            .then_rejected("organisation_unknown");
    }

    #[test]
    fn a_month_is_invoiced_once() {
        let history = june([event(concluded())]).into_iter().chain([invoice("2026-05").into()]);
        given(history).when(invoice("2026-05")).then_rejected("month_already_invoiced");
    }

    #[test]
    fn where_nothing_is_owed_there_is_no_invoice() {
        given(june([])).when(invoice("2026-05")).then_rejected("nothing_to_invoice");
    }

    #[test]
    fn another_organisations_contracts_and_orders_are_its_own() {
        let other = daicho_events::organisation::OrganisationRegistered {
            organisation: Ulid(9).into(),
            corporate_number: None,
            reference: None,
            ..organisation()
        };
        let history = june([event(other), event(concluded()), placed(order(1), vec![chair(100)])]);
        let command = IssueInvoice { organisation: Ulid(9).into(), ..invoice("2026-05") };
        given(history).when(command).then_rejected("nothing_to_invoice");
    }

    #[test]
    fn an_invoice_has_a_limit_of_lines() {
        let goods = |n: usize| {
            let lines = (0..n).map(|_| chair(1)).collect();
            june([placed(order(1), lines), fulfilled(order(1), "2026-05-31")])
        };
        given(goods(600)).when(invoice("2026-05")).then_types(["billing.invoice_issued"]);
        given(goods(601)).when(invoice("2026-05")).then_rejected("too_many_lines");
    }
}
