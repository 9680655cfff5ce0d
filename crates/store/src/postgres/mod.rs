//! A book on PostgreSQL: a schema for each kind of state.

mod views;

pub use views::PostgresViews;
