//! Clocks that go back, jump, stand still and repeat a second, around midnights and the ends of
//! fiscal years (fault test T10): the time of recording never decreases, and the business date is
//! what the caller says, whatever the clock.

use std::sync::atomic::Ordering;

use daicho_store::{Envelope, Log, Query, parse_us};
use daicho_test_servers::faults;

use crate::support::{NewEventOn as _, Store, append, event, everything};

/// Clocks on each store, in each run of the tests and in `.ci/faults`.
const CLOCKS: (usize, usize) = (40, 1_000);
/// Moves of one clock.
const MOVES: u64 = 12;
const SECOND_US: i64 = 1_000_000;
/// An open book bears any move; one that is opened again, only so much behind its last event.
const OPENS_BEHIND_US: i64 = 5 * SECOND_US;

/// Instants around which clocks are set, and the business dates on their two sides in Tokyo.
const EDGES: [(&str, &str, &str); 6] = [
    // Midnight of a working day.
    ("2026-11-20T15:00:00.000000Z", "2026-11-20", "2026-11-21"),
    // The end of the fiscal year, which is no midnight in UTC.
    ("2027-03-31T15:00:00.000000Z", "2027-03-31", "2027-04-01"),
    // The end of the year in UTC: nine in the morning in Tokyo.
    ("2027-01-01T00:00:00.000000Z", "2027-01-01", "2027-01-01"),
    // A leap day's end.
    ("2028-02-29T15:00:00.000000Z", "2028-02-29", "2028-03-01"),
    // The last leap second: 23:59:60 was 08:59:60 in Tokyo.
    ("2017-01-01T00:00:00.000000Z", "2017-01-01", "2017-01-01"),
    // The second that overflows 32 bits.
    ("2038-01-19T03:14:08.000000Z", "2038-01-19", "2038-01-19"),
];

#[derive(Debug, Clone, Copy)]
enum Move {
    Frozen,
    /// The clock shows the last second once more, as it does where it has no leap second.
    LeapSecond,
    ForwardUs(i64),
    BackUs(i64),
    /// To the instant itself, or a microsecond before it.
    Edge(i64),
}

impl Move {
    /// The move of a number, spread evenly over all kinds.
    fn of(number: u64) -> Self {
        let size = i64::try_from(number / 5 % 7).unwrap();
        match number % 5 {
            0 => Self::Frozen,
            1 => Self::LeapSecond,
            // A microsecond up to 11 days.
            2 => Self::ForwardUs(10_i64.pow(u32::try_from(size * 2).unwrap())),
            3 => Self::BackUs(10_i64.pow(u32::try_from(size * 2).unwrap())),
            _ => Self::Edge(-(size % 2)),
        }
    }

    fn apply(self, now: i64, edge: i64) -> i64 {
        match self {
            Self::Frozen => now,
            Self::LeapSecond => now - SECOND_US,
            Self::ForwardUs(us) => now + us,
            Self::BackUs(us) => now - us,
            Self::Edge(us) => edge + us,
        }
    }
}

pub async fn whatever_the_clock_does_time_never_decreases_and_the_business_date_is_apart<
    S: Store,
>() {
    let place = std::any::type_name::<S>().rsplit("::").next().unwrap();
    let clocks = faults::count(&format!("T10 clocks on {place}"), CLOCKS.0, CLOCKS.1);
    for number in 0..clocks {
        let mixed = (faults::seed() ^ number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 7;
        one_clock::<S>(EDGES[number % EDGES.len()], mixed).await;
    }
}

async fn one_clock<S: Store>((edge, day_before, day_after): (&str, &str, &str), numbers: u64) {
    let edge = parse_us(edge).unwrap();
    let store = S::new().await;
    let set = |now| store.clock().0.store(now, Ordering::SeqCst);
    let mut now = edge - 1;
    set(now);
    let mut log = store.open().await;
    let mut expected: Vec<(i64, &str)> = Vec::new();
    let mut newest = i64::MIN;
    for number in 0..MOVES {
        let step = Move::of((numbers >> number) + number);
        now = step.apply(now, edge);
        set(now);
        if newest.saturating_sub(now) <= OPENS_BEHIND_US && number % 4 == 3 {
            log = store.open().await;
        }
        // The day that the caller counts it to, whether or not the clock has come there.
        let day = if number % 2 == 0 { day_before } else { day_after };
        newest = newest.max(now);
        let answer = log.append(append(vec![event("a", &[]).on(day); 2])).await.unwrap();
        assert_eq!(answer.recorded_at_us, Some(newest), "{step:?}");
        expected.extend([(newest, day); 2]);
        assert_eq!(log.head().await.unwrap().recorded_at_us, newest, "{step:?}");
    }
    let events = everything(&*log).await;
    assert_eq!(events.len(), expected.len());
    for (event, (recorded_at_us, day)) in events.iter().zip(expected) {
        let envelope = Envelope::parse(&event.envelope).unwrap();
        assert_eq!((envelope.recorded_at_us, envelope.effective_on), (recorded_at_us, day));
    }
    assert!(log.last(&Query::everything(), 0).await.unwrap().is_some());
}
