//! Keys: created and revoked over HTTP, shown once, effective at once.

use daicho_app::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answers, ORDER, Running};

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
        (
            json!({ "name": "a", "actor": "system:a", "role": "auditor", "scopes": ["all"] }),
            "scopes[0]",
        ),
    ] {
        let refused = service.post("./keys", &body).gives(StatusCode::UNPROCESSABLE_ENTITY).await;
        assert_eq!(refused.problem().1.as_deref(), Some(field));
    }
    let integration = service.by(Role::Integration, Method::GET, "./keys");
    assert_eq!(integration.gives(StatusCode::FORBIDDEN).await.problem().0, "forbidden");
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_with_scopes_may_of_its_role_what_they_name_and_hands_on_no_more() {
    let service = Running::start().await;
    let body = |role: &str, scopes: &[&str]| {
        let actor = "system:narrow";
        json!({ "name": "narrow", "actor": actor, "role": role, "scopes": scopes })
    };
    let made = async |role: &str, scopes: &[&str]| {
        let made = service.post("./keys", &body(role, scopes)).gives(StatusCode::CREATED).await;
        made.json()["secret"].as_str().unwrap().to_owned()
    };
    let by =
        |secret: &str, method: Method, path: &str| service.bare(method, path).bearer_auth(secret);
    let clerk = made("integration", &["read", "run:order", "run:quote.issue"]).await;
    by(&clerk, Method::GET, "./orders").gives(StatusCode::OK).await;
    let forbidden = StatusCode::FORBIDDEN;
    for (path, status) in [
        ("./orders", StatusCode::UNPROCESSABLE_ENTITY),
        ("./quotes", StatusCode::UNPROCESSABLE_ENTITY),
        ("./organisations", forbidden),
        ("./consumers", forbidden),
    ] {
        by(&clerk, Method::POST, path).json(&json!({})).gives(status).await;
    }
    let accept = format!("./orders/{ORDER}/accept");
    let for_another = by(&clerk, Method::POST, &accept).header("Daicho-On-Behalf-Of", "staff:sato");
    for_another.json(&json!({})).gives(forbidden).await;

    let writer = made("integration", &["run:organisation.register"]).await;
    by(&writer, Method::GET, "./orders").gives(forbidden).await;
    let organisation = json!({ "name": "Aoba", "country": "Japan" });
    let register = by(&writer, Method::POST, "./organisations").json(&organisation);
    register.gives(StatusCode::CREATED).await;

    let master = made("operator", &["keys", "run:order"]).await;
    let hand_on =
        |scopes: &[&str]| by(&master, Method::POST, "./keys").json(&body("operator", scopes));
    let handed_on = hand_on(&["run:order.place"]).gives(StatusCode::CREATED).await.json();
    for scopes in [&[][..], &["run"], &["run:order.place", "read"]] {
        let refused = hand_on(scopes).gives(forbidden).await;
        assert_eq!(refused.problem().1.as_deref(), Some("scopes"), "{scopes:?}");
    }
    let listed = service.get("./keys").gives(StatusCode::OK).await.json();
    let revoke = |key: &Value| {
        let path = format!("./keys/{}/revoke", key["key"].as_str().unwrap());
        by(&master, Method::POST, &path).json(&json!({}))
    };
    for wider in listed["keys"].as_array().unwrap().iter().take(Role::ALL.len() + 1) {
        assert_eq!(revoke(wider).gives(forbidden).await.problem().0, "forbidden", "{wider}");
    }
    revoke(&handed_on).gives(StatusCode::OK).await;
    for (role, scope) in [("auditor", "run:order"), ("operator", "run:ordr"), ("billing", "keys")] {
        let empty = service.post("./keys", &body(role, &[scope]));
        let empty = empty.gives(StatusCode::UNPROCESSABLE_ENTITY).await;
        assert!(empty.text.contains(scope), "{}", empty.text);
    }
    service.end().await;
}
