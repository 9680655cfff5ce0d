//! Work that takes milliseconds is done beside the threads of the runtime: on one of those it would
//! hold up the tasks that come next, and with them whoever appends.

use crate::StorageError;

/// The result of `work`, done on a thread that may be held up.
pub(super) async fn aside<T: Send + 'static>(
    context: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StorageError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => StorageError::Busy { context }, // the process ends
    })
}
