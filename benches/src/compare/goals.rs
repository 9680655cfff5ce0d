//! Which ratios answer which goal: of each round the best peer of that round is taken.

use crate::measurement::Measurement;

use super::plan::{Job, Who};
use super::rebuilt::{DECODE_AND_FOLD, REBUILD};

/// What one job measured in one round.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    pub(crate) job: Job,
    pub(crate) line: Measurement,
}

/// A goal, and the ratio that each round came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Goal {
    /// Its name in the table of goals.
    pub name: &'static str,
    /// What is compared with what.
    pub what: String,
    /// The ratio must be at least this.
    pub least: f64,
    /// One entry a round.
    pub ratios: Vec<f64>,
}

/// One side of a ratio.
type Side<'a> = Box<dyn Fn(&Measured) -> bool + 'a>;

struct Asked<'a> {
    name: &'static str,
    what: String,
    least: f64,
    ours: Side<'a>,
    other: Side<'a>,
}

/// Every goal that these rounds can answer.
pub(crate) fn goals(rounds: &[Vec<Measured>], slowed: bool) -> Vec<Goal> {
    let answered = asked(slowed).into_iter().map(|asked| {
        let ratios = rounds.iter().filter_map(|round| asked.ratio(round)).collect();
        let Asked { name, what, least, .. } = asked;
        Goal { name, what, least, ratios }
    });
    answered.filter(|goal| !goal.ratios.is_empty()).collect()
}

impl Asked<'_> {
    /// Ours against the best of the others in that round.
    fn ratio(&self, round: &[Measured]) -> Option<f64> {
        let rate = |measured: &Measured| measured.line.rate().a_second();
        // Too small a book has no full block to decode and fold.
        let round: Vec<&Measured> =
            round.iter().filter(|measured| measured.line.events > 0).collect();
        let ours = round.iter().copied().filter(|measured| (self.ours)(measured)).map(rate);
        let others = round.iter().copied().filter(|measured| (self.other)(measured)).map(rate);
        Some(ours.reduce(f64::max)? / others.reduce(f64::max)?)
    }
}

fn ours(work: &'static str, on_postgres: bool, writers: usize) -> Side<'static> {
    Box::new(move |measured| {
        let Measured { job, line } = measured;
        matches!(job.who, Who::Ours(_))
            && line.work == work
            && (job.on_postgres, job.writers) == (on_postgres, writers)
    })
}

/// The row limit that was measured right after such a workload.
fn limit(work: &'static str, on_postgres: bool, writers: usize) -> Side<'static> {
    Box::new(move |measured| {
        let Measured { job, line } = measured;
        job.who == Who::Ours(work)
            && line.work == "row limit"
            && (job.on_postgres, job.writers) == (on_postgres, writers)
    })
}

/// Any peer that appends one event at a time with so many writers.
fn peers(writers: usize) -> Side<'static> {
    Box::new(move |measured| {
        let Measured { job, line } = measured;
        matches!(job.who, Who::Peer(_))
            && line.work == "append"
            && (job.batch, job.writers) == (1, writers)
    })
}

fn replay(names: &'static [&'static str]) -> Side<'static> {
    Box::new(move |measured| {
        let Measured { job, line } = measured;
        matches!(job.who, Who::Peer(name) if names.contains(&name)) && line.work == "replay"
    })
}

fn rebuilt(work: &'static str) -> Side<'static> {
    Box::new(move |measured| measured.job.who == Who::Rebuild && measured.line.work == work)
}

fn rusqlite_bulk() -> Side<'static> {
    Box::new(|measured| measured.job.who == Who::Peer("rusqlite") && measured.line.work == "append")
}

/// Each goal with both of its sides, as long as the sync is the machine's own, or slowed.
fn asked(slowed: bool) -> Vec<Asked<'static>> {
    let of = |name, what: &str, least, ours, other| Asked {
        name,
        what: what.to_owned(),
        least,
        ours,
        other,
    };
    let at_256 = "PostgreSQL, 256 callers / best peer";
    let mut asked = vec![
        of("G1", "SQLite, 16 callers / best peer", 4.0, ours("append", false, 16), peers(16)),
        of(
            "G2",
            "PostgreSQL, 16 callers / best peer",
            if slowed { 1.0 } else { 4.0 },
            ours("append", true, 16),
            peers(16),
        ),
        of("G2", at_256, 4.0, ours("append", true, 256), peers(256)),
        of("G4", "SQLite, 1 caller / best peer", 0.9, ours("append", false, 1), peers(1)),
        of("G4", "PostgreSQL, 1 caller / best peer", 0.9, ours("append", true, 1), peers(1)),
    ];
    for (place, on) in [("SQLite", false), ("PostgreSQL", true)] {
        for (work, least) in [("burst", 0.5), ("append", 0.3)] {
            let what = format!("{place}, 256 callers, {work} / row limit");
            asked.push(of("G3", &what, least, ours(work, on, 256), limit(work, on, 256)));
        }
    }
    let bulk = "SQLite, bulk import, sealed / rusqlite with a tag table";
    asked.push(of("G5", bulk, 2.0, ours("bulk import", false, 1), rusqlite_bulk()));
    for (names, who, least) in [
        (&["cqrs-sqlite", "cqrs-postgres"][..], "replay of cqrs-es", 10.0),
        (&["disintegrate"][..], "replay of disintegrate", 2.0),
    ] {
        asked.push(of("G6", &format!("rebuild / {who}"), least, rebuilt(REBUILD), replay(names)));
    }
    let alone = "rebuild / decode-and-fold alone";
    asked.push(of("G6", alone, 0.35, rebuilt(REBUILD), rebuilt(DECODE_AND_FOLD)));
    asked.sort_by_key(|asked| asked.name);
    asked
}

impl Goal {
    /// The ratio in the middle, and the smallest and largest.
    #[must_use]
    pub fn spread(&self) -> Option<(f64, f64, f64)> {
        let mut ratios = self.ratios.clone();
        ratios.sort_by(f64::total_cmp);
        Some((*ratios.get(ratios.len() / 2)?, *ratios.first()?, *ratios.last()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(who: Who, work: &str, writers: usize, events: u64) -> Measured {
        let job = Job { who, on_postgres: false, writers, batch: 1, checked: true };
        let line = Measurement { work: work.to_owned(), events, ..Measurement::blank() };
        Measured { job, line }
    }

    #[test]
    fn a_goal_is_the_ratio_to_the_best_peer_of_each_round() {
        let ours = |events| measured(Who::Ours("append"), "append", 16, events);
        let peer = |name, events| measured(Who::Peer(name), "append", 16, events);
        let fewer = measured(Who::Peer("a"), "append", 1, 1_000);
        let rounds = [
            vec![ours(80), peer("a", 10), peer("b", 20), fewer],
            vec![ours(90), peer("a", 30), peer("b", 20)],
            vec![ours(90)],
        ];
        let goals = goals(&rounds, false);
        let [goal] = &*goals else { panic!("{goals:?}") };
        assert_eq!((goal.name, &*goal.ratios), ("G1", &[4.0, 3.0][..]));
        assert_eq!(goal.spread(), Some((4.0, 3.0, 4.0)));
    }

    #[test]
    fn the_row_limit_is_that_of_the_same_workload() {
        let burst = Who::Ours("burst");
        let round = vec![
            measured(burst, "burst", 256, 40),
            measured(burst, "row limit", 256, 80),
            measured(Who::Ours("append"), "row limit", 256, 10),
        ];
        let goals = goals(&[round], false);
        assert_eq!(goals.len(), 1, "{goals:?}");
        assert_eq!((goals[0].name, &*goals[0].ratios), ("G3", &[0.5][..]));
    }
}
