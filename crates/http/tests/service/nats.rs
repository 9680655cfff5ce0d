//! The service itself publishes the events of every book.

use std::time::Duration;

use daicho_test_servers::NatsServer;
use serde_json::Value;

use crate::support::Running;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_book_that_nobody_asks_for_is_published_as_anybody_reads_it() {
    let server = NatsServer::start();
    let url = server.url();
    let service = Running::start_with(|settings| settings.nats.url = Some(url)).await;
    let client = async_nats::connect(server.url()).await.unwrap();
    let context = async_nats::jetstream::new(client);
    let first = async {
        loop {
            if let Ok(stream) = context.get_stream("DAICHO_shop").await
                && let Ok(message) = stream.get_raw_message(1).await
            {
                return message;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let first = tokio::time::timeout(Duration::from_secs(30), first).await.unwrap();
    assert_eq!(first.subject.as_str(), "daicho.shop.shop.configured");
    assert_eq!(first.headers.get("content-type").unwrap().as_str(), "application/cloudevents+json");
    let event: Value = serde_json::from_slice(&first.payload).unwrap();
    assert_eq!(event["id"], "shop/1");
    service.end().await;
}
