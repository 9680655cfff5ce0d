//! A book in NATS JetStream: complete and in order, even if the broker is stopped or wiped.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream;
use daicho_app::{BookName, Books, ClockAndEntropy, CommandRequest, EventText, Ledger};
use daicho_deliveries::{Attendant, Broker, BrokerError, BrokerSettings, publish};
use daicho_test_servers::NatsServer;
use serde_json::json;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);

fn settings(server: &NatsServer) -> BrokerSettings {
    BrokerSettings {
        url: server.url(),
        credentials_file: None,
        stream_prefix: "DAICHO_".to_owned(),
        subject_prefix: "daicho".to_owned(),
        replicas: 1,
    }
}

async fn broker(server: &NatsServer) -> Arc<Broker> {
    let to_body = |event: &EventText, book: &str| {
        Ok(json!({ "id": format!("{book}/{}", event.position), "data": event.data }).to_string())
    };
    Arc::new(Broker::connect(settings(server), Arc::new(to_body)).await.unwrap())
}

async fn book(folder: &TempDir) -> Arc<Ledger> {
    let name: BookName = "shop".parse().unwrap();
    let ledger =
        Books::in_folder(folder.path()).create(&name, ClockAndEntropy::system()).await.unwrap();
    let shop = json!({ "actor": "staff:sato", "command": "shop.open_book", "data": {
        "name": "Shop", "currency": "JPY", "time_zone": "Asia/Tokyo", "rounding": "floor",
        "verification_minutes": null, "main_registration": false, "quote_valid_days": 30,
        "barcode_below": null, "invoice_prefix": "R", "closed_days": "bank", "cutoff": null,
        "issue_day": 10, "tax_rates": [], "issuer": null,
    }});
    ledger.commands().run(serde_json::from_value(shop).unwrap()).await.unwrap();
    Arc::new(ledger)
}

async fn happen(ledger: &Ledger, count: usize) {
    for number in 0..count {
        let data =
            json!({ "name": format!("Aoba {number}"), "country": "Japan", "reference": null });
        let (actor, data) = ("staff:sato".parse().unwrap(), data.as_object().unwrap().clone());
        ledger
            .commands()
            .run(CommandRequest::new("organisation.register", actor, data))
            .await
            .unwrap();
    }
}

/// The ids, subjects and bodies in the stream, from its first message on.
async fn stored(server: &NatsServer) -> Option<Vec<(String, String)>> {
    let client = async_nats::connect(server.url()).await.ok()?;
    let stream = jetstream::new(client).get_stream("DAICHO_shop").await.ok()?;
    let last = stream.get_info().await.ok()?.state.last_sequence;
    let mut messages = Vec::new();
    for sequence in 1..=last {
        let message = stream.get_raw_message(sequence).await.ok()?;
        let id = message.headers.get("Nats-Msg-Id").unwrap().to_string();
        messages.push((id, message.subject.to_string()));
    }
    Some(messages)
}

/// Waits until the whole book is in the stream, and checks that it equals the record.
async fn is_whole(server: &NatsServer, ledger: &Ledger) {
    let page = ledger.history().events(&[], &[], daicho_app::Position(0), 10_000).await.unwrap();
    let expected: Vec<(String, String)> = page
        .events
        .iter()
        .map(|event| {
            let subject = format!("daicho.shop.{}", event.type_name());
            (format!("shop/{}", event.position), subject)
        })
        .collect();
    let waiting = async {
        loop {
            let stored = stored(server).await.unwrap_or_default();
            if stored.len() >= expected.len() {
                return stored;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let stored =
        tokio::time::timeout(PATIENCE, waiting).await.expect("the stream is filled in time");
    assert_eq!(stored, expected);
    assert!(expected.iter().any(|(_, subject)| subject == "daicho.shop.organisation.registered"));
}

async fn end(ledger: Arc<Ledger>, attendants: impl IntoIterator<Item = Attendant>) {
    for attendant in attendants {
        attendant.stop().await;
    }
    Arc::into_inner(ledger).unwrap().close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_the_record_and_is_filled_again_when_the_broker_was_stopped_or_wiped() {
    let (mut server, folder) = (NatsServer::start(), TempDir::new().unwrap());
    let ledger = book(&folder).await;
    happen(&ledger, 300).await;
    let publisher = publish(Arc::clone(&ledger), broker(&server).await);
    is_whole(&server, &ledger).await;
    happen(&ledger, 20).await;
    is_whole(&server, &ledger).await;
    // Stopped half-way: publishing continues after what the broker has stored.
    let (arriving, ()) = tokio::join!(happen(&ledger, 60), async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        server.stop();
    });
    let () = arriving;
    server.start_again();
    is_whole(&server, &ledger).await;
    // Wiped: the stream is filled again from the first event on.
    server.stop();
    server.wipe();
    happen(&ledger, 10).await;
    server.start_again();
    is_whole(&server, &ledger).await;
    end(ledger, [publisher]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_publishers_make_no_double_and_one_that_comes_later_goes_on() {
    let (server, folder) = (NatsServer::start(), TempDir::new().unwrap());
    let ledger = book(&folder).await;
    let broker = broker(&server).await;
    let one = publish(Arc::clone(&ledger), Arc::clone(&broker));
    let two = publish(Arc::clone(&ledger), Arc::clone(&broker));
    happen(&ledger, 50).await;
    is_whole(&server, &ledger).await;
    one.stop().await;
    happen(&ledger, 10).await;
    is_whole(&server, &ledger).await;
    // Events that are stored but not acknowledged are found in the stream.
    ledger.following().set_cursor("daicho:nats", daicho_app::Position(3)).await.unwrap();
    two.stop().await;
    let three = publish(Arc::clone(&ledger), broker);
    happen(&ledger, 10).await;
    is_whole(&server, &ledger).await;
    end(ledger, [three]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_that_are_not_there_are_named() {
    let server = NatsServer::start();
    let file = Some("/nowhere/nats.creds".into());
    let settings = BrokerSettings { credentials_file: file, ..settings(&server) };
    let to_body = |_: &EventText, _: &str| Ok(String::new());
    let refused = Broker::connect(settings, Arc::new(to_body)).await.err().unwrap();
    assert!(matches!(refused, BrokerError::Credentials { .. }));
    assert!(refused.to_string().contains("/nowhere/nats.creds"));
}
