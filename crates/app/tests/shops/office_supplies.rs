//! An office-supplies shop: goods paid by card at two tax rates and invoiced at delivery, a partial
//! return, a sale of the previous system, and a quote that nobody took up. Its book was opened by
//! an older release.

use daicho_app::Preset;
use serde_json::{Value, json};

use super::{Opening, Person, Shop, Story, id, rules, yen};

/// The settings as version 1 wrote them: without the number of days for which a quote is valid.
const CONFIGURED: &str = concat!(
    r#"{"name":"Office Supplies Shop","currency":"JPY","time_zone":"Asia/Tokyo","#,
    r#""rounding":"half_up","verification_minutes":null,"main_registration":false,"#,
    r#""barcode_below":{"amount":"300000","currency":"JPY"},"invoice_prefix":"OS-"}"#,
);

pub const STORY: Story = Story {
    preset: Preset::OfficeSupplies,
    // The days on which the first sale is known, on which the first order is placed, and of the
    // return before its credit.
    days: ["2026-04-01", "2026-04-03", "2026-04-16"],
    name: "Office Supplies Shop",
    opened_at: "2026-04-01T08:00:00+09:00",
    opening: Opening::Version1(CONFIGURED),
};

const BUYER: Person = Person {
    company: "Kita Design",
    corporate_number: None,
    name: "Kita Jiro",
    email: "jiro@kita.example.com",
    phone: None,
    role: "administrator",
};

pub async fn live(shop: &mut Shop) {
    list_products(shop).await;
    shop.at("2026-04-01T10:00:00+09:00");
    shop.register(1, 2, BUYER).await;
    shop.member(2, "member.verify", json!({ "member": id(2) })).await;
    bring_over(shop).await;
    buy_and_return(shop).await;
    shop.at("2026-05-07T10:00:00+09:00");
    shop.staff("product.retire", json!({ "product": "COFFEE-1", "from": "2026-06-01" })).await;
}

async fn list_products(shop: &mut Shop) {
    for (product, name, tax, price) in [
        ("PAPER-A4", "Copying paper A4, 500 sheets", "standard", 433),
        ("COFFEE-1", "Coffee beans, 1 kg", "reduced", 1_999),
    ] {
        let plan = json!({
            "plan": "PIECE", "from": "2026-04-01", "price": yen(price), "billing": "once",
        });
        let data = json!({
            "product": product, "name": name, "kind": "goods", "tax": tax, "rules": rules("card"),
            "plans": [plan],
        });
        shop.staff("product.list", data).await;
    }
}

/// A sale and a return of the previous year, under the numbers of the previous system.
async fn bring_over(shop: &mut Shop) {
    let line = |quantity: u32| -> Value {
        json!({
            "product": "PAPER-B5", "name": "Copying paper B5", "quantity": quantity,
            "unit_price": yen(410),
        })
    };
    let data = json!({
        "order": id(20), "member": id(2), "reference": "OLD-7", "sold_on": "2025-11-20",
        "destination": "Sapporo", "lines": [line(3), line(3)], "tax": "standard",
    });
    shop.staff("order.record_sale", data).await;
    let data = json!({
        "goods_return": id(30), "member": id(2), "reference": "OLD-C8",
        "returned_on": "2025-12-01", "original": id(20), "lines": [line(4)], "tax": "standard",
        "reason": "wet",
    });
    shop.staff("order.record_return", data).await;
}

async fn buy_and_return(shop: &mut Shop) {
    let lines = json!([
        { "product": "PAPER-A4", "quantity": 7 }, { "product": "COFFEE-1", "quantity": 3 },
    ]);
    // Nobody takes it up: it lapses after the number of days that version 1 did not have.
    let data = json!({ "quote": id(10), "member": id(2), "lines": lines });
    shop.member(2, "quote.issue", data).await;
    shop.at("2026-04-03T17:45:00+09:00");
    for order in [21, 22] {
        let data = json!({
            "order": id(order), "member": id(2), "lines": lines, "payment_method": "card",
        });
        shop.member(2, "order.place", data).await;
    }
    let data = json!({ "order": id(22), "reason": "ordered twice" });
    shop.member(2, "order.cancel", data).await;
    shop.at("2026-04-06T09:00:00+09:00");
    let contracts = shop.take_order(21, "2026-04-08").await;
    assert_eq!(contracts, Vec::<String>::new(), "goods have no contract");
    shop.at("2026-04-08T16:00:00+09:00");
    shop.staff("order.fulfil", json!({ "order": id(21), "fulfilled_on": "2026-04-08" })).await;
    shop.staff("billing.invoice_order", json!({ "order": id(21) })).await;
    shop.pay(40, "2026-04-08", "card", ("OS-00000003", 2_000)).await;
    shop.at("2026-04-16T09:00:00+09:00");
    let data = json!({
        "goods_return": id(31), "member": id(2), "order": id(21),
        "lines": [{ "product": "COFFEE-1", "quantity": 2 }], "reason": "wrong roast",
    });
    shop.staff("order.take_back", data).await;
    shop.at("2026-04-17T09:00:00+09:00");
    shop.staff("billing.credit_return", json!({ "goods_return": id(31) })).await;
}
