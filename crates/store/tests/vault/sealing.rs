//! What sealing promises: one key for each person and class, durable first, and no other opens.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use daicho_store::vault::{SealedText, Subject, VaultError};

use crate::support::{NAME, Place, assert_missing, text};

pub async fn what_was_sealed_opens_as_the_field_it_was_sealed_for_alone<P: Place>() {
    let place = P::new().await;
    let vault = place.open().await;
    let sealed = vault.seal(NAME, "Hanako").await.unwrap();
    assert_eq!(vault.open(&sealed, "name").await.unwrap(), text("Hanako"));
    assert!(matches!(vault.open(&sealed, "phone").await, Err(VaultError::Tampered { .. })));
}

pub async fn what_was_sealed_opens_for_its_own_person_alone<P: Place>() {
    let place = P::new().await;
    let vault = place.open().await;
    let sealed = vault.seal(NAME, "Hanako").await.unwrap();
    let foreign = SealedText { key: "member:2/contact".into(), ..sealed };
    assert_missing(&vault.open(&foreign, "name").await, "member:2/contact");
    vault.seal(Subject { person: "member:2", ..NAME }, "Taro").await.unwrap();
    assert!(matches!(vault.open(&foreign, "name").await, Err(VaultError::Tampered { .. })));
}

pub async fn a_key_is_durable_before_the_sealed_value_is_handed_out<P: Place>() {
    let place = P::new().await;
    let first = place.open().await;
    let sealed = first.seal(NAME, "Hanako").await.unwrap();
    // The first is neither closed nor dropped: another process sees the key already.
    assert_eq!(place.open().await.open(&sealed, "name").await.unwrap(), text("Hanako"));
    drop(first);
    assert_eq!(place.open().await.open(&sealed, "name").await.unwrap(), text("Hanako"));
}

pub async fn processes_that_seal_for_one_person_at_once_agree_on_one_key<P: Place>() {
    let place = P::new().await;
    let mut sealing = tokio::task::JoinSet::new();
    for number in 0..8 {
        let vault = place.open().await;
        sealing.spawn(async move {
            let plain = format!("Hanako {number}");
            (vault.seal(NAME, &plain).await.unwrap(), plain)
        });
    }
    let reader = place.open().await;
    for (sealed, plain) in sealing.join_all().await {
        assert_eq!(reader.open(&sealed, "name").await.unwrap(), text(&plain));
    }
}

pub async fn a_caller_that_goes_away_at_any_await_leaves_the_vault_in_order<P: Place>() {
    let place = P::new().await;
    let vault = place.open().await;
    for awaits in 1..AWAITS_MAX {
        let person = format!("member:{awaits}");
        let subject = Subject { person: &person, ..NAME };
        let sealed = dropped_at(vault.seal(subject, "gone"), awaits).await;
        let ring = dropped_at(vault.export(), awaits).await;
        let imported = match &ring {
            Some(ring) => dropped_at(vault.import(ring.as_ref().unwrap()), awaits).await,
            None => None,
        };
        let sealed_again = vault.seal(subject, "Hanako").await.unwrap();
        let opened = dropped_at(vault.open(&sealed_again, "name"), awaits).await;
        assert_eq!(vault.open(&sealed_again, "name").await.unwrap(), text("Hanako"));
        let erased = dropped_at(vault.erase(&person, "contact"), awaits).await;
        vault.erase(&person, "contact").await.unwrap();
        assert!(matches!(vault.seal(subject, "x").await, Err(VaultError::Erased { .. })));
        let through = sealed.is_some() && opened.is_some() && erased.is_some();
        if through && imported.is_some() {
            return;
        }
    }
    panic!("a vault waits more than {AWAITS_MAX} times");
}

/// No operation waits as often as that.
const AWAITS_MAX: usize = 200;

/// Drops `future` at its await number `awaits`, counted from 1, if it is not done before. It goes
/// on only when it is woken, so that each await of its own is met.
async fn dropped_at<F: Future>(future: F, awaits: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = awaits;
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if left <= 1 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}
