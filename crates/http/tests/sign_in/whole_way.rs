//! The whole sign-in: from the first page to a command that is recorded under the person's name.

use daicho_http::Settings;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::browser::Browser;
use crate::house::House;
use crate::provider::{CLIENT_SECRET, CLIENT_WITH_SECRET, ClaimsAre};
use crate::support::Running;

const WORK: &str = "/v1/books/shop/organisations";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_signs_in_reads_and_gives_a_command_under_the_own_name() {
    let house = House::open().await;
    let mut browser = Browser::new();
    let page = browser.get(&house.at("/v1/sign-in?return_to=%2Fdocs%3Fa%3Db%23c")).await;
    let begun = page.location();
    assert!(begun.starts_with(&house.provider.issuer), "{begun}");
    assert!(begun.contains("code_challenge_method=S256") && begun.contains("&nonce="));
    let kept = page.cookie("daicho-sign-in");
    assert!(kept.ends_with("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax"), "{kept}");
    let back = browser.at_provider(&begun, "sato").await;
    let page = browser.get(&back).await.gives(StatusCode::SEE_OTHER);
    assert_eq!(page.location(), house.at("/docs?a=b#c"));
    let kept = page.cookie("daicho");
    assert!(kept.ends_with("; Path=/; Max-Age=28800; HttpOnly; SameSite=Lax"), "{kept}");
    assert!(page.cookie("daicho-sign-in").contains("Max-Age=0"));
    let me = browser.get(&house.at("/v1/me")).await.gives(StatusCode::OK).json();
    assert_eq!(me["actor"], "staff:sato");
    assert_eq!(me["books"], json!([{ "book": "shop", "role": "operator" }]));
    let orders = browser.get(&house.at("/v1/books/shop/orders")).await.gives(StatusCode::OK);
    assert_eq!(orders.json()["rows"].as_array().map(Vec::len), Some(1), "{}", orders.text);
    let body = json!({ "name": "Midori Foods", "country": "Japan" });
    let made = browser.post(&house.at(WORK), &body).await.gives(StatusCode::CREATED).json();
    let before = made["first"].as_u64().unwrap() - 1;
    let asked = format!("/v1/books/shop/events?after={before}&limit=1");
    let event = browser.get(&house.at(&asked)).await.gives(StatusCode::OK).text;
    assert!(event.contains("\"actor\":\"staff:sato\""), "{event}");
    house.service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_signature_and_client_and_place_of_claims_signs_in() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, format!("{CLIENT_SECRET}\n")).unwrap();
    for client in ["rsa", "curve", "edwards", CLIENT_WITH_SECRET] {
        for claims in [ClaimsAre::InTheToken, ClaimsAre::BesideIt] {
            let house = House::open_with(claims, client, |sign_in| {
                sign_in.client_secret_file = (client == CLIENT_WITH_SECRET).then(|| secret.clone());
            })
            .await;
            let mut browser = house.signed_in("sato").await;
            let me = browser.get(&house.at("/v1/me")).await.gives(StatusCode::OK).json();
            assert_eq!(me["actor"], "staff:sato", "{client} {claims:?}");
            house.service.end().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_secret_signs_nobody_in_and_is_not_told() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "wrong").unwrap();
    let house = House::open_with(ClaimsAre::InTheToken, CLIENT_WITH_SECRET, |sign_in| {
        sign_in.client_secret_file = Some(secret);
    })
    .await;
    let page = house.come_back(&mut Browser::new(), "sato").await;
    assert!(!page.gives(StatusCode::SERVICE_UNAVAILABLE).text.contains("wrong"));
    house.service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_proxy_with_tls_cookies_are_kept_for_its_host_alone() {
    let house = House::open().await;
    let set = |settings: &mut Settings| {
        settings.public_url = Some("https://ledger.example.jp/daicho".to_owned());
    };
    let house = house.served_again(|_| {}, set).await;
    let page = Browser::new().get(&house.at("/v1/sign-in")).await;
    let back = "redirect_uri=https%3A%2F%2Fledger.example.jp%2Fdaicho%2Fv1%2Fsign-in%2Fcallback";
    assert!(page.location().contains(back), "{}", page.location());
    let kept = page.cookie("__Host-daicho-sign-in");
    assert!(kept.ends_with("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure"), "{kept}");
    for (origin, status) in [
        ("https://ledger.example.jp", StatusCode::NO_CONTENT),
        ("https://evil.example", StatusCode::FORBIDDEN),
    ] {
        let from = |request: reqwest::RequestBuilder| request.header("Origin", origin);
        let out = Browser::new().ask(Method::POST, &house.at("/v1/sign-out"), from).await;
        out.gives(status);
    }
    house.service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_provider_nothing_of_the_sign_in_answers() {
    let service = Running::start().await;
    for (method, path) in [
        (Method::GET, "/v1/sign-in"),
        (Method::GET, "/v1/sign-in/callback?code=a&state=b"),
        (Method::POST, "/v1/sign-out"),
        (Method::GET, "/v1/me"),
    ] {
        let answer = service.bare(method, path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
    service.end().await;
}
