//! Pools whose connections come back clean.
//!
//! After an error of the disk SQLite ends the transaction by itself. sqlx still counts that
//! transaction: on such a connection no other one begins, or one begins that never ends and reads
//! the same old state for ever.

use sqlx::Connection as _;
use sqlx::sqlite::SqlitePoolOptions;

/// A pool of at most so many connections. One that still counts a transaction which has ended is
/// closed, and a new one takes its place.
pub(super) fn clean_pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new().max_connections(connections).after_release(|connection, _| {
        Box::pin(async move {
            if connection.is_in_transaction() {
                // What was dropped in the midst of its transaction is rolled back by then.
                connection.ping().await?;
            }
            Ok(!connection.is_in_transaction())
        })
    })
}
