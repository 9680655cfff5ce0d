//! The stored state of a consumer: which events are done, and which worker has which batch. The
//! code is pure: it is given the window of events and the time.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use super::error::ConsumerError;
use super::settings::{BATCHES_MAX, ConsumerSettings};

/// An event ahead of a consumer: its position, and the tags within which it keeps the order.
pub(super) trait Ahead {
    /// Its position.
    fn position(&self) -> u64;
    /// The tags within which it keeps the order; never empty.
    fn lanes(&self) -> &[String];
}

/// The settings of a consumer and how far it has come: one document of the state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Group {
    pub(super) settings: ConsumerSettings,
    /// Everything up to this position is done.
    pub(super) position: u64,
    /// Positions above `position` that are done.
    done: BTreeSet<u64>,
    /// Batches that are handed out and not done.
    pub(super) batches: Vec<Lease>,
    /// How often each event was handed out without being done.
    returned: BTreeMap<u64, u32>,
}

/// A batch that a worker has for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lease {
    pub(super) batch: String,
    pub(super) worker: String,
    pub(super) expires_at_us: i64,
    /// Positions, ascending.
    pub(super) events: Vec<u64>,
}

impl Group {
    pub(super) fn new(settings: ConsumerSettings, position: u64) -> Self {
        let (done, batches, returned) = (BTreeSet::new(), Vec::new(), BTreeMap::new());
        Self { settings, position, done, batches, returned }
    }

    /// Moves the position past what is done and past what the consumer does not ask for: `ahead`
    /// has the events after it, complete up to `scanned_to`. Returns whether the position moved.
    pub(super) fn settle<A: Ahead>(
        &mut self,
        ahead: impl IntoIterator<Item = A>,
        scanned_to: u64,
    ) -> bool {
        let before = self.position;
        let ahead = ahead.into_iter().map(|event| event.position());
        let open = ahead.filter(|position| *position > before).find(|at| !self.done.contains(at));
        self.position = open.map_or(scanned_to.max(before), |open| open - 1);
        self.done = self.done.split_off(&(self.position + 1));
        self.returned = self.returned.split_off(&(self.position + 1));
        self.position > before
    }

    /// Takes back the batches whose time has ended.
    pub(super) fn expire(&mut self, now_us: i64) {
        let (ended, kept) = std::mem::take(&mut self.batches)
            .into_iter()
            .partition::<Vec<_>, _>(|lease| lease.expires_at_us <= now_us);
        self.batches = kept;
        ended.into_iter().for_each(|lease| self.count_returned(&lease));
    }

    /// The events that may be handed out now, in order: none that comes after an event of the same
    /// lane that another worker has.
    pub(super) fn pick<'a, A: Ahead>(
        &self,
        ahead: impl IntoIterator<Item = &'a A>,
        most: usize,
    ) -> Vec<&'a A> {
        let leased: HashSet<u64> =
            self.batches.iter().flat_map(|lease| lease.events.iter().copied()).collect();
        let mut blocked: HashSet<&str> = HashSet::new();
        let mut picked = Vec::new();
        for event in ahead {
            let position = event.position();
            if picked.len() == most {
                break;
            }
            if position <= self.position || self.done.contains(&position) {
                continue;
            }
            let waits = leased.contains(&position)
                || event.lanes().iter().any(|lane| blocked.contains(lane.as_str()));
            if waits {
                blocked.extend(event.lanes().iter().map(String::as_str));
            } else {
                picked.push(event);
            }
        }
        picked
    }

    /// Hands a batch out.
    ///
    /// # Errors
    /// As many batches as are allowed are already handed out.
    pub(super) fn lease(&mut self, lease: Lease) -> Result<(), ConsumerError> {
        if self.batches.len() >= BATCHES_MAX {
            return Err(ConsumerError::Refused(format!(
                "{BATCHES_MAX} batches of this consumer are handed out, which is the limit: \
                 acknowledge or release some"
            )));
        }
        self.batches.push(lease);
        Ok(())
    }

    /// How often an event was handed out before.
    pub(super) fn returned(&self, position: u64) -> u32 {
        self.returned.get(&position).copied().unwrap_or_default()
    }

    /// The number of events above the position that are done.
    pub(super) fn done_ahead(&self) -> usize {
        self.done.len()
    }

    /// Marks a batch as done, up to a position or as a whole; returns how many events that is.
    ///
    /// # Errors
    /// The lease has ended.
    pub(super) fn acknowledge(
        &mut self,
        batch: &str,
        up_to: Option<u64>,
    ) -> Result<usize, ConsumerError> {
        let lease = self.lease_of(batch)?;
        let up_to = up_to.unwrap_or(u64::MAX);
        let (done, left): (Vec<u64>, Vec<u64>) =
            lease.events.iter().partition(|position| **position <= up_to);
        lease.events = left;
        self.batches.retain(|lease| !lease.events.is_empty());
        let count = done.len();
        self.done.extend(done);
        Ok(count)
    }

    /// The worker gives the rest of a batch back.
    ///
    /// # Errors
    /// The lease has ended.
    pub(super) fn release(&mut self, batch: &str) -> Result<(), ConsumerError> {
        let lease = self.lease_of(batch)?.clone();
        self.count_returned(&lease);
        self.batches.retain(|lease| lease.batch != batch);
        Ok(())
    }

    /// The lease of a batch. A lease whose time has ended is still found while nobody has taken its
    /// events.
    ///
    /// # Errors
    /// The lease has ended.
    pub(super) fn lease_of(&mut self, batch: &str) -> Result<&mut Lease, ConsumerError> {
        let lease = self.batches.iter_mut().find(|lease| lease.batch == batch);
        lease.ok_or_else(|| ConsumerError::LeaseEnded { batch: batch.to_owned() })
    }

    /// Continues after `position`, whatever was done: workers holding a batch get an error.
    pub(super) fn seek(&mut self, position: u64) {
        *self = Self::new(self.settings.clone(), position);
    }

    fn count_returned(&mut self, lease: &Lease) {
        for position in &lease.events {
            *self.returned.entry(*position).or_default() += 1;
        }
    }
}

impl<A: Ahead> Ahead for &A {
    fn position(&self) -> u64 {
        (*self).position()
    }
    fn lanes(&self) -> &[String] {
        (*self).lanes()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    struct Event(u64, Vec<String>);

    impl Ahead for Event {
        fn position(&self) -> u64 {
            self.0
        }
        fn lanes(&self) -> &[String] {
            &self.1
        }
    }

    /// What the workers of a test do.
    #[derive(Debug, Clone)]
    enum Deed {
        Take(usize),
        Acknowledge(usize, Option<usize>),
        Release(usize),
        Wait(i64),
    }

    fn deeds() -> impl Strategy<Value = Vec<Deed>> {
        let deed = prop_oneof![
            4 => (1_usize..6).prop_map(Deed::Take),
            3 => (0_usize..8, prop::option::of(0_usize..4))
                .prop_map(|(which, part)| Deed::Acknowledge(which, part)),
            1 => (0_usize..8).prop_map(Deed::Release),
            1 => (1_i64..40).prop_map(Deed::Wait),
        ];
        prop::collection::vec(deed, 1..120)
    }

    fn settings() -> ConsumerSettings {
        ConsumerSettings::default()
    }

    proptest! {
        /// Every event is done in the end, none is handed to two workers at once, and within a lane
        /// no event is handed out unless its predecessor is done or in the same batch.
        // long because one run of actions and what must hold after each is read in one piece
        #[test]
        fn whatever_workers_do_nothing_is_passed_over_and_lanes_keep_their_order(
            lanes in prop::collection::vec(prop::collection::vec(0_u8..4, 1..3), 1..40),
            deeds in deeds(),
        ) {
            let lane = |lane: &u8| format!("order:{lane}");
            let events: Vec<Event> = (1_u64..)
                .zip(&lanes)
                .map(|(at, lanes)| Event(at * 3, lanes.iter().map(lane).collect()))
                .collect();
            let end = events.len() as u64 * 3 + 1;
            let mut group = Group::new(settings(), 0);
            let (mut now, mut made) = (0, 0);
            let mut acknowledged = BTreeSet::new();
            let mut handed: Vec<String> = Vec::new();
            for deed in deeds {
                match deed {
                    Deed::Take(most) => {
                        group.expire(now);
                        group.settle(&events, end);
                        let picked = group.pick(&events, most);
                        let positions: Vec<u64> = picked.iter().map(|event| event.0).collect();
                        for event in &picked {
                            let before = events.iter().filter(|other| {
                                other.0 < event.0
                                    && other.1.iter().any(|lane| event.1.contains(lane))
                            });
                            for other in before {
                                let is_over = acknowledged.contains(&other.0)
                                    || positions.contains(&other.0);
                                prop_assert!(is_over, "{other:?} before {event:?}");
                            }
                            let out = group.batches.iter().any(|b| b.events.contains(&event.0));
                            prop_assert!(!out && !acknowledged.contains(&event.0));
                        }
                        if !positions.is_empty() {
                            made += 1;
                            let batch = made.to_string();
                            handed.push(batch.clone());
                            let (worker, expires_at_us) = ("w".to_owned(), now + 20);
                            let lease = Lease { batch, worker, expires_at_us, events: positions };
                            prop_assert!(group.lease(lease).is_ok());
                        }
                    }
                    Deed::Acknowledge(which, part) => {
                        let Some(batch) = handed.get(which) else { continue };
                        let Ok(lease) = group.lease_of(batch) else { continue };
                        let out = lease.events.clone();
                        let up_to = part.map(|part| out[part.min(out.len() - 1)]);
                        prop_assert!(group.acknowledge(batch, up_to).is_ok());
                        let until = up_to.unwrap_or(u64::MAX);
                        acknowledged.extend(out.into_iter().filter(|at| *at <= until));
                    }
                    Deed::Release(which) => {
                        if let Some(batch) = handed.get(which) {
                            let _ = group.release(batch);
                        }
                    }
                    Deed::Wait(time) => now += time,
                }
                group.settle(&events, end);
                let below = events.iter().filter(|event| event.0 <= group.position);
                for event in below {
                    prop_assert!(acknowledged.contains(&event.0), "{event:?} was skipped");
                }
            }
            group.expire(i64::MAX);
            while group.position < end {
                let picked: Vec<u64> = group.pick(&events, 3).iter().map(|event| event.0).collect();
                prop_assert!(!picked.is_empty(), "the rest is never handed out");
                let (batch, worker) = ("last".to_owned(), "w".to_owned());
                let lease = Lease { batch, worker, expires_at_us: 0, events: picked };
                prop_assert!(group.lease(lease).is_ok());
                prop_assert!(group.acknowledge("last", None).is_ok());
                group.settle(&events, end);
            }
            prop_assert_eq!(group.done_ahead(), 0);
        }
    }

    #[test]
    fn what_was_not_done_is_counted_and_a_lease_that_ended_is_told() {
        let events = [Event(1, vec![String::new()]), Event(2, vec![String::new()])];
        let mut group = Group::new(settings(), 0);
        let (batch, worker) = ("a".to_owned(), "w".to_owned());
        group.lease(Lease { batch, worker, expires_at_us: 10, events: vec![1, 2] }).unwrap();
        assert!(group.pick(&events, 9).is_empty());
        group.acknowledge("a", Some(1)).unwrap();
        group.expire(10);
        assert_eq!((group.returned(1), group.returned(2)), (0, 1));
        let late = group.acknowledge("a", None).unwrap_err();
        assert!(matches!(late, ConsumerError::LeaseEnded { .. }), "{late}");
        let positions: Vec<u64> = group.pick(&events, 9).iter().map(|event| event.0).collect();
        assert_eq!(positions, [2]);
    }
}
