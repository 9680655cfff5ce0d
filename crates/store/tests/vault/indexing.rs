//! What the keyed hashes promise: equal values are found, and nothing else is.

use crate::support::Place;

pub async fn equal_values_have_one_index_and_a_request_another<P: Place>() {
    let place = P::new().await;
    let vault = place.open().await;
    let one = vault.index("email", "a@example.jp").await.unwrap();
    assert_eq!(one, vault.index("email", "a@example.jp").await.unwrap());
    assert_ne!(one, vault.index("email", "b@example.jp").await.unwrap());
    assert_ne!(one, vault.request_hash(b"a@example.jp").await.unwrap());
}

pub async fn the_index_is_the_same_after_a_restart<P: Place>() {
    let place = P::new().await;
    let first = place.open().await;
    let index = first.index("email", "a@example.jp").await.unwrap();
    let request = first.request_hash(b"a request").await.unwrap();
    drop(first);
    let second = place.open().await;
    assert_eq!(second.index("email", "a@example.jp").await.unwrap(), index);
    assert_eq!(second.request_hash(b"a request").await.unwrap(), request);
}
