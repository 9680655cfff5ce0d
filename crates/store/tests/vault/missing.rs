//! Vaults that are not the book's: the key is named, and none is made in its place.

use daicho_store::vault::VaultError;

use crate::support::{Lasting, NAME, Place, assert_missing};

pub async fn a_vault_of_another_book_says_which_key_is_missing_and_opening_makes_none<P: Place>() {
    let (place, other_place) = (P::new().await, P::new().await);
    let sealed = place.open().await.seal(NAME, "Hanako").await.unwrap();
    let other = other_place.open().await;
    assert_missing(&other.open(&sealed, "name").await, "member:1/contact");
    assert_missing(&other.open(&sealed, "name").await, "member:1/contact");
}

pub async fn a_vault_that_is_gone_says_which_key_is_missing_and_makes_no_other<P: Lasting>() {
    let place = P::new().await;
    let sealed = place.open().await.seal(NAME, "Hanako").await.unwrap();
    for _ in 0..2 {
        let vault = place.open_gone().await;
        assert_missing(&vault.open(&sealed, "name").await, "member:1/contact");
        let refused = [
            vault.seal(NAME, "x").await.err(),
            vault.erase("member:1", "contact").await.err(),
            vault.index("email", "x").await.err(),
            vault.request_hash(b"x").await.err(),
        ];
        for refused in refused {
            assert!(matches!(refused, Some(VaultError::VaultMissing { .. })), "{refused:?}");
        }
    }
}
