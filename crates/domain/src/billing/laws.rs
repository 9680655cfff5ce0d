//! Laws of billing, for any contract and any goods: every day is paid once, sums add up, tax is
//! rounded once per rate.

use std::collections::BTreeMap;

use daicho_events::billing::{BillingEvent, InvoiceIssued, InvoiceLine};
use daicho_events::contract::{
    CancellationScheduled, ContractConcluded, ContractTerms, QuantityChanged,
};
use daicho_events::product::BillingPeriod;
use daicho_events::{Event, Recorded};
use daicho_values::{Date, Money, Month, Quantity, Rounding, Sample, TaxCategory, TaxRate};
use proptest::prelude::*;

use super::charges::charges;
use super::fixtures::{book, fulfilled, invoice, line, order, placed};
use crate::contract::fixtures::{concluded, licences, recorded, terms};
use crate::state::{Contract, Contracts, Fold};
use crate::testing::{Step, at, day, event, given, yen};

/// Days over which the laws are looked at, 29 February 2028 among them.
const DAYS: u32 = 900;

fn first_day() -> Date {
    day("2027-01-01")
}

/// A contract with a random start, end and changes of licences, the days in order.
#[derive(Debug, Clone)]
struct Plan {
    first_month_free: bool,
    refund: bool,
    starts: u32,
    ends: Option<u32>,
    changes: Vec<(u32, u32)>,
}

fn plans() -> impl Strategy<Value = Plan> {
    let changes = prop::collection::vec((0..60_u32, 1..30_u32), 0..12);
    (any::<bool>(), any::<bool>(), 0..70_u32, prop::option::of(0..400_u32), changes).prop_map(
        |(first_month_free, refund, starts, length, gaps)| {
            let mut last = starts;
            let mut changes = Vec::new();
            for (gap, quantity) in gaps {
                last += gap;
                changes.push((last, quantity));
            }
            let ends = length.map(|length| starts + length);
            Plan { first_month_free, refund, starts, ends, changes }
        },
    )
}

impl Plan {
    fn concluded(&self, billing: BillingPeriod) -> ContractConcluded {
        let terms = ContractTerms { billing, first_month_free: self.first_month_free, ..terms() };
        let starts_on = first_day().plus_days(self.starts);
        ContractConcluded { starts_on, terms, ..concluded() }
    }

    fn events(&self, billing: BillingPeriod) -> Vec<Event> {
        let first = self.concluded(billing);
        let (contract, organisation) = (first.contract, first.organisation);
        let mut events = vec![Event::from(first)];
        for (day, quantity) in &self.changes {
            events.push(Event::from(QuantityChanged {
                contract,
                organisation,
                before: Quantity::sample(),
                quantity: licences(i64::from(*quantity)),
                from: first_day().plus_days(*day),
                refund: self.refund,
            }));
        }
        events.extend(self.ends.map(|ends| {
            let ends_on = first_day().plus_days(ends);
            let reason = "moved".to_owned();
            Event::from(CancellationScheduled { contract, organisation, ends_on, reason })
        }));
        events
    }

    fn contract(&self, billing: BillingPeriod) -> Contract {
        let mut contracts = Contracts::default();
        let events: Vec<Recorded> = self.events(billing).into_iter().map(recorded).collect();
        events.iter().for_each(|event| contracts.apply(event));
        contracts.iter().next().unwrap().clone()
    }
}

fn days() -> impl Iterator<Item = Date> {
    (0..DAYS).map(|n| first_day().plus_days(n))
}

fn months() -> impl Iterator<Item = Month> {
    std::iter::successors(Some(first_day().month()), |month| Some(month.next())).take(30)
}

/// How many licences are paid for on each day.
fn paid(contract: &Contract) -> BTreeMap<Date, i64> {
    let mut paid: BTreeMap<Date, i64> = days().map(|day| (day, 0)).collect();
    for month in months() {
        for charge in charges(contract, month, Rounding::HalfUp).unwrap() {
            assert_eq!(charge.period.from.month(), month, "a charge begins in its month");
            let licences = i64::from(charge.quantity.get());
            let licences = if charge.amount.is_negative() { -licences } else { licences };
            let held = paid.range_mut(charge.period.from..=charge.period.to);
            held.for_each(|(_, held)| *held += licences);
        }
    }
    paid
}

/// Licences to be paid for a day: those of the day; without refund, the most so far this month.
fn owed(contract: &Contract, refund: bool, day: Date) -> i64 {
    if day < contract.charged_from() || !contract.in_force(day) {
        return 0;
    }
    let on = |day: Date| i64::from(contract.licences_on(day).get());
    if refund {
        return on(day);
    }
    let from = contract.charged_from().max(day.month().first());
    let so_far = std::iter::successors(Some(from), |day| Some(day.next()));
    so_far.take_while(|it| *it <= day).map(on).max().unwrap()
}

fn invoices(steps: Vec<Step>) -> Vec<InvoiceIssued> {
    let history = given(steps);
    let mut invoices = Vec::new();
    for recorded in history.recorded() {
        if let Event::Billing(BillingEvent::InvoiceIssued(issued)) = &recorded.event {
            invoices.push(issued.clone());
        }
    }
    invoices
}

fn categories() -> impl Strategy<Value = TaxCategory> {
    prop::sample::select(vec![TaxCategory::Standard, TaxCategory::Reduced, TaxCategory::OutOfScope])
}

/// The sum of a rate's lines.
fn net(lines: &[InvoiceLine], category: TaxCategory, rate: TaxRate) -> Money {
    let of_rate = lines.iter().filter(|line| line.tax == category && line.rate == rate);
    of_rate.fold(yen(0), |sum, line| sum.plus(line.amount).unwrap())
}

proptest! {
    #[test]
    fn a_monthly_plan_pays_for_each_day_in_force_once_and_for_no_other_r74_r75_r86(
        plan in plans()
    ) {
        let contract = plan.contract(BillingPeriod::Monthly);
        for (day, paid) in paid(&contract) {
            prop_assert_eq!(paid, owed(&contract, plan.refund, day), "{}", day);
        }
    }

    #[test]
    fn an_annual_plan_pays_for_each_day_in_force_once(plan in plans()) {
        let plan = Plan { changes: Vec::new(), ..plan };
        let contract = plan.contract(BillingPeriod::Annual);
        for (day, paid) in paid(&contract) {
            let in_force = day >= contract.charged_from() && contract.in_force(day);
            // Beyond the end the year that was paid in advance runs on: nothing is given back.
            prop_assert!(paid == if in_force { 10 } else { paid.min(10) }, "{day} {paid}");
        }
    }

    #[test]
    fn sums_of_lines_are_the_totals_and_tax_is_rounded_once_per_rate(
        goods in prop::collection::vec((1..50_000_i64, categories()), 1..20)
    ) {
        let goods = goods.into_iter().map(|(price, tax)| line("goods", price, tax)).collect();
        let steps = [placed(order(1), goods), fulfilled(order(1), "2026-05-31")];
        let steps = book(steps).into_iter().chain([
            at("2026-06-10T10:00"),
            invoice("2026-05").into(),
        ]);
        let found = invoices(steps.collect()).remove(0);
        let totals = found.totals;
        let mut sum = (yen(0), yen(0));
        for part in &totals.rates {
            prop_assert_eq!(part.net, net(&found.lines, part.category, part.rate));
            let whole_percents = i64::from(part.rate.0) * part.net.minor_units();
            prop_assert_eq!(part.tax, yen(whole_percents / 10_000));
            sum = (sum.0.plus(part.net).unwrap(), sum.1.plus(part.tax).unwrap());
        }
        prop_assert_eq!(sum, (totals.net, totals.tax));
        prop_assert_eq!(totals.net.plus(totals.tax).unwrap(), totals.gross);
    }
}

#[test]
fn a_year_of_invoices_charges_no_day_twice_and_misses_none_r86() {
    let plan = Plan {
        first_month_free: false,
        refund: true,
        starts: 14,
        ends: Some(350),
        changes: vec![(100, 12), (200, 3)],
    };
    let history = plan.events(BillingPeriod::Monthly).into_iter().map(event);
    let mut steps = book(history);
    for month in months().take(12) {
        let issued = month.next().first().plus_days(9);
        steps.push(at(&format!("{issued}T10:00")));
        steps.push(invoice(&month.to_string()).into());
    }
    let invoices = invoices(steps);
    assert_eq!(invoices.len(), 12);
    let contract = plan.contract(BillingPeriod::Monthly);
    for day in days() {
        let lines = invoices.iter().flat_map(|invoice| &invoice.lines);
        let paying = lines.filter(|line| line.period.is_some_and(|period| period.contains(day)));
        let paid: i64 = paying
            .map(|line| {
                let licences = i64::from(line.quantity.get());
                if line.amount.is_negative() { -licences } else { licences }
            })
            .sum();
        assert_eq!(paid, owed(&contract, true, day), "{day}");
    }
    let numbers: Vec<u64> = invoices.iter().map(|invoice| invoice.sequence.0).collect();
    assert_eq!(numbers, (1..=12).collect::<Vec<_>>());
}
