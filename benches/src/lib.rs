//! Seeded workloads, the limit of the machine and ourselves side by side: the same data, the same
//! durability, one run. What is printed are ratios, and hashes of the results beside them.

pub mod append;
mod child;
pub mod compare;
mod digest;
mod error;
pub mod growth;
pub mod hot;
mod machine;
mod measure;
mod measurement;
mod packer;
mod random;
pub mod rebuild;
mod report;
pub mod service;

pub use digest::RecordDigest;
pub use error::BenchError;
pub use machine::Machine;
pub use measure::{Latencies, Rate};
pub use measurement::Measurement;
pub use report::Table;

/// What is written into the envelopes of a measured book.
const SOFTWARE: &str = daicho_app::SOFTWARE;
