//! Commands about the shop itself.

mod open_book;

pub use open_book::OpenBook;
