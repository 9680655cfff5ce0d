//! Whatever is done keeps to the settings of its own day, whatever was set for days before or
//! after. Decisions once asked for what was set last: an order was accepted by the cut-off of the
//! day on which staff took it, an invoice dated back had the prefix and the due date of the day
//! after.

use daicho_events::billing::{BillingEvent, CreditIssued, InvoiceIssued, PayableAt};
use daicho_events::member::MemberEvent;
use daicho_events::product::{CancellationPolicy, PaymentMethod, PurchaseRules};
use daicho_events::quote::QuoteEvent;
use daicho_events::{Event, NewEvent};
use daicho_values::{
    Date, InvoiceNumber, IssuerNumber, Quantity, QuoteId, Reference, ReturnId, Sample, TaxCategory,
};
use serde_json::{Value, json};

use crate::billing::fixtures::{book, invoice};
use crate::billing::{CloseMonth, CreditReturn, IssueInvoice};
use crate::contract::fixtures::concluded;
use crate::member::samples::{register, request, verify};
use crate::order::fixtures::{
    TEA, administrator, code, fulfilled, name, order_id, order_placed, rules, shop, wanted,
};
use crate::order::{CancelOrder, PlaceOrder, RecordSale, SoldLine};
use crate::product::SetRules;
use crate::quote::IssueQuote;
use crate::returns::{AcceptReturn, ImportReturn, ReturnedLine};
use crate::shop::SetSettings;
use crate::testing::{Step, at, day, event, given, open_book, yen};

fn set(from: &str, settings: Value) -> Step {
    let settings = serde_json::from_value(settings).unwrap();
    SetSettings { from: Some(day(from)), settings }.into()
}

/// Everything that a document of a day depends on.
fn others() -> Value {
    json!({
        "invoice_prefix": "N-", "rounding": "ceiling", "barcode_below": null,
        "issuer": "T1234567890123",
        "calendar": { "closed_days": "bank", "extra_closed": ["2026-06-30", "2026-07-31"] },
    })
}

fn invoice_of(events: &[NewEvent]) -> &InvoiceIssued {
    let issued = events.iter().find_map(|new| {
        let Event::Billing(BillingEvent::InvoiceIssued(issued)) = &new.event else { return None };
        Some(issued)
    });
    issued.expect("an invoice is issued")
}

fn credit_of(events: &[NewEvent]) -> &CreditIssued {
    let issued = events.iter().find_map(|new| {
        let Event::Billing(BillingEvent::CreditIssued(issued)) = &new.event else { return None };
        Some(issued)
    });
    issued.expect("a credit is issued")
}

/// The invoice of May, issued on a day after the settings changed on 1 July.
fn issued_on(issued_on: &str) -> InvoiceIssued {
    let changed = [at("2026-07-03T10:00"), set("2026-07-01", others())];
    let history = book([event(concluded())].into_iter().chain(changed));
    let command = IssueInvoice { issued_on: Some(day(issued_on)), ..invoice("2026-05") };
    invoice_of(&given(history).when(command).events()).clone()
}

fn number(text: &str) -> InvoiceNumber {
    InvoiceNumber::new(text).unwrap()
}

#[test]
fn an_invoice_that_is_dated_back_has_the_settings_of_its_day_of_issue_r85_r92_r95() {
    let before = issued_on("2026-06-10");
    assert_eq!((before.invoice, before.due_on), (number("R00000001"), day("2026-06-30")));
    assert_eq!((before.payable_at, before.totals.tax), (PayableAt::BanksAndStores, yen(677)));
    assert_eq!(before.issuer, Some(IssuerNumber::sample()));
    let after = issued_on("2026-07-02");
    assert_eq!((after.invoice, after.due_on), (number("N-00000001"), day("2026-08-03")));
    assert_eq!((after.payable_at, after.totals.tax), (PayableAt::BanksOnly, yen(678)));
    assert_eq!(after.issuer, Some(IssuerNumber::new("T1234567890123").unwrap()));
}

#[test]
fn a_month_is_billed_from_the_issue_day_that_held_when_the_next_began_r86() {
    let history = |more: [Step; 1]| {
        let changed = [at("2026-06-12T10:00"), set("2026-06-11", json!({ "issue_day": 15 }))];
        given(book([event(concluded())].into_iter().chain(changed).chain(more)))
    };
    let today = || [at("2026-06-12T10:00")];
    history(today()).when(invoice("2026-05")).then_types(["billing.invoice_issued"]);
    let close = CloseMonth { month: "2026-05".parse().unwrap() };
    history(today()).when(close).then_types(["billing.month_closed"]);
    let early = history([at("2026-07-14T10:00")]).when(invoice("2026-06"));
    early.then_rejected("month_not_over");
    let in_time = history([at("2026-07-15T10:00")]).when(invoice("2026-06"));
    in_time.then_types(["billing.invoice_issued"]);
}

fn sale(sold_on: Date) -> RecordSale {
    let line = SoldLine {
        product: code("85123A"),
        name: name("WHITE HANGING HEART"),
        quantity: 1,
        unit_price: yen(105),
    };
    RecordSale {
        order: order_id(),
        member: administrator(),
        reference: Reference::sample(),
        sold_on,
        destination: None,
        lines: vec![line],
        tax: TaxCategory::Standard,
    }
}

#[test]
fn a_recorded_sale_has_the_settings_of_its_day() {
    let recorded = |sold_on| {
        let history = shop([at("2026-07-03T10:00"), set("2026-07-01", others())]);
        invoice_of(&given(history).when(sale(day(sold_on))).events()).clone()
    };
    let before = recorded("2026-06-01");
    assert_eq!((before.invoice, before.totals.tax), (number("R00000001"), yen(10)));
    assert_eq!((before.due_on, before.payable_at), (day("2026-06-30"), PayableAt::BanksAndStores));
    assert_eq!(before.issuer, Some(IssuerNumber::sample()));
    let after = recorded("2026-07-02");
    assert_eq!((after.invoice, after.totals.tax), (number("N-00000001"), yen(11)));
}

#[test]
fn a_recorded_return_has_the_settings_of_its_day() {
    let recorded = |returned_on| {
        let history = shop([at("2026-07-03T10:00"), set("2026-07-01", others())]);
        let back = ImportReturn {
            goods_return: ReturnId::sample(),
            member: administrator(),
            reference: Reference::sample(),
            returned_on: day(returned_on),
            original: None,
            lines: sale(day(returned_on)).lines,
            tax: TaxCategory::Standard,
            reason: "damaged".to_owned(),
        };
        credit_of(&given(history).when(back).events()).clone()
    };
    let before = recorded("2026-06-01");
    assert_eq!((before.credit, before.totals.tax), (number("R00000001"), yen(10)));
    let after = recorded("2026-07-02");
    assert_eq!((after.credit, after.totals.tax), (number("N-00000001"), yen(11)));
}

#[test]
fn goods_that_came_back_on_a_past_day_are_rounded_as_then() {
    let tax = |on| {
        let order = event(order_placed(&[wanted(TEA, None, 1)]));
        let changed = [at("2026-07-03T10:00"), set("2026-07-01", others())];
        let history = shop([order, fulfilled("2026-05-11")].into_iter().chain(changed));
        let back = AcceptReturn {
            goods_return: ReturnId::sample(),
            member: administrator(),
            order: None,
            lines: vec![ReturnedLine {
                product: code(TEA),
                quantity: 1,
                unit_price: Some(yen(105)),
            }],
            reason: "damaged".to_owned(),
            reference: None,
            on: Some(day(on)),
        };
        let events = given(history).when(back).events();
        let Event::Order(daicho_events::order::OrderEvent::GoodsReturned(returned)) =
            &events[0].event
        else {
            panic!("{events:?}")
        };
        returned.totals.tax
    };
    // 8 % of 105 yen are 8.4.
    assert_eq!((tax("2026-06-01"), tax("2026-07-02")), (yen(8), yen(9)));
}

#[test]
fn a_credit_has_the_prefix_of_its_day_r92() {
    let take_back = AcceptReturn {
        goods_return: ReturnId::sample(),
        member: administrator(),
        order: Some(order_id()),
        lines: vec![ReturnedLine { product: code("85123A"), quantity: 1, unit_price: None }],
        reason: "damaged".to_owned(),
        reference: None,
        on: None,
    };
    let changed = set("2026-07-01", json!({ "invoice_prefix": "N-" }));
    let sold = sale(day("2026-05-11"));
    let history = shop([sold.into(), take_back.into(), changed, at("2026-07-01T10:00")]);
    let credit = CreditReturn { goods_return: ReturnId::sample() };
    let events = given(history).when(credit).events();
    assert_eq!(credit_of(&events).credit, number("N-00000002"));
}

#[test]
fn a_quote_holds_for_as_long_as_is_set_on_its_day_of_issue_r53() {
    let valid_until = |now| {
        let changed = set("2026-06-01", json!({ "quote_valid_days": 60, "rounding": "ceiling" }));
        let quote = IssueQuote {
            quote: QuoteId::sample(),
            member: administrator(),
            lines: vec![wanted(TEA, None, 1)],
        };
        let events = given(shop([changed, at(now)])).when(quote).events();
        let Event::Quote(QuoteEvent::Issued(issued)) = &events[0].event else {
            panic!("{events:?}")
        };
        issued.valid_until
    };
    assert_eq!(valid_until("2026-05-31T10:00"), day("2026-06-30"));
    assert_eq!(valid_until("2026-06-01T10:00"), day("2026-07-31"));
}

#[test]
fn a_link_holds_for_as_long_as_is_set_on_the_day_it_is_mailed_r14() {
    let minutes = |now: &str| {
        let changed = set("2026-06-01", json!({ "verification_minutes": 60 }));
        let history = [open_book().into(), register().into(), changed, at(now)];
        let events = given(history).when(request(1)).events();
        let Event::Member(MemberEvent::VerificationLinkIssued(link)) = &events[1].event else {
            panic!("{events:?}")
        };
        link.expires_at.map(|expires_at| expires_at.to_string())
    };
    assert_eq!(minutes("2026-05-31T10:00"), Some("2026-05-31T01:30:00.000000Z".to_owned()));
    assert_eq!(minutes("2026-06-01T10:00"), Some("2026-06-01T02:00:00.000000Z".to_owned()));
}

#[test]
fn who_verifies_is_registered_as_is_set_on_that_day_r11_r13() {
    let links = json!({ "main_registration": false, "verification_minutes": null });
    let steps = [open_book().into(), register().into(), set("2026-06-01", links)];
    let requested = [at("2026-06-01T10:00"), request(1).into()];
    let history = given(steps.into_iter().chain(requested));
    let types = ["member.email_verified", "member.main_registration_completed"];
    history.when(verify(1)).then_types(types);
}

#[test]
fn an_order_keeps_to_the_rules_of_its_product_on_its_day_r57() {
    let placed = |now: &str| {
        let few = |rules: &mut PurchaseRules| rules.quantity_max = Quantity::new(1).ok();
        let rules = rules(TEA, few).rules;
        let set = SetRules { product: code(TEA), rules, from: Some(day("2026-06-01")) };
        let order = PlaceOrder {
            order: order_id(),
            member: administrator(),
            quote: None,
            lines: vec![wanted(TEA, None, 2)],
            payment_method: PaymentMethod::Invoice,
            terms: Vec::new(),
            sales_rep: None,
            desired_start: None,
        };
        given(shop([set.into(), at(now)])).when(order)
    };
    placed("2026-05-31T10:00").then_types(["order.placed"]);
    placed("2026-06-01T10:00").then_rejected("quantity_over_limit");
}

#[test]
fn an_order_is_cancelled_by_the_rules_of_the_day_of_its_cancellation_r66() {
    let cancelled = |now: &str| {
        let never = |rules: &mut PurchaseRules| {
            rules.cancellation = CancellationPolicy::NotAllowed;
        };
        let rules = rules(TEA, never).rules;
        let set = SetRules { product: code(TEA), rules, from: Some(day("2026-06-01")) };
        let order = event(order_placed(&[wanted(TEA, None, 1)]));
        let cancel = CancelOrder { order: order_id(), reason: "ordered twice".to_owned() };
        given(shop([set.into(), order, at(now)])).when(cancel)
    };
    cancelled("2026-05-31T10:00").then_types(["order.cancelled"]);
    cancelled("2026-06-01T10:00").then_rejected("cancellation_not_allowed");
}
