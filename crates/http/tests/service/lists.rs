//! Lists: filters, pages, the two time axes, waiting for one's own write, JSON and CSV.

use daicho_app::Role;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Answers, MEMBER, ORDER, Running};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_is_filtered_by_column_and_condition() {
    let service = Running::start().await;
    let rows = async |query: &str| {
        let page = service.get(&format!("./orders{query}")).gives(StatusCode::OK).await.json();
        page["rows"].as_array().unwrap().len()
    };
    assert_eq!(rows("").await, 1);
    assert_eq!(rows(&format!("?member={MEMBER}")).await, 1);
    assert_eq!(rows("?status=placed").await, 0);
    assert_eq!(rows("?where=status!%3Dplaced&sort=-order").await, 1);
    assert_eq!(rows("?known_at=4").await, 0);
    assert_eq!(rows("?effective_on=2019-01-01").await, 0);
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_follow_one_another_by_their_link() {
    let service = Running::start().await;
    for name in ["a", "b", "c"] {
        let member = json!({
            "organisation": crate::support::ORGANISATION, "name": name, "role": "general",
            "origin": "shop 1",
        });
        service.post("./members/migrate", &member).gives(StatusCode::CREATED).await;
    }
    let (mut seen, mut path) = (Vec::new(), "./members?limit=2&sort=member".to_owned());
    loop {
        let page = service.get(&path).gives(StatusCode::OK).await;
        let rows = page.json()["rows"].as_array().unwrap().clone();
        seen.extend(rows.iter().map(|row| row["member"].as_str().unwrap().to_owned()));
        let Some(link) = page.headers.get("link") else { break };
        let link = link.to_str().unwrap();
        path = format!("./members{}", &link[1..link.find('>').unwrap()]);
    }
    assert_eq!(seen.len(), 4);
    assert!(seen.is_sorted());
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_own_write_is_in_the_list_that_waits_for_it() {
    let service = Running::start().await;
    let (kind, tax) = ("goods", "reduced");
    let body = json!({ "product": "tea", "name": "Tea", "kind": kind, "tax": tax, "rules": {
        "quantity_max": 10, "desired_start": false, "licence_addition": false,
        "licence_reduction": "not_allowed", "cancellation": "until_accepted", "notice_days": 0,
        "penalty": "none", "payment_methods": ["invoice"],
    }});
    let made = service.post("./products", &body).send().await.unwrap();
    let position = service.get("./events?limit=1000").gives(StatusCode::OK).await;
    let head = position.json()["scanned_to"].as_u64().unwrap();
    drop(made);
    let page = service.get(&format!("./orders?wait_for={head}")).gives(StatusCode::OK).await.json();
    assert!(page["known_at"].as_u64().unwrap() >= head);
    let beyond = service.get(&format!("./orders?wait_for={}", head + 1_000));
    let beyond = beyond.gives(StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(beyond.problem().0, "not_recorded");
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_says_the_last_position_about_it() {
    let service = Running::start().await;
    let row = service.get(&format!("./orders/{ORDER}")).gives(StatusCode::OK).await;
    let history =
        service.get(&format!("./history/order:{ORDER}")).gives(StatusCode::OK).await.json();
    let last = history["lines"].as_array().unwrap().last().unwrap()["position"].clone();
    assert_eq!(row.header("etag"), format!("\"{last}\""));
    assert_eq!(row.json()["order"], ORDER);
    let none =
        service.get("./orders/01J0000000000000000000000Z").gives(StatusCode::NOT_FOUND).await;
    assert_eq!(none.problem().0, "not_found");
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_is_had_as_csv() {
    let service = Running::start().await;
    let page = service.get("./orders").header("Accept", "text/csv").gives(StatusCode::OK).await;
    let mut rows = csv::Reader::from_reader(page.text.as_bytes());
    assert_eq!(&rows.headers().unwrap()[0], "order");
    let first = rows.records().next().unwrap().unwrap();
    assert_eq!(&first[0], ORDER);
    assert_eq!(page.header("content-type"), "text/csv; charset=utf-8");
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn personal_values_are_shown_to_those_who_may_see_them() {
    let service = Running::start().await;
    let name = async |role| {
        let row = service.by(role, Method::GET, &format!("./members/{MEMBER}"));
        row.gives(StatusCode::OK).await.json()["name"].as_str().unwrap().to_owned()
    };
    let shown = name(Role::Operator).await;
    assert!(!shown.is_empty() && shown != "(sealed)");
    assert_eq!(name(Role::Billing).await, shown);
    assert_eq!(name(Role::Auditor).await, "(sealed)");
    assert_eq!(name(Role::Integration).await, "(sealed)");
    let history = service.by(Role::Auditor, Method::GET, &format!("./history/member:{MEMBER}"));
    assert!(!history.gives(StatusCode::OK).await.text.contains(&shown));
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_list_does_not_know_is_named() {
    let service = Running::start().await;
    for (query, field) in [
        ("?nope=1", "nope"),
        ("?limit=0", "limit"),
        ("?limit=x", "limit"),
        ("?known_at=yesterday", "known_at"),
        ("?effective_on=2026-02-30", "effective_on"),
        ("?wait_for=-1", "wait_for"),
        ("?sort=--x", "sort"),
        ("?where=status", "where"),
        ("?wait_ms=9999999", "wait_ms"),
    ] {
        let answer = service.get(&format!("./orders{query}")).gives(StatusCode::BAD_REQUEST).await;
        assert_eq!(answer.problem(), ("malformed".to_owned(), Some(field.to_owned())), "{query}");
    }
    for query in ["?where=nope%3D1", "?sort=nope", "?gross=much", "?known_at=1&wait_for=2"] {
        let orders = service.get(&format!("./orders{query}"));
        let answer = orders.gives(StatusCode::UNPROCESSABLE_ENTITY).await;
        assert_eq!(answer.problem().0, "malformed", "{query}");
    }
    let forged = service.get("./orders?after=forged").gives(StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(forged.problem(), ("malformed".to_owned(), Some("after".to_owned())));
    service.end().await;
}
