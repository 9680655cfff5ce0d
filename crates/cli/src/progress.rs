//! A bar for long work, on standard error, where that is a terminal.

use std::io::{IsTerminal, stderr};

use daicho_app::{Progress, Unwatched};
use indicatif::{ProgressBar, ProgressStyle};

const BAR: &str = "{msg} {bar:30} {human_pos}/{human_len} {per_sec} {eta} left";
const COUNT: &str = "{msg} {human_pos}";

/// The bar, or nobody who watches.
pub(crate) fn watch() -> Box<dyn Progress> {
    if stderr().is_terminal() { Box::new(Bar(ProgressBar::hidden())) } else { Box::new(Unwatched) }
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
