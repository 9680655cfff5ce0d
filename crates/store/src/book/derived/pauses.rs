//! Places at which a test may hold the sealer, the merge and a lookup.
//!
//! In the service they do nothing; in a test they show that nothing is missed between two steps.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

/// A boxed future that a test waits in.
pub type Pause = Pin<Box<dyn Future<Output = ()> + Send + 'static>>;

/// What happens at each named place; by default nothing.
#[derive(Clone, Default)]
pub struct Pauses(Option<Arc<dyn Fn(&'static str) -> Pause + Send + Sync>>);

impl Pauses {
    /// The places, in the order in which a seal that leads to a merge passes them.
    pub const NAMES: [&'static str; 10] = [
        "seal:begin",
        "seal:rows",
        "seal:commit",
        "seal:committed",
        "seal:published",
        "merge:begin",
        "merge:rows",
        "merge:commit",
        "merge:committed",
        "merge:published",
    ];
    /// The place between the choice of runs of a lookup and its first page.
    pub const LOOKUP: &'static str = "lookup:chosen";

    /// Waits at each place for what `pause` returns for its name.
    pub fn new(pause: impl Fn(&'static str) -> Pause + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(pause)))
    }

    /// Waits here when a test asked for it.
    pub async fn at(&self, name: &'static str) {
        if let Some(pause) = &self.0 {
            pause(name).await;
        }
    }
}

impl fmt::Debug for Pauses {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.0.is_some() { "set" } else { "none" };
        formatter.debug_tuple("Pauses").field(&state).finish()
    }
}
