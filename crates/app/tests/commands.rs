//! Commands by their names: those of earlier releases, and those that generate a secret.

#![allow(unreachable_pub, missing_docs, dead_code, reason = "a test crate has no public surface")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod support;

use daicho_app::{CommandRequest, Context, ExecuteError, Executed, KeyId, Ledger};
use serde_json::{Value, json};
use support::{clock_at, run, staff, wholesaler};

const ORGANISATION: &str = "01J0000000000000000000000A";
const MEMBER: &str = "01J0000000000000000000000B";
const RETURN: &str = "01J0000000000000000000000C";

async fn named(
    ledger: &Ledger,
    request: &str,
    command: &str,
    data: &Value,
) -> Result<Executed, ExecuteError> {
    let request = json!({
        "request": request, "actor": staff(), "command": command, "data": data,
    });
    ledger.commands().run(serde_json::from_value::<CommandRequest>(request).unwrap()).await
}

async fn a_registered_member(ledger: &Ledger) {
    let organisation = json!({ "organisation": ORGANISATION, "name": "Corner Shop" });
    run(ledger, "staff:sato", "organisation.register", organisation).await.unwrap();
    let member = json!({
        "member": MEMBER, "organisation": ORGANISATION, "name": "Ann", "role": "administrator",
        "origin": "the system before",
    });
    run(ledger, "staff:sato", "member.migrate", member).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renamed_command_is_known_by_both_names_and_is_one_request() {
    let folder = tempfile::tempdir().unwrap();
    let (_, clock_and_entropy) = clock_at("2026-05-11T10:00:00Z");
    let ledger = wholesaler(folder.path(), clock_and_entropy).await;
    a_registered_member(&ledger).await;
    let data = json!({
        "goods_return": RETURN, "member": MEMBER, "reference": "C-1", "returned_on": "2026-05-01",
        "lines": [{
            "product": "CUP", "name": "Cup", "quantity": 2,
            "unit_price": { "amount": "1.20", "currency": "GBP" },
        }],
        "tax": "out_of_scope", "reason": "chipped",
    });
    let first = named(&ledger, "r-1", "order.record_return", &data).await.unwrap();
    let again = named(&ledger, "r-1", "return.import", &data).await.unwrap();
    assert!(!first.repeated && again.repeated);
    assert_eq!((again.first, again.last), (first.first, first.last));
    ledger.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_secret_of_a_key_is_in_its_first_answer_and_in_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let (_, clock_and_entropy) = clock_at("2026-05-11T10:00:00Z");
    let ledger = wholesaler(folder.path(), clock_and_entropy).await;
    let data = json!({ "name": "till", "actor": "system:till", "role": "integration" });
    let made = named(&ledger, "k-1", "access.create_key", &data).await.unwrap();
    let secret = made.secret.clone().unwrap().to_string();
    let caller = ledger.keys().authenticate(&secret).await.unwrap().unwrap();
    let key: KeyId = made.identity(KeyId::TAG).unwrap().parse().unwrap();
    assert_eq!(caller.key, Some(key));
    let again = named(&ledger, "k-1", "access.create_key", &data).await.unwrap();
    assert!(again.repeated && again.secret.is_none());
    let mut chosen = data.clone();
    chosen["secret_sha256"] = json!("0".repeat(64));
    let refused = named(&ledger, "k-2", "access.create_key", &chosen).await.unwrap_err();
    assert_eq!(refused.code(), "malformed");
    let revoke = CommandRequest::revoke_key(key, Context::of(staff()).actor);
    ledger.commands().run(revoke).await.unwrap();
    assert!(ledger.keys().authenticate(&secret).await.unwrap().is_none());
    ledger.close().await;
}
