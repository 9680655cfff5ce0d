//! The report as tables in Markdown.

use std::time::Duration;

use crate::digest::short;
use crate::measure::median_by;
use crate::measurement::Measurement;
use crate::report::{Table, duration, ratio};

use super::Report;
use super::goals::{Goal, Measured, goals};
use super::plan::{Job, Who};

impl Report {
    /// Every workload: the round in the middle by its rate.
    #[must_use]
    pub fn table(&self) -> Table {
        let mut table = Table::new(&[
            "who",
            "storage",
            "durability",
            "work",
            "writers × batch",
            "events",
            "events/s",
            "p50",
            "p99",
            "longest",
            "result",
        ]);
        for line in self.medians() {
            let calls = |us: f64| match us {
                0.0 => "—".to_owned(),
                us => duration(Duration::from_secs_f64(us / 1e6)),
            };
            let checked = if line.checked && line.work == "append" { ", checked" } else { "" };
            table.line([
                line.who.clone(),
                line.storage.clone(),
                line.durability.clone(),
                format!("{}{checked}", line.work),
                format!("{} × {}", line.writers, line.batch),
                line.events.to_string(),
                line.rate().to_string(),
                calls(line.p50_us),
                calls(line.p99_us),
                calls(line.longest_us),
                short(&line.result).to_owned(),
            ]);
        }
        table
    }

    /// Everything that was measured, round after round.
    pub fn measurements(&self) -> impl Iterator<Item = &Measurement> {
        self.rounds.iter().flatten().map(|measured| &measured.line)
    }

    /// What the ratios say of the goals.
    #[must_use]
    pub fn goals(&self) -> Vec<Goal> {
        goals(&self.rounds, self.slowed)
    }

    /// The goals as a table.
    #[must_use]
    pub fn goals_table(&self) -> Table {
        let head = ["#", "ratio", "measured", "smallest to largest round", "at least", "met"];
        let mut table = Table::new(&head);
        for goal in self.goals() {
            let Some((middle, least, most)) = goal.spread() else { continue };
            table.line([
                goal.name.to_owned(),
                goal.what.clone(),
                ratio(Some(middle)),
                format!("{least:.2} to {most:.2}"),
                ratio(Some(goal.least)),
                if middle >= goal.least { "yes" } else { "no" }.to_owned(),
            ]);
        }
        table
    }

    /// One line of each job and work, from the round in the middle; a peer's replay once, from
    /// where it replayed the most.
    fn medians(&self) -> Vec<Measurement> {
        let Some(first) = self.rounds.first() else { return Vec::new() };
        let shown = first.iter().filter(|measured| is_shown(measured, first));
        let median = |of: &Measured| {
            let same = |round: &Vec<Measured>| {
                let found = round.iter().find(|one| key(one) == key(of))?;
                Some(found.line.clone())
            };
            let rounds = self.rounds.iter().filter_map(same).collect();
            median_by(rounds, |line: &Measurement| line.rate().a_second())
        };
        shown.filter_map(median).collect()
    }
}

fn key(measured: &Measured) -> (Job, &str) {
    (measured.job, &measured.line.work)
}

/// Whether a line is in the table: of a peer's replays only the last, which are all alike.
fn is_shown(measured: &Measured, round: &[Measured]) -> bool {
    let replay_of = |one: &Measured| match one.job.who {
        Who::Peer(name) if one.line.work == "replay" => Some(name),
        Who::Peer(_) | Who::Ours(_) | Who::Rebuild => None,
    };
    let Some(peer) = replay_of(measured) else { return true };
    let last = round.iter().rfind(|one| replay_of(one) == Some(peer));
    last.is_some_and(|last| key(last) == key(measured))
}
