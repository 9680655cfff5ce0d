//! What changes as a book grows: appends, rebuilds, lists as of earlier, decisions on long
//! histories, memory and start, on one big book and a small one beside it.

mod book;
mod step;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::child::Child;
use crate::error::BenchError;
use crate::measure::median_by;
use crate::report::{Table, ratio};

pub use step::{Measured, Step};

use book::GrownBook;

/// What to grow.
#[derive(Debug, Clone)]
pub struct Options {
    /// Events of the big book.
    pub events: u64,
    /// Events of the small one.
    pub small_events: u64,
    /// Events of each that are lived by the simulator; the others are copies of them.
    pub lived: u64,
    /// Events that are appended to each in a round.
    pub append_events: u64,
    /// Same seed, same books.
    pub seed: u64,
    /// How often what is compared between both is measured.
    pub rounds: u32,
    /// Where the books are made and left.
    pub folder: PathBuf,
    /// The program that measures a step, and what stands before its name: this one.
    pub program: (PathBuf, Vec<OsString>),
}

/// What was measured on one of the books.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its events when it was made.
    pub book: u64,
    /// The measurement.
    pub measured: Measured,
}

/// All of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// In the order in which they were measured.
    pub lines: Vec<Line>,
    /// Events of the big book and of the small one.
    pub books: [u64; 2],
}

/// Makes both books and measures all steps. Says on standard error what is under way.
///
/// # Errors
/// Anything that fails.
pub async fn run(options: &Options) -> Result<Report, BenchError> {
    let (big, small) = (options.folder.join("big"), options.folder.join("small"));
    let mut made = Vec::new();
    for (folder, events) in [(&big, options.events), (&small, options.small_events)] {
        say(&format!("a book of {events} events is made"))?;
        let head = GrownBook::at(folder, options.seed).make(events, options.lived).await?;
        made.push(head);
    }
    let [big_events, small_events] = <[u64; 2]>::try_from(made)
        .map_err(|made| BenchError::Wrong(format!("{} books", made.len())))?;
    let books = [(&big, big_events), (&small, small_events)];
    let mut lines = Vec::new();
    for round in 1..=options.rounds.max(1) {
        for step in [Step::Append, Step::Rebuild] {
            for (folder, book) in books {
                lines.extend(measure(options, step, folder, book, round)?);
            }
        }
    }
    for step in [Step::Start, Step::Decide, Step::List] {
        lines.extend(measure(options, step, &big, big_events, 1)?);
    }
    Ok(Report { lines, books: [big_events, small_events] })
}

/// One step on the book in `folder`, as its process measures it.
///
/// # Errors
/// Anything that fails.
pub async fn step(
    step: Step,
    folder: &Path,
    events: u64,
    seed: [u64; 2],
) -> Result<Vec<Measured>, BenchError> {
    let [book_seed, append_seed] = seed;
    step::run(step, &GrownBook::at(folder, book_seed), events, append_seed).await
}

fn measure(
    options: &Options,
    step: Step,
    folder: &Path,
    book: u64,
    round: u32,
) -> Result<Vec<Line>, BenchError> {
    let name = clap::ValueEnum::to_possible_value(&step);
    let name = name.map_or_else(String::new, |value| value.get_name().to_owned());
    say(&format!("round {round}: {name} on {book} events"))?;
    let (program, mut arguments) = options.program.clone();
    // Subjects that were not appended before.
    let append_seed = options.seed.wrapping_add(u64::from(round) << 32);
    for argument in [
        &*name,
        "--events",
        &options.append_events.to_string(),
        "--seed",
        &options.seed.to_string(),
        "--append-seed",
        &append_seed.to_string(),
        "--folder",
    ] {
        arguments.push(argument.into());
    }
    arguments.push(folder.into());
    let started = Instant::now();
    let mut measured: Vec<Measured> =
        Child { program, arguments, preload: None }.lines(&options.folder)?;
    if let (Step::Start, Some(first)) = (step, measured.first_mut()) {
        let took = started.elapsed();
        // The process with its start and its end; what it says itself is from its first line on.
        let whole = Measured { what: "process, start to end".to_owned(), ..first.clone() };
        measured.push(Measured { seconds: took.as_secs_f64(), ..whole });
    }
    Ok(measured.into_iter().map(|measured| Line { book, measured }).collect())
}

fn say(what: &str) -> Result<(), BenchError> {
    Ok(writeln!(std::io::stderr(), "{what}")?)
}

impl Report {
    /// Everything that was measured, the round in the middle of each.
    #[must_use]
    pub fn table(&self) -> Table {
        let mut table =
            Table::new(&["book", "work", "events", "took", "events/s", "peak memory, MiB"]);
        let mut seen = Vec::new();
        for line in &self.lines {
            let key = (line.book, &line.measured.what);
            if seen.contains(&key) {
                continue;
            }
            seen.push(key);
            let Some(Measured { what, events, seconds, peak_mib }) =
                self.middle(line.book, &line.measured.what)
            else {
                continue;
            };
            table.line([
                line.book.to_string(),
                what,
                events.to_string(),
                crate::report::duration(std::time::Duration::from_secs_f64(seconds)),
                format!("{:.0}", events as f64 / seconds),
                peak_mib.map_or_else(|| "—".to_owned(), |mib| mib.to_string()),
            ]);
        }
        table
    }

    /// What the goals say of it.
    #[must_use]
    pub fn goals(&self) -> Table {
        let [big, small] = self.books;
        let seconds = |what: &str| self.middle(big, what).map(|measured| measured.seconds);
        let rate = |book: u64, what: &str| {
            self.middle(book, what).map(|measured| measured.events as f64 / measured.seconds)
        };
        let against = |one: Option<f64>, other: Option<f64>| Some(one? / other?);
        let mut table = Table::new(&["#", "measured", "value", "goal"]);
        let mut line = |name: &str, what: &str, value: Option<f64>, goal: &str| {
            table.line([name.to_owned(), what.to_owned(), ratio(value), goal.to_owned()]);
        };
        for quarters in [3, 2, 1] {
            let earlier = format!("list at {quarters}/4 of the book");
            let value = against(rate(big, &earlier), rate(big, "list at 4/4 of the book"));
            line("G7", &format!("{earlier}: rate / that at the head"), value, "1");
        }
        for what in ["appends", "rebuild"] {
            let value = against(rate(big, what), rate(small, what));
            line("G8", &format!("{what}, big / small book"), value, "0.8");
        }
        for (when, goal) in [("known", "below 2"), ("first time", "below 10")] {
            let of = |events: &str| seconds(&format!("decision, {events} events, {when}"));
            let value = against(of("1,000"), of("10"));
            line("G9", &format!("decision on 1,000 / on 10 events, {when}"), value, goal);
        }
        let peak =
            self.lines.iter().filter(|line| line.book == big && line.measured.what == "rebuild");
        let peak = peak.filter_map(|line| line.measured.peak_mib).max();
        let gib = peak.map(|mib| mib as f64 / 1_024.0);
        line("G10", "peak memory of a rebuild, GiB", gib, "below 2");
        line("G11", "process to the first append, s", seconds("opened, first append"), "below 1");
        table
    }

    /// The round in the middle.
    fn middle(&self, book: u64, what: &str) -> Option<Measured> {
        let of = self.lines.iter().filter(|line| line.book == book && line.measured.what == what);
        let rounds = of.map(|line| line.measured.clone()).collect();
        median_by(rounds, |measured: &Measured| measured.seconds)
    }
}
