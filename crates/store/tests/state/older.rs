//! Books that are older than their cursors, leases or documents, and roles that may not make the
//! tables.

use daicho_store::{OpenError, SqliteState, State, StateError};

use crate::support::{BOOK, Place, Postgres, Sqlite, name, options};

/// The state as an earlier release left it: with nothing but the table of turns.
async fn age(place: &Postgres) {
    place.execute("DROP TABLE cursor, lease, document, document_version").await;
}

/// Makes a role that may log in; its URL and its name.
async fn new_role(place: &Postgres) -> (Postgres, String) {
    let role = format!("{}_guest", place.0.rsplit('/').next().unwrap());
    place.execute(&format!("CREATE ROLE {role} LOGIN PASSWORD 'secret'")).await;
    let (_, rest) = place.0.split_once('@').unwrap();
    (Postgres(format!("postgres://{role}:secret@{rest}")), role)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_book_gets_the_tables_when_it_is_opened() {
    let place = Postgres::new().await;
    age(&place).await;
    let open = || async {
        place.database().open_book(BOOK, options()).await.unwrap().close().await;
    };
    // Two processes of the new release at once.
    tokio::join!(open(), open());
    assert_eq!(place.open().open_cursor(&name("crm"), 3).await.unwrap(), 3);
    open().await;
    assert_eq!(place.open().open_cursor(&name("crm"), 0).await.unwrap(), 3);
}

#[tokio::test]
async fn the_tables_of_an_older_book_are_its_owners_whoever_opens_it() {
    let place = Postgres::new().await;
    let (guest, role) = new_role(&place).await;
    age(&place).await;
    place.execute(&format!("ALTER SCHEMA book_state OWNER TO {role}")).await;
    place.database().open_book(BOOK, options()).await.unwrap().close().await;
    guest.execute("DROP TABLE book_state.cursor").await;
}

#[tokio::test]
async fn a_role_that_may_not_make_the_tables_is_told_what_to_do_and_granting_makes_them() {
    let place = Postgres::new().await;
    let (guest, role) = new_role(&place).await;
    place.database().grant(BOOK, &role).await.unwrap();
    age(&place).await;
    let refused = guest.database().open_book(BOOK, options()).await.err();
    let Some(error @ OpenError::NoRights { .. }) = refused else { panic!("{refused:?}") };
    let error = error.to_string();
    for said in [&*role, "tables in book_state", "daicho book grant"] {
        assert!(error.contains(said), "{said}: {error}");
    }
    place.database().grant(BOOK, &role).await.unwrap();
    guest.database().open_book(BOOK, options()).await.unwrap().close().await;
    let state = guest.open();
    state.open_cursor(&name("crm"), 0).await.unwrap();
    assert!(state.delete_cursor(&name("crm")).await.unwrap());
    let holder = daicho_store::Holder::new();
    let lease = state.take(&name("work"), &holder, 0).await.unwrap().unwrap();
    state.release(&lease).await.unwrap();
    let (kind, crm) = (name("consumer"), name("crm"));
    let version = state.put_document(&kind, &crm, "1", None).await.unwrap();
    state.put_document(&kind, &crm, "2", version).await.unwrap().unwrap();
    assert!(state.delete_document(&kind, &crm, None).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_that_is_older_than_its_documents_gets_them_and_keeps_its_cursors() {
    async fn check<P: Place>() {
        let place = P::new().await;
        place.open().set_cursor(&name("crm"), 3).await.unwrap();
        for table in ["document", "document_version"] {
            place.execute(&format!("DROP TABLE {table}")).await;
        }
        // A book that is opened makes them on PostgreSQL, the state itself on SQLite.
        drop(place.book().await);
        let (state, kind, crm) = (place.open(), name("consumer"), name("crm"));
        state.put_document(&kind, &crm, "1", None).await.unwrap().unwrap();
        assert_eq!(state.open_cursor(&crm, 0).await.unwrap(), 3);
    }
    check::<Sqlite>().await;
    check::<Postgres>().await;
}

#[tokio::test]
async fn the_state_of_another_book_or_of_a_later_release_is_refused() {
    let place = Sqlite::new().await;
    let path = place.0.path().join("state.db");
    assert!(!path.exists(), "it is made when it is first needed");
    place.open().set_cursor(&name("crm"), 1).await.unwrap();
    let foreign = SqliteState::new(&path, [8; 16]).cursors().await;
    assert!(matches!(foreign, Err(StateError::OfAnotherBook { .. })), "{foreign:?}");
    let pool = sqlx::SqlitePool::connect(path.to_str().unwrap()).await.unwrap();
    sqlx::query("UPDATE meta SET schema_version = 2").execute(&pool).await.unwrap();
    let newer = SqliteState::new(&path, place.1).cursors().await;
    assert!(matches!(newer, Err(StateError::NewerSchema { found: 2 })), "{newer:?}");
}
