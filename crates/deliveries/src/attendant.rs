//! A task that attends to one book until it is stopped.

use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How often it is looked whether something was changed elsewhere.
pub(crate) const LOOK: Duration = Duration::from_secs(2);
/// How long a lease lasts. Longer than any message is under way.
pub(crate) const LEASE: Duration = Duration::from_secs(60);
/// When it is made to last anew.
pub(crate) const RENEW: Duration = Duration::from_secs(20);
/// How long the end is waited for.
const END: Duration = Duration::from_secs(20);

/// Attends to one book until it is stopped.
pub struct Attendant {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Attendant {
    /// Begins what ends when it is told so.
    pub(crate) fn start<F>(run: impl FnOnce(watch::Receiver<bool>) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (stop, stopped) = watch::channel(false);
        Self { stop, task: tokio::spawn(run(stopped)) }
    }

    /// Ends: what is under way is finished, and nothing is sent after it.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if timeout(END, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}
