//! Import of a wholesaler's order lines: a customer becomes an organisation with a member, an item
//! a product, an invoice number an order with its invoice, a `C` number a return with its credit.
//!
//! Nothing is lost or recorded twice: each row is recorded, or is rejected by a named rule, and
//! each invoice number is one request, so that an interrupted import continues where it stopped.

mod orders;
mod originals;
mod row;

pub use orders::{ImportError, ImportOptions, ImportReport, Imports};
pub use row::{COLUMNS, FileError, Rejected};
