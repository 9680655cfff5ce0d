//! Requests above a limit are told to try again later; what was acknowledged stays recorded.

use std::sync::Arc;

use daicho_app::Role;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Answers, ROAD_EVENTS, Running};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_asks_too_often_waits_and_another_does_not() {
    let service = Running::start_with(|settings| {
        settings.limits.requests_a_second = 1;
        settings.limits.burst = 3;
    })
    .await;
    let ask = async |role| service.by(role, Method::GET, "./orders").send().await.unwrap();
    let mut statuses = Vec::new();
    for _ in 0..30 {
        statuses.push(ask(Role::Auditor).await.status());
    }
    assert_eq!(statuses[..3], [StatusCode::OK; 3]);
    assert!(statuses.contains(&StatusCode::TOO_MANY_REQUESTS), "{statuses:?}");
    let refused = loop {
        let answer = ask(Role::Auditor).await;
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            break answer;
        }
    };
    assert!(refused.headers()["retry-after"].to_str().unwrap().parse::<u32>().unwrap() >= 1);
    assert_eq!(ask(Role::Billing).await.status(), StatusCode::OK);
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn above_the_requests_at_once_all_are_answered_and_what_was_acknowledged_stands() {
    let service = Running::start_with(|settings| {
        settings.limits.requests_max = 2;
        settings.limits.queue_ms_max = 0;
    })
    .await;
    let service = Arc::new(service);
    let ask = |n: usize| {
        let service = Arc::clone(&service);
        async move {
            let body = json!({ "name": format!("Organisation {n}") });
            let answer = service.post("./organisations", &body).send().await.unwrap();
            let status = answer.status();
            if status == StatusCode::SERVICE_UNAVAILABLE {
                assert!(answer.headers().contains_key("retry-after"));
                return None;
            }
            assert_eq!(status, StatusCode::CREATED);
            Some(answer.json::<serde_json::Value>().await.unwrap()["resource"].clone())
        }
    };
    let answers = futures_util::future::join_all((0..200).map(ask)).await;
    let made: Vec<String> =
        answers.into_iter().flatten().map(|tag| tag.as_str().unwrap().to_owned()).collect();
    assert!(!made.is_empty() && made.len() < 200, "{} of 200", made.len());
    let events = service.get("./events?type=organisation.registered&limit=1000");
    let events = events.gives(StatusCode::OK).await.text;
    assert!(made.iter().all(|tag| events.contains(tag.as_str())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_above_the_requests_at_once_wait_for_their_turn_and_no_longer_than_they_may() {
    let service = Running::start_with(|settings| {
        settings.limits.requests_max = 1;
        settings.limits.queue_ms_max = 4_000;
    })
    .await;
    let made = async |n: usize| {
        let body = json!({ "name": format!("Organisation {n}") });
        service.post("./organisations", &body).gives(StatusCode::CREATED).await;
    };
    futures_util::future::join_all((0..20).map(made)).await;
    let consumer = json!({ "name": "crm", "after": ROAD_EVENTS + 20, "types": ["order.placed"] });
    service.post("./consumers", &consumer).gives(StatusCode::CREATED).await;
    let waiting = json!({ "worker": "w", "wait_ms": 7_000 });
    let long = async {
        service.post("./consumers/crm/batches", &waiting).gives(StatusCode::NO_CONTENT).await;
    };
    let late = async {
        // A request that comes before the other one is answered.
        let refused = loop {
            let answer = service.get("./orders").send().await.unwrap();
            if answer.status() != StatusCode::OK {
                break answer;
            }
        };
        let refused = refused.gives(StatusCode::SERVICE_UNAVAILABLE).await;
        assert_eq!(refused.problem().0, "too_busy");
        for path in ["/livez", "/readyz", "/metrics"] {
            service.bare(Method::GET, path).gives(StatusCode::OK).await;
        }
    };
    tokio::join!(long, late);
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn above_the_streams_at_once_pages_are_still_had() {
    let service = Running::start_with(|settings| settings.limits.streams_max = 1).await;
    let open = || service.get("./events").header("Accept", "text/event-stream");
    let first = open().send().await.unwrap();
    assert_eq!(first.status(), StatusCode::OK);
    let second = open().gives(StatusCode::SERVICE_UNAVAILABLE).await;
    assert_eq!(second.problem().0, "too_many_streams");
    service.get("./events").gives(StatusCode::OK).await;
    drop(first);
    // The place becomes free once the service notices that nobody reads any more.
    let mut answer = open().send().await.unwrap();
    while answer.status() != StatusCode::OK {
        answer = open().send().await.unwrap();
    }
    drop(answer);
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_measured_is_told_by_route_and_not_by_book() {
    let service = Running::start().await;
    service.get("./orders").gives(StatusCode::OK).await;
    service.bare(Method::GET, "./orders").gives(StatusCode::UNAUTHORIZED).await;
    let measures = service.bare(Method::GET, "/metrics").gives(StatusCode::OK).await.text;
    let line = |status: u16| {
        format!(
            "daicho_http_requests_total{{method=\"GET\",route=\"/v1/books/{{book}}/orders\",\
             status=\"{status}\"}} 1"
        )
    };
    assert!(measures.contains(&line(200)) && measures.contains(&line(401)), "{measures}");
    assert!(!measures.contains("shop"));
    for path in ["/livez", "/readyz"] {
        service.bare(Method::GET, path).gives(StatusCode::OK).await;
    }
    service.end().await;
}
