//! Commands about contracts (契約): opening, licences, the end.

mod activate;
mod add_licences;
mod cancel;
mod change;
pub mod penalty;
mod reduce_licences;

#[cfg(test)]
pub(crate) mod fixtures;

pub use activate::Activate;
pub use add_licences::AddLicences;
pub use cancel::Cancel;
pub use reduce_licences::ReduceLicences;
