//! What refuses every change to the past stands in the database itself, and the role that serves
//! the book cannot take it away.

use daicho_store::postgres::Database;
use daicho_store::vault::{SystemEntropy, Vault as _};
use daicho_store::{Blocks as _, Log, OpenError, Options, Query};

use crate::place::{BOOK, Place, close, execute, extend, new_role};
use crate::support::{assert_gapless, everything, query};

/// Each has to be refused, by the words of the rule or for want of the right.
const REFUSED: [(&str, &str); 11] = [
    ("UPDATE book.log SET data = '1' WHERE position = 2", "never changed or deleted"),
    ("UPDATE book.log SET data = data", "never changed or deleted"),
    ("DELETE FROM book.log WHERE position = 9", "never changed or deleted"),
    ("TRUNCATE book.log", "never changed or deleted"),
    ("UPDATE book.head SET position = position - 1", "only moves forward"),
    ("UPDATE book.head SET position = position", "only moves forward"),
    ("UPDATE book.head SET position = 10, recorded_at_us = 1", "only moves forward"),
    ("DELETE FROM book.head", "head of the book is never deleted"),
    ("TRUNCATE book.head", "head of the book is never deleted"),
    ("UPDATE book.meta SET book_id = uuid_send(gen_random_uuid())", "keeps its id"),
    ("DELETE FROM book.meta", "keeps its id"),
];

#[tokio::test]
async fn the_record_refuses_every_change_to_the_past_even_by_its_owner() {
    let place = Place::with_events(9).await;
    for (statement, reason) in REFUSED {
        let refused = execute(&place.url, statement).await.unwrap_err().to_string();
        assert!(refused.contains(reason), "{statement}: {refused}");
    }
    let book = place.open().await;
    assert_eq!(book.verify_record(|_| ()).await.unwrap().position, 9);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_was_granted_the_book_opens_appends_reads_and_seals() {
    let place = Place::with_events(9).await;
    let (url, role) = new_role(&place.url, "service").await;
    place.database().grant(BOOK, &role).await.unwrap();
    place.database().grant(BOOK, &role).await.unwrap();
    let database = Database::parse(&url).unwrap();
    assert_eq!(database.books().await.unwrap(), [BOOK]);
    let book = database.open_book(BOOK, place.options()).await.unwrap();
    // Past a merge of sixteen runs.
    extend(&book, 8 * 18).await;
    book.close().await;
    let book = database.open_book(BOOK, place.options()).await.unwrap();
    assert_eq!(book.sealed_to(), 152);
    let found = book.read(&query(&[], &["t:10"]), 0, 0, 10).await.unwrap().events;
    assert_eq!(found[0].position, 10);
    assert_gapless(&everything(&book).await);
    book.verify_record(|_| ()).await.unwrap();
    book.verify_derived(|_| ()).await.unwrap();
    book.close().await;
    // What it may drop, it makes anew: here since blocks get another size.
    let larger = Options { block_events: 16, ..place.options() };
    let book = database.open_book(BOOK, larger).await.unwrap();
    assert_eq!(book.sealed_to(), 144);
    book.close().await;
    // And the owner goes on.
    let book = place.open().await;
    extend(&*book, 9).await;
    assert_eq!(book.read(&Query::everything(), 0, 0, 1_000).await.unwrap().events.len(), 162);
    close(book).await;
}

#[tokio::test]
async fn an_owner_who_is_no_superuser_creates_and_grants_a_book() {
    let place = Place::new().await;
    let (owner_url, owner) = new_role(&place.url, "owner").await;
    let (service_url, service) = new_role(&place.url, "service").await;
    let name = place.url.rsplit('/').next().unwrap();
    place.execute(&format!("GRANT CREATE ON DATABASE {name} TO {owner}")).await;
    place.execute(&format!("GRANT {service} TO {owner}")).await;
    let owning = Database::parse(&owner_url).unwrap();
    owning.create_book("own", place.options()).await.unwrap().close().await;
    owning.grant("own", &service).await.unwrap();
    for url in [&service_url, &owner_url, &service_url] {
        let book = Database::parse(url).unwrap().open_book("own", place.options()).await.unwrap();
        extend(&book, 20).await;
        book.close().await;
    }
    let refused = Database::parse(&service_url).unwrap().grant("own", &service).await.err();
    let Some(OpenError::NoRights { missing, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(missing, "the ownership of own");
}

#[tokio::test]
async fn the_role_that_serves_cannot_change_the_past_nor_take_away_what_refuses_it() {
    let place = Place::with_events(9).await;
    let vault = place.database().create_vault(BOOK, std::sync::Arc::new(SystemEntropy)).await;
    vault.unwrap().close().await;
    let (url, role) = new_role(&place.url, "service").await;
    place.database().grant(BOOK, &role).await.unwrap();
    let privileged = [
        "ALTER TABLE book.log DISABLE TRIGGER ALL",
        "ALTER TABLE book.log ADD COLUMN note TEXT",
        "ALTER TABLE book.log RENAME TO log2",
        "DROP TRIGGER log_is_never_changed ON book.log",
        "DROP TRIGGER head_moves_forward_only ON book.head",
        "DROP TABLE book.log",
        "DROP SCHEMA book CASCADE",
        "DROP FUNCTION book.refuse() CASCADE",
        "CREATE OR REPLACE FUNCTION book.refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RETURN NEW; END $$",
        "CREATE TRIGGER mine BEFORE INSERT ON book.log EXECUTE FUNCTION book.refuse('')",
        "CREATE TABLE book.other (id INT)",
        "SET session_replication_role = replica",
        "INSERT INTO book.meta VALUES (2, decode(repeat('00', 16), 'hex'), 1, '')",
        "INSERT INTO book.head VALUES (2, 0, '', 0)",
        "DROP TABLE book_state.turn",
        "SELECT * FROM book_vault.key",
    ];
    for statement in privileged.into_iter().chain(REFUSED.map(|(statement, _)| statement)) {
        let refused = execute(&url, statement).await.unwrap_err().to_string();
        let reasons = ["permission denied", "must be owner", "only moves forward"];
        assert!(reasons.iter().any(|reason| refused.contains(reason)), "{statement}: {refused}");
    }
    let book = place.open().await;
    assert_eq!(book.verify_record(|_| ()).await.unwrap().position, 9);
}
