//! How far a webhook has come, and when it is tried again. The code is pure: it is given the times
//! and the answers.

use std::time::Duration;

use daicho_store::{DocumentChange, Expected, State, StateName};
use serde::{Deserialize, Serialize};

use super::error::WebhookError;
use super::stored::damaged;

const KIND: &str = "webhook-progress";
/// The most characters of an error that are stored.
const ERROR_CHARS_MAX: usize = 300;
/// The longest time for which a receiver may ask not to be called, in seconds: a day.
const RETRY_AFTER_SECONDS_MAX: u64 = 86_400;

/// How far a webhook has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// Everything up to this position was delivered or parked.
    pub(super) position: u64,
    /// The message after it, if it was tried.
    pub(super) attempt: Option<Attempt>,
    /// Since when every try to deliver has failed.
    pub(super) failing_since_us: Option<i64>,
    pub(super) last_error: Option<String>,
}

/// A message that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Attempt {
    pub(super) position: u64,
    pub(super) tries: u32,
    pub(super) next_at_us: i64,
}

/// When a failed message is tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The wait after each failed try; after the last one the message is parked.
    pub waits: Vec<Duration>,
    /// A webhook that fails for this long is disabled.
    pub gives_up_after: Duration,
}

impl Default for RetryPolicy {
    /// Ten tries within three days.
    fn default() -> Self {
        const MINUTE: u64 = 60;
        const HOUR: u64 = 60 * MINUTE;
        let waits =
            [5, 30, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 24 * HOUR, 30 * HOUR];
        let waits = waits.map(Duration::from_secs).to_vec();
        Self { waits, gives_up_after: Duration::from_secs(5 * 24 * HOUR) }
    }
}

/// The outcome of sending a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has accepted it.
    Delivered,
    /// The receiver says that it no longer exists.
    Gone,
    /// The receiver has not accepted it.
    Failed {
        /// Why.
        error: String,
        /// For how long the receiver asks not to be called.
        retry_after: Option<Duration>,
    },
}

/// What an outcome leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The next message is sent.
    Next,
    /// The message is parked, and the next one is sent.
    Park,
    /// The message is tried again.
    Again,
    /// Nothing more is sent.
    Disable(&'static str),
}

impl Progress {
    pub(super) fn at(position: u64) -> Self {
        Self { position, ..Self::default() }
    }

    /// The progress as after a success, at the same position.
    pub(super) fn begun_again(self) -> Self {
        Self { attempt: None, failing_since_us: None, ..self }
    }

    /// Takes in the outcome of sending the message at `position`; `jitter` is from 0 to 255.
    pub(super) fn take(
        &mut self,
        position: u64,
        outcome: &Outcome,
        policy: &RetryPolicy,
        now_us: i64,
        jitter: u8,
    ) -> Verdict {
        let (error, retry_after) = match outcome {
            Outcome::Delivered => {
                *self = Self::at(position);
                return Verdict::Next;
            }
            Outcome::Gone => {
                self.last_error = Some("410: the receiver no longer exists".to_owned());
                return Verdict::Disable("the receiver answered 410: it no longer exists");
            }
            Outcome::Failed { error, retry_after } => (error, retry_after),
        };
        self.last_error = Some(error.chars().take(ERROR_CHARS_MAX).collect());
        let since = *self.failing_since_us.get_or_insert(now_us);
        if now_us.saturating_sub(since) >= microseconds(policy.gives_up_after) {
            return Verdict::Disable("nothing was delivered for days");
        }
        let before = self.attempt.as_ref().filter(|attempt| attempt.position == position);
        let tries = before.map_or(0, |attempt| attempt.tries) + 1;
        let wait = usize::try_from(tries).ok().and_then(|tries| policy.waits.get(tries - 1));
        let Some(wait) = wait else {
            self.position = position;
            self.attempt = None;
            return Verdict::Park;
        };
        let asked = retry_after.unwrap_or_default();
        let asked = asked.min(Duration::from_secs(RETRY_AFTER_SECONDS_MAX));
        // From 0.8 to 1.2 of the wait, so that not all webhooks are tried again at the same moment.
        let wait =
            microseconds(*wait) / 5 * 4 + microseconds(*wait) / 5 * 2 * i64::from(jitter) / 255;
        let next_at_us = now_us.saturating_add(wait.max(microseconds(asked)));
        self.attempt = Some(Attempt { position, tries, next_at_us });
        Verdict::Again
    }
}

/// How far a webhook has come, and the version of that document.
pub(super) async fn read(
    state: &dyn State,
    name: &StateName,
) -> Result<(Progress, u64), WebhookError> {
    let document = state.document(&kind()?, name).await?;
    let document = document.ok_or_else(|| WebhookError::Unknown(name.to_string()))?;
    let progress = serde_json::from_str(&document.body).map_err(|error| damaged(name, &error))?;
    Ok((progress, document.version))
}

pub(super) fn kind() -> Result<StateName, WebhookError> {
    Ok(StateName::new(KIND)?)
}

pub(super) fn change(
    name: &StateName,
    progress: &Progress,
    expected: Expected,
) -> Result<DocumentChange, WebhookError> {
    let body = serde_json::to_string(progress);
    let body = body.map_err(|error| damaged(name, &error))?;
    Ok(DocumentChange { kind: kind()?, name: name.clone(), expected, body: Some(body) })
}

fn microseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed() -> Outcome {
        Outcome::Failed { error: "500".to_owned(), retry_after: None }
    }

    #[test]
    fn what_fails_is_tried_again_later_and_later_for_days_and_then_parked() {
        let policy = RetryPolicy::default();
        let (mut progress, mut now) = (Progress::at(3), 0);
        let mut verdicts = Vec::new();
        loop {
            let verdict = progress.take(4, &failed(), &policy, now, 128);
            verdicts.push(verdict);
            let Some(attempt) = &progress.attempt else { break };
            assert!(attempt.next_at_us > now);
            now = attempt.next_at_us;
        }
        assert_eq!(verdicts.len(), policy.waits.len() + 1);
        assert_eq!(verdicts.last(), Some(&Verdict::Park));
        assert_eq!(progress.position, 4);
        let days = now / 86_400_000_000;
        assert!((2..=3).contains(&days), "{days} days");
    }

    #[test]
    fn a_receiver_is_left_alone_for_as_long_as_it_asks_up_to_a_day() {
        let policy = RetryPolicy::default();
        for (asked, expected) in [(3_600, 3_600), (1_000_000, 86_400)] {
            let mut progress = Progress::at(3);
            let retry_after = Some(Duration::from_secs(asked));
            let outcome = Outcome::Failed { error: "429".to_owned(), retry_after };
            assert_eq!(progress.take(4, &outcome, &policy, 0, 0), Verdict::Again);
            assert_eq!(progress.attempt.unwrap().next_at_us, expected * 1_000_000);
        }
    }

    #[test]
    fn who_is_gone_or_fails_for_days_gets_nothing_any_more_and_a_success_forgets_all() {
        let policy = RetryPolicy::default();
        let mut progress = Progress::at(3);
        let gone = progress.take(4, &Outcome::Gone, &policy, 0, 0);
        assert!(matches!(gone, Verdict::Disable(_)));
        assert_eq!(progress.position, 3, "what was not taken is not lost");
        progress.take(4, &failed(), &policy, 0, 0);
        let late = progress.take(5, &failed(), &policy, microseconds(policy.gives_up_after), 0);
        assert!(matches!(late, Verdict::Disable(_)));
        assert_eq!(progress.take(4, &Outcome::Delivered, &policy, 9, 0), Verdict::Next);
        assert_eq!(progress, Progress::at(4));
    }
}
