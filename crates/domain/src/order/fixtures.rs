//! A stocked shop for tests: products of each kind, members of each role, and the steps of one
//! order, made of raw events so that no test depends on another command.

use daicho_events::member::{MemberMigrated, MemberRegistrationRequested, MemberRole};
use daicho_events::order::{
    DeliveryDateFixed, OrderAccepted, OrderCancelled, OrderConfirmed, OrderFulfilled, OrderPlaced,
};
use daicho_events::organisation::OrganisationRegistered;
use daicho_events::product::{
    BillingPeriod, CancellationPolicy, PaymentMethod, PenaltyRule, PlanPublished, ProductKind,
    ProductListed, ProductRetired, PurchaseRules, PurchaseRulesSet, ReductionPolicy,
    TermsPublished,
};
use daicho_events::quote::QuoteIssued;
use daicho_values::{
    Currency, MemberId, Money, Name, OrderId, OrganisationId, PlanCode, ProductCode, Quantity,
    QuoteId, Sample, Sha256, TaxCategory, TermsVersion,
};

use crate::pricing::{Priced, WantedLine};
use crate::state::{Catalogue, Fold, Shop};
use crate::testing::{History, Step, day, event, given, open_book, yen};

/// A service: 1,200 yen a month (1,300 from July 2026) or 12,000 a year, at most 100 a line, with a
/// desired start and terms, by invoice or account transfer.
pub(crate) const MAIL: &str = "mail";
/// The plan of a year.
pub(crate) const ANNUAL: &str = "annual";
/// Goods at the reduced rate, 500 yen.
pub(crate) const TEA: &str = "tea";
/// Goods, retired from June 2026.
pub(crate) const PAPER: &str = "paper";
/// Goods that cannot be cancelled once ordered.
pub(crate) const CUSTOM: &str = "custom";
/// Goods whose first price begins in 2027.
pub(crate) const DATED: &str = "dated";
/// Goods without any price, and without rules.
pub(crate) const PLAIN: &str = "plain";

pub(crate) fn code(text: &str) -> ProductCode {
    ProductCode::new(text).unwrap()
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn version(text: &str) -> TermsVersion {
    TermsVersion::new(text).unwrap()
}

pub(crate) fn organisation() -> OrganisationId {
    Sample::sample()
}

pub(crate) fn other_organisation() -> OrganisationId {
    "01J0000000000000000000000A".parse().unwrap()
}

/// May order.
pub(crate) fn administrator() -> MemberId {
    Sample::sample()
}

/// Of the same organisation; may not order.
pub(crate) fn general_user() -> MemberId {
    "01J0000000000000000000000B".parse().unwrap()
}

/// Of the same organisation; has not completed the registration.
pub(crate) fn applicant() -> MemberId {
    "01J0000000000000000000000C".parse().unwrap()
}

/// Administrator of another organisation.
pub(crate) fn stranger() -> MemberId {
    "01J0000000000000000000000D".parse().unwrap()
}

pub(crate) fn order_id() -> OrderId {
    Sample::sample()
}

pub(crate) fn quote_id() -> QuoteId {
    Sample::sample()
}

pub(crate) fn wanted(product: &str, plan: Option<&str>, quantity: i64) -> WantedLine {
    let plan = plan.map(|plan| PlanCode::new(plan).unwrap());
    WantedLine { product: code(product), plan, quantity }
}

pub(crate) fn listed(product: &str, as_name: &Name, kind: ProductKind) -> ProductListed {
    let tax = TaxCategory::Standard;
    ProductListed { product: code(product), name: as_name.clone(), kind, tax }
}

/// A plan of a month without a term.
pub(crate) fn plan(product: &str, plan: &str, from: &str, price: Money) -> PlanPublished {
    PlanPublished {
        product: code(product),
        plan: PlanCode::new(plan).unwrap(),
        from: day(from),
        price,
        billing: BillingPeriod::Monthly,
        term_months: None,
        auto_renew: false,
        first_month_free: true,
    }
}

/// Lenient rules, changed by the caller.
pub(crate) fn rules(product: &str, change: impl FnOnce(&mut PurchaseRules)) -> PurchaseRulesSet {
    let mut rules = PurchaseRules {
        quantity_max: None,
        desired_start: false,
        licence_addition: true,
        licence_reduction: ReductionPolicy::WithoutRefund,
        cancellation: CancellationPolicy::UntilConfirmed,
        notice_days: 0,
        penalty: PenaltyRule::Nothing,
        payment_methods: vec![PaymentMethod::Invoice, PaymentMethod::Card],
    };
    change(&mut rules);
    PurchaseRulesSet { product: code(product), rules }
}

pub(crate) fn terms_of(product: &str, of: &str) -> TermsPublished {
    TermsPublished { product: code(product), version: version(of), sha256: Sha256::sample() }
}

fn mail() -> Vec<Step> {
    let year = PlanPublished {
        billing: BillingPeriod::Annual,
        term_months: Some(12),
        first_month_free: false,
        ..plan(MAIL, ANNUAL, "2026-01-01", yen(12_000))
    };
    vec![
        event(listed(MAIL, &name("Business Mail"), ProductKind::Service)),
        event(plan(MAIL, "monthly", "2026-01-01", yen(1_200))),
        event(plan(MAIL, "monthly", "2026-07-01", yen(1_300))),
        event(year),
        event(rules(MAIL, |rules| {
            rules.quantity_max = Quantity::new(100).ok();
            rules.desired_start = true;
            rules.cancellation = CancellationPolicy::UntilDeliveryFixed;
            rules.notice_days = 30;
            rules.penalty = PenaltyRule::RemainingTerm;
            rules.payment_methods = vec![PaymentMethod::Invoice, PaymentMethod::DirectDebit];
        })),
        event(terms_of(MAIL, "2025-10")),
        event(terms_of(MAIL, "2026-04")),
    ]
}

fn goods(product: &str, from: &str, price: Money) -> Vec<Step> {
    vec![
        event(listed(product, &name(product), ProductKind::Goods)),
        event(plan(product, "piece", from, price)),
    ]
}

fn stock() -> Vec<Step> {
    let reduced = TaxCategory::Reduced;
    let tea = ProductListed { tax: reduced, ..listed(TEA, &name("Tea"), ProductKind::Goods) };
    let dollar = Money::parse("3", Currency::Usd).unwrap();
    let not_allowed = |rules: &mut PurchaseRules| {
        rules.cancellation = CancellationPolicy::NotAllowed;
    };
    let mut steps = mail();
    steps.push(event(tea));
    steps.push(event(plan(TEA, "piece", "2010-01-01", yen(500))));
    steps.push(event(rules(TEA, |_| {})));
    steps.extend(goods(PAPER, "2020-01-01", yen(300)));
    steps.push(event(ProductRetired { product: code(PAPER), from: day("2026-06-01") }));
    steps.extend(goods(CUSTOM, "2020-01-01", yen(8_000)));
    steps.push(event(rules(CUSTOM, not_allowed)));
    steps.extend(goods(DATED, "2027-01-01", yen(100)));
    steps.push(event(listed(PLAIN, &name("Plain"), ProductKind::Goods)));
    steps.extend(goods("imported", "2020-01-01", dollar));
    steps.extend(goods("castle", "2020-01-01", yen(1_000_000_000_000)));
    steps
}

fn people() -> Vec<Step> {
    let member = |member, organisation, role| {
        let sample = MemberMigrated::sample();
        event(MemberMigrated { member, organisation, role, ..sample })
    };
    let company = |organisation| {
        let sample = OrganisationRegistered::sample();
        event(OrganisationRegistered { organisation, reference: None, ..sample })
    };
    let request = MemberRegistrationRequested {
        member: applicant(),
        organisation: organisation(),
        role: MemberRole::Administrator,
        ..MemberRegistrationRequested::sample()
    };
    vec![
        company(organisation()),
        company(other_organisation()),
        member(administrator(), organisation(), MemberRole::Administrator),
        member(general_user(), organisation(), MemberRole::General),
        member(stranger(), other_organisation(), MemberRole::Administrator),
        event(request),
    ]
}

/// An open shop with its stock and its members, and what happened then.
pub(crate) fn shop(more: impl IntoIterator<Item = Step>) -> Vec<Step> {
    let mut steps = vec![open_book().into()];
    steps.extend(stock());
    steps.extend(people());
    steps.extend(more);
    steps
}

/// The shop and the catalogue that a history leaves.
pub(crate) fn known(history: &History) -> (Catalogue, Shop) {
    let (mut catalogue, mut shop) = (Catalogue::default(), Shop::default());
    for recorded in history.recorded() {
        catalogue.apply(recorded);
        shop.apply(recorded);
    }
    (catalogue, shop)
}

/// The stocked shop and its catalogue.
pub(crate) fn known_shop() -> (Catalogue, Shop) {
    known(&given(shop([])))
}

/// Lines at the prices of 2026-05-11.
pub(crate) fn priced(lines: &[WantedLine]) -> Priced {
    let (catalogue, shop) = known_shop();
    Priced::of_wanted(lines, day("2026-05-11"), &catalogue, &shop).unwrap()
}

/// An order by the administrator at the prices of 2026-05-11.
pub(crate) fn order_placed(lines: &[WantedLine]) -> OrderPlaced {
    let priced = priced(lines);
    OrderPlaced {
        order: order_id(),
        member: administrator(),
        organisation: organisation(),
        quote: None,
        lines: priced.lines,
        totals: priced.totals,
        payment_method: PaymentMethod::Invoice,
        terms: Vec::new(),
        sales_rep: None,
        desired_start: None,
        reference: None,
        destination: None,
    }
}

/// A quote for the administrator at the prices of 2026-05-11, valid until 2026-06-10.
pub(crate) fn quote_of(lines: &[WantedLine]) -> QuoteIssued {
    let priced = priced(lines);
    QuoteIssued {
        quote: quote_id(),
        member: administrator(),
        organisation: organisation(),
        lines: priced.lines,
        totals: priced.totals,
        valid_until: day("2026-06-10"),
    }
}

/// An order of five teas in a stocked shop, and what happened then.
pub(crate) fn placed(more: impl IntoIterator<Item = Step>) -> Vec<Step> {
    let order = event(order_placed(&[wanted(TEA, None, 5)]));
    shop([order].into_iter().chain(more))
}

pub(crate) fn accepted(on: &str) -> Step {
    event(OrderAccepted { order: order_id(), accepted_on: day(on) })
}

pub(crate) fn delivery_fixed(on: &str) -> Step {
    event(DeliveryDateFixed { order: order_id(), delivery_on: day(on) })
}

pub(crate) fn confirmed() -> Step {
    event(OrderConfirmed { order: order_id() })
}

pub(crate) fn fulfilled(on: &str) -> Step {
    event(OrderFulfilled { order: order_id(), fulfilled_on: day(on) })
}

pub(crate) fn cancelled() -> Step {
    event(OrderCancelled { order: order_id(), reason: "changed my mind".to_owned() })
}
