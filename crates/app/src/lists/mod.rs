//! The lists of a book: they are brought up to date when read, rebuilt, and compared with the
//! record.

pub(crate) mod cells;
pub(crate) mod compare;
pub(crate) mod fold_threads;
pub(crate) mod folds;
pub(crate) mod loading;
pub(crate) mod pages;
pub(crate) mod rebuild;
pub(crate) mod replay;
pub(crate) mod request;
pub(crate) mod rows;
pub(crate) mod status;
pub(crate) mod upkeep;
pub(crate) mod work_lease;

pub use cells::major_units;
pub use compare::{Compared, Comparison};
pub use pages::{ListPage, Lists, list_by_name};
pub use rebuild::{Rebuild, RebuildOptions, Rebuilds, Rebuilt, Stopped};
pub use request::{AtLeast, ListFilter, ListRequest, ListSort};
pub use status::ListState;
