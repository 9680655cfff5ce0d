//! A task that attends to one book until it is stopped.

use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How often an attendant checks whether something was changed elsewhere.
pub(crate) const LOOK: Duration = Duration::from_secs(2);
/// How long a lease lasts: longer than any message takes to send.
pub(crate) const LEASE: Duration = Duration::from_secs(60);
/// Age at which a lease is renewed.
pub(crate) const RENEW: Duration = Duration::from_secs(20);
/// How long to wait for the task to end.
const END: Duration = Duration::from_secs(20);

/// Attends to one book until it is stopped.
pub struct Attendant {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Attendant {
    /// Starts a task that ends when its receiver says so.
    pub(crate) fn start<F>(run: impl FnOnce(watch::Receiver<bool>) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (stop, stopped) = watch::channel(false);
        Self { stop, task: tokio::spawn(run(stopped)) }
    }

    /// Stops: what is being sent is finished, and nothing is sent afterwards.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if timeout(END, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}
