//! Providers that do not follow the standard: nobody is signed in, and nobody waits for long.

use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use daicho_http::{Settings, SignIn};
use reqwest::Method;
use serde_json::json;

use crate::support::{Answers, Running};

/// More than a service reads of one answer.
const BYTES: usize = 1_024 * 1_024;

/// The path to which a provider that moved redirects.
const MOVED: &str = "/moved";

/// How a provider departs from the standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strange {
    NotThere,
    Broken,
    Elsewhere,
    NoJson,
    TooLong,
    Silent,
    NoTls,
    OtherName,
}

impl Strange {
    const ALL: [Self; 8] = [
        Self::NotThere,
        Self::Broken,
        Self::Elsewhere,
        Self::NoJson,
        Self::TooLong,
        Self::Silent,
        Self::NoTls,
        Self::OtherName,
    ];

    async fn answer(self, issuer: &str) -> Response {
        match self {
            Self::NotThere => StatusCode::NOT_FOUND.into_response(),
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            Self::Elsewhere => {
                let to = format!("{issuer}{MOVED}");
                (StatusCode::FOUND, [(header::LOCATION, to)]).into_response()
            }
            Self::NoJson => "<html>".into_response(),
            Self::TooLong => {
                format!("{}{}", " ".repeat(BYTES), described(issuer, "https")).into_response()
            }
            Self::Silent => std::future::pending().await,
            Self::NoTls => described(issuer, "http").into_response(),
            Self::OtherName => described("https://login.example.jp", "https").into_response(),
        }
    }
}

/// What a provider says about itself; its addresses have this scheme.
fn described(issuer: &str, scheme: &str) -> String {
    let at = |path: &str| format!("{scheme}://login.example.jp/{path}");
    let text = json!({
        "issuer": issuer, "authorization_endpoint": at("auth"),
        "token_endpoint": at("token"), "jwks_uri": at("keys"),
    });
    text.to_string()
}

/// The address of a provider that is strange in each way below a path of its own, and follows the
/// standard below all others.
async fn provider() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let own = base.clone();
    let router = Router::new().fallback(move |uri: Uri| {
        let own = own.clone();
        async move {
            let name = uri.path().split('/').nth(1).unwrap_or_default();
            let named = |strange: &Strange| format!("{strange:?}") == name;
            let strange = Strange::ALL.into_iter().find(named);
            let strange = strange.filter(|_| !uri.path().ends_with(MOVED));
            let issuer = format!("{own}/{name}");
            match strange {
                Some(strange) => strange.answer(&issuer).await,
                None => described(&issuer, "https").into_response(),
            }
        }
    });
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    base
}

fn set(issuer: String) -> impl FnOnce(&mut Settings) {
    move |settings| settings.sign_in = Some(SignIn::new(issuer, "daicho"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_answers_as_none_should_signs_nobody_in() {
    let base = provider().await;
    let service = Running::start_with(set(format!("{base}/Good"))).await;
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let ask = browser.build().unwrap().get(format!("{}/v1/sign-in", service.url));
    ask.gives(StatusCode::SEE_OTHER).await;
    service.end().await;
    for strange in Strange::ALL {
        let service = Running::start_with(set(format!("{base}/{strange:?}"))).await;
        let ask = || service.bare(Method::GET, "/v1/sign-in");
        let told = tokio::time::timeout(
            Duration::from_secs(15),
            ask().gives(StatusCode::SERVICE_UNAVAILABLE),
        );
        let told = told.await.unwrap_or_else(|_| panic!("the service waits for {strange:?}"));
        assert_eq!(told.problem().0, "sign_in_unavailable", "{strange:?}");
        service.get("./orders").gives(StatusCode::OK).await;
        service.end().await;
    }
}
