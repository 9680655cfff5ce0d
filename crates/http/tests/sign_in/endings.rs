//! How a sign-in ends: by time, by the person, or by a change of the cookie or of its key.

use std::pin::pin;
use std::time::Duration;

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::json;
use tokio::time::timeout;

use crate::house::House;

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_ends_after_its_time_whatever_the_browser_keeps() {
    let house = House::open().await;
    let mut browser = house.signed_in("sato").await;
    let orders = house.at("/v1/books/shop/orders");
    house.later(HOUR * 8 - Duration::from_secs(60));
    browser.get(&orders).await.gives(StatusCode::OK);
    house.later(Duration::from_secs(61));
    let ended = browser.get(&orders).await.gives(StatusCode::UNAUTHORIZED);
    assert!(ended.text.contains("/v1/sign-in"), "{}", ended.text);
    browser.get(&house.at("/v1/me")).await.gives(StatusCode::UNAUTHORIZED);
    house.service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_of_events_ends_with_the_session() {
    let house = House::open().await;
    let mut browser = house.signed_in("sato").await;
    let events = house.at("/v1/books/shop/events");
    let live = |request: RequestBuilder| request.header("Accept", "text/event-stream");
    let mut stream = pin!(browser.ask(Method::GET, &events, live));
    // Enough time for the stream to check again that its session is valid.
    timeout(Duration::from_secs(3), &mut stream).await.unwrap_err();
    house.later(HOUR * 9);
    let told = timeout(Duration::from_secs(20), stream).await.unwrap().gives(StatusCode::OK);
    assert!(told.text.contains("id: 1\n"), "{}", told.text);
    house.service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_signs_out_is_not_signed_in_any_more() {
    let house = House::open().await;
    let mut browser = house.signed_in("sato").await;
    let out = browser.post(&house.at("/v1/sign-out"), &json!({})).await;
    let out = out.gives(StatusCode::NO_CONTENT);
    assert!(out.cookie("daicho").starts_with("daicho=; ") && out.text.is_empty());
    browser.get(&house.at("/v1/me")).await.gives(StatusCode::UNAUTHORIZED);
    browser.get(&house.at("/v1/books/shop/orders")).await.gives(StatusCode::UNAUTHORIZED);
    house.service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cookie_that_was_changed_or_made_for_something_else_opens_nothing() {
    let house = House::open().await;
    let mut browser = house.signed_in("sato").await;
    let orders = house.at("/v1/books/shop/orders");
    let good = browser.cookies_of(&orders)["daicho"].clone();
    house.begin(&mut browser).await;
    let begun = browser.cookies_of(&orders)["daicho-sign-in"].clone();
    let swapped = if good.starts_with('A') { "B" } else { "A" };
    let changed = format!("{swapped}{}", &good[1..]);
    for bad in [changed, good[..good.len() - 1].to_owned(), begun, String::new(), "x".repeat(3_000)]
    {
        browser.cookies_of(&orders).insert("daicho".to_owned(), bad.clone());
        let answer = browser.get(&orders).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{bad}");
    }
    browser.cookies_of(&orders).insert("daicho".to_owned(), good);
    browser.get(&orders).await.gives(StatusCode::OK);
    // A key takes precedence over the cookie that the browser sends as well.
    let both = browser.ask(Method::GET, &orders, |request| request.bearer_auth("nonsense")).await;
    both.gives(StatusCode::UNAUTHORIZED);
    house.service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_of_ones_own_lets_sign_ins_outlive_the_process_and_another_key_ends_them() {
    let folder = tempfile::tempdir().unwrap();
    let key = |digits: &str| {
        let path = folder.path().join(digits);
        std::fs::write(&path, digits.repeat(32)).unwrap();
        path
    };
    let (one, two) = (key("1a"), key("2b"));
    let house = House::open().await;
    let mut house = house.restarted(|sign_in| sign_in.session_key_file = Some(one.clone())).await;
    let mut browser = house.signed_in("sato").await;
    let old = browser.cookies_of(&house.at("/")).clone();
    for (file, status) in [
        (Some(one), StatusCode::OK),
        (Some(two), StatusCode::UNAUTHORIZED),
        (None, StatusCode::UNAUTHORIZED),
    ] {
        house = house.restarted(|sign_in| sign_in.session_key_file = file).await;
        // Each process has a port of its own.
        *browser.cookies_of(&house.at("/")) = old.clone();
        browser.get(&house.at("/v1/books/shop/orders")).await.gives(status);
    }
    house.service.end().await;
}
