//! The power fails, or the process is killed, after any operation of a book's disk; the book is
//! opened again and is what was promised.

mod heavy {
    use std::time::Duration;

    use daicho_test_vfs::{Disk, Loss, Replay, Trace};
    use fastrand::Rng;

    use crate::history::History;
    use crate::life::Life;
    use crate::recovery;
    use crate::sizes::{seed, sizes, tell, tell_each};
    use crate::steps::steps;

    /// Appends of the life that is cut short, and other things between them.
    const APPENDS: usize = 60;
    const OTHERS: usize = 30;
    /// A recovery that takes longer hangs.
    const RECOVERY_PATIENCE: Duration = Duration::from_secs(60);

    /// Says how to repeat what failed.
    struct Case {
        seed: u64,
        life: u64,
        number: usize,
        moment: usize,
        loss: Loss,
    }

    impl Drop for Case {
        fn drop(&mut self) {
            if std::thread::panicking() {
                let Self { seed, life, number, moment, loss } = self;
                eprintln!(
                    "DAICHO_SEED={seed}, life {life}, recovery {number}: \
                     crash after operation {moment}, {loss:?}"
                );
            }
        }
    }

    #[tokio::test]
    async fn a_book_survives_a_crash_after_any_operation() {
        let (seed, wanted) = (seed(), sizes().recoveries);
        tell(&format!("crashes: seed {seed}, {wanted} recoveries"));
        let mut done = 0;
        for life in 0.. {
            if done == wanted {
                break;
            }
            let mut chance = Rng::with_seed(seed.wrapping_add(life));
            let disk = Disk::new();
            let (history, failures) =
                Life::on(&disk).live(&steps(APPENDS, OTHERS, &mut chance)).await;
            assert_eq!(failures, 0, "a sound disk");
            let trace = disk.trace();
            done += crash(seed, life, wanted - done, &trace, &history, &mut chance).await;
        }
        tell(&format!("crashes: {done} books recovered"));
    }

    /// Crashes at moments spread over the whole life, each with the next kind of loss.
    async fn crash(
        seed: u64,
        life: u64,
        wanted: usize,
        trace: &Trace,
        history: &History,
        chance: &mut Rng,
    ) -> usize {
        let moments = trace.operations().len() + 1;
        let crashes = wanted.min(moments * Loss::ALL.len());
        let mut replay = Replay::new(trace);
        for number in 0..crashes {
            let moment = number * moments / crashes;
            let loss = Loss::ALL[(number + number / Loss::ALL.len()) % Loss::ALL.len()];
            let _case = Case { seed, life, number, moment, loss };
            replay.advance_to(moment);
            let image = replay.image(loss, chance);
            let checked = recovery::check(&image, history, moment);
            let in_time = tokio::time::timeout(RECOVERY_PATIENCE, checked).await;
            in_time.expect("the recovery comes to an end");
            tell_each(number, "recoveries");
        }
        tell(&format!("crashes: life {life}, {moments} moments, {crashes} recoveries"));
        crashes
    }
}
