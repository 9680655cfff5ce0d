//! A telecom operator's business shop: a line billed monthly and a router, a quote taken up after
//! the cut-off, licences added and reduced, a return with its credit, and an end within the term.

use daicho_app::Preset;
use serde_json::json;

use super::{Opening, Person, Shop, Story, id, rules, yen};

pub const STORY: Story = Story {
    preset: Preset::TelecomShop,
    // The day of the order, which is placed after the cut-off; a holiday between a return and its
    // recording; the day of payments that are recorded later.
    days: ["2026-01-20", "2026-02-11", "2026-03-31"],
    name: "Business Line Shop",
    opened_at: "2026-01-15T09:30:00+09:00",
    opening: Opening::Today,
};

const BUYER: Person = Person {
    company: "Aoba Shoji",
    corporate_number: Some("8700110005901"),
    name: "Aoba Hanako",
    email: "hanako@aoba.example.co.jp",
    phone: Some("+81-3-5550-0101"),
    role: "administrator",
};

pub async fn live(shop: &mut Shop) {
    list_products(shop).await;
    buy(shop).await;
    let contract = deliver(shop).await;
    bill_and_end(shop, &contract).await;
}

async fn list_products(shop: &mut Shop) {
    let plan = json!({
        "plan": "MONTHLY", "from": "2026-01-01", "price": yen(3_000), "billing": "monthly",
        "term_months": 12, "auto_renew": true,
    });
    let terms = json!({ "version": "2026-01", "sha256": "1".repeat(64) });
    shop.staff(
        "product.list",
        json!({
            "product": "LINE-01", "name": "Business Line", "kind": "service", "tax": "standard",
            "rules": rules("invoice"), "plans": [plan], "terms": terms,
        }),
    )
    .await;
    let plan = json!({
        "plan": "PIECE", "from": "2026-01-01", "price": yen(9_800), "billing": "once",
    });
    shop.staff(
        "product.list",
        json!({
            "product": "ROUTER-01", "name": "Router", "kind": "goods", "tax": "standard",
            "rules": rules("invoice"), "plans": [plan],
        }),
    )
    .await;
}

async fn buy(shop: &mut Shop) {
    shop.at("2026-01-16T10:00:00+09:00");
    shop.register(1, 2, BUYER).await;
    shop.at("2026-01-16T10:20:00+09:00");
    shop.member(2, "member.verify", json!({ "member": id(2) })).await;
    let lines = json!([
        { "product": "LINE-01", "quantity": 5 }, { "product": "ROUTER-01", "quantity": 2 },
    ]);
    for quote in [10, 11, 12] {
        let data = json!({ "quote": id(quote), "member": id(2), "lines": lines });
        shop.member(2, "quote.issue", data).await;
    }
    shop.at("2026-01-19T16:00:00+09:00");
    let data = json!({ "quote": id(11), "reason": "offered twice" });
    shop.staff("quote.withdraw", data).await;
    shop.at("2026-01-20T14:10:00+09:00");
    let terms = json!([{ "product": "LINE-01", "version": "2026-01" }]);
    let data = json!({
        "order": id(20), "member": id(2), "quote": id(10), "payment_method": "invoice",
        "terms": terms, "sales_rep": "S-104", "desired_start": "2026-02-01",
    });
    shop.member(2, "order.place", data).await;
}

/// Opens the service, delivers the goods and takes one back; returns the contract.
async fn deliver(shop: &mut Shop) -> String {
    shop.at("2026-01-21T09:05:00+09:00");
    let contracts = shop.take_order(20, "2026-01-30").await;
    let [contract] = contracts.as_slice() else { panic!("one line is a service: {contracts:?}") };
    shop.at("2026-02-02T09:00:00+09:00");
    let data = json!({ "contract": contract, "on": "2026-02-02" });
    shop.staff("contract.activate", data).await;
    shop.staff("order.fulfil", json!({ "order": id(20), "fulfilled_on": "2026-01-30" })).await;
    shop.staff("billing.invoice_order", json!({ "order": id(20) })).await;
    let data = json!({ "contract": contract, "add": 3, "from": "2026-02-16" });
    shop.member(2, "contract.add_licences", data).await;
    shop.at("2026-02-12T11:00:00+09:00");
    let data = json!({
        "goods_return": id(30), "member": id(2), "order": id(20), "on": "2026-02-10",
        "lines": [{ "product": "ROUTER-01", "quantity": 1 }], "reason": "one is enough",
    });
    shop.staff("order.take_back", data).await;
    shop.staff("billing.credit_return", json!({ "goods_return": id(30) })).await;
    let data = json!({ "contract": contract, "reduce": 1, "from": "2026-03-01" });
    shop.member(2, "contract.reduce_licences", data).await;
    contract.clone()
}

/// Bills month by month (one month is forgotten and billed with the next), and bills the penalty of
/// an end within the term.
async fn bill_and_end(shop: &mut Shop, contract: &str) {
    shop.at("2026-03-10T10:00:00+09:00");
    shop.bill(1, "2026-02").await;
    shop.at("2026-04-02T10:00:00+09:00");
    shop.pay(40, "2026-03-31", "bank_transfer", ("R00000001", 10_780)).await;
    shop.pay(41, "2026-03-31", "convenience_store", ("R00000003", 10_000)).await;
    shop.at("2026-04-10T10:00:00+09:00");
    shop.bill(1, "2026-03").await;
    shop.at("2026-04-20T15:00:00+09:00");
    let data = json!({ "contract": contract, "ends_on": "2026-06-30", "reason": "moved away" });
    shop.member(2, "contract.cancel", data).await;
    shop.at("2026-05-11T10:00:00+09:00");
    shop.staff("billing.close_month", json!({ "month": "2026-04" })).await;
    shop.at("2026-06-10T10:00:00+09:00");
    shop.bill(1, "2026-05").await;
    shop.at("2026-07-10T10:00:00+09:00");
    shop.bill(1, "2026-06").await;
}
