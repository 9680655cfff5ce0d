//! What a document promises: changed only by who knows it as it is, several together or not at all,
//! and never the same version twice.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use daicho_store::{
    DOCUMENT_BYTES_MAX, DOCUMENT_CHANGES_MAX, DOCUMENTS_MAX, DOCUMENTS_PAGE_MAX, DocumentChange,
    Expected, StateError, StateName,
};
use tokio::task::JoinSet;

use crate::support::{Place, name};

/// As often as a change is given up, each time one step later.
const STEPS: usize = 40;

fn kind() -> StateName {
    name("consumer")
}

fn change(document: &str, expected: Expected, body: Option<&str>) -> DocumentChange {
    let body = body.map(str::to_owned);
    DocumentChange { kind: kind(), name: name(document), expected, body }
}

/// What a document says; none: it is not there.
async fn body<P: Place>(place: &P, document: &str) -> Option<String> {
    let found = place.open().document(&kind(), &name(document)).await.unwrap();
    found.map(|document| document.body)
}

pub async fn a_document_is_made_once_and_changed_by_who_knows_it_as_it_is<P: Place>() {
    let (place, crm) = (P::new().await, name("crm"));
    let state = place.open();
    assert_eq!(state.document(&kind(), &crm).await.unwrap(), None);
    let put = async |body: &str, expected| {
        place.open().put_document(&kind(), &crm, body, expected).await.unwrap()
    };
    assert_eq!(put("{}", Some(1)).await, None, "there is nothing to put it in place of");
    let first = put("{\"台\":1}", None).await.unwrap();
    assert_eq!(put("{}", None).await, None, "it is there already");
    let second = put("{\"台\":2}", Some(first)).await.unwrap();
    assert!(second > first);
    assert_eq!(put("{}", Some(first)).await, None, "its author knew an older one");
    let found = place.open().document(&kind(), &crm).await.unwrap().unwrap();
    assert_eq!(
        (found.name.as_str(), found.version, found.body.as_str()),
        ("crm", second, "{\"台\":2}")
    );
    assert_eq!(state.document(&name("other"), &crm).await.unwrap(), None, "a kind of its own");
    assert!(!state.delete_document(&kind(), &crm, Some(first)).await.unwrap());
    assert!(state.delete_document(&kind(), &crm, Some(second)).await.unwrap());
    assert!(!state.delete_document(&kind(), &crm, None).await.unwrap());
    put("1", None).await.unwrap();
    assert!(state.delete_document(&kind(), &crm, None).await.unwrap());
    assert_eq!(body(&place, "crm").await, None);
}

pub async fn the_version_of_a_document_only_grows_though_it_was_deleted_between<P: Place>() {
    let (place, crm) = (P::new().await, name("crm"));
    let mut last = 0;
    for _ in 0..3 {
        let state = place.open();
        let made = state.put_document(&kind(), &crm, "1", None).await.unwrap().unwrap();
        let changed = state.put_document(&kind(), &crm, "1", Some(made)).await.unwrap().unwrap();
        assert!(last < made && made < changed, "{last} {made} {changed}");
        last = changed;
        assert!(state.delete_document(&kind(), &crm, Some(changed)).await.unwrap());
        // Whoever knew it does not take the next one for it.
        state.close().await;
        assert_eq!(place.open().put_document(&kind(), &crm, "2", Some(last)).await.unwrap(), None);
    }
}

pub async fn changes_are_made_together_or_not_at_all<P: Place>() {
    let place = P::new().await;
    let state = place.open();
    let made = [
        change("a", Expected::Absent, Some("1")),
        change("b", Expected::Absent, Some("1")),
        // Nothing is changed where nothing is to be there: only asked.
        change("c", Expected::Absent, None),
    ];
    let version = state.change_documents(&made).await.unwrap().unwrap();
    let good = [
        change("a", Expected::Version(version), Some("2")),
        change("b", Expected::Present, None),
        change("c", Expected::Absent, Some("2")),
    ];
    for bad in [
        change("d", Expected::Present, Some("2")),
        change("d", Expected::Version(version), None),
        DocumentChange { kind: name("other"), ..change("a", Expected::Present, None) },
    ] {
        for at in 0..=good.len() {
            let mut changes = good.to_vec();
            changes.insert(at, bad.clone());
            assert_eq!(state.change_documents(&changes).await.unwrap(), None, "{changes:?}");
        }
    }
    assert_eq!(body(&place, "a").await.as_deref(), Some("1"));
    assert_eq!(body(&place, "b").await.as_deref(), Some("1"));
    assert_eq!(body(&place, "c").await, None);
    assert!(state.change_documents(&good).await.unwrap() > Some(version));
    assert_eq!(body(&place, "a").await.as_deref(), Some("2"));
    assert_eq!(body(&place, "b").await, None);
    assert_eq!(body(&place, "c").await.as_deref(), Some("2"));
}

pub async fn of_many_that_change_a_document_at_once_exactly_one_does<P: Place>() {
    let (place, crm) = (P::new().await, name("crm"));
    let mut known = None;
    for _ in 0..10 {
        let mut changing = JoinSet::new();
        for _ in 0..4 {
            let (state, crm) = (place.open(), crm.clone());
            changing.spawn(async move { state.put_document(&kind(), &crm, "1", known).await });
        }
        let changed: Vec<u64> =
            changing.join_all().await.into_iter().filter_map(Result::unwrap).collect();
        assert_eq!(changed.len(), 1, "{changed:?}");
        known = Some(changed[0]);
    }
}

pub async fn a_change_whose_caller_goes_away_is_made_whole_or_not_at_all<P: Place>() {
    let place = P::new().await;
    let state = place.open();
    for step in 0..STEPS {
        let said = step.to_string();
        // In one look: what was given up may be committed at any moment.
        let before = place.open().documents(&kind(), None, 2).await.unwrap();
        assert!(before.len() != 1 && before.iter().all(|one| one.body == before[0].body));
        let expected = if before.is_empty() { Expected::Absent } else { Expected::Present };
        let changes = ["a", "b"].map(|document| change(document, expected, Some(&said)));
        let mut changing = pin!(state.change_documents(&changes));
        let mut left = step;
        poll_fn(|context| match changing.as_mut().poll(context) {
            Poll::Ready(made) => Poll::Ready(Some(made)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => {
                left -= 1;
                Poll::Pending
            }
        })
        .await;
    }
    // Nothing that was given up is in the way.
    state.change_documents(&[change("c", Expected::Absent, Some("1"))]).await.unwrap().unwrap();
    assert_eq!(body(&place, "a").await, body(&place, "b").await);
}

pub async fn documents_are_listed_by_name_page_by_page<P: Place>() {
    let place = P::new().await;
    let state = place.open();
    assert_eq!(state.documents(&kind(), None, 3).await.unwrap(), []);
    assert_eq!(state.document_kinds().await.unwrap(), []);
    for document in ["shop-2", "crm", "shop_1", "b:1", "b.1"] {
        state.put_document(&kind(), &name(document), "1", None).await.unwrap().unwrap();
    }
    state.put_document(&name("a"), &name("other"), "2", None).await.unwrap().unwrap();
    let names = async |after: Option<&str>| {
        let page = place.open().documents(&kind(), after, 3).await.unwrap();
        page.into_iter().map(|document| document.name).collect::<Vec<_>>()
    };
    assert_eq!(names(None).await, ["b.1", "b:1", "crm"]);
    assert_eq!(names(Some("crm")).await, ["shop-2", "shop_1"]);
    assert_eq!(names(Some("shop-3")).await, ["shop_1"]);
    assert_eq!(place.open().document_kinds().await.unwrap(), [name("a"), kind()]);
}

pub async fn changes_beyond_a_limit_or_of_no_good_form_are_refused<P: Place>() {
    let place = P::new().await;
    let state = place.open();
    let long = format!("\"{}\"", "a".repeat(DOCUMENT_BYTES_MAX - 1));
    let numbered = |number: usize| change(&format!("d-{number}"), Expected::Absent, Some("1"));
    for (changes, said) in [
        (vec![], "0 changes"),
        ((0..=DOCUMENT_CHANGES_MAX).map(numbered).collect(), "257 changes"),
        (vec![change("a", Expected::Absent, Some(&long))], "262145 bytes"),
        (vec![change("a", Expected::Absent, Some("{"))], "no JSON text"),
        (vec![change("a", Expected::Absent, Some("\"\0\""))], "no JSON text"),
        (vec![numbered(1), numbered(2), numbered(1)], "changed twice"),
    ] {
        let refused = state.change_documents(&changes).await;
        let Err(error @ StateError::Refused(_)) = refused else { panic!("{said}: {refused:?}") };
        assert!(error.to_string().contains(said), "{error}");
    }
    for limit in [0, DOCUMENTS_PAGE_MAX + 1] {
        let refused = state.documents(&kind(), None, limit).await;
        assert!(matches!(refused, Err(StateError::Refused(_))), "{refused:?}");
    }
    let mut most: Vec<_> = (1..DOCUMENT_CHANGES_MAX).map(numbered).collect();
    most.push(change("a", Expected::Absent, long.get(1..)));
    assert!(state.change_documents(&most).await.is_err());
    let longest = format!("\"{}\"", "a".repeat(DOCUMENT_BYTES_MAX - 2));
    most.last_mut().unwrap().body = Some(longest);
    state.change_documents(&most).await.unwrap().unwrap();
    assert_eq!(state.documents(&kind(), None, DOCUMENTS_PAGE_MAX).await.unwrap().len(), most.len());
}

pub async fn a_document_beyond_the_limit_of_its_kind_is_not_made_and_the_others_are_changed<
    P: Place,
>() {
    let place = P::new().await;
    let state = place.open();
    state.put_document(&kind(), &name("first"), "1", None).await.unwrap().unwrap();
    let missing = DOCUMENTS_MAX - 1;
    place
        .execute(&format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {missing})
            INSERT INTO document (kind, name, version, body)
            SELECT 'consumer', 'c-' || i, 1, '1' FROM n"
        ))
        .await;
    let more = change("more", Expected::Absent, Some("1"));
    let refused = state.change_documents(std::slice::from_ref(&more)).await;
    let Err(error @ StateError::Refused(_)) = refused else { panic!("{refused:?}") };
    assert!(error.to_string().contains("100000 documents of the kind consumer"), "{error}");
    assert_eq!(body(&place, "more").await, None);
    let first = change("first", Expected::Present, Some("2"));
    state.change_documents(std::slice::from_ref(&first)).await.unwrap().unwrap();
    let instead = [DocumentChange { body: None, ..first }, more];
    state.change_documents(&instead).await.unwrap().unwrap();
    assert_eq!(body(&place, "more").await.as_deref(), Some("1"));
    state.put_document(&name("other"), &name("first"), "1", None).await.unwrap().unwrap();
}
