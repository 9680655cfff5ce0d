//! The calendar of a shop as a setting: which days are closed.

use std::collections::BTreeSet;

use daicho_events::shop::BusinessCalendarRevised;
use daicho_values::calendar::{BusinessCalendar, ClosedDays};
use daicho_values::{Date, Sample};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which days are closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// Which days are closed by rule.
    pub closed_days: ClosedDays,
    /// All days closed besides the rule; a day that is left out is open again.
    #[serde(default)]
    pub extra_closed: BTreeSet<Date>,
}

impl Calendar {
    /// The event that records it, with who says so.
    pub(super) fn revised(&self, source: &str) -> BusinessCalendarRevised {
        BusinessCalendarRevised {
            closed_days: self.closed_days,
            extra_closed: self.extra_closed.iter().copied().collect(),
            source: source.to_owned(),
        }
    }

    /// The business days.
    pub fn rules(&self) -> BusinessCalendar {
        BusinessCalendar {
            rule: self.closed_days,
            extra_closed: self.extra_closed.iter().map(|day| day.0).collect(),
        }
    }
}

impl From<ClosedDays> for Calendar {
    fn from(closed_days: ClosedDays) -> Self {
        Self { closed_days, extra_closed: BTreeSet::new() }
    }
}

impl From<Calendar> for ClosedDays {
    fn from(calendar: Calendar) -> Self {
        calendar.closed_days
    }
}

impl From<&BusinessCalendarRevised> for Calendar {
    fn from(revised: &BusinessCalendarRevised) -> Self {
        let extra_closed = revised.extra_closed.iter().copied().collect();
        Self { closed_days: revised.closed_days, extra_closed }
    }
}

impl Sample for Calendar {
    fn sample() -> Self {
        Self::from(ClosedDays::sample())
    }
}
