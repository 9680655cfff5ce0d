//! A software vendor's market: registration links valid for 30 minutes, staff who complete a
//! registration, payment a year in advance, a free first month, a rising price, a renamed product,
//! and billing from the 10th.

use daicho_app::Preset;
use serde_json::json;

use super::{Opening, Person, Shop, Story, id, rules, yen};

pub const STORY: Story = Story {
    preset: Preset::SoftwareMarket,
    // The days on which a member is registered but not complete, on which the contracts run, and on
    // which they are billed and not paid yet.
    days: ["2026-03-02", "2026-04-30", "2026-05-29"],
    name: "Software Market",
    opened_at: "2026-03-02T09:00:00+09:00",
    opening: Opening::Today,
};

const BUYER: Person = Person {
    company: "Minami Kogyo",
    corporate_number: Some("8700110005901"),
    name: "Minami Yui",
    email: "yui@minami.example.jp",
    phone: Some("+81-6-5550-0170"),
    role: "administrator",
};

const COLLEAGUE: Person =
    Person { name: "Minami Ken", email: "ken@minami.example.jp", role: "general", ..BUYER };

pub async fn live(shop: &mut Shop) {
    list_products(shop).await;
    register(shop).await;
    let [suite, backup] = buy(shop).await;
    shop.at("2026-04-01T00:00:30+09:00");
    for contract in [&suite, &backup] {
        let data = json!({ "contract": contract, "on": "2026-04-01" });
        shop.staff("contract.activate", data).await;
    }
    let data = json!({ "contract": suite, "add": 2, "from": "2026-05-01" });
    shop.member(2, "contract.add_licences", data).await;
    bill(shop).await;
    let data = json!({ "contract": backup, "ends_on": "2026-09-30", "reason": "not needed" });
    shop.member(2, "contract.cancel", data).await;
    shop.staff("product.retire", json!({ "product": "BACKUP", "from": "2026-07-01" })).await;
}

async fn list_products(shop: &mut Shop) {
    let annual = json!({
        "plan": "ANNUAL", "from": "2026-03-01", "price": yen(120_000), "billing": "annual",
        "term_months": 12, "auto_renew": true,
    });
    let data = json!({
        "product": "SUITE", "name": "Office Suite", "kind": "service", "tax": "standard",
        "rules": rules("direct_debit"), "plans": [annual],
        "terms": { "version": "1", "sha256": "a".repeat(64) },
    });
    shop.staff("product.list", data).await;
    let monthly = json!({
        "plan": "MONTHLY", "from": "2026-03-01", "price": yen(1_980), "billing": "monthly",
        "first_month_free": true,
    });
    let data = json!({
        "product": "BACKUP", "name": "Backup", "kind": "service", "tax": "standard",
        "rules": rules("direct_debit"), "plans": [monthly],
    });
    shop.staff("product.list", data).await;
    let terms = json!({ "product": "SUITE", "version": "2", "sha256": "b".repeat(64) });
    shop.staff("product.publish_terms", terms).await;
}

/// One person who is admitted, and one whose link nobody followed.
async fn register(shop: &mut Shop) {
    shop.at("2026-03-02T11:00:00+09:00");
    shop.register(1, 2, BUYER).await;
    shop.join(1, 3, COLLEAGUE).await;
    shop.at("2026-03-02T11:29:59+09:00");
    shop.member(2, "member.verify", json!({ "member": id(2) })).await;
    shop.at("2026-03-04T09:00:00+09:00");
    shop.staff("member.complete_registration", json!({ "member": id(2) })).await;
}

/// Places an order from a quote, which keeps its prices and names whatever the catalogue says
/// later.
async fn buy(shop: &mut Shop) -> [String; 2] {
    shop.at("2026-03-12T10:00:00+09:00");
    let lines = json!([
        { "product": "SUITE", "quantity": 4 }, { "product": "BACKUP", "quantity": 10 },
    ]);
    let data = json!({ "quote": id(10), "member": id(2), "lines": lines });
    shop.member(2, "quote.issue", data).await;
    shop.at("2026-03-16T10:00:00+09:00");
    let data = json!({
        "product": "SUITE", "plan": "ANNUAL", "from": "2026-03-16", "price": yen(132_000),
        "billing": "annual", "term_months": 12, "auto_renew": true,
    });
    shop.staff("product.publish_plan", data).await;
    let data = json!({ "product": "SUITE", "name": "Office Suite 2026" });
    shop.staff("product.rename", data).await;
    shop.at("2026-03-18T18:30:00+09:00");
    let data = json!({
        "order": id(20), "member": id(2), "quote": id(10), "payment_method": "direct_debit",
        "terms": [{ "product": "SUITE", "version": "2" }],
    });
    shop.member(2, "order.place", data).await;
    shop.at("2026-03-19T09:00:00+09:00");
    let contracts = shop.take_order(20, "2026-04-01").await;
    contracts.try_into().expect("two lines, two services")
}

async fn bill(shop: &mut Shop) {
    shop.at("2026-05-11T10:00:00+09:00");
    shop.bill(1, "2026-04").await;
    shop.at("2026-06-01T10:00:00+09:00");
    shop.pay(40, "2026-06-01", "direct_debit", ("R00000001", 528_000)).await;
    shop.at("2026-06-10T10:00:00+09:00");
    shop.bill(1, "2026-05").await;
}
