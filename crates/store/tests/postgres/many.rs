//! Many books in one database.

use daicho_store::postgres::Database;
use daicho_store::{Log, Options};
use daicho_test_servers::shared;

use crate::place::count;
use crate::sizes::sizes;
use crate::support::{one, query};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_holds_many_books_and_each_its_own_events() {
    let url = shared().fresh_database().await;
    let database = Database::parse(&url).unwrap();
    let names: Vec<String> = (0..sizes().books).map(|number| format!("book-{number:04}")).collect();
    let mut ids = std::collections::HashSet::new();
    for name in &names {
        let book = database.create_book(name, Options::new("x")).await.unwrap();
        assert_eq!(book.append(one("a", &[name])).await.unwrap().first, 1);
        assert!(ids.insert(book.id()), "no two books share an id");
        book.close().await;
    }
    assert_eq!(database.books().await.unwrap(), names);
    for name in names.iter().rev() {
        let book = database.open_book(name, Options::new("x")).await.unwrap();
        let last = book.last(&query(&["a"], &[name]), 0).await.unwrap();
        assert_eq!(last.map(|event| event.position), Some(1), "{name} holds its own event");
        book.close().await;
    }
    let connected = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    // A closed book lets go of its connections; the last backends may still be on their way out.
    assert!(count(&url, connected).await <= 10);
}
