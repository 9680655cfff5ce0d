//! What a cursor promises: forward only, one consumer a name, and there after a restart.

use daicho_store::{CURSORS_MAX, Holder, StateError, Step};
use tokio::task::JoinSet;

use crate::support::{Place, name};

pub async fn a_cursor_begins_where_its_first_consumer_began_and_is_there_after_a_restart<
    P: Place,
>() {
    let (place, crm) = (P::new().await, name("crm"));
    let first = place.open();
    assert_eq!(first.open_cursor(&crm, 3).await.unwrap(), 3);
    first.advance(&crm, &Holder::new(), Step { from: 3, to: 7 }).await.unwrap();
    // Neither closed nor dropped: another process sees what is acknowledged already.
    assert_eq!(place.open().open_cursor(&crm, 0).await.unwrap(), 7);
    first.close().await;
    assert_eq!(place.open().open_cursor(&crm, 0).await.unwrap(), 7);
    assert_eq!(place.open().open_cursor(&name("other"), 0).await.unwrap(), 0);
}

pub async fn a_cursor_moves_forward_only_and_only_from_where_it_stands<P: Place>() {
    let (place, crm) = (P::new().await, name("crm"));
    let (state, holder) = (place.open(), Holder::new());
    state.open_cursor(&crm, 5).await.unwrap();
    for to in [5, 4] {
        let refused = state.advance(&crm, &holder, Step { from: 5, to }).await;
        assert!(matches!(refused, Err(StateError::Refused(_))), "{refused:?}");
    }
    let refused = state.advance(&crm, &holder, Step { from: 4, to: 9 }).await;
    let Err(error @ StateError::CursorMoved { at: 5, from: 4, .. }) = refused else {
        panic!("{refused:?}")
    };
    assert!(error.to_string().contains("another consumer follows under this name"), "{error}");
    let missing = state.advance(&name("no"), &holder, Step { from: 0, to: 1 }).await;
    assert!(matches!(missing, Err(StateError::CursorDeleted { .. })), "{missing:?}");
    assert_eq!(state.open_cursor(&crm, 0).await.unwrap(), 5);
}

pub async fn the_same_step_of_the_same_consumer_again_does_nothing<P: Place>() {
    let (place, crm) = (P::new().await, name("crm"));
    let (state, holder) = (place.open(), Holder::new());
    state.open_cursor(&crm, 0).await.unwrap();
    let step = Step { from: 0, to: 2 };
    for _ in 0..3 {
        state.advance(&crm, &holder, step).await.unwrap();
    }
    // Another consumer's step to the same place is not the same step.
    let told = place.open().advance(&crm, &Holder::new(), step).await;
    assert!(matches!(told, Err(StateError::CursorMoved { at: 2, from: 0, .. })), "{told:?}");
    assert_eq!(state.open_cursor(&crm, 0).await.unwrap(), 2);
}

pub async fn a_step_is_taken_though_the_answer_to_the_one_before_was_lost<P: Place>() {
    let (place, crm) = (P::new().await, name("crm"));
    let (state, holder) = (place.open(), Holder::new());
    state.open_cursor(&crm, 0).await.unwrap();
    state.advance(&crm, &holder, Step { from: 0, to: 2 }).await.unwrap();
    // It does not know that it stands at 2 by now.
    state.advance(&crm, &holder, Step { from: 0, to: 5 }).await.unwrap();
    assert_eq!(state.open_cursor(&crm, 0).await.unwrap(), 5);
    let back = state.advance(&crm, &holder, Step { from: 0, to: 3 }).await;
    assert!(matches!(back, Err(StateError::CursorMoved { at: 5, from: 0, .. })), "{back:?}");
}

pub async fn of_consumers_that_take_one_step_at_once_exactly_one_is_not_told<P: Place>() {
    let (place, crm) = (P::new().await, name("crm"));
    place.open().open_cursor(&crm, 0).await.unwrap();
    for round in 0..10 {
        let mut stepping = JoinSet::new();
        for _ in 0..4 {
            let (state, crm) = (place.open(), crm.clone());
            let step = Step { from: round, to: round + 1 };
            stepping.spawn(async move { state.advance(&crm, &Holder::new(), step).await });
        }
        let stepped = stepping.join_all().await;
        assert_eq!(stepped.iter().filter(|moved| moved.is_ok()).count(), 1, "{stepped:?}");
    }
    assert_eq!(place.open().open_cursor(&crm, 0).await.unwrap(), 10);
}

pub async fn a_cursor_that_was_set_or_deleted_is_not_moved_by_who_followed_before<P: Place>() {
    let (place, crm) = (P::new().await, name("crm"));
    let (state, holder) = (place.open(), Holder::new());
    state.open_cursor(&crm, 0).await.unwrap();
    state.advance(&crm, &holder, Step { from: 0, to: 8 }).await.unwrap();
    place.open().set_cursor(&crm, 2).await.unwrap();
    let told = state.advance(&crm, &holder, Step { from: 8, to: 9 }).await;
    assert!(matches!(told, Err(StateError::CursorMoved { at: 2, from: 8, .. })), "{told:?}");
    // Set to where its consumer's last step led, it is no step of that consumer.
    place.open().set_cursor(&crm, 9).await.unwrap();
    assert!(state.advance(&crm, &holder, Step { from: 8, to: 9 }).await.is_err());
    assert!(place.open().delete_cursor(&crm).await.unwrap());
    assert!(!place.open().delete_cursor(&crm).await.unwrap());
    let told = state.advance(&crm, &holder, Step { from: 9, to: 10 }).await;
    assert!(matches!(told, Err(StateError::CursorDeleted { .. })), "{told:?}");
}

pub async fn the_cursors_are_listed_by_name<P: Place>() {
    let place = P::new().await;
    let state = place.open();
    assert_eq!(state.cursors().await.unwrap(), []);
    state.set_cursor(&name("shop-2"), 9).await.unwrap();
    state.open_cursor(&name("crm"), 4).await.unwrap();
    state.open_cursor(&name("shop_1"), 0).await.unwrap();
    let found = place.open().cursors().await.unwrap();
    let found: Vec<(&str, u64)> =
        found.iter().map(|cursor| (cursor.name.as_str(), cursor.position)).collect();
    assert_eq!(found, [("crm", 4), ("shop-2", 9), ("shop_1", 0)]);
}

pub async fn a_cursor_beyond_the_limit_is_not_made_and_those_that_are_there_go_on<P: Place>() {
    let (place, first, last) = (P::new().await, name("first"), name("last"));
    let state = place.open();
    state.open_cursor(&first, 1).await.unwrap();
    place
        .execute(&format!(
            "INSERT INTO cursor (name, position, moved_by)
            WITH RECURSIVE n (i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < {CURSORS_MAX})
            SELECT 'c-' || i, 0, '' FROM n"
        ))
        .await;
    state.open_cursor(&last, 2).await.unwrap();
    for refused in [
        state.open_cursor(&name("more"), 0).await.map(|_| ()),
        state.set_cursor(&name("more"), 0).await,
    ] {
        let Err(error @ StateError::Refused(_)) = refused else { panic!("{refused:?}") };
        assert!(error.to_string().contains("10000 cursors"), "{error}");
    }
    assert_eq!(state.cursors().await.unwrap().len(), CURSORS_MAX as usize);
    assert_eq!(state.open_cursor(&first, 0).await.unwrap(), 1);
    state.set_cursor(&first, 7).await.unwrap();
    assert!(state.delete_cursor(&last).await.unwrap());
    state.set_cursor(&name("more"), 5).await.unwrap();
    assert_eq!(state.open_cursor(&name("more"), 0).await.unwrap(), 5);
}
