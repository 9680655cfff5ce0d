//! Webhooks over HTTP: created, sent to, changed, deleted. Sending itself is tested in
//! `daicho-deliveries`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode as Status;
use axum::routing::post;
use daicho_app::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answers, Running};

type Seen = Arc<Mutex<Vec<Value>>>;

/// A receiver that accepts all messages except those about Akane.
async fn receiver() -> (String, Seen) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let seen = Seen::default();
    let take = async |State(seen): State<Seen>, body: String| {
        let event: Value = serde_json::from_str(&body).unwrap();
        let refused = event["data"]["name"] == "Akane";
        seen.lock().unwrap().push(event);
        if refused { Status::INTERNAL_SERVER_ERROR } else { Status::NO_CONTENT }
    };
    let router = Router::new().route("/", post(take)).with_state(Arc::clone(&seen));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, seen)
}

async fn within(mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..500 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the state is not reached in time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_is_sent_to_a_webhook_as_anybody_reads_it() {
    let (url, seen) = receiver().await;
    let service = Running::start_with(|settings| settings.webhooks.private_addresses = true).await;
    let crm = json!({ "name": "crm", "url": url, "types": ["organisation.registered"] });
    let made = service.post("./webhooks", &crm).gives(StatusCode::CREATED).await;
    assert_eq!(made.header("location"), "/v1/books/shop/webhooks/crm");
    let secret = made.json()["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"));
    let tested = service.post("./webhooks/crm/test", &json!({})).gives(StatusCode::OK).await.json();
    assert_eq!(tested["delivered"], true);
    service.post("./organisations", &json!({ "name": "Midori" })).gives(StatusCode::CREATED).await;
    within(async || seen.lock().unwrap().len() == 2).await;
    let sent = seen.lock().unwrap()[1].clone();
    let position = sent["position"].as_str().unwrap();
    let read = service.get(&format!("./events/{position}")).gives(StatusCode::OK).await.json();
    assert_eq!(sent, read);
    service.post("./organisations", &json!({ "name": "Akane" })).gives(StatusCode::CREATED).await;
    let state = async || service.get("./webhooks/crm").gives(StatusCode::OK).await.json();
    within(async || state().await["tries"].as_u64() >= Some(1)).await;
    let failing = state().await;
    assert_eq!(failing["last_error"], "500: ");
    assert!(failing["next_try_at"].is_string() && failing["failing_since"].is_string());
    let listed = service.get("./webhooks").gives(StatusCode::OK).await;
    assert!(!listed.text.contains(&secret), "a secret is shown once");
    let parked = service.get("./webhooks/crm/parked").gives(StatusCode::OK).await.json();
    assert_eq!(parked, json!({ "parked": [] }));
    let metrics = service.bare(Method::GET, "/metrics").gives(StatusCode::OK).await.text;
    assert!(metrics.contains("daicho_webhooks_delivered_total 1"), "{metrics}");
    // The message may have been tried again, so the count is not fixed.
    assert!(metrics.contains("daicho_webhooks_failed_total "), "{metrics}");
    assert!(!metrics.contains("daicho_webhooks_failed_total 0"), "{metrics}");
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_is_changed_given_another_secret_and_forgotten() {
    let service = Running::start().await;
    let crm = json!({ "name": "crm", "url": "https://crm.example.jp/", "signature": "ed25519" });
    let made = service.post("./webhooks", &crm).gives(StatusCode::CREATED).await.json();
    let again = service.post("./webhooks", &crm).gives(StatusCode::CONFLICT).await;
    assert_eq!(again.problem().0, "webhook_exists");
    let change =
        |body: &Value| service.by(Role::Operator, Method::PATCH, "./webhooks/crm").json(body);
    let off = change(&json!({ "disabled": true })).gives(StatusCode::OK).await.json();
    assert_eq!(off["disabled"], "switched off");
    let on = change(&json!({ "disabled": false, "tags": ["order:x"] }));
    let on = on.gives(StatusCode::OK).await.json();
    assert_eq!((&on["disabled"], &on["tags"]), (&Value::Null, &json!(["order:x"])));
    let rotated = service.post("./webhooks/crm/rotate-secret", &json!({}));
    let rotated = rotated.gives(StatusCode::OK).await.json();
    assert!(rotated["secret"].as_str().unwrap().starts_with("whpk_"));
    assert_ne!(rotated["secret"], made["secret"]);
    for (body, field) in [
        (json!({ "url": "http://crm.example.jp/" }), "url"),
        (json!({ "url": "https://10.0.0.1/" }), "url"),
        (json!({ "adress": "x" }), "adress"),
    ] {
        let refused = change(&body).gives(StatusCode::UNPROCESSABLE_ENTITY).await;
        assert_eq!(refused.problem().1.as_deref(), Some(field), "{body}");
    }
    let long =
        service.post("./webhooks/crm/rotate-secret", &json!({ "overlap_seconds": 9_999_999 }));
    assert_eq!(long.gives(StatusCode::UNPROCESSABLE_ENTITY).await.problem().0, "refused");
    let delete = || service.by(Role::Operator, Method::DELETE, "./webhooks/crm");
    delete().gives(StatusCode::NO_CONTENT).await;
    assert_eq!(delete().gives(StatusCode::NOT_FOUND).await.problem().0, "webhook_unknown");
    service.end().await;
}
