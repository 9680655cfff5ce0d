//! The threads of a pass: each folds every event into its part of the lists for as long as the pass
//! lasts, and reports how much memory its rows hold.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use daicho_events::Recorded;
use daicho_projections::Fold;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::folds::Folds;
use crate::error::Failure;

/// The most pieces of the log that may wait for a thread.
const PIECES_WAITING_MAX: usize = 2;

/// One thread for each core.
pub(crate) struct FoldThreads {
    workers: Vec<Worker>,
    /// The end of the slices that they hold.
    end: u32,
    /// The first slice that they hold.
    first: u32,
}

struct Worker {
    steps: mpsc::Sender<Step>,
    /// The bytes that its rows hold after the last step.
    bytes: Arc<AtomicUsize>,
    folds: JoinHandle<Vec<Box<dyn Fold>>>,
}

enum Step {
    Fold(Arc<Vec<Recorded>>),
    /// Drop the slices from `end` on.
    Shed {
        end: u32,
        done: oneshot::Sender<()>,
    },
}

impl FoldThreads {
    /// Starts a thread for each part of `folds`.
    pub(crate) fn start(folds: Folds) -> Self {
        let Folds { parts, first, end } = folds;
        Self { workers: parts.into_iter().map(Worker::start).collect(), first, end }
    }

    /// Makes every thread fold the next events.
    pub(crate) async fn fold(&mut self, events: Vec<Recorded>) -> Result<(), Failure> {
        let events = Arc::new(events);
        for worker in &self.workers {
            worker.tell(Step::Fold(Arc::clone(&events))).await?;
        }
        Ok(())
    }

    /// Sheds the upper half of the slices, repeatedly while the rows hold more than `bytes_max`.
    pub(crate) async fn keep_within(&mut self, bytes_max: usize) -> Result<(), Failure> {
        while self.bytes() > bytes_max {
            let width = self.end - self.first;
            if width <= 1 {
                return Err(Failure::MemoryTooSmall { bytes: self.bytes(), bytes_max });
            }
            self.end = self.first + width / 2;
            self.shed().await?;
        }
        Ok(())
    }

    /// The folds after every event was folded, within the same bound.
    pub(crate) async fn finish(mut self, bytes_max: usize) -> Result<Folds, Failure> {
        // This sheds nothing yet: a thread that answers has folded everything before.
        self.shed().await?;
        self.keep_within(bytes_max).await?;
        let mut parts = Vec::with_capacity(self.workers.len());
        for Worker { steps, bytes: _, folds } in self.workers {
            drop(steps);
            parts.push(folds.await.map_err(broke_off)?);
        }
        Ok(Folds { parts, first: self.first, end: self.end })
    }

    fn bytes(&self) -> usize {
        self.workers.iter().map(|worker| worker.bytes.load(Ordering::Relaxed)).sum()
    }

    /// Waits until every thread has dropped its slices, so that what is counted afterwards is what
    /// is left.
    async fn shed(&mut self) -> Result<(), Failure> {
        let mut waiting = Vec::with_capacity(self.workers.len());
        for worker in &self.workers {
            let (done, answer) = oneshot::channel();
            worker.tell(Step::Shed { end: self.end, done }).await?;
            waiting.push(answer);
        }
        for answer in waiting {
            answer.await.map_err(|_| gone())?;
        }
        Ok(())
    }
}

impl Worker {
    fn start(mut folds: Vec<Box<dyn Fold>>) -> Self {
        let (steps, mut taken) = mpsc::channel(PIECES_WAITING_MAX);
        let bytes = Arc::new(AtomicUsize::new(0));
        let held = Arc::clone(&bytes);
        let folds = tokio::task::spawn_blocking(move || {
            while let Some(step) = taken.blocking_recv() {
                take(&mut folds, step, &held);
            }
            folds
        });
        Self { steps, bytes, folds }
    }

    async fn tell(&self, step: Step) -> Result<(), Failure> {
        self.steps.send(step).await.map_err(|_| gone())
    }
}

fn take(folds: &mut [Box<dyn Fold>], step: Step, held: &AtomicUsize) {
    let done = match step {
        Step::Fold(events) => {
            for event in events.iter() {
                folds.iter_mut().for_each(|fold| fold.apply(event));
            }
            None
        }
        Step::Shed { end, done } => {
            folds.iter_mut().for_each(|fold| fold.shed(end));
            Some(done)
        }
    };
    held.store(folds.iter().map(|fold| fold.bytes()).sum(), Ordering::Relaxed);
    // Whoever waited may have given up: then nobody needs the answer.
    done.map(|done| done.send(()));
}

fn gone() -> Failure {
    Failure::BrokeOff { what: "a thread of the replay".to_owned() }
}

/// The failure for a thread that ended by a panic.
pub(super) fn broke_off(error: tokio::task::JoinError) -> Failure {
    Failure::BrokeOff { what: format!("a thread of the replay ({error})") }
}

#[cfg(test)]
mod tests {
    use daicho_projections::{Changed, ListError, Shown};
    use daicho_values::Date;

    use super::*;
    use crate::blame::Blame;

    /// A fold with a mistake in it.
    struct Mistaken;

    impl Fold for Mistaken {
        fn load(&mut self, _: &str, _: &[u8]) -> Result<(), ListError> {
            Ok(())
        }
        fn apply(&mut self, _: &Recorded) {}
        fn len(&self) -> usize {
            0
        }
        fn bytes(&self) -> usize {
            0
        }
        fn shed(&mut self, _: u32) {
            panic!("a mistake");
        }
        fn take_slice(&mut self, _: u32, _: Date) -> Result<Changed<Shown>, ListError> {
            Ok(Vec::new())
        }
        fn finish(self: Box<Self>) -> Result<Changed<Vec<u8>>, ListError> {
            Ok(Vec::new())
        }
        fn finish_on(self: Box<Self>, _: Date) -> Result<Changed<Shown>, ListError> {
            Ok(Vec::new())
        }
    }

    /// This was once reported as the caller's fault, with status 422.
    #[tokio::test]
    async fn a_thread_that_broke_off_is_ours() {
        let parts: Vec<Vec<Box<dyn Fold>>> = vec![vec![Box::new(Mistaken)]];
        let threads = FoldThreads::start(Folds { parts, first: 0, end: 4 });
        let Err(error) = threads.finish(usize::MAX).await else { panic!("it finished") };
        assert!(matches!(error, Failure::BrokeOff { .. }), "{error}");
        assert_eq!(error.blame(), Blame::Ours);
    }
}
