//! A document of the provider, fetched once for all callers and again when it is too old.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::error::SignInError;

/// How long a provider that did not answer is not asked again: callers that waited for the answer
/// fail at once instead of asking one after the other.
const PAUSE: Duration = Duration::from_secs(1);

/// The document, and since when it is known.
pub(crate) struct Cached<T> {
    age_max: Duration,
    held: Mutex<Held<T>>,
}

struct Held<T> {
    known: Option<(Instant, Arc<T>)>,
    failed_at: Option<Instant>,
}

impl<T> Cached<T> {
    pub(crate) fn new(age_max: Duration) -> Self {
        Self { age_max, held: Mutex::new(Held { known: None, failed_at: None }) }
    }

    /// The known document, unless it is too old; else it is fetched.
    pub(crate) async fn get(
        &self,
        fetch: impl Future<Output = Result<T, SignInError>>,
    ) -> Result<Arc<T>, SignInError> {
        let mut held = self.held.lock().await;
        let known = held.known.as_ref().filter(|(since, _)| since.elapsed() < self.age_max);
        match known {
            Some((_, known)) => Ok(Arc::clone(known)),
            None => held.renew(fetch).await,
        }
    }

    /// A document other than the one that turned out to be out of date: fetched if need be.
    pub(crate) async fn newer(
        &self,
        than: &Arc<T>,
        fetch: impl Future<Output = Result<T, SignInError>>,
    ) -> Result<Arc<T>, SignInError> {
        let mut held = self.held.lock().await;
        match &held.known {
            Some((_, known)) if !Arc::ptr_eq(known, than) => Ok(Arc::clone(known)),
            Some(_) | None => held.renew(fetch).await,
        }
    }
}

impl<T> Held<T> {
    async fn renew(
        &mut self,
        fetch: impl Future<Output = Result<T, SignInError>>,
    ) -> Result<Arc<T>, SignInError> {
        if self.failed_at.is_some_and(|at| at.elapsed() < PAUSE) {
            return Err(SignInError::Unavailable);
        }
        match fetch.await {
            Ok(value) => {
                let value = Arc::new(value);
                *self = Self { known: Some((Instant::now(), Arc::clone(&value))), failed_at: None };
                Ok(value)
            }
            Err(error) => {
                self.failed_at = Some(Instant::now());
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn gives(value: u32) -> Result<u32, SignInError> {
        Ok(value)
    }

    #[tokio::test]
    async fn what_is_known_is_fetched_again_when_it_is_old_or_of_no_use() {
        let cached = Cached::new(Duration::from_secs(3_600));
        let first = cached.get(gives(1)).await.unwrap();
        assert_eq!(*cached.get(gives(2)).await.unwrap(), 1);
        let second = cached.newer(&first, gives(3)).await.unwrap();
        assert_eq!(*second, 3);
        assert_eq!(*cached.newer(&first, gives(4)).await.unwrap(), 3);
        let old = Cached::new(Duration::ZERO);
        assert_eq!(*old.get(gives(1)).await.unwrap(), 1);
        assert_eq!(*old.get(gives(2)).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn a_provider_that_failed_is_left_alone_for_a_moment() {
        let cached: Cached<u32> = Cached::new(Duration::from_secs(3_600));
        let fails = async { Err(SignInError::Unavailable) };
        assert!(cached.get(fails).await.is_err());
        assert!(cached.get(gives(1)).await.is_err());
        cached.held.lock().await.failed_at = Instant::now().checked_sub(PAUSE);
        assert_eq!(*cached.get(gives(1)).await.unwrap(), 1);
    }
}
