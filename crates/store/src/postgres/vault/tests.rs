//! What only a server can show: a vault that survives its crash, its limits on waiting, and the
//! servers that it refuses.

use std::str::FromStr as _;

use daicho_test_servers::{PostgresServer, shared};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use super::*;
use crate::vault::SystemEntropy;

const NAME: Subject<'_> = Subject { person: "member:1", class: "contact", field: "name" };
const SCHEMA: &str = "shop_vault";

fn options(url: &str) -> PgConnectOptions {
    PgConnectOptions::from_str(url).unwrap()
}

async fn created(url: &str) -> PostgresVault {
    PostgresVault::create(options(url), SCHEMA, Arc::new(SystemEntropy)).await.unwrap()
}

async fn opened(url: &str) -> Result<PostgresVault, VaultError> {
    PostgresVault::open(options(url), SCHEMA, Arc::new(SystemEntropy)).await
}

fn pool(vault: &PostgresVault) -> &PgPool {
    &vault.keys.as_ref().unwrap().server.pool
}

fn text(text: &str) -> Opened {
    Opened::Text(text.to_owned().into())
}

#[tokio::test]
async fn a_key_survives_a_crash_of_the_server_the_moment_its_value_is_sealed() {
    let server = PostgresServer::private();
    let url = server.fresh_database().await;
    let vault = created(&url).await;
    let sealed = vault.seal(NAME, "Hanako").await.unwrap();
    server.stop_immediate();
    server.start_again();
    assert_eq!(opened(&url).await.unwrap().open(&sealed, "name").await.unwrap(), text("Hanako"));
    assert_eq!(vault.open(&sealed, "name").await.unwrap(), text("Hanako"), "it connects anew");
}

#[tokio::test]
async fn an_erasure_survives_a_crash_of_the_server() {
    let server = PostgresServer::private();
    let url = server.fresh_database().await;
    let vault = created(&url).await;
    let sealed = vault.seal(NAME, "Hanako").await.unwrap();
    assert_eq!(vault.erase("member:1", "contact").await.unwrap(), Erasure::Destroyed);
    server.stop_immediate();
    server.start_again();
    assert_eq!(vault.open(&sealed, "name").await.unwrap(), Opened::Erased);
}

#[tokio::test]
async fn a_server_that_does_not_sync_is_refused() {
    let server = PostgresServer::private();
    let url = server.fresh_database().await;
    created(&url).await.close().await;
    server.restart_with(&[("fsync", "off")]);
    assert!(matches!(opened(&url).await, Err(VaultError::Refused(_))));
}

#[tokio::test]
async fn every_connection_syncs_and_waits_no_longer_than_its_limits() {
    let url = shared().fresh_database().await;
    // What the caller says otherwise does not count.
    let asked = options(&url).options([("synchronous_commit", "off"), ("lock_timeout", "0")]);
    let vault = PostgresVault::create(asked, SCHEMA, Arc::new(SystemEntropy)).await.unwrap();
    let expected = [
        ("search_path", "\"shop_vault\""),
        ("synchronous_commit", "on"),
        ("lock_timeout", "10s"),
        ("statement_timeout", "30s"),
        ("idle_in_transaction_session_timeout", "10s"),
    ];
    for (setting, value) in expected {
        let found: String = sqlx::query_scalar("SELECT current_setting($1)")
            .bind(setting)
            .fetch_one(pool(&vault))
            .await
            .unwrap();
        assert_eq!(found, value, "{setting}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn those_who_create_a_vault_at_once_share_one() {
    let url = shared().fresh_database().await;
    let mut creating = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let url = url.clone();
        creating.spawn(async move { created(&url).await.index("email", "a").await.unwrap() });
    }
    let indexes = creating.join_all().await;
    assert!(indexes.iter().all(|index| *index == indexes[0]), "{indexes:?}");
}

/// An erasure that waits for another must not be passed over by a process that caches in between:
/// the generation grows in the order of the commits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erasure_held_up_amid_others_still_empties_every_cache() {
    let url = shared().fresh_database().await;
    let (here, there) = (created(&url).await, created(&url).await);
    let sealed = here.seal(NAME, "Hanako").await.unwrap();
    let other = Subject { person: "member:2", ..NAME };
    let kept = here.seal(other, "Taro").await.unwrap();
    // Held open between its statement and its commit, as a slow commit would.
    let mut slow = pool(&there).acquire().await.unwrap();
    slow.execute("BEGIN").await.unwrap();
    sqlx::query(include_str!("../sql/vault/erase.sql"))
        .bind("member:1/contact")
        .fetch_all(&mut *slow)
        .await
        .unwrap();
    let quick = tokio::spawn(async move { there.erase("member:2", "contact").await.unwrap() });
    assert_eq!(here.open(&sealed, "name").await.unwrap(), text("Hanako"), "not committed yet");
    slow.execute("COMMIT").await.unwrap();
    assert_eq!(here.open(&sealed, "name").await.unwrap(), Opened::Erased);
    assert_eq!(quick.await.unwrap(), Erasure::Destroyed);
    assert_eq!(here.open(&kept, "name").await.unwrap(), Opened::Erased);
}

#[tokio::test]
async fn a_vault_that_a_role_may_not_use_is_not_called_missing() {
    let url = shared().fresh_database().await;
    let vault = created(&url).await;
    let role = format!("stranger_{}", hex::encode(Secret::random(&SystemEntropy).as_bytes()));
    let role = &role[..40];
    let statement = format!("CREATE ROLE {role} LOGIN PASSWORD 'stranger'");
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(pool(&vault)).await.unwrap();
    let stranger = options(&url).username(role).password("stranger");
    let opened = PostgresVault::open(stranger, SCHEMA, Arc::new(SystemEntropy)).await;
    let Err(VaultError::Storage(refused)) = opened else { panic!("it opens or is missing") };
    // Its code is 42501, whose last byte is SQLite's code for busy.
    assert!(!refused.is_busy(), "{refused:?}");
}

#[tokio::test]
async fn the_server_refuses_a_key_that_is_none() {
    let url = shared().fresh_database().await;
    let vault = created(&url).await;
    let wrong = [
        "INSERT INTO person_key VALUES ('a/b', 'short', true)",
        "INSERT INTO person_key VALUES ('a/b', decode(repeat('00', 32), 'hex'), false)",
        "INSERT INTO book_key VALUES ('other', 'short')",
        "INSERT INTO generation VALUES (false, 1)",
    ];
    for statement in wrong {
        assert!(sqlx::query(statement).execute(pool(&vault)).await.is_err(), "{statement}");
    }
}

#[tokio::test]
async fn a_schema_that_is_no_plain_name_is_refused() {
    let url = "postgres://nobody@127.0.0.1:1/none";
    let entropy = Arc::new(SystemEntropy);
    let refused = PostgresVault::create(options(url), "a\"; b", entropy).await;
    assert!(matches!(refused, Err(VaultError::Refused(_))));
}

#[tokio::test]
async fn a_vault_that_is_missing_says_where_it_should_stand() {
    let url = shared().fresh_database().await;
    let missing = opened(&url).await.unwrap().index("email", "a").await.unwrap_err();
    let place = missing.to_string();
    assert!(place.contains("schema shop_vault of database test_"), "{place}");
    assert!(!place.contains(url.split([':', '@']).nth(2).unwrap()), "no password in {place}");
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let made: Option<String> = sqlx::query_scalar("SELECT to_regnamespace('shop_vault')::text")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(made, None, "opening makes nothing");
}
