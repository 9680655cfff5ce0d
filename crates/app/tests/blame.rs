//! Whose fault an error is: damage in a book is never reported as the caller's mistake.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use daicho_app::{
    Blame, Books, ClockAndEntropy, ConsumerRequest, Failure, KnownAt, Ledger, Position, Signature,
    WebhookRequest, list_by_name,
};
use daicho_store::{SqliteState, State, StateName};

/// JSON that is not one of our documents.
const DAMAGED: &str = "{}";

async fn book(folder: &std::path::Path) -> Ledger {
    let books = Books::in_folder(folder);
    books.create(&"shop".parse().unwrap(), ClockAndEntropy::system()).await.unwrap()
}

/// Damages a document of the state without the ledger's knowledge.
async fn damage(folder: &std::path::Path, kind: &str) {
    let id = daicho_store::sqlite::inspect(&folder.join("shop/record.db")).await.unwrap().0;
    let state = SqliteState::new(&folder.join("shop/state.db"), id);
    let (kind, name) = (StateName::new(kind).unwrap(), StateName::new("crm").unwrap());
    let version = state.document(&kind, &name).await.unwrap().unwrap().version;
    state.put_document(&kind, &name, DAMAGED, Some(version)).await.unwrap().unwrap();
    state.close().await;
}

/// This error was once answered with 422, and ended the command as "usage".
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_document_of_a_consumer_is_ours() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = book(folder.path()).await;
    let request = serde_json::from_value(serde_json::json!({ "name": "crm" }));
    let request: ConsumerRequest = request.unwrap();
    ledger.consumers().create(&request).await.unwrap();
    damage(folder.path(), "consumer").await;
    let error = ledger.consumers().find("crm").await.unwrap_err();
    assert_eq!((error.blame(), error.code()), (Blame::Ours, "failure"), "{error}");
    let error = ledger.consumers().find("nobody").await.unwrap_err();
    assert_eq!(error.blame(), Blame::Caller, "{error}");
    ledger.close().await;
}

/// The same for a webhook and for how far it has come.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_document_of_a_webhook_is_ours() {
    for kind in ["webhook", "webhook-progress"] {
        let folder = tempfile::tempdir().unwrap();
        let ledger = book(folder.path()).await;
        let request = WebhookRequest {
            name: "crm".to_owned(),
            url: "https://crm.example".to_owned(),
            types: Vec::new(),
            tags: Vec::new(),
            signature: Signature::Hmac,
            after: None,
        };
        ledger.webhooks().create(&request, false).await.unwrap();
        damage(folder.path(), kind).await;
        let error = ledger.webhooks().find("crm").await.unwrap_err();
        assert_eq!((error.blame(), error.code()), (Blame::Ours, "failure"), "{kind}: {error}");
        ledger.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_is_the_callers() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = book(folder.path()).await;
    let beyond = KnownAt::Position(Position(9));
    let error = ledger.record().position_of(Some(beyond)).await.unwrap_err();
    assert_eq!(error.blame(), Blame::Caller, "{error}");
    let Err(error) = list_by_name("nothing") else { panic!("there is a list `nothing`") };
    assert!(matches!(error, Failure::UnknownList { .. }), "{error}");
    assert_eq!(error.blame(), Blame::Caller);
    ledger.close().await;
}
