//! One operation of a book's disk fails, or all from it on; callers are told, nothing acknowledged
//! is lost, and the book goes on.

use daicho_store::{AppendError, Log as _, sqlite};
use daicho_test_vfs::{Disk, Fault, FaultKind, Lasting, Loss, Replay, Site};
use fastrand::Rng;

use crate::life::options;
use crate::support::{TestClock, With as _, one};

/// What a crash leaves now.
fn crashed(disk: &Disk, loss: Loss) -> Disk {
    let trace = disk.trace();
    let mut replay = Replay::new(&trace);
    replay.advance_to(trace.operations().len());
    Disk::of(&replay.image(loss, &mut Rng::with_seed(1)))
}

/// SQLite finds the append whose sync failed in its log, whole, though the disk will never have it:
/// what is acknowledged after it must not stand on it.
#[tokio::test]
async fn what_a_restarted_book_finds_of_a_failed_sync_is_durable_before_it_is_acknowledged() {
    let (disk, clock) = (Disk::new(), TestClock::default());
    let book = sqlite::create_book(disk.path(), options(&clock)).await.unwrap();
    let request = |id| one("a", &["every:1"]).answering(id, "h");
    book.append(request("r1")).await.unwrap();
    let at = disk.calls(Site::Sync) + 1;
    disk.break_at(Fault { kind: FaultKind::Sync, at, lasting: Lasting::Once });
    let failed = book.append(request("r2")).await;
    assert!(matches!(failed, Err(AppendError::Unknown { .. })), "{failed:?}");

    let killed = crashed(&disk, Loss::Nothing);
    let restarted = sqlite::open_book(killed.path(), options(&clock)).await.unwrap();
    assert_eq!(restarted.append(request("r2")).await.unwrap().last, 2);
    assert_eq!(restarted.append(request("r3")).await.unwrap().last, 3);

    let dark = crashed(&killed, Loss::Unsynced);
    let after = sqlite::open_book(dark.path(), options(&clock)).await.unwrap();
    assert_eq!(after.head().await.unwrap().position, 3, "what was acknowledged");
    after.verify_record(|_| ()).await.unwrap();
}

mod heavy {
    use std::time::Duration;

    use daicho_test_vfs::{Disk, Fault, FaultKind, Lasting, Loss, Replay};
    use fastrand::Rng;

    use crate::history::History;
    use crate::life::{Life, Remedy};
    use crate::recovery;
    use crate::sizes::{seed, sizes, tell, tell_each};
    use crate::steps::{Step, steps};
    use crate::support::assert_gapless;

    /// Appends of a life, and other things between them: each once.
    const APPENDS: usize = 6;
    const OTHERS: usize = 12;
    /// Lives of which one is also cut short by a crash; where a sync failed, every one.
    const CRASH_ONE_IN: u8 = 4;
    /// A life that takes longer hangs.
    const LIFE_PATIENCE: Duration = Duration::from_secs(60);

    /// The ways to fail, in turn.
    const WAYS: [(FaultKind, Lasting); 14] = [
        (FaultKind::Read, Lasting::Once),
        (FaultKind::Write, Lasting::Once),
        (FaultKind::Full, Lasting::UntilMended),
        (FaultKind::Sync, Lasting::Once),
        (FaultKind::Sync, Lasting::UntilMended),
        (FaultKind::Open, Lasting::UntilMended),
        (FaultKind::Truncate, Lasting::Once),
        (FaultKind::ShortRead, Lasting::Once),
        (FaultKind::Full, Lasting::Once),
        (FaultKind::Remove, Lasting::Once),
        (FaultKind::Map, Lasting::Once),
        (FaultKind::Open, Lasting::Once),
        (FaultKind::Read, Lasting::UntilMended),
        (FaultKind::Write, Lasting::UntilMended),
    ];

    /// Says how to repeat what failed.
    struct Case {
        seed: u64,
        number: usize,
        fault: Fault,
    }

    impl Drop for Case {
        fn drop(&mut self) {
            if std::thread::panicking() {
                let Self { seed, number, fault } = self;
                eprintln!("DAICHO_SEED={seed}, life {number}: {fault:?}");
            }
        }
    }

    #[tokio::test]
    async fn an_error_at_any_operation_is_told_and_loses_nothing() {
        let (seed, lives) = (seed(), sizes().lives);
        tell(&format!("errors: seed {seed}, {lives} lives"));
        let steps = steps(APPENDS, OTHERS, &mut Rng::with_seed(seed));
        let calls = calls_of(&steps).await;
        let mut hits = 0;
        for number in 0..lives {
            let (kind, lasting) = WAYS[number % WAYS.len()];
            let (round, rounds) = (number / WAYS.len(), lives / WAYS.len() + 1);
            let at =
                1 + calls(kind) * u64::try_from(round).unwrap() / u64::try_from(rounds).unwrap();
            let fault = Fault { kind, at, lasting };
            let _case = Case { seed, number, fault };
            let mut chance = Rng::with_seed(seed.wrapping_add(u64::try_from(number).unwrap()));
            let lived = live(fault, &steps, &mut chance);
            let in_time = tokio::time::timeout(LIFE_PATIENCE, lived).await;
            hits += usize::from(in_time.expect("the life comes to an end"));
            tell_each(number, "lives");
        }
        tell(&format!("errors: {lives} lives, {hits} with an error"));
        assert!(hits > lives * 9 / 10, "only {hits} of {lives} lives met their error");
    }

    /// How often a sound life does what can fail.
    async fn calls_of(steps: &[Step]) -> impl Fn(FaultKind) -> u64 {
        let disk = Disk::new();
        Life::on(&disk).live(steps).await;
        tell(&format!("errors: {:?}", FaultKind::ALL.map(|kind| (kind, disk.calls(kind.site())))));
        move |kind| disk.calls(kind.site())
    }

    /// Whether the error was met.
    async fn live(fault: Fault, steps: &[Step], chance: &mut Rng) -> bool {
        let disk = Disk::new();
        disk.break_at(fault);
        let (history, _) = Life::on(&disk).with(remedy(fault.kind)).live(steps).await;
        assert_whole(&history);
        if fault.kind != FaultKind::Sync && chance.u8(..CRASH_ONE_IN) > 0 {
            return disk.hits() > 0;
        }
        // What was acknowledged is durable, whatever failed before it.
        let trace = disk.trace();
        let moment = chance.usize(0..=trace.operations().len());
        let mut replay = Replay::new(&trace);
        replay.advance_to(moment);
        let loss = Loss::ALL[chance.usize(0..Loss::ALL.len())];
        let image = replay.image(loss, chance);
        recovery::check(&image, &history, moment).await;
        disk.hits() > 0
    }

    fn remedy(kind: FaultKind) -> Remedy {
        if kind == FaultKind::ShortRead { Remedy::Reopen } else { Remedy::None }
    }

    /// Every append stands once, whole, where its caller was told.
    fn assert_whole(history: &History) {
        assert_gapless(&history.events);
        let mut told = 0;
        for asked in &history.appends {
            let (_, answer) = asked.answered.unwrap();
            for (position, event) in (answer.first..=answer.last).zip(&asked.what.events) {
                let stored = &history.events[usize::try_from(position).unwrap() - 1];
                assert_eq!(*stored.data, *event.data);
            }
            assert_eq!(answer.last - answer.first + 1, asked.what.events.len() as u64);
            told += asked.what.events.len();
        }
        assert_eq!(told, history.events.len(), "an event that nobody was told of");
    }
}
