//! The rejection that every command shares for a book that is not open.

use crate::Rejection;

/// The book has no settings yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this book is not open yet: `shop.open_book` gives it its settings")]
pub struct ShopNotOpen;

impl Rejection for ShopNotOpen {
    fn code(&self) -> &'static str {
        "shop_not_open"
    }
}
