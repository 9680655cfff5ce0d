//! Keys: made and revoked over HTTP, shown once, in force at once.

use daicho_app::Role;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Answers, Running};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_opens_until_it_is_revoked_and_is_shown_once() {
    let service = Running::start().await;
    let body = json!({ "name": "the CRM", "actor": "system:crm", "role": "auditor" });
    let ask = || service.post("./keys", &body).header("Idempotency-Key", "k-1");
    let made = ask().gives(StatusCode::CREATED).await.json();
    let secret = made["secret"].as_str().unwrap().to_owned();
    assert!(ask().gives(StatusCode::CREATED).await.json()["secret"].is_null());
    let read = || service.bare(Method::GET, "./orders").bearer_auth(&secret);
    read().gives(StatusCode::OK).await;
    let listed = service.get("./keys").gives(StatusCode::OK).await;
    assert!(listed.text.contains("the CRM") && !listed.text.contains(&secret));
    let revoke = format!("./keys/{}/revoke", made["key"].as_str().unwrap());
    service.post(&revoke, &json!({})).gives(StatusCode::OK).await;
    assert_eq!(read().gives(StatusCode::UNAUTHORIZED).await.problem().0, "unauthorized");
    let again = service.post(&revoke, &json!({})).gives(StatusCode::UNPROCESSABLE_ENTITY).await;
    assert!(!again.problem().0.is_empty());
    let unknown = service.post("./keys/x/revoke", &json!({})).gives(StatusCode::NOT_FOUND).await;
    assert_eq!(unknown.problem().0, "not_found");
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_not_of_its_form_is_refused_by_its_field() {
    let service = Running::start().await;
    for (body, field) in [
        (json!({ "name": "a", "actor": "system:a", "role": "king" }), "role"),
        (json!({ "name": "a", "actor": "somebody", "role": "auditor" }), "actor"),
    ] {
        let refused = service.post("./keys", &body).gives(StatusCode::UNPROCESSABLE_ENTITY).await;
        assert_eq!(refused.problem().1.as_deref(), Some(field));
    }
    let integration = service.by(Role::Integration, Method::GET, "./keys");
    assert_eq!(integration.gives(StatusCode::FORBIDDEN).await.problem().0, "forbidden");
    service.end().await;
}
