//! A person's rights are those that the provider claims, book by book.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::browser::{Browser, Page};
use crate::house::House;

async fn orders(house: &House, browser: &mut Browser, book: &str) -> Page {
    browser.get(&house.at(&format!("/v1/books/{book}/orders"))).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_counts_in_its_book_and_no_other_book_is_told_from_none() {
    let house = House::open().await;
    let mut mori = house.signed_in("mori").await;
    orders(&house, &mut mori, "other").await.gives(StatusCode::OK);
    let closed = orders(&house, &mut mori, "shop").await.gives(StatusCode::UNAUTHORIZED);
    let nowhere = orders(&house, &mut mori, "nowhere").await.gives(StatusCode::UNAUTHORIZED);
    assert_eq!(closed.text, nowhere.text);
    let work = house.at("/v1/books/shop/organisations");
    mori.post(&work, &json!({ "name": "A" })).await.gives(StatusCode::UNAUTHORIZED);
    let url = house.at("/v1/books/shop/orders");
    let wrong_key = house.service.bare(reqwest::Method::GET, &url[house.service.url.len()..]);
    let wrong_key = wrong_key.bearer_auth("nonsense").send().await.unwrap();
    assert_eq!(wrong_key.text().await.unwrap(), closed.text);
    house.service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_role_of_every_book_gives_way_to_that_of_a_book() {
    let house = House::open().await;
    let mut aoki = house.signed_in("aoki").await;
    let me = aoki.get(&house.at("/v1/me")).await.gives(StatusCode::OK).json();
    let books =
        json!([{ "book": "other", "role": "billing" }, { "book": "shop", "role": "auditor" }]);
    assert_eq!(me["books"], books);
    // An auditor reads but sees no personal values; the billing role sees them.
    for (book, sealed) in [("shop", true), ("other", false)] {
        let members = aoki.get(&house.at(&format!("/v1/books/{book}/members"))).await;
        let members = members.gives(StatusCode::OK);
        assert_eq!(!members.text.contains("Hanako"), sealed, "{book}: {}", members.text);
    }
    let work = house.at("/v1/books/shop/organisations");
    let refused = aoki.post(&work, &json!({ "name": "A" })).await.gives(StatusCode::FORBIDDEN);
    assert_eq!(refused.json()["type"], "urn:daicho:problem:forbidden");
    house.service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_no_role_or_two_in_one_book_or_too_many_is_not_signed_in() {
    let house = House::open().await;
    for (name, told) in [
        ("kato", "no role"),
        ("ueda", "two roles in one book"),
        ("nomura", "do not fit into a cookie"),
    ] {
        let mut browser = Browser::new();
        let page = house.come_back(&mut browser, name).await.gives(StatusCode::FORBIDDEN);
        assert!(page.text.contains(told), "{}", page.text);
        browser.get(&house.at("/v1/me")).await.gives(StatusCode::UNAUTHORIZED);
    }
    house.service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_person_has_a_share_of_requests_of_the_own() {
    let house = House::open().await;
    let house = house.limited_to(3).await;
    let (mut sato, mut aoki) = (house.signed_in("sato").await, house.signed_in("aoki").await);
    let mut statuses = Vec::new();
    for _ in 0..30 {
        statuses.push(orders(&house, &mut sato, "shop").await.status);
    }
    assert_eq!(statuses[..3], [StatusCode::OK; 3]);
    assert!(statuses.contains(&StatusCode::TOO_MANY_REQUESTS), "{statuses:?}");
    let other = orders(&house, &mut aoki, "shop").await.gives(StatusCode::OK);
    assert!(matches!(other.json(), Value::Object(_)));
    house.service.end().await;
}
