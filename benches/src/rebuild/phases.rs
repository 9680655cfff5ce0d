//! Where the time of a rebuild goes, as the ledger reports its stretches of work.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use daicho_app::Progress;

/// The stretches so far.
#[derive(Debug, Default)]
pub(crate) struct Phases(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    done: Vec<(String, Duration)>,
    running: Option<(String, Instant)>,
}

impl Phases {
    /// Each stretch and how long it took, in the order in which they ended.
    pub(crate) fn done(self) -> Vec<(String, Duration)> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).done
    }
}

impl Progress for Phases {
    fn begin(&self, what: &str, _: u64) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.running = Some((what.to_owned(), Instant::now()));
    }

    fn at(&self, _: u64) {}

    fn end(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((what, since)) = state.running.take() {
            state.done.push((what, since.elapsed()));
        }
    }
}
