//! A book on PostgreSQL: schemas of one database. So far the vault, which may stand in a database
//! and under a role of its own.

mod schema;
mod vault;

pub use vault::PostgresVault;
