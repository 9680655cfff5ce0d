//! Commands: the path and the body make one, and its answer gives the result, always the same.

use daicho_app::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answers, MEMBER, ORDER, ORGANISATION, ROAD_EVENTS, Running};

fn organisation(name: &str) -> Value {
    json!({ "name": name })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thing_that_is_made_says_where_it_is_and_what_was_recorded() {
    let service = Running::start().await;
    let made =
        service.post("./organisations", &organisation("Midori")).gives(StatusCode::CREATED).await;
    let answer = made.json();
    let resource = answer["resource"].as_str().unwrap();
    let id = resource.strip_prefix("organisation:").unwrap();
    assert_eq!(made.header("location"), format!("/v1/books/shop/organisations/{id}"));
    assert_eq!(made.header("etag"), format!("\"{}\"", answer["last"]));
    assert_eq!(answer["events"][0]["type"], "organisation.registered");
    assert_eq!(answer["first"], answer["events"][0]["position"]);
    let history = service.get(&format!("./history/{resource}")).gives(StatusCode::OK).await.json();
    assert_eq!(history["lines"][0]["actor"], "system:operator");
    assert_eq!(history["lines"][0]["data"]["name"], "Midori");
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_request_has_one_effect_and_the_same_answer() {
    let service = Running::start().await;
    let ask = |key: &str, body: &Value| {
        service.post("./organisations", body).header("Idempotency-Key", key)
    };
    let first = ask("a-1", &organisation("Midori")).gives(StatusCode::CREATED).await;
    let again = ask("\"a-1\"", &organisation("Midori")).gives(StatusCode::CREATED).await;
    assert_eq!(again.text, first.text);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert!(first.headers.get("idempotency-replayed").is_none());
    let other = ask("a-1", &organisation("Akane")).gives(StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(other.problem().0, "request_id_reused");
    let folder = service.end().await;
    drop(folder);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_equal_requests_at_once_both_get_the_answer_of_the_winner() {
    let service = Running::start().await;
    let body = organisation("Midori");
    let ask = || {
        let request = service.post("./organisations", &body).header("Idempotency-Key", "twice");
        request.gives(StatusCode::CREATED)
    };
    let answers = futures_util::future::join_all((0..8).map(|_| ask())).await;
    assert!(answers.iter().all(|answer| answer.text == answers[0].text));
    let repeated =
        answers.iter().filter(|answer| answer.headers.contains_key("idempotency-replayed"));
    assert_eq!(repeated.count(), 7);
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_rule_is_a_problem_with_its_code_and_is_decided_again() {
    let service = Running::start().await;
    let cancel = || {
        let body = json!({ "reason": "a mistake" });
        service.post(&format!("./orders/{ORDER}/cancel"), &body).header("Idempotency-Key", "c-1")
    };
    let refused = cancel().gives(StatusCode::UNPROCESSABLE_ENTITY).await;
    let (code, _) = refused.problem();
    assert_eq!(code, "too_late_to_cancel");
    assert!(!refused.json()["detail"].as_str().unwrap().is_empty());
    assert_eq!(cancel().gives(StatusCode::UNPROCESSABLE_ENTITY).await.problem().0, code);
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_caller_acts_on_behalf_of_a_member_and_both_are_recorded() {
    let service = Running::start().await;
    let body = json!({
        "member": MEMBER, "payment_method": "invoice",
        "lines": [{ "product": "mail", "plan": "monthly", "quantity": 1 }],
        "terms": [{ "product": "mail", "version": "2020-1" }],
    });
    let place = |role| {
        let request = service.by(role, Method::POST, "./orders").json(&body);
        request.header("Daicho-On-Behalf-Of", format!("member:{MEMBER}"))
    };
    let placed = place(Role::Integration).gives(StatusCode::CREATED).await.json();
    let tag = placed["resource"].as_str().unwrap();
    let history = service.get(&format!("./history/{tag}")).gives(StatusCode::OK).await.json();
    assert_eq!(history["lines"][0]["actor"], "system:integration");
    assert_eq!(history["lines"][0]["on_behalf_of"], format!("member:{MEMBER}"));
    // The rules apply to the one on whose behalf the caller acts.
    let stranger = service
        .by(Role::Integration, Method::POST, "./orders")
        .json(&body)
        .header("Daicho-On-Behalf-Of", "member:01J0000000000000000000000Z")
        .gives(StatusCode::UNPROCESSABLE_ENTITY)
        .await;
    assert_eq!(stranger.problem().0, "member_acts_for_another");
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_insists_on_what_it_knows_is_told_when_that_has_changed() {
    let service = Running::start().await;
    let order = service.get(&format!("./orders/{ORDER}")).gives(StatusCode::OK).await;
    let known = order.header("etag").to_owned();
    let fulfil = |tag: &str| {
        let body = json!({ "fulfilled_on": "2020-01-06" });
        let request = service.post(&format!("./orders/{ORDER}/fulfil"), &body);
        request.header("If-Match", tag.to_owned())
    };
    let stale = fulfil("\"1\"").gives(StatusCode::PRECONDITION_FAILED).await;
    assert_eq!(stale.problem(), ("changed".to_owned(), Some("If-Match".to_owned())));
    for wrong in ["1", "*", "W/\"1\"", "\"x\""] {
        assert_eq!(fulfil(wrong).gives(StatusCode::BAD_REQUEST).await.problem().0, "malformed");
    }
    // The expectation holds now; that the command then breaks a rule does not matter here.
    let answer = fulfil(&known).send().await.unwrap().status();
    assert_ne!(answer, StatusCode::PRECONDITION_FAILED);
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_is_there_after_the_service_has_ended() {
    let service = Running::start().await;
    let made =
        service.post("./organisations", &organisation("Midori")).gives(StatusCode::CREATED).await;
    let position = made.json()["last"].as_u64().unwrap();
    assert!(position > ROAD_EVENTS);
    let folder = service.end().await;
    let books = daicho_app::Books::in_folder(folder.path());
    let ledger =
        books.open(&"shop".parse().unwrap(), daicho_app::ClockAndEntropy::system()).await.unwrap();
    assert_eq!(ledger.record().position_of(None).await.unwrap(), position);
    ledger.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_field_of_the_path_does_not_stand_in_the_body_too() {
    let service = Running::start().await;
    let body = json!({ "order": ORDER, "reason": "a mistake" });
    let twice = service.post(&format!("./orders/{ORDER}/cancel"), &body);
    let twice = twice.gives(StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(twice.problem(), ("malformed".to_owned(), Some("order".to_owned())));
    let unknown = service.post("./organisations", &json!({ "name": "x", "nmae": "y" }));
    let unknown = unknown.gives(StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(unknown.problem(), ("malformed".to_owned(), Some("nmae".to_owned())));
    assert!(service.get(&format!("./history/organisation:{ORGANISATION}")).send().await.is_ok());
    service.end().await;
}
