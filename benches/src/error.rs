//! Why a measurement broke off. A measurement whose result is wrong is an error, never a figure.

use daicho_app::{AppendError, BookError, Failure, OpenError, ReadError};
use daicho_events::DecodeError;
use daicho_events::binary::BinaryError;
use daicho_projections::ListError;
use daicho_simulator::SimulateError;

/// Why there is no figure.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A book was not created or opened by the store.
    #[error("a measured book did not open")]
    Open(#[from] OpenError),
    /// A book was not created or opened by the ledger.
    #[error("a measured book did not open")]
    Book(#[from] BookError),
    /// An append was refused, which no workload means to happen.
    #[error("an append of the workload failed")]
    Append(#[from] AppendError),
    /// The record was not read.
    #[error("a measured book was not read")]
    Read(#[from] ReadError),
    /// The ledger failed.
    #[error("the ledger failed")]
    Failure(#[from] Failure),
    /// The data of a workload could not be made.
    #[error("the simulated shop broke off")]
    Simulate(#[from] SimulateError),
    /// An event was not decoded.
    #[error("an event of the workload was not decoded")]
    Decode(#[from] DecodeError),
    /// A replay block was not unpacked.
    #[error("a replay block was not unpacked")]
    Binary(#[from] BinaryError),
    /// A row was not encoded.
    #[error("a row was not encoded")]
    List(#[from] ListError),
    /// A statement of a limit or baseline failed.
    #[error("a statement of a limit or baseline failed")]
    Sqlx(#[from] sqlx::Error),
    /// A file or folder could not be used.
    #[error("a file or folder could not be used")]
    Io(#[from] std::io::Error),
    /// A process that measures did not.
    #[error("a process that measures failed: {0}")]
    Child(String),
    /// A measurement was not written as JSON.
    #[error("a measurement has no JSON form")]
    Json(#[from] serde_json::Error),
    /// A command of the workload was not done.
    #[error("a command of the workload was not done")]
    Execute(#[from] daicho_app::ExecuteError),
    /// A caller of the workload broke off.
    #[error("a caller of the workload broke off")]
    Caller(#[from] tokio::task::JoinError),
    /// The result is not what it must be, so the time that it took says nothing.
    #[error("{0}: the figure would mean nothing")]
    Wrong(String),
}
