//! How often each key and each person may send requests: a bucket that fills at a steady rate.

use std::num::NonZeroU32;

use axum::http::StatusCode;
use daicho_app::{Actor, Caller, KeyId};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::config::Limits;
use crate::problem::Problem;

/// Number of clients above which those that were idle for long are forgotten.
const CLEAN_UP_CLIENTS: usize = 10_000;

/// Whose bucket it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Client {
    Key(KeyId),
    Person(Actor),
}

/// The buckets, by client.
pub(crate) struct Clients {
    buckets: DefaultKeyedRateLimiter<Client>,
    clock: DefaultClock,
}

impl Clients {
    pub(crate) fn new(limits: &Limits) -> Self {
        let count = |n| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(count(limits.requests_a_second));
        let buckets = RateLimiter::keyed(quota.allow_burst(count(limits.burst)));
        Self { buckets, clock: DefaultClock::default() }
    }

    /// Takes one request out of a caller's bucket, or refuses if it is empty.
    pub(crate) fn admit(&self, caller: &Caller) -> Result<(), Problem> {
        let client = match caller.key {
            Some(key) => Client::Key(key),
            None => Client::Person(caller.actor.clone()),
        };
        if self.buckets.len() > CLEAN_UP_CLIENTS {
            self.buckets.retain_recent();
        }
        self.buckets.check_key(&client).map_err(|until| {
            let wait = until.wait_time_from(self.clock.now());
            let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
            let detail = "this key or person sends too many requests: wait as `Retry-After` says";
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail)
                .retry_after(seconds)
        })
    }
}
