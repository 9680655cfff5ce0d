//! SQLite under a book: a folder with one file for each kind of state. The only place that speaks
//! its dialect.

pub mod backup;
pub mod vault;
pub mod views;
