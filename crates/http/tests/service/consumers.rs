//! Consumers over HTTP: created, read in batches, acknowledged, answered with errors.

use daicho_app::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answers, ROAD_EVENTS, Running};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_takes_batches_until_it_has_seen_everything() {
    let service = Running::start().await;
    let crm = json!({ "name": "crm", "ordered_by": "order" });
    let made = service.post("./consumers", &crm).gives(StatusCode::CREATED).await;
    assert_eq!(made.header("location"), "/v1/books/shop/consumers/crm");
    let take = json!({ "worker": "one", "events": 7, "lease_ms": 60_000 });
    let worker = |path: &str, body: &Value| {
        service.by(Role::Integration, Method::POST, &format!("./consumers/crm/{path}")).json(body)
    };
    let mut seen = Vec::new();
    loop {
        let answer = worker("batches", &take).send().await.unwrap();
        if answer.status() == StatusCode::NO_CONTENT {
            break;
        }
        let batch: Value = answer.json().await.unwrap();
        assert_eq!(batch["repeated"], json!([]));
        let events = batch["events"].as_array().unwrap();
        let position = |event: &Value| event["position"].as_str().unwrap().parse::<u64>().unwrap();
        seen.extend(events.iter().map(position));
        let path = format!("batches/{}/acknowledge", batch["batch"].as_str().unwrap());
        let done = worker(&path, &json!({})).gives(StatusCode::OK).await.json();
        assert_eq!(done["acknowledged"], json!(events.len()));
    }
    assert!(seen.len() as u64 >= ROAD_EVENTS);
    seen.sort_unstable();
    assert_eq!(seen, (1..=seen.len() as u64).collect::<Vec<_>>());
    let state = service.get("./consumers/crm").gives(StatusCode::OK).await.json();
    assert_eq!((&state["behind_by"], &state["batches"]), (&json!(0), &json!([])));
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_given_back_and_comes_again_marked() {
    let service = Running::start().await;
    service.post("./consumers", &json!({ "name": "crm" })).gives(StatusCode::CREATED).await;
    let take = || service.post("./consumers/crm/batches", &json!({ "worker": "w", "events": 3 }));
    let first = take().gives(StatusCode::OK).await.json();
    let path =
        |deed| format!("./consumers/crm/batches/{}/{deed}", first["batch"].as_str().unwrap());
    let more = service.post(&path("extend"), &json!({ "lease_ms": 90_000 }));
    assert!(more.gives(StatusCode::OK).await.json()["expires_at"].is_string());
    let part = service.post(&path("acknowledge"), &json!({ "up_to": 1 }));
    assert_eq!(part.gives(StatusCode::OK).await.json()["acknowledged"], 1);
    service.post(&path("release"), &json!({})).gives(StatusCode::NO_CONTENT).await;
    let again = take().gives(StatusCode::OK).await.json();
    assert_eq!(again["repeated"], json!([2, 3]));
    let late = service.post(&path("acknowledge"), &json!({})).gives(StatusCode::CONFLICT).await;
    assert_eq!(late.problem().0, "lease_ended");
    let back = service.post("./consumers/crm/seek", &json!({ "position": 0 }));
    assert_eq!(back.gives(StatusCode::OK).await.json()["position"], 0);
    let delete = || service.by(Role::Operator, Method::DELETE, "./consumers/crm");
    delete().gives(StatusCode::NO_CONTENT).await;
    assert_eq!(delete().gives(StatusCode::NOT_FOUND).await.problem().0, "consumer_unknown");
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_consumer_cannot_do_is_told_by_its_field() {
    let service = Running::start().await;
    service.post("./consumers", &json!({ "name": "crm" })).gives(StatusCode::CREATED).await;
    let differs = service.post("./consumers", &json!({ "name": "crm", "ordered_by": "order" }));
    assert_eq!(differs.gives(StatusCode::CONFLICT).await.problem().0, "consumer_differs");
    let beyond = service.post("./consumers", &json!({ "name": "x", "after": 9_999 }));
    assert_eq!(beyond.gives(StatusCode::UNPROCESSABLE_ENTITY).await.problem().0, "not_recorded");
    for (body, field) in [
        (json!({ "worker": "w", "event": 3 }), Some("event")),
        (json!({ "worker": "w", "events": "many" }), Some("events")),
        (json!({ "events": 3 }), Some("worker")),
        (json!({ "worker": "w", "events": 1_000 }), None),
    ] {
        let refused = service.post("./consumers/crm/batches", &body);
        let refused = refused.gives(StatusCode::UNPROCESSABLE_ENTITY).await.problem();
        assert_eq!(refused.1.as_deref(), field, "{body}");
    }
    service.end().await;
}
