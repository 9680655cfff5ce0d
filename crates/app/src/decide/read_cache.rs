//! What decisions have read, kept under the query that they asked: the record never changes, so
//! only what was recorded since has to be read. Settings, prices and busy things are not read
//! twice.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use daicho_events::{Query, QueryItem, Reach, Recorded};
use daicho_store::{Book, Log};

use super::translate;
use crate::error::Failure;

/// The most events that one decision may read.
pub const DECISION_EVENTS_MAX: usize = 100_000;

/// Events kept at most, over all queries; an event in the answers to two queries counts twice.
const EVENTS_KEPT_MAX: usize = 200_000;
/// Answers kept at most: most queries are about new things and find nothing.
const ANSWERS_KEPT_MAX: usize = 16_384;
/// The most events of one read.
const PAGE_EVENTS: usize = 10_000;

/// Reads what queries select, and keeps it.
pub(crate) struct ReadCache {
    log: Arc<Book>,
    answers: Answers,
}

/// The answers so far.
#[derive(Debug, Default)]
struct Answers(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    answers: HashMap<QueryItem, Answer>,
    events: usize,
    uses: u64,
}

/// All events up to a position that match one query.
#[derive(Debug, Clone, Default)]
struct Answer {
    events: Vec<Arc<Recorded>>,
    to: u64,
    used: u64,
}

impl Answers {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, item: &QueryItem) -> Answer {
        let mut kept = self.kept();
        kept.uses += 1;
        let uses = kept.uses;
        let Some(answer) = kept.answers.get_mut(item) else { return Answer::default() };
        answer.used = uses;
        answer.clone()
    }

    fn keep(&self, item: &QueryItem, mut answer: Answer) {
        let mut kept = self.kept();
        let before = kept.answers.get(item).map_or(0, |before| before.events.len());
        if answer.events.len() < before {
            return; // another caller has read further
        }
        kept.events += answer.events.len() - before;
        kept.uses += 1;
        answer.used = kept.uses;
        kept.answers.insert(item.clone(), answer);
        if kept.events > EVENTS_KEPT_MAX || kept.answers.len() > ANSWERS_KEPT_MAX {
            kept.forget();
        }
    }
}

impl Kept {
    /// Drops the half of the answers that has been unused for the longest time.
    fn forget(&mut self) {
        let mut uses: Vec<u64> = self.answers.values().map(|answer| answer.used).collect();
        uses.sort_unstable();
        let middle = uses.get(uses.len() / 2).copied().unwrap_or(0);
        self.answers.retain(|_, answer| answer.used > middle);
        self.events = self.answers.values().map(|answer| answer.events.len()).sum();
    }
}

impl ReadCache {
    pub(crate) fn of(log: Arc<Book>) -> Self {
        Self { log, answers: Answers::default() }
    }

    /// Every event up to `head` that a query selects, in order of position.
    pub(crate) async fn matching(
        &self,
        query: &Query,
        head: u64,
    ) -> Result<Vec<Arc<Recorded>>, Failure> {
        let mut found = Vec::new();
        for item in &query.items {
            match item.reach {
                Reach::All => found.extend(self.all_of(item, head).await?),
                Reach::Last => found.extend(self.last_of(item, head).await?),
            }
        }
        found.sort_by_key(|event| event.header.position);
        found.dedup_by_key(|event| event.header.position);
        Ok(found)
    }

    async fn all_of(&self, item: &QueryItem, head: u64) -> Result<Vec<Arc<Recorded>>, Failure> {
        let mut answer = self.answers.take(item);
        if answer.to < head {
            let query = translate::item(item);
            while answer.to < head {
                let page = self.log.read(&query, answer.to, head, PAGE_EVENTS).await?;
                answer.to = page.scanned_to;
                for stored in &page.events {
                    answer.events.push(Arc::new(translate::from_store(stored)?));
                }
                if answer.events.len() > DECISION_EVENTS_MAX {
                    return Err(Failure::TooManyEvents { events_max: DECISION_EVENTS_MAX });
                }
            }
            self.answers.keep(item, answer.clone());
        }
        let mut events = answer.events;
        events.truncate(events.partition_point(|event| event.header.position.0 <= head));
        Ok(events)
    }

    async fn last_of(&self, item: &QueryItem, head: u64) -> Result<Option<Arc<Recorded>>, Failure> {
        if head == 0 {
            return Ok(None);
        }
        let last = self.log.last(&translate::item(item), head).await?;
        last.map(|stored| translate::from_store(&stored).map(Arc::new)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use daicho_values::Tag;

    use super::*;

    #[test]
    fn answers_that_found_nothing_are_let_go_of_and_what_is_asked_for_stays() {
        let about = |name: usize| Query::about(Tag::of("order", name)).items.remove(0);
        let (answers, busy) = (Answers::default(), about(usize::MAX));
        answers.keep(&busy, Answer { to: 7, ..Answer::default() });
        for number in 0..3 * ANSWERS_KEPT_MAX {
            let item = about(number);
            answers.take(&item);
            answers.keep(&item, Answer::default());
            assert_eq!(answers.take(&busy).to, 7, "{number}");
        }
        let kept = answers.kept().answers.len();
        assert!((ANSWERS_KEPT_MAX / 3..=ANSWERS_KEPT_MAX).contains(&kept), "{kept}");
    }
}
