//! Creations, openings and copies given up at each of their awaits leave a whole book, or none.

use daicho_store::{Log, OpenError, sqlite};

use crate::book::Folder;
use crate::support::{AWAITS_MAX, dropped_at, fill};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_creation_dropped_at_any_await_leaves_a_whole_book_or_none() {
    let folder = Folder::new().await;
    for awaits in 1..AWAITS_MAX {
        let path = folder.path(&format!("dropped-{awaits}"));
        let created = dropped_at(sqlite::create_book(&path, folder.options()), awaits).await;
        let is_through = created.is_some();
        drop(created);
        match sqlite::create_book(&path, folder.options()).await {
            Ok(book) => book.close().await,
            Err(OpenError::AlreadyABook { .. }) => {}
            Err(error) => panic!("{awaits}: {error:?}"),
        }
        let book = sqlite::open_book(&path, folder.options()).await.unwrap();
        fill(&book, 2, "a", &["t:1"]).await;
        assert_eq!(book.head().await.unwrap().position, 2);
        book.close().await;
        if is_through {
            return;
        }
    }
    panic!("creating waits more than {AWAITS_MAX} times");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_opening_that_makes_everything_derived_anew_may_be_dropped_at_any_await() {
    let folder = Folder::new().await;
    let book = folder.open().await;
    fill(&*book, 40, "a", &["t:1"]).await;
    let head = book.head().await.unwrap();
    drop(book);
    for awaits in 1..AWAITS_MAX {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(folder.path(&format!("derived.db{suffix}")));
        }
        let dropped = dropped_at(folder.open(), awaits).await;
        let is_through = dropped.is_some();
        drop(dropped);
        let book = folder.open().await;
        assert_eq!(book.head().await.unwrap(), head);
        book.verify_derived(|_| ()).await.unwrap();
        if is_through {
            return;
        }
    }
    panic!("opening waits more than {AWAITS_MAX} times");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_dropped_at_any_await_goes_on_and_is_the_same_book() {
    let folder = Folder::new().await;
    let book = folder.open().await;
    fill(&*book, 20, "a", &["t:1"]).await;
    let (source, to) = (book.record(), folder.path("copied"));
    for awaits in 1..AWAITS_MAX {
        let copied = dropped_at(sqlite::copy_record(&source, &to, "x", |_| ()), awaits).await;
        if let Some(copied) = copied {
            assert_eq!(copied.unwrap(), book.head().await.unwrap());
            break;
        }
    }
    let copy = sqlite::open_book(&to, folder.options()).await.unwrap();
    assert_eq!(copy.head().await.unwrap(), book.head().await.unwrap());
    copy.verify_record(|_| ()).await.unwrap();
}
