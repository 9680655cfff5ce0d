//! What is asked of a server in SQL: databases for tests, and an end to connections.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::cluster::{Cluster, MAINTENANCE_DATABASE};
use crate::need;
use crate::random::random_hex;

/// Makes an empty database that nobody else has; answers with its URL.
///
/// It is not dropped: that costs a checkpoint, and it goes with the server (8 MB till then).
pub(crate) async fn create(cluster: &Cluster) -> String {
    let name = format!("test_{}", random_hex());
    let mut connection = connect(cluster).await;
    let statement = format!("CREATE DATABASE {name} TEMPLATE template0");
    let created = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await;
    need(created, "create a database");
    need(connection.close().await, "close a connection");
    cluster.url(&name)
}

/// Cuts every client off; returns when their backends are gone.
pub(crate) async fn terminate_backends(cluster: &Cluster) {
    let mut connection = connect(cluster).await;
    let statement = include_str!("sql/terminate_backends.sql");
    let ended: Vec<(i32, bool)> =
        need(sqlx::query_as(statement).fetch_all(&mut connection).await, "cut clients off");
    // A backend that had just ended by itself is reported as not ended, too.
    let doubtful: Vec<i32> =
        ended.iter().filter(|(_, ended)| !ended).map(|(pid, _)| *pid).collect();
    let left = "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY ($1)";
    let left = sqlx::query_scalar(left).bind(doubtful).fetch_one(&mut connection).await;
    assert_eq!(need::<i64, _>(left, "look for backends"), 0, "a backend does not end");
    need(connection.close().await, "close a connection");
}

async fn connect(cluster: &Cluster) -> PgConnection {
    need(PgConnection::connect(&cluster.url(MAINTENANCE_DATABASE)).await, "connect")
}
