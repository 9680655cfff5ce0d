//! Work of milliseconds, beside the runtime: a task that is next on the thread that does it would
//! wait for it, and with it whoever appends.

use crate::StorageError;

/// What `work` comes to, done on a thread that may be held up.
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
