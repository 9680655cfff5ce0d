//! What sealing promises: one key for each person and class, durable first, and no other opens.

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
    for polls in 1..=30 {
        let person = format!("member:{polls}");
        let subject = Subject { person: &person, ..NAME };
        poll_then_drop(vault.seal(subject, "gone"), polls).await;
        let sealed = vault.seal(subject, "Hanako").await.unwrap();
        poll_then_drop(vault.open(&sealed, "name"), polls).await;
        assert_eq!(vault.open(&sealed, "name").await.unwrap(), text("Hanako"));
        poll_then_drop(vault.erase(&person, "contact"), polls).await;
        vault.erase(&person, "contact").await.unwrap();
        assert!(matches!(vault.seal(subject, "x").await, Err(VaultError::Erased { .. })));
    }
}

/// Polls `future` at most `polls` times, then drops it. Between polls others get their turn.
async fn poll_then_drop<F: Future>(future: F, polls: usize) {
    let mut future = pin!(future);
    for _ in 0..polls {
        let once = std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context)));
        if once.await.is_ready() {
            return;
        }
        tokio::task::yield_now().await;
    }
}
