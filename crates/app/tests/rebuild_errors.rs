//! An event that this software cannot read stops a rebuild, which names it; the lists that people
//! read stay as they were.

#![allow(unreachable_pub, missing_docs, dead_code, reason = "a test crate has no public surface")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod support;

use std::sync::Arc;

use daicho_app::{ListRequest, Unwatched, all};
use daicho_store::{Append, Log, NewEvent, Options, Packer, Stored, sqlite, with_causes};
use serde_json::json;
use support::{book_name, clock_at, rows, run, wholesaler};

const NOW: &str = "2026-11-22T01:00:00Z";
const ORGANISATION: &str = "01J0000000000000000000000A";

/// Packs nothing: no block of this test is ever full.
#[derive(Debug)]
struct OfThisRelease;

impl Packer for OfThisRelease {
    fn fingerprint(&self) -> String {
        daicho_events::binary::fingerprint()
    }

    fn pack(&self, _: &[Stored]) -> Result<Vec<u8>, String> {
        Err("no block is full".to_owned())
    }
}

/// Appends an event that no release has written, directly through the store.
async fn append(folder: &std::path::Path, type_name: &str, version: u32, data: &str) -> u64 {
    let (clock, _) = clock_at(NOW);
    let packer = Arc::new(OfThisRelease);
    let options = Options { clock, packer, ..Options::new("another release") };
    let log = sqlite::open_book(&folder.join(book_name().to_string()), options).await.unwrap();
    let event = NewEvent {
        type_name: type_name.to_owned(),
        version,
        effective_on: "2026-11-22".to_owned(),
        tags: Vec::new(),
        actor: "staff:sato".to_owned(),
        on_behalf_of: None,
        cause: None,
        data_sha256: NewEvent::hash_data(data),
        data: data.to_owned(),
    };
    let append = Append { events: vec![event], condition: None, request: None };
    let appended = log.append(append).await.unwrap();
    log.close().await;
    appended.last
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_cannot_be_read_stops_a_rebuild_by_position_type_and_reason() {
    for (type_name, version, data, reason) in [
        ("order.teleported", 1, "{}", "is not known to this software"),
        ("order.placed", 9, "{}", "version 9 of `order.placed` is not known"),
        ("order.placed", 1, "{}", "the data of a `order.placed` version 1 is not of its published"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (_, clock_and_entropy) = clock_at(NOW);
        let ledger = wholesaler(folder.path(), clock_and_entropy.clone()).await;
        let customer = json!({
            "organisation": ORGANISATION, "name": "Aoba", "country": "Japan", "reference": null,
        });
        run(&ledger, "staff:sato", "organisation.register", customer).await.unwrap();
        let member = json!({
            "organisation": ORGANISATION, "name": "Hanako Aoki",
            "email": "hanako@aoba.example.jp", "phone": null, "role": "administrator",
        });
        run(&ledger, "staff:sato", "member.request_registration", member).await.unwrap();
        assert_eq!(rows(&ledger, "members", ListRequest::default()).await.len(), 1);
        let states = ledger.lists().states().await.unwrap();
        ledger.close().await;

        let position = append(folder.path(), type_name, version, data).await;
        let ledger = daicho_app::Books::in_folder(folder.path());
        let ledger = ledger.open(&book_name(), clock_and_entropy).await.unwrap();
        let error = ledger.rebuilds().run(all(), &Unwatched).await.unwrap_err();
        let text = with_causes(&error);
        for part in [&format!("event {position} "), type_name, reason] {
            assert!(text.contains(part), "`{part}` is not in: {text}");
        }
        let after = ledger.lists().states().await.unwrap();
        let kept = |states: &[daicho_app::ListState]| {
            states.iter().map(|state| (state.list, state.cursor, state.rows)).collect::<Vec<_>>()
        };
        assert_eq!(kept(&after), kept(&states));
    }
}
