//! What a consumer promises: everything once and in order, but what it had not acknowledged, again.

use std::sync::Arc;

use daicho_store::{Book, ConsumeError, Consumer, Query, QueryItem, StateError, Subscription};

use crate::support::{Place, fill, name};

/// Events of a page: several pages to a book.
const PAGE: usize = 4;
/// Acknowledgements during which another consumer begins again and again.
const ROUNDS: usize = 100;

async fn follow<P: Place>(place: &P, consumer: &str, query: Query) -> Consumer<Arc<Book>> {
    let subscription = Subscription::new(place.book().await, query, 0, PAGE);
    Consumer::open(subscription, place.open(), name(consumer)).await.unwrap()
}

/// Takes pages until `head` is reached; the positions handed out.
async fn drain(consumer: &mut Consumer<Arc<Book>>, head: u64) -> Vec<u64> {
    let mut seen = Vec::new();
    let mut at = consumer.acknowledged();
    while at < head {
        let page = consumer.next().await.unwrap();
        assert_eq!(page.after, at, "pages join");
        seen.extend(page.events.iter().map(|event| event.position));
        at = page.scanned_to;
    }
    seen
}

pub async fn a_consumer_goes_on_after_a_restart_where_it_last_acknowledged<P: Place>() {
    let place = P::new().await;
    fill(&*place.book().await, 21, "a").await;
    let mut expected = 1;
    // The first acknowledges two pages of three, the second one of two, the third all.
    for (pages, acknowledged) in [(3, 8), (2, 12), (3, 21)] {
        let mut consumer = follow(&place, "crm", Query::everything()).await;
        assert_eq!(consumer.acknowledged() + 1, expected);
        for _ in 0..pages {
            let page = consumer.next().await.unwrap();
            for event in &page.events {
                assert_eq!(event.position, expected);
                expected += 1;
            }
            if page.scanned_to <= acknowledged {
                consumer.acknowledge(page.scanned_to).await.unwrap();
            }
        }
        assert_eq!(consumer.acknowledged(), acknowledged);
        expected = acknowledged + 1;
    }
    assert_eq!(expected, 22);
}

pub async fn a_consumer_acknowledges_what_was_handed_out_and_nothing_beyond<P: Place>() {
    let place = P::new().await;
    fill(&*place.book().await, 9, "a").await;
    let mut consumer = follow(&place, "crm", Query::everything()).await;
    let refused = consumer.acknowledge(1).await;
    let Err(ConsumeError::NotHandedOut { position: 1, handed_out_to: 0 }) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(consumer.next().await.unwrap().scanned_to, 4);
    assert!(consumer.acknowledge(5).await.is_err());
    // A part of a page, then less, which says nothing new.
    consumer.acknowledge(3).await.unwrap();
    consumer.acknowledge(2).await.unwrap();
    let again = follow(&place, "crm", Query::everything()).await;
    assert_eq!((consumer.acknowledged(), again.acknowledged()), (3, 3));
}

pub async fn of_two_consumers_under_one_name_the_one_with_the_old_cursor_is_told<P: Place>() {
    let place = P::new().await;
    fill(&*place.book().await, 9, "a").await;
    let mut one = follow(&place, "crm", Query::everything()).await;
    let mut other = follow(&place, "crm", Query::everything()).await;
    let (page, same) = (one.next().await.unwrap(), other.next().await.unwrap());
    assert_eq!(page, same);
    one.acknowledge(page.scanned_to).await.unwrap();
    let told = other.acknowledge(page.scanned_to).await;
    let Err(ConsumeError::State(StateError::CursorMoved { at: 4, from: 0, .. })) = told else {
        panic!("{told:?}")
    };
    let page = one.next().await.unwrap();
    one.acknowledge(page.scanned_to).await.unwrap();
    assert_eq!(one.acknowledged(), 8);
}

pub async fn many_consumers_each_have_a_place_of_their_own<P: Place>() {
    let place = P::new().await;
    let book = place.book().await;
    fill(&book, 10, "a").await;
    for (number, acknowledged) in (0..3).zip([4, 8, 10]) {
        let mut consumer = follow(&place, &format!("c-{number}"), Query::everything()).await;
        assert_eq!(drain(&mut consumer, 10).await, (1..=10).collect::<Vec<_>>());
        consumer.acknowledge(acknowledged).await.unwrap();
    }
    fill(&book, 2, "a").await;
    for (number, acknowledged) in (0..3).zip([4, 8, 10]) {
        let mut consumer = follow(&place, &format!("c-{number}"), Query::everything()).await;
        assert_eq!(drain(&mut consumer, 12).await, (acknowledged + 1..=12).collect::<Vec<_>>());
    }
}

pub async fn the_pages_of_a_filtered_consumer_join_without_a_hole<P: Place>() {
    let place = P::new().await;
    let book = place.book().await;
    for type_name in ["a", "b", "a", "b", "b"] {
        fill(&book, 5, type_name).await;
    }
    let item = QueryItem { types: vec!["a".into()], tags: vec!["t:1".into()] };
    let only_a = || Query { items: vec![item.clone()] };
    let mut consumer = follow(&place, "crm", only_a()).await;
    let matching: Vec<u64> = (1..=5).chain(11..=15).collect();
    assert_eq!(drain(&mut consumer, 25).await, matching);
    // What does not match is acknowledged, too: nobody looks at it again.
    consumer.acknowledge(25).await.unwrap();
    fill(&book, 1, "a").await;
    let mut consumer = follow(&place, "crm", only_a()).await;
    assert_eq!((consumer.acknowledged(), drain(&mut consumer, 26).await), (25, vec![26]));
}

pub async fn a_cursor_beyond_the_head_is_refused_since_it_would_pass_over_events<P: Place>() {
    let place = P::new().await;
    fill(&*place.book().await, 3, "a").await;
    let begin = async |after| {
        let subscription = Subscription::new(place.book().await, Query::everything(), after, PAGE);
        Consumer::open(subscription, place.open(), name("crm")).await.err()
    };
    let refused = begin(4).await;
    assert!(matches!(refused, Some(ConsumeError::BeyondHead { .. })), "{refused:?}");
    assert_eq!(place.open().cursors().await.unwrap(), [], "no cursor was made there");
    // As after a restore of an older record.
    place.open().set_cursor(&name("crm"), 9).await.unwrap();
    let refused = begin(0).await;
    let Some(ConsumeError::BeyondHead { position: 9, head: 3, .. }) = refused else {
        panic!("{refused:?}")
    };
}

pub async fn a_consumer_begins_while_another_of_its_name_acknowledges_what_is_recorded<P: Place>() {
    let place = P::new().await;
    let book = place.book().await;
    let mut running = follow(&place, "crm", Query::everything()).await;
    let writing = async {
        for _ in 0..ROUNDS {
            fill(&book, 1, "a").await;
            let page = running.next().await.unwrap();
            running.acknowledge(page.scanned_to).await.unwrap();
        }
    };
    let mut begun = 0;
    let beginning = async {
        let state = place.open();
        loop {
            let subscription = Subscription::new(Arc::clone(&book), Query::everything(), 0, PAGE);
            Consumer::open(subscription, Arc::clone(&state), name("crm")).await.unwrap();
            begun += 1;
        }
    };
    tokio::select! {
        () = writing => {}
        () = beginning => {}
    }
    assert!(begun > 0);
}
