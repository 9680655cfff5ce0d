//! Reading events as pages, NDJSON and live streams: complete, in order, resumed where they ended.

use std::time::Duration;

use daicho_app::Role;
use futures_util::StreamExt as _;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answers, Given, ROAD_EVENTS, Running};

const PATIENCE: Duration = Duration::from_secs(20);

fn positions(events: &[Value]) -> Vec<u64> {
    let position = |event: &Value| event["position"].as_str().unwrap().parse().unwrap();
    events.iter().map(position).collect()
}

fn lines(given: &Given) -> Vec<Value> {
    given.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_lead_through_the_whole_record() {
    let service = Running::start().await;
    let (mut events, mut after) = (Vec::new(), 0);
    loop {
        let page = service.get(&format!("./events?after={after}&limit=7"));
        let page = page.gives(StatusCode::OK).await.json();
        let found = page["events"].as_array().unwrap().clone();
        after = page["scanned_to"].as_u64().unwrap();
        if found.is_empty() {
            break;
        }
        events.extend(found);
    }
    let positions = positions(&events);
    assert!(positions.len() as u64 >= ROAD_EVENTS);
    assert_eq!(positions, (1..=positions.len() as u64).collect::<Vec<_>>());
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_is_a_cloud_event_with_the_schema_of_its_data() {
    let service = Running::start().await;
    let event = service.get("./events/1").gives(StatusCode::OK).await;
    assert_eq!(event.header("content-type"), "application/cloudevents+json");
    let event = event.json();
    for (name, value) in [
        ("specversion", json!("1.0")),
        ("id", json!("shop/1")),
        ("source", json!("/books/shop")),
        ("type", json!("shop.configured")),
        ("subject", json!("shop")),
        ("position", json!("1")),
        ("actor", json!("staff:sato")),
    ] {
        assert_eq!(event[name], value, "{name}");
    }
    let schema =
        event["dataschema"].as_str().unwrap().strip_prefix(&service.url).unwrap().to_owned();
    let schema = service.bare(Method::GET, &schema).gives(StatusCode::OK).await.json();
    // The schemas themselves are tested beside the events (`published.rs`).
    let (named, data) = (schema["properties"].as_object().unwrap(), event["data"].as_object());
    let data = data.unwrap();
    assert!(data.keys().all(|field| named.contains_key(field)), "{data:?}");
    let required = schema["required"].as_array().unwrap();
    assert!(required.iter().all(|field| data.contains_key(field.as_str().unwrap())), "{data:?}");
    let record = service.get("./events/1").header("Accept", "application/vnd.daicho.record+json");
    let record = record.gives(StatusCode::OK).await.json();
    assert_eq!(record["envelope"]["data_sha256"], event["datasha256"]);
    for position in ["0", "9999", "x"] {
        service.get(&format!("./events/{position}")).gives(StatusCode::NOT_FOUND).await;
    }
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ndjson_holds_all_that_is_asked_for_and_says_how_far_it_looked() {
    let service = Running::start().await;
    let all = service.get("./events").header("Accept", "application/x-ndjson");
    let all = lines(&all.gives(StatusCode::OK).await);
    let (end, events) = all.split_last().unwrap();
    assert_eq!(end["scanned_to"], json!(events.len()));
    assert_eq!(positions(events), (1..=events.len() as u64).collect::<Vec<_>>());
    let some = service.get("./events?type=order.placed&type=order.accepted&after=2");
    let some = lines(&some.header("Accept", "application/x-ndjson").gives(StatusCode::OK).await);
    let types: Vec<&str> = some.iter().filter_map(|event| event["type"].as_str()).collect();
    assert_eq!(types, ["order.placed", "order.accepted"]);
    assert_eq!(some.last().unwrap(), end);
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_type_that_no_event_has_is_refused_in_every_form() {
    let service = Running::start().await;
    for form in ["application/json", "application/x-ndjson", "text/event-stream"] {
        let asked = service.get("./events?type=order.placed&type=order.plced");
        let refused = asked.header("Accept", form).gives(StatusCode::UNPROCESSABLE_ENTITY).await;
        assert_eq!(refused.problem(), ("malformed".to_owned(), Some("type".to_owned())), "{form}");
    }
    service.end().await;
}

/// Reads a stream until it has sent `count` events.
async fn read_stream(answer: Response, count: usize) -> (Vec<Value>, String) {
    let (mut text, mut stream) = (String::new(), answer.bytes_stream());
    let reading = async {
        // An event ends with an empty line; the last one may have arrived only in part.
        while text.matches("data: ").count() < count || !text.ends_with("\n\n") {
            text.push_str(std::str::from_utf8(&stream.next().await.unwrap().unwrap()).unwrap());
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.unwrap();
    let events = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let events = events.map(|event| serde_json::from_str(event).unwrap()).collect();
    let id = text.lines().filter_map(|line| line.strip_prefix("id: ")).next_back();
    (events, id.unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_live_stream_goes_on_where_the_last_id_says() {
    let service = Running::start().await;
    let open = async |last: &str| {
        let request = service.get("./events").header("Accept", "text/event-stream");
        request.header("Last-Event-ID", last.to_owned()).send().await.unwrap()
    };
    let (first, id) = read_stream(open("0").await, 5).await;
    assert_eq!(positions(&first)[..5], [1, 2, 3, 4, 5]);
    let head = id.parse::<u64>().unwrap();
    let live = open(&id).await;
    for name in ["Midori", "Akane"] {
        let made = service.post("./organisations", &json!({ "name": name }));
        made.gives(StatusCode::CREATED).await;
    }
    let (new, _) = read_stream(live, 2).await;
    assert_eq!(positions(&new), [head + 1, head + 2]);
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_open_does_not_hold_back_the_end_of_the_service() {
    let service = Running::start().await;
    let stream = service.get("./events?follow=true").header("Accept", "application/x-ndjson");
    let mut stream = stream.send().await.unwrap().bytes_stream();
    assert!(stream.next().await.unwrap().is_ok());
    tokio::time::timeout(PATIENCE, service.end()).await.unwrap();
    while let Some(Ok(_)) = stream.next().await {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_with_the_key_that_it_came_with_and_no_other() {
    let service = Running::start().await;
    let body = json!({ "name": "soon revoked", "actor": "system:gone", "role": "auditor" });
    let made = service.post("./keys", &body).gives(StatusCode::CREATED).await.json();
    let secret = made["secret"].as_str().unwrap();
    let open = async |secret: &str, accept: &str| {
        let request = service.bare(Method::GET, "./events?follow=true").bearer_auth(secret);
        let answer = request.header("Accept", accept).send().await.unwrap();
        let mut stream = answer.bytes_stream();
        assert!(stream.next().await.unwrap().is_ok());
        stream
    };
    let mut live = open(secret, "text/event-stream").await;
    let mut lines = open(secret, "application/x-ndjson").await;
    let mut kept = open(&service.keys[&Role::Auditor], "application/x-ndjson").await;
    let revoke = format!("./keys/{}/revoke", made["key"].as_str().unwrap());
    service.post(&revoke, &json!({})).gives(StatusCode::OK).await;
    let ending = async {
        while live.next().await.transpose().unwrap().is_some() {}
        while lines.next().await.transpose().unwrap().is_some() {}
    };
    tokio::time::timeout(PATIENCE, ending).await.unwrap();
    service.post("./organisations", &json!({ "name": "Midori" })).gives(StatusCode::CREATED).await;
    let told = async {
        while !kept.next().await.unwrap().unwrap().windows(6).any(|name| name == b"Midori") {}
    };
    tokio::time::timeout(PATIENCE, told).await.unwrap();
    drop(kept);
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn positions_and_ids_that_cannot_be_are_refused() {
    let service = Running::start().await;
    let beyond = service.get("./events?after=99999").gives(StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(beyond.problem().0, "not_recorded");
    let forged = service.get("./events").header("Accept", "text/event-stream");
    let forged = forged.header("Last-Event-ID", "seven").gives(StatusCode::BAD_REQUEST).await;
    assert_eq!(forged.problem().1.as_deref(), Some("Last-Event-ID"));
    for query in ["?limit=0", "?limit=1001", "?after=-1", "?nope=1", "?follow=perhaps"] {
        service.get(&format!("./events{query}")).gives(StatusCode::BAD_REQUEST).await;
    }
    service.end().await;
}
