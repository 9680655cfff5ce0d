//! The OpenAPI description is committed, so that changes of the service are seen in a review.

use reqwest::{Method, StatusCode};

use crate::support::{Answers, Running};

/// Set to rewrite the committed description.
const REWRITE: &str = "DAICHO_BLESS";
const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");

#[test]
fn the_committed_description_is_that_of_the_service() {
    let description = format!("{:#}\n", daicho_http::description());
    if std::env::var_os(REWRITE).is_some() {
        std::fs::write(COMMITTED, &description).unwrap();
    }
    let committed = std::fs::read_to_string(COMMITTED).unwrap_or_default();
    assert!(committed == description, "run the tests with {REWRITE}=1 and read the difference");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_describes_itself_without_a_key_and_without_other_hosts() {
    let service = Running::start().await;
    let description = service.bare(Method::GET, "/openapi.json").gives(StatusCode::OK).await.json();
    assert_eq!(description, daicho_http::description());
    let page = service.bare(Method::GET, "/docs").gives(StatusCode::OK).await;
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(!page.text.contains("http://") && !page.text.contains("https://"));
    service.end().await;
}
