//! The provider changes its keys, is unavailable, or refuses.

use daicho_app::Role;
use reqwest::{Method, StatusCode, header};

use crate::browser::Browser;
use crate::house::House;
use crate::support::Answers;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_with_other_keys_is_believed_at_once() {
    let mut house = House::open().await;
    house.signed_in("sato").await;
    for _ in 0..2 {
        house.provider.rotate_keys();
        let mut browser = house.signed_in("sato").await;
        browser.get(&house.at("/v1/me")).await.gives(StatusCode::OK);
    }
    house.service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_provider_is_away_nobody_new_comes_in_and_all_else_goes_on() {
    let mut house = House::open().await;
    let mut browser = house.signed_in("sato").await;
    let mut late = Browser::new();
    let begun = house.begin(&mut late).await;
    let back = late.at_provider(&begun, "aoki").await;
    house.provider.stop();
    let page = late.get(&back).await.gives(StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.headers.contains_key(header::RETRY_AFTER));
    assert!(page.text.starts_with("<!doctype html>"), "{}", page.text);
    // People who are signed in stay signed in, and keys do not depend on the provider.
    browser.get(&house.at("/v1/books/shop/orders")).await.gives(StatusCode::OK);
    house.service.get("./orders").gives(StatusCode::OK).await;
    house.service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_starts_without_its_provider_and_says_so_when_it_is_asked() {
    let mut house = House::open().await;
    house.provider.stop();
    let house = house.restarted(|_| {}).await;
    let ask = || house.service.bare(Method::GET, "/v1/sign-in");
    for _ in 0..2 {
        let told = ask().gives(StatusCode::SERVICE_UNAVAILABLE).await;
        assert_eq!(told.problem().0, "sign_in_unavailable");
    }
    house.service.by(Role::Auditor, Method::GET, "./orders").gives(StatusCode::OK).await;
    house.service.bare(Method::GET, "/readyz").gives(StatusCode::OK).await;
    house.service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_calls_itself_otherwise_is_not_believed() {
    let house = House::open().await;
    let house = house.restarted(|sign_in| sign_in.issuer.push('/')).await;
    let told = house.service.bare(Method::GET, "/v1/sign-in");
    let told = told.gives(StatusCode::SERVICE_UNAVAILABLE).await;
    assert_eq!(told.problem().0, "sign_in_unavailable");
    house.service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_breaks_off_at_the_provider_is_told_and_may_begin_again() {
    let house = House::open().await;
    let mut browser = Browser::new();
    let begun = house.begin(&mut browser).await;
    let back = browser.broken_off(&begun).await;
    assert!(back.contains("error=access_denied"), "{back}");
    let page = browser.get(&back).await.gives(StatusCode::FORBIDDEN);
    assert!(page.text.contains("<h1>Forbidden</h1>"), "{}", page.text);
    let page = house.come_back(&mut browser, "sato").await;
    assert_eq!(page.location(), house.at("/v1/me"));
    house.service.end().await;
}
