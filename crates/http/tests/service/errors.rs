//! A request that does not have the required form gets a problem that names the wrong part, and
//! changes nothing.

use daicho_app::Role;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{Answers, ORDER, Running};

async fn head(service: &Running) -> u64 {
    let page = service.get("./events?limit=1000").gives(StatusCode::OK).await.json();
    page["scanned_to"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_no_command_is_refused_and_nothing_is_recorded() {
    let service = Running::start().await;
    let before = head(&service).await;
    let post = |body: &'static str, kind: &'static str| {
        let request = service.by(Role::Operator, Method::POST, "./organisations");
        request.header(CONTENT_TYPE, kind).body(body)
    };
    let json = "application/json";
    for (body, kind, status) in [
        ("{\"name\":", json, StatusCode::BAD_REQUEST),
        ("{\"name\":\"a\"} x", json, StatusCode::BAD_REQUEST),
        ("{\"name\":\"a\",\"name\":\"b\"}", json, StatusCode::BAD_REQUEST),
        ("\u{1f4a9}", json, StatusCode::BAD_REQUEST),
        ("[1]", json, StatusCode::UNPROCESSABLE_ENTITY),
        ("\"name\"", json, StatusCode::UNPROCESSABLE_ENTITY),
        ("{\"name\":7}", json, StatusCode::UNPROCESSABLE_ENTITY),
        ("{}", json, StatusCode::UNPROCESSABLE_ENTITY),
        ("", json, StatusCode::UNPROCESSABLE_ENTITY),
        ("name=a", "application/x-www-form-urlencoded", StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ] {
        post(body, kind).gives(status).await.problem();
    }
    let no_field = post("{\"name\":7}", json).gives(StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(no_field.problem(), ("malformed".to_owned(), Some("name".to_owned())));
    assert_eq!(head(&service).await, before);
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_too_large_is_refused_whether_it_says_so_or_not() {
    let service = Running::start_with(|settings| settings.limits.body_bytes_max = 1_000).await;
    let large = json!({ "name": "x".repeat(2_000) });
    let announced = service.post("./organisations", &large);
    let announced = announced.gives(StatusCode::PAYLOAD_TOO_LARGE).await;
    assert_eq!(announced.problem().0, "too_large");
    let text = large.to_string();
    let parts = futures_util::stream::iter([Ok::<_, std::io::Error>(text)]);
    let unannounced = service
        .by(Role::Operator, Method::POST, "./organisations")
        .header(CONTENT_TYPE, "application/json")
        .body(reqwest::Body::wrap_stream(parts));
    unannounced.gives(StatusCode::PAYLOAD_TOO_LARGE).await.problem();
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stands_nowhere_and_what_cannot_be_done_there_are_told_apart() {
    let service = Running::start().await;
    for path in ["/", "/v1", "/v2/books/shop/orders", "./nope", "./orders/x/y/z"] {
        let missing = service.get(path).gives(StatusCode::NOT_FOUND).await;
        assert_eq!(missing.problem().0, "not_found", "{path}");
    }
    let wrong = service.by(Role::Operator, Method::PATCH, "./orders");
    let wrong = wrong.gives(StatusCode::METHOD_NOT_ALLOWED).await;
    assert_eq!(wrong.problem().0, "method_not_allowed");
    let allowed = wrong.header("allow");
    assert!(allowed.contains("GET") && allowed.contains("POST"), "{allowed}");
    let form = service.get("./orders").header("Accept", "image/png");
    assert_eq!(form.gives(StatusCode::NOT_ACCEPTABLE).await.problem().0, "not_acceptable");
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_that_are_given_twice_or_are_empty_are_refused() {
    let service = Running::start().await;
    let body = json!({ "reason": "x" });
    let cancel = || service.post(&format!("./orders/{ORDER}/cancel"), &body);
    let twice = cancel().header("Idempotency-Key", "a").header("Idempotency-Key", "b");
    let twice = twice.gives(StatusCode::BAD_REQUEST).await;
    assert_eq!(twice.problem().1.as_deref(), Some("idempotency-key"));
    let empty = cancel().header("Idempotency-Key", "\"\"").gives(StatusCode::BAD_REQUEST).await;
    assert_eq!(empty.problem().0, "malformed");
    let nobody =
        cancel().header("Daicho-On-Behalf-Of", "nobody").gives(StatusCode::BAD_REQUEST).await;
    assert_eq!(nobody.problem().1.as_deref(), Some("daicho-on-behalf-of"));
    service.end().await;
}

/// Writes `bytes` to the service and reads its answer until the service closes the connection.
async fn raw(service: &Running, bytes: &[u8]) -> String {
    let mut stream =
        TcpStream::connect(service.url.strip_prefix("http://").unwrap()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    // A connection that is reset is closed as well.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_never_ends_and_one_with_smuggled_lines_get_nowhere() {
    let service = Running::start_with(|settings| settings.limits.head_seconds_max = 1).await;
    let slow = raw(&service, b"GET /livez HTTP/1.1\r\nHost: a\r\nX-A: ").await;
    assert!(slow.is_empty() || slow.starts_with("HTTP/1.1 408"), "{slow}");
    let smuggled = raw(&service, b"GET /livez HTTP/1.1\r\nHost: a\r\nX-A: b\x00c\r\n\r\n").await;
    assert!(smuggled.starts_with("HTTP/1.1 400"), "{smuggled}");
    let request =
        b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Request-Id: a b\r\n\r\n";
    let answer = raw(&service, request).await;
    assert!(answer.starts_with("HTTP/1.1 200") && !answer.contains("a b"), "{answer}");
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_has_the_id_of_its_request() {
    let service = Running::start().await;
    let own = service.get("./orders").header("X-Request-Id", "mine-1").gives(StatusCode::OK).await;
    assert_eq!(own.header("x-request-id"), "mine-1");
    let made = service.get("./orders").gives(StatusCode::OK).await;
    assert_eq!(made.header("x-request-id").len(), 26);
    assert_eq!(made.header("cache-control"), "no-store");
    service.end().await;
}
