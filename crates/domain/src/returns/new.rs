//! What holds for every return that is recorded: its id and its number stand once in a book.

use daicho_values::{Reference, ReturnId};

use crate::state::Orders;

rejections! {
    /// Why a return is not a new one.
    pub enum NotNew {
        /// An id names one return.
        AlreadyRecorded { goods_return: ReturnId } = "return_already_recorded":
            "return {goods_return} is already recorded: another return needs a new id",
        /// A number of another system is recorded once in a book.
        ReferenceRecorded { reference: Reference } = "reference_already_recorded":
            "`{reference}` is already recorded in this book: give the number of this return",
    }
}

/// Checks that neither the id nor the number of another system is recorded yet.
///
/// # Errors
/// The first that is.
pub(super) fn check_new(
    orders: &Orders,
    goods_return: ReturnId,
    reference: Option<&Reference>,
) -> Result<(), NotNew> {
    if orders.goods_return(goods_return).is_some() {
        return Err(NotNew::AlreadyRecorded { goods_return });
    }
    match reference.filter(|reference| orders.has_reference(reference)) {
        Some(reference) => Err(NotNew::ReferenceRecorded { reference: reference.clone() }),
        None => Ok(()),
    }
}
