//! A book is not opened or created where that would not be safe, and every refusal says why.

use std::sync::Arc;

use daicho_store::postgres::Database;
use daicho_store::{CLOCK_SKEW_US_MAX, Clock, Log, OpenError, Options, SystemClock};
use daicho_test_servers::{PostgresServer, free_port, shared};

use crate::place::{BOOK, Place, close, execute, extend, new_role, said, url_of};
use crate::support::one;

const HOUR_US: i64 = 3_600_000_000;

/// A clock that claims to tell the world's time, and is off it.
struct Off(i64);

impl Clock for Off {
    fn now_us(&self) -> i64 {
        SystemClock.now_us() + self.0
    }

    fn is_shared(&self) -> bool {
        true
    }
}

async fn refusal(url: &str, book: &str) -> OpenError {
    let opened = Database::parse(url).unwrap().open_book(book, Options::new("x")).await;
    opened.err().expect("a refusal")
}

#[tokio::test]
async fn a_server_that_a_crash_makes_forget_is_refused_and_left_without_a_book() {
    let server = PostgresServer::private();
    let place = Place::on(&server).await;
    for setting in ["fsync", "full_page_writes"] {
        server.restart_with(&[(setting, "off")]);
        let refused = place.try_open().await.err();
        let Some(OpenError::WeakDurability { setting: found, .. }) = refused else {
            panic!("{setting}: {refused:?}")
        };
        assert_eq!(found, format!("{setting} off"));
        let refused = place.database().create_book("other", place.options()).await.err();
        assert!(matches!(refused, Some(OpenError::WeakDurability { .. })), "{refused:?}");
        assert_eq!(place.database().books().await.unwrap(), [BOOK]);
    }
    server.restart_with(&[]);
    close(place.open().await).await;
}

#[tokio::test]
async fn a_book_syncs_its_commits_whatever_the_database_and_the_role_are_set_to() {
    let url = shared().fresh_database().await;
    let name = url.rsplit('/').next().unwrap();
    execute(&url, &format!("ALTER DATABASE {name} SET synchronous_commit = off")).await.unwrap();
    let database = Database::parse(&url).unwrap();
    let book = database.create_book(BOOK, Options::new("x")).await.unwrap();
    let witness = "CREATE TABLE public.seen (setting TEXT);
        CREATE FUNCTION public.see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          INSERT INTO public.seen VALUES (current_setting('synchronous_commit')); RETURN NULL;
        END $$;
        CREATE TRIGGER seeing AFTER INSERT ON book.log EXECUTE FUNCTION public.see()";
    execute(&url, witness).await.unwrap();
    book.append(one("a", &[])).await.unwrap();
    book.close().await;
    let seen = "SELECT count(*) FROM public.seen WHERE setting = 'on'";
    assert_eq!(crate::place::count(&url, seen).await, 1);
    assert_eq!(crate::place::count(&url, "SELECT count(*) FROM public.seen").await, 1);
}

#[tokio::test]
async fn a_clock_an_hour_off_the_servers_is_refused_and_one_a_little_off_is_not() {
    let url = shared().fresh_database().await;
    let database = Database::parse(&url).unwrap();
    let options = |off_us| Options { clock: Arc::new(Off(off_us)), ..Options::new("x") };
    for off_us in [HOUR_US, -HOUR_US] {
        let refused = database.create_book(BOOK, options(off_us)).await.err();
        assert!(matches!(refused, Some(OpenError::ClockOff { .. })), "{refused:?}");
    }
    database.create_book(BOOK, options(CLOCK_SKEW_US_MAX / 2)).await.unwrap().close().await;
    for off_us in [HOUR_US, -HOUR_US] {
        let refused = database.open_book(BOOK, options(off_us)).await.err();
        let Some(error @ OpenError::ClockOff { off_ms }) = refused else { panic!("{refused:?}") };
        assert!((off_ms - off_us / 1_000).abs() < CLOCK_SKEW_US_MAX / 1_000, "{off_ms}");
        assert!(error.to_string().contains("clock_skew"));
    }
    database.open_book(BOOK, options(-CLOCK_SKEW_US_MAX / 2)).await.unwrap().close().await;
}

#[tokio::test]
async fn a_record_of_a_later_release_is_refused() {
    let place = Place::new().await;
    place.execute("UPDATE book.meta SET schema_version = 2").await;
    let refused = place.try_open().await.err();
    assert!(matches!(refused, Some(OpenError::NewerSchema { found: 2 })), "{refused:?}");
}

#[tokio::test]
async fn a_database_without_the_book_is_not_made_to_hold_one() {
    let place = Place::new().await;
    let error = refusal(&place.url, "other").await;
    assert!(matches!(error, OpenError::NotABook { .. }), "{error:?}");
    assert!(error.to_string().contains("the schema other in"), "{error}");
    place.execute("CREATE SCHEMA other; CREATE TABLE other.meta (id INT)").await;
    let error = refusal(&place.url, "other").await;
    assert!(matches!(error, OpenError::NotABook { .. }), "{error:?}");
    assert_eq!(place.database().books().await.unwrap(), [BOOK]);
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_said_so_at_once_and_without_the_password() {
    let url = shared().fresh_database().await;
    let missing = url.replace("/test_", "/no_test_");
    let nobody = format!("postgres://daicho:secret@127.0.0.1:{}/books", free_port());
    let stranger = url_of(&url, "daicho", "secret");
    for (url, reason) in [
        (nobody, "refused"),
        (stranger, "password authentication failed"),
        (missing, "does not exist"),
    ] {
        let error = said(&refusal(&url, BOOK).await);
        assert!(error.contains("reach the database") && error.contains(reason), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn a_role_without_rights_is_told_every_right_that_it_lacks() {
    let place = Place::with_events(9).await;
    let (url, role) = new_role(&place.url, "guest").await;
    let database = Database::parse(&url).unwrap();
    let refused = refusal(&url, BOOK).await.to_string();
    for missing in [
        &*role,
        "USAGE on book,",
        "INSERT on book.log",
        "UPDATE on book.head",
        "SELECT on book.meta",
        "UPDATE on book_state.turn",
        "CREATE on book_derived",
        "DELETE on book_derived.page",
    ] {
        assert!(refused.contains(missing), "{missing}: {refused}");
    }
    let record = database.open_record(BOOK).await.err();
    assert!(matches!(record, Some(OpenError::NoRights { .. })), "{record:?}");
    place.database().grant(BOOK, &role).await.unwrap();
    place.execute(&format!("REVOKE INSERT ON book.log FROM {role}")).await;
    let Some(OpenError::NoRights { missing, .. }) = Some(refusal(&url, BOOK).await) else {
        panic!("another refusal")
    };
    assert_eq!(missing, "INSERT on book.log");
    let record = database.open_record(BOOK).await.unwrap();
    assert_eq!(record.verify(|_| ()).await.unwrap().position, 9);
    let refused = database.create_book("other", Options::new("x")).await.err();
    let refused = said(&refused.unwrap());
    assert!(refused.contains("permission denied for database"), "{refused}");
}

#[tokio::test]
async fn a_book_is_not_created_over_another_or_over_any_schema() {
    let place = Place::new().await;
    let book = place.open().await;
    extend(&*book, 3).await;
    let id = book.id();
    close(book).await;
    place.execute("CREATE SCHEMA other_derived").await;
    for name in [BOOK, "other"] {
        let refused = place.database().create_book(name, place.options()).await.err();
        assert!(matches!(refused, Some(OpenError::AlreadyABook { .. })), "{refused:?}");
    }
    let book = place.open().await;
    assert_eq!((book.id(), book.head().await.unwrap().position), (id, 3));
    assert_eq!(place.database().books().await.unwrap(), [BOOK]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_that_create_one_book_at_once_exactly_one_wins() {
    let url = shared().fresh_database().await;
    for round in 0..2 {
        let name = format!("book-{round}");
        let mut creating = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let (database, name) = (Database::parse(&url).unwrap(), name.clone());
            creating.spawn(async move { database.create_book(&name, Options::new("x")).await });
        }
        let mut won = Vec::new();
        for created in creating.join_all().await {
            match created {
                Ok(book) => won.push(book),
                Err(OpenError::AlreadyABook { .. }) => {}
                Err(error) => panic!("{}", said(&error)),
            }
        }
        assert_eq!(won.len(), 1);
        let database = Database::parse(&url).unwrap();
        let book = database.open_book(&name, Options::new("x")).await.unwrap();
        assert_eq!(book.id(), won[0].id());
    }
}
