//! What erasing promises: the key is gone for everybody, for ever, and on purpose.

use daicho_store::vault::{Erasure, Opened, Subject, VaultError};

use crate::support::{NAME, Place, text};

pub async fn an_erasure_destroys_the_key_of_one_class_for_ever<P: Place>() {
    let place = P::new().await;
    let vault = place.open().await;
    let sealed = vault.seal(NAME, "Hanako").await.unwrap();
    let kept = vault.seal(Subject { class: "billing", ..NAME }, "Hanako").await.unwrap();
    assert_eq!(vault.erase("member:1", "contact").await.unwrap(), Erasure::Destroyed);
    assert_eq!(vault.erase("member:1", "contact").await.unwrap(), Erasure::NothingThere);
    assert_eq!(vault.open(&sealed, "name").await.unwrap(), Opened::Erased);
    assert!(matches!(vault.seal(NAME, "again").await, Err(VaultError::Erased { .. })));
    assert_eq!(vault.open(&kept, "name").await.unwrap(), text("Hanako"));
}

pub async fn an_erasure_by_another_process_holds_here_at_once<P: Place>() {
    let place = P::new().await;
    let (here, there) = (place.open().await, place.open().await);
    let sealed = here.seal(NAME, "Hanako").await.unwrap();
    assert_eq!(here.open(&sealed, "name").await.unwrap(), text("Hanako"));
    there.erase("member:1", "contact").await.unwrap();
    assert_eq!(here.open(&sealed, "name").await.unwrap(), Opened::Erased);
    assert!(matches!(here.seal(NAME, "again").await, Err(VaultError::Erased { .. })));
}

pub async fn a_person_erased_before_any_key_was_made_gets_none<P: Place>() {
    let place = P::new().await;
    let vault = place.open().await;
    assert_eq!(vault.erase("member:1", "contact").await.unwrap(), Erasure::NothingThere);
    assert_eq!(vault.erase("member:1", "contact").await.unwrap(), Erasure::NothingThere);
    assert!(matches!(vault.seal(NAME, "Hanako").await, Err(VaultError::Erased { .. })));
}

pub async fn a_person_erased_amid_sealings_stays_erased<P: Place>() {
    let place = P::new().await;
    for round in 0..10 {
        let person = format!("member:{round}");
        let mut sealing = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let (vault, person) = (place.open().await, person.clone());
            sealing.spawn(async move {
                vault.seal(Subject { person: &person, ..NAME }, "Hanako").await
            });
        }
        let vault = place.open().await;
        vault.erase(&person, "contact").await.unwrap();
        for sealed in sealing.join_all().await {
            match sealed {
                Ok(sealed) => {
                    assert_eq!(vault.open(&sealed, "name").await.unwrap(), Opened::Erased);
                }
                Err(refused) => assert!(matches!(refused, VaultError::Erased { .. })),
            }
        }
        // Nothing that raced with it has made a key anew.
        let again = vault.erase(&person, "contact").await.unwrap();
        assert_eq!(again, Erasure::NothingThere);
    }
}
