//! What only views on PostgreSQL can meet: a schema that is dropped beneath them, other clients'
//! locks and rights.

use std::sync::Arc;
use std::time::{Duration, Instant};

use daicho_store::PostgresViews;
use daicho_store::views::*;
use sqlx::Connection as _;

use crate::dropping::drop_at;
use crate::support::*;

const DROP_SCHEMA: &str = "DROP SCHEMA \"a-book_derived\" CASCADE";
/// Far more than anything here takes, and less than what waits for a lock would.
const PATIENCE: Duration = Duration::from_secs(8);
/// Answers in a row without an open transaction, after which none is believed to come.
const QUIET_ANSWERS: usize = 40;

async fn filled() -> (Postgres, PostgresViews) {
    let (store, views) = fixture::<Postgres>().await;
    let rows = upserts(vec![row("a", "open", 1)]);
    views.write("orders", &point(0), rows, &point(3)).await.unwrap();
    (store, views)
}

/// Everything that may be asked says that the view is gone; `ensure` makes it again.
async fn assert_gone_and_made_again(store: &Postgres, views: &PostgresViews) {
    assert!(matches!(views.state("orders").await, Err(ViewError::Remade { .. })));
    assert!(matches!(views.page("orders", &by_key(1)).await, Err(ViewError::Remade { .. })));
    assert!(matches!(views.get("orders", "a").await, Err(ViewError::Remade { .. })));
    assert!(matches!(views.scan("orders", None, 1).await, Err(ViewError::Remade { .. })));
    assert!(matches!(views.due("orders", TODAY, 1).await, Err(ViewError::Remade { .. })));
    let written = views.write("orders", &point(3), ViewChanges::default(), &point(4)).await;
    assert!(matches!(written, Err(ViewWriteError::View(ViewError::Remade { .. }))), "{written:?}");
    assert_eq!(views.list().await.unwrap(), []);

    let state = views.ensure(&orders(), TODAY).await.unwrap();
    assert_eq!(state, ViewState { point: point(0), rows: 0 });
    let again = upserts(vec![row("b", "open", 1)]);
    views.write("orders", &point(0), again, &point(1)).await.unwrap();
    assert_eq!(all_keys(views).await, ["b"]);
    assert_eq!(store.number(Postgres::COUNT_TABLES).await, 1);
}

#[tokio::test]
async fn a_schema_that_another_process_dropped_is_noticed_and_made_again() {
    let (store, views) = filled().await;
    assert_eq!(all_keys(&views).await, ["a"]);
    store.run(DROP_SCHEMA).await;
    assert_gone_and_made_again(&store, &views).await;
}

#[tokio::test]
async fn a_view_whose_tables_were_dropped_is_noticed_and_made_again() {
    for dropped in ["VIEW view_orders", "TABLE rows_orders_1 CASCADE", "TABLE views CASCADE"] {
        let (store, views) = filled().await;
        store.run(&format!("DROP {dropped}")).await;
        assert_gone_and_made_again(&store, &views).await;
    }
}

#[tokio::test]
async fn a_rebuild_whose_schema_was_dropped_is_told_so() {
    let (store, views) = filled().await;
    let shadow = views.begin_rebuild(&orders(), &beginning()).await.unwrap();
    store.run(DROP_SCHEMA).await;
    let loaded = views.load(&shadow, vec![row("a", "new", 1)], 1).await;
    assert!(matches!(loaded, Err(ViewError::Superseded { .. })), "{loaded:?}");
    let swapped = views.swap(shadow, &point(1)).await;
    assert!(matches!(swapped, Err(ViewError::Superseded { .. })), "{swapped:?}");
    assert!(matches!(
        views.begin_rebuild(&orders(), &beginning()).await,
        Err(ViewError::Remade { .. })
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_processes_may_open_and_make_a_new_book_at_once() {
    let store = Arc::new(Postgres::new().await);
    let openings = (0..8).map(|_| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let views = store.open().await;
            let state = views.ensure(&orders(), TODAY).await.unwrap();
            assert_eq!(state, ViewState { point: point(0), rows: 0 });
            views.close().await;
        })
    });
    for opening in openings.collect::<Vec<_>>() {
        opening.await.unwrap();
    }
    assert_eq!(store.number(Postgres::COUNT_TABLES).await, 1);
}

#[tokio::test]
async fn a_schemas_name_that_could_be_mistaken_for_sql_is_refused() {
    let store = Postgres::new().await;
    let long = "a".repeat(64);
    for name in ["", "a\"b", "a b", "A", "a;", "a'", "é", &long] {
        let opened = PostgresViews::open(store.options.clone(), name, BOOK).await;
        assert!(matches!(opened, Err(ViewError::Refused(_))), "{name}");
    }
}

#[tokio::test]
async fn text_is_compared_by_its_bytes_whatever_the_habits_of_the_server() {
    let (store, _views) = filled().await;
    let texts = "SELECT count(*) FROM pg_attribute WHERE attnum > 0 AND atttypid = 'text'::regtype \
         AND attrelid IN ('views'::regclass, 'view_orders'::regclass, 'rows_orders_1'::regclass)";
    assert_eq!(store.number(texts).await, 9);
    let by_bytes = format!("{texts} AND attcollation = '\"C\"'::regcollation");
    assert_eq!(store.number(&by_bytes).await, 9);
}

/// Waits for transactions that are under way, also for one whose BEGIN is still on its way to the
/// server. A transaction that nobody ends fails the test.
async fn assert_no_open_transaction(store: &Postgres) {
    let open = "SELECT count(*) FROM pg_stat_activity \
         WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    let started = Instant::now();
    let mut quiet = 0;
    while quiet < QUIET_ANSWERS {
        quiet = if store.number(open).await == 0 { quiet + 1 } else { 0 };
        assert!(started.elapsed() < PATIENCE, "a transaction stands open");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_transaction_stands_open_after_its_caller_has_gone() {
    let (store, views) = filled().await;
    for awaits in 1..=12 {
        let (from, to) = (point(0), point(1));
        drop_at(views.write("orders", &from, upserts(vec![]), &to), awaits).await;
        assert_no_open_transaction(&store).await;
        drop_at(views.begin_rebuild(&orders(), &beginning()), awaits).await;
        assert_no_open_transaction(&store).await;
        drop_at(views.page("orders", &by_key(1)), awaits).await;
        assert_no_open_transaction(&store).await;
    }
}

#[tokio::test]
async fn the_rights_that_people_have_on_a_view_outlive_its_rebuilds() {
    let (store, views) = filled().await;
    store.run("GRANT SELECT ON view_orders TO pg_monitor").await;
    let shadow = views.begin_rebuild(&orders(), &beginning()).await.unwrap();
    views.swap(shadow, &point(3)).await.unwrap();
    let may = "SELECT has_table_privilege('pg_monitor', 'view_orders', 'SELECT')::int::bigint";
    assert_eq!(store.number(may).await, 1);
}

#[tokio::test]
async fn the_rights_that_people_have_on_a_view_outlive_a_rebuild_with_other_columns() {
    let (store, views) = filled().await;
    store.run("GRANT SELECT ON view_orders TO pg_monitor WITH GRANT OPTION").await;
    store.run("GRANT SELECT ON view_orders TO PUBLIC").await;
    let may = |who: &str, what: &str| {
        format!("SELECT has_table_privilege('{who}', 'view_orders', '{what}')::int::bigint")
    };
    let mut fewer = ViewSchema { version: 2, ..orders() };
    fewer.columns.remove(0);
    let shadow = views.begin_rebuild(&fewer, &beginning()).await.unwrap();
    views.swap(shadow, &point(3)).await.unwrap();
    let columns = "SELECT count(*) FROM information_schema.columns \
         WHERE table_schema = current_schema() AND table_name = 'view_orders'";
    assert_eq!(store.number(columns).await, 5, "key, row, next_change and two more");
    assert_eq!(store.number(&may("pg_monitor", "SELECT WITH GRANT OPTION")).await, 1);
    assert_eq!(store.number(&may("pg_read_all_stats", "SELECT")).await, 1, "as anybody");
    assert_eq!(store.number(&may("pg_monitor", "DELETE")).await, 0);
}

#[tokio::test]
async fn a_column_may_change_its_type_under_statements_that_were_prepared() {
    let (_store, views) = filled().await;
    for _ in 0..20 {
        assert_eq!(all_keys(&views).await, ["a"]);
    }
    let mut other = ViewSchema { version: 2, ..orders() };
    other.columns[0].kind = ColumnKind::Integer;
    let shadow = views.begin_rebuild(&other, &beginning()).await.unwrap();
    let columns = vec![Value::Integer(5), Value::Null, Value::Null];
    let made = ViewRow { columns, ..row("b", "", 1) };
    views.load(&shadow, vec![made.clone()], 1).await.unwrap();
    views.swap(shadow, &point(3)).await.unwrap();
    for _ in 0..20 {
        assert_eq!(
            views.page("orders", &by_key(9)).await.unwrap().rows,
            std::slice::from_ref(&made)
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swap_waits_for_somebodys_long_query_and_readers_do_not_wait_for_the_swap() {
    let (store, views) = filled().await;
    let mut client = store.pool.acquire().await.unwrap();
    let mut query = client.begin().await.unwrap();
    sqlx::query("SELECT key FROM view_orders").fetch_all(&mut *query).await.unwrap();

    let views = Arc::new(views);
    let shadow = views.begin_rebuild(&orders(), &beginning()).await.unwrap();
    let swap = tokio::spawn({
        let views = Arc::clone(&views);
        async move { views.swap(shadow, &point(3)).await }
    });
    let waiting = "SELECT count(*) FROM pg_stat_activity \
         WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let mut sampled = 0;
    while sampled < 3 {
        sampled += store.number(waiting).await;
        let asked = Instant::now();
        assert_eq!(all_keys(&*views).await, ["a"]);
        assert!(asked.elapsed() < PATIENCE, "a reader waited for the swap");
        assert!(!swap.is_finished());
    }
    query.rollback().await.unwrap();
    assert_eq!(swap.await.unwrap().unwrap(), ViewState { point: point(3), rows: 0 });
    assert_eq!(all_keys(&*views).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_processes_that_keep_up_one_view_none_loses_the_others_rows() {
    let store = Arc::new(filled().await.0);
    let keepers = (0..4).map(|keeper| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let views = store.open().await;
            views.ensure(&orders(), TODAY).await.unwrap();
            let mut done = 0;
            while done < 25 {
                let from = views.state("orders").await.unwrap().point;
                let change = upserts(vec![row(&format!("{keeper} {done}"), "open", 1)]);
                let to = point(from.cursor + 1);
                match views.write("orders", &from, change, &to).await {
                    Ok(()) => done += 1,
                    Err(ViewWriteError::Moved { .. }) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
        })
    });
    for keeper in keepers.collect::<Vec<_>>() {
        keeper.await.unwrap();
    }
    let views = store.open().await;
    let state = views.ensure(&orders(), TODAY).await.unwrap();
    assert_eq!(state, ViewState { point: point(103), rows: 101 });
    assert_eq!(all_keys(&views).await.len(), 101);
}
