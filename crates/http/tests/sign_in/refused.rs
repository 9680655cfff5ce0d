//! Attacks: what others may try with a sign-in that is not theirs.

use std::time::Duration;

use reqwest::{Method, StatusCode, Url};
use serde_json::json;

use crate::browser::{Browser, Page};
use crate::house::House;

/// The address with another value of a parameter; none: without the parameter.
fn with(url: &str, name: &str, value: Option<&str>) -> String {
    let mut url = Url::parse(url).unwrap();
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    assert!(pairs.iter().any(|(known, _)| known == name), "{url} has no {name}");
    let pairs = pairs.into_iter().filter_map(|(known, old)| {
        if known == name { Some((known, value?.to_owned())) } else { Some((known, old)) }
    });
    let pairs: Vec<(String, String)> = pairs.collect();
    url.query_pairs_mut().clear().extend_pairs(pairs);
    url.into()
}

fn parameter(url: &str, name: &str) -> String {
    let url = Url::parse(url).unwrap();
    let found = url.query_pairs().find(|(known, _)| known == name);
    found.unwrap_or_else(|| panic!("{url} has no {name}")).1.into_owned()
}

/// The code of the problem that a program gets instead of the page.
async fn code(browser: &mut Browser, url: &str) -> String {
    let page = browser.ask(Method::GET, url, |request| request).await;
    let json = page.json();
    json["type"].as_str().unwrap().strip_prefix("urn:daicho:problem:").unwrap().to_owned()
}

async fn is_out(house: &House, browser: &mut Browser) {
    let page: Page = browser.get(&house.at("/v1/me")).await;
    page.gives(StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callback_that_this_browser_did_not_begin_is_refused() {
    let house = House::open().await;
    let mut browser = Browser::new();
    let begun = house.begin(&mut browser).await;
    let back = browser.at_provider(&begun, "sato").await;
    let (state, issuer) = (parameter(&back, "state"), parameter(&back, "iss"));
    assert_eq!(issuer, house.provider.issuer);
    for bad in [
        with(&back, "state", Some("another")),
        with(&back, "state", Some(&state[1..])),
        with(&back, "state", None),
    ] {
        assert_eq!(code(&mut browser, &bad).await, "sign_in_stale", "{bad}");
    }
    for bad in [
        with(&back, "iss", Some("https://evil.example")),
        with(&back, "iss", None),
        with(&back, "code", None),
    ] {
        assert_eq!(code(&mut browser, &bad).await, "sign_in_refused", "{bad}");
    }
    // The browser of somebody else, who was given the address.
    assert_eq!(code(&mut Browser::new(), &back).await, "sign_in_stale");
    is_out(&house, &mut browser).await;
    assert_eq!(browser.get(&back).await.location(), house.at("/v1/me"));
    house.service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callback_counts_once_and_a_sign_in_does_not_wait_for_ever() {
    let house = House::open().await;
    let mut browser = Browser::new();
    let begun = house.begin(&mut browser).await;
    let mut copied = browser.clone();
    let back = browser.at_provider(&begun, "sato").await;
    browser.get(&back).await.gives(StatusCode::SEE_OTHER);
    assert_eq!(code(&mut browser, &back).await, "sign_in_stale");
    // With the earlier cookie: the provider knows that the code was used.
    assert_eq!(code(&mut copied, &back).await, "sign_in_stale");
    is_out(&house, &mut copied).await;
    let begun = house.begin(&mut browser).await;
    let back = browser.at_provider(&begun, "sato").await;
    house.later(Duration::from_secs(601));
    assert_eq!(code(&mut browser, &back).await, "sign_in_stale");
    house.service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_of_another_sign_in_is_refused() {
    let house = House::open().await;
    let mut browser = Browser::new();
    let begun = with(&house.begin(&mut browser).await, "nonce", Some("another"));
    let back = browser.at_provider(&begun, "sato").await;
    assert_eq!(code(&mut browser, &back).await, "sign_in_invalid");
    is_out(&house, &mut browser).await;
    house.service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_of_another_sign_in_is_of_no_use() {
    let house = House::open().await;
    let (mut thief, mut sato) = (Browser::new(), Browser::new());
    let begun = house.begin(&mut sato).await;
    let stolen = sato.at_provider(&begun, "sato").await;
    let begun = house.begin(&mut thief).await;
    let state = parameter(&begun, "state");
    let back = with(&stolen, "state", Some(&state));
    assert_eq!(code(&mut thief, &back).await, "sign_in_stale");
    is_out(&house, &mut thief).await;
    house.service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_leads_back_to_this_service_only() {
    let house = House::open().await;
    let mut browser = Browser::new();
    for bad in ["https%3A%2F%2Fevil.example", "%2F%2Fevil.example", "%2F%5Cevil.example", "docs"] {
        let url = house.at(&format!("/v1/sign-in?return_to={bad}"));
        let page = browser.ask(Method::GET, &url, |request| request).await;
        let problem = page.gives(StatusCode::BAD_REQUEST).json();
        assert_eq!(problem["field"], "return_to", "{bad}");
    }
    let house = house.restarted(|sign_in| sign_in.return_paths = vec!["/console/".into()]).await;
    let url = |path: &str| house.at(&format!("/v1/sign-in?return_to={path}"));
    browser.get(&url("/console/orders")).await.gives(StatusCode::SEE_OTHER);
    browser.get(&url("/docs")).await.gives(StatusCode::BAD_REQUEST);
    house.service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_site_can_do_nothing_in_the_name_of_who_is_signed_in() {
    let house = House::open().await;
    let mut browser = house.signed_in("sato").await;
    let work = house.at("/v1/books/shop/organisations");
    let body = json!({ "name": "Midori Foods", "country": "Japan" });
    let own = house.service.url.clone();
    for headers in [
        vec![],
        vec![("Sec-Fetch-Site", "cross-site")],
        vec![("Sec-Fetch-Site", "same-site"), ("Origin", own.as_str())],
        vec![("Origin", "https://evil.example")],
        vec![("Origin", "null")],
    ] {
        for url in [&work, &house.at("/v1/sign-out")] {
            let refused = browser.ask(Method::POST, url, |request| {
                headers.iter().fold(request.json(&body), |request, (name, value)| {
                    request.header(*name, *value)
                })
            });
            let refused = refused.await.gives(StatusCode::FORBIDDEN).json();
            assert_eq!(refused["type"], "urn:daicho:problem:cross_site", "{headers:?}");
        }
    }
    let from_own = |request: reqwest::RequestBuilder| request.json(&body).header("Origin", &own);
    browser.ask(Method::POST, &work, from_own).await.gives(StatusCode::CREATED);
    // Browsers do not send a key by themselves.
    let key = &house.service.keys[&daicho_app::Role::Operator];
    let by_key = |request: reqwest::RequestBuilder| {
        request.json(&body).bearer_auth(key).header("Sec-Fetch-Site", "cross-site")
    };
    browser.ask(Method::POST, &work, by_key).await.gives(StatusCode::CREATED);
    browser.get(&house.at("/v1/me")).await.gives(StatusCode::OK);
    house.service.end().await;
}
