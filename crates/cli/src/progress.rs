//! How far long work has come, on standard error: a bar where that is a terminal, a line now and
//! then where it is not; JSON lines where the answer is JSON.

use std::io::{IsTerminal, Stderr, Write, stderr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use daicho_app::Progress;
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::output::{Format, Output};

const BAR: &str = "{msg} {bar:30} {human_pos}/{human_len} {per_sec} {eta} left";
const COUNT: &str = "{msg} {human_pos}";
/// Time between two lines.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Shows the progress of the work that `output` waits for.
pub(crate) fn watch(output: Output) -> Box<dyn Progress> {
    if stderr().is_terminal() {
        return Box::new(Bar(ProgressBar::hidden()));
    }
    Box::new(Lines::<Stderr>::new(output.format(), LINE_EVERY, stderr()))
}

struct Bar(ProgressBar);

impl Progress for Bar {
    fn begin(&self, what: &str, steps: u64) {
        self.0.reset();
        self.0.set_draw_target(indicatif::ProgressDrawTarget::stderr());
        let template = if steps == 0 { COUNT } else { BAR };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.0.set_style(style);
        }
        self.0.set_length(steps);
        self.0.set_message(what.to_owned());
    }

    fn at(&self, step: u64) {
        self.0.set_position(step);
    }

    fn end(&self) {
        self.0.finish_and_clear();
    }
}

/// Lines for somebody who reads a log. Short work writes none.
struct Lines<W> {
    format: Format,
    every: Duration,
    state: Mutex<State<W>>,
}

struct State<W> {
    out: W,
    stretch: Option<Stretch>,
    told: Instant,
}

/// A stretch of work under way.
struct Stretch {
    what: String,
    steps: u64,
    begun: Instant,
}

/// How far a stretch has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pace {
    per_second: u64,
    /// `None`: nobody knows.
    left: Option<Duration>,
}

impl<W: Write> Lines<W> {
    fn new(format: Format, every: Duration, out: W) -> Self {
        let state = State { out, stretch: None, told: Instant::now() };
        Self { format, every, state: Mutex::new(state) }
    }

    fn tell(&self, state: &mut State<W>, done: u64) {
        let Some(stretch) = &state.stretch else { return };
        let pace = pace(done, stretch.steps, stretch.begun.elapsed());
        let line = match self.format {
            Format::Json => json_line(stretch, done, pace).to_string(),
            Format::Table | Format::Csv => text_line(stretch, done, pace),
        };
        // If even this fails, there is nobody to tell.
        let _ = writeln!(state.out, "{line}");
        state.told = Instant::now();
    }
}

impl<W: Write + Send> Progress for Lines<W> {
    fn begin(&self, what: &str, steps: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.stretch = Some(Stretch { what: what.to_owned(), steps, begun: Instant::now() });
    }

    fn at(&self, step: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.told.elapsed() >= self.every {
            self.tell(&mut state, step);
        }
    }

    fn end(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.stretch = None;
    }
}

fn pace(done: u64, steps: u64, elapsed: Duration) -> Pace {
    let milliseconds = elapsed.as_millis().max(1);
    let per_second = u64::try_from(u128::from(done) * 1_000 / milliseconds).unwrap_or(u64::MAX);
    let missing = u128::from(steps.saturating_sub(done));
    let left = (missing * milliseconds).checked_div(u128::from(done));
    let left = left.filter(|_| steps > 0).map(|left| u64::try_from(left).unwrap_or(u64::MAX));
    Pace { per_second, left: left.map(Duration::from_millis) }
}

fn text_line(stretch: &Stretch, done: u64, pace: Pace) -> String {
    let Stretch { what, steps, .. } = stretch;
    let of = if *steps == 0 { String::new() } else { format!(" of {steps}") };
    let left = match pace.left {
        Some(left) => format!(", {} left", HumanDuration(left)),
        None => String::new(),
    };
    format!("{what}: {done}{of}, {}/s{left}", pace.per_second)
}

fn json_line(stretch: &Stretch, done: u64, pace: Pace) -> Value {
    let of = (stretch.steps > 0).then_some(stretch.steps);
    let seconds_left = pace.left.map(|left| left.as_secs());
    json!({ "progress": {
        "what": stretch.what, "done": done, "of": of,
        "per_second": pace.per_second, "seconds_left": seconds_left,
    } })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(format: Format, every: Duration) -> String {
        let lines = Lines::new(format, every, Vec::new());
        lines.at(1);
        lines.begin("events folded", 1_000);
        lines.at(250);
        lines.end();
        lines.at(9);
        String::from_utf8(lines.state.into_inner().unwrap().out).unwrap()
    }

    #[test]
    fn a_log_has_a_line_with_done_rate_and_time_left() {
        let stretch = Stretch { what: "events folded".into(), steps: 1_000, begun: Instant::now() };
        let pace = pace(250, 1_000, Duration::from_secs(50));
        let line = text_line(&stretch, 250, pace);
        assert_eq!(line, "events folded: 250 of 1000, 5/s, 3 minutes left");
        let progress = json!({
            "what": "events folded", "done": 250, "of": 1_000, "per_second": 5,
            "seconds_left": 150,
        });
        assert_eq!(json_line(&stretch, 250, pace), json!({ "progress": progress }));
    }

    #[test]
    fn what_has_no_end_or_no_step_yet_has_no_time_left() {
        assert_eq!(pace(250, 0, Duration::from_secs(1)).left, None);
        assert_eq!(pace(0, 10, Duration::from_secs(1)), Pace { per_second: 0, left: None });
    }

    #[test]
    fn only_work_that_takes_long_says_anything() {
        assert_eq!(told(Format::Table, Duration::MAX), "");
        let text = told(Format::Table, Duration::ZERO);
        assert!(text.starts_with("events folded: 250 of 1000, "), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
        let json: Value = serde_json::from_str(&told(Format::Json, Duration::ZERO)).unwrap();
        assert_eq!(json["progress"]["done"], 250);
    }
}
