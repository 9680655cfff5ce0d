//! Every endpoint of the description × every role × {own book, another, none, a revoked key}:
//! access is as the table of rights says, and nobody else learns that a book exists.

use daicho_app::{CommandEntry, Right, Role, may};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answers, Running, book_after_the_main_road};

/// An operation that needs a key.
struct Operation {
    method: Method,
    path: String,
    right: String,
}

fn operations() -> Vec<Operation> {
    let description = daicho_http::description();
    let mut operations = Vec::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let Some(right) = operation["x-daicho-right"].as_str() else {
                assert!(!path.contains("{book}"), "{path} is open to all");
                continue;
            };
            let method = method.to_uppercase().parse().unwrap();
            operations.push(Operation { method, path: path.clone(), right: right.to_owned() });
        }
    }
    operations
}

/// What the table of rights says.
fn is_allowed(role: Role, right: &str) -> bool {
    let right = match right {
        "read this book" => Right::Read,
        "follow events under a name" => Right::FollowEvents,
        "manage consumers and deliveries" => Right::ManageDeliveries,
        "manage keys" => Right::ManageKeys,
        right => {
            let command = right.strip_prefix("run ").unwrap();
            CommandEntry::by_name(command).unwrap().row.right()
        }
    };
    may(role, right)
}

fn filled(path: &str, book: &str) -> String {
    let parts = path.replace("{book}", book);
    let parts = parts.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_may_what_the_table_says_in_its_own_book_and_nothing_elsewhere() {
    let service = Running::start().await;
    let others = book_after_the_main_road(&service.folder, "other").await;
    let ask = async |operation: &Operation, book: &str, key: Option<&str>| {
        let request = service.bare(operation.method.clone(), &filled(&operation.path, book));
        let request =
            if operation.method == Method::GET { request } else { request.json(&json!([])) };
        let request = match key {
            Some(key) => request.bearer_auth(key),
            None => request,
        };
        let answer = request.send().await.unwrap();
        let status = answer.status();
        (status, answer.text().await.unwrap_or_default())
    };
    let operations = operations();
    assert!(operations.len() > 45, "only {} operations", operations.len());
    for operation in &operations {
        let name = format!("{} {}", operation.method, operation.path);
        for role in Role::ALL {
            let key = service.keys[&role].as_str();
            let (status, text) = ask(operation, "shop", Some(key)).await;
            let refused = status == StatusCode::FORBIDDEN;
            assert_eq!(!refused, is_allowed(role, &operation.right), "{role}: {name}: {text}");
            assert_ne!(status, StatusCode::UNAUTHORIZED, "{role}: {name}");
            assert!(status.as_u16() < 500, "{role}: {name}: {text}");
            let elsewhere = ask(operation, "other", Some(key)).await;
            let nowhere = ask(operation, "nowhere", Some(key)).await;
            assert_eq!(elsewhere.0, StatusCode::UNAUTHORIZED, "{role}: {name}");
            assert_eq!(elsewhere, nowhere, "another book differs from none: {role}: {name}");
        }
        for key in [None, Some(""), Some("nonsense"), Some(others[&Role::Operator].as_str())] {
            let (status, _) = ask(operation, "shop", key).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{name} with {key:?}");
        }
    }
    let revoked = revoked_key(&service).await;
    for operation in &operations {
        let (status, _) = ask(operation, "shop", Some(&revoked)).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{} {}", operation.method, operation.path);
    }
    service.end().await;
}

async fn revoked_key(service: &Running) -> String {
    let body = json!({ "name": "soon revoked", "actor": "system:gone", "role": "operator" });
    let made: Value = service.post("./keys", &body).gives(StatusCode::CREATED).await.json();
    let revoke = format!("./keys/{}/revoke", made["key"].as_str().unwrap());
    service.post(&revoke, &json!({})).gives(StatusCode::OK).await;
    made["secret"].as_str().unwrap().to_owned()
}
