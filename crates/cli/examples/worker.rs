//! A worker of a consumer: takes batches of events, does its work, acknowledges. Start as many as
//! there is work for; each event comes at least once, in order within each order.
//!
//! `DAICHO_BOOKS=http://127.0.0.1:7400/v1/books/shop DAICHO_KEY=dk_… worker NAME`

#![allow(clippy::print_stdout, reason = "what it does with an event is to print it")]

use std::time::Duration;

use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

type Failed = Box<dyn std::error::Error>;

#[derive(Deserialize)]
struct Batch {
    batch: String,
    events: Vec<Event>,
}

/// What this worker wants to know of a CloudEvent.
#[derive(Deserialize)]
struct Event {
    position: String,
    subject: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failed> {
    let books = std::env::var("DAICHO_BOOKS")?;
    let key = std::env::var("DAICHO_KEY")?;
    let name = std::env::args().nth(1).ok_or("which name has this worker?")?;
    let consumer = format!("{}/consumers/orders", books.trim_end_matches('/'));
    // Whose cryptography TLS uses: ring's, as the ledger itself.
    rustls::crypto::ring::default_provider().install_default().map_err(|_| "it has one already")?;
    let client = Client::new();
    let post = |path: &str, body: Value| {
        client.post(format!("{consumer}/{path}")).bearer_auth(&key).json(&body)
    };
    loop {
        let request = json!({ "worker": name, "events": 20, "lease_ms": 2_000, "wait_ms": 1_000 });
        let Some(answer) = answered(post("batches", request)).await? else { continue };
        let Batch { batch, events } = answer.json().await?;
        for Event { position, subject } in events {
            // The work. It may come again: after a crash, or when it took longer than the lease.
            println!("{position} {subject}");
        }
        // What was not acknowledged comes again; who has it by then acknowledges it.
        answered(post(&format!("batches/{batch}/acknowledge"), json!({}))).await?;
    }
}

/// What the ledger says; none: there is nothing now. A server that is away, or has too much to do,
/// is asked again.
async fn answered(request: RequestBuilder) -> Result<Option<Response>, Failed> {
    let again = Duration::from_millis(200);
    match request.send().await {
        Err(error) if error.is_connect() || error.is_timeout() || error.is_request() => {
            tokio::time::sleep(again).await;
            Ok(None)
        }
        Err(error) => Err(error.into()),
        Ok(answer) => match answer.status() {
            StatusCode::OK => Ok(Some(answer)),
            StatusCode::NO_CONTENT | StatusCode::CONFLICT => Ok(None),
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                tokio::time::sleep(again).await;
                Ok(None)
            }
            status => Err(format!("{status}: {}", answer.text().await?).into()),
        },
    }
}
