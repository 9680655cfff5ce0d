//! Revises the calendar of business days, on which every start date (R55) and due date (R85) rests.

use std::collections::BTreeSet;

use daicho_events::access::Role;
use daicho_events::{NewEvent, Query};
use daicho_values::calendar::ClosedDays;
use daicho_values::{Date, Name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::calendar::Calendar;
use super::refused::SettingRefused;
use super::settings::check;
use crate::frame::Known;
use crate::{By, Command, Decision, Moment};

/// Replaces the calendar of business days; what is already dated keeps its date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviseCalendar {
    /// Which days are closed by rule.
    pub closed_days: ClosedDays,
    /// All days closed besides the rule; a day that is left out is open again.
    #[serde(default)]
    pub extra_closed: BTreeSet<Date>,
    /// Who says so: a notice of the shop, a law.
    pub source: Name,
}

impl Decision for ReviseCalendar {
    type State = ();
    type Rejection = SettingRefused;

    fn query(&self, _: &Known<()>) -> Query {
        Query::default()
    }

    fn decide(&self, known: &Known<()>, at: &Moment) -> Result<Vec<NewEvent>, SettingRefused> {
        let calendar =
            Calendar { closed_days: self.closed_days, extra_closed: self.extra_closed.clone() };
        check::calendar(&calendar, known.shop.opened()?.currency)?;
        let revised = calendar.revised(self.source.as_str());
        Ok(vec![NewEvent::on(known.shop.today(at), revised)])
    }
}

impl Command for ReviseCalendar {
    const NAME: &'static str = "shop.revise_calendar";
    const BY: By<Self> = By::Staff;
    const ROLES: &'static [Role] = &[];
}

#[cfg(test)]
mod tests {
    use daicho_events::Actor;
    use daicho_events::shop::BusinessCalendarRevised;
    use daicho_values::Sample;

    use super::*;
    use crate::shop::EXTRA_CLOSED_DAYS_MAX;
    use crate::testing::{by, day, given, open_book};

    fn closing(days: impl IntoIterator<Item = Date>) -> ReviseCalendar {
        ReviseCalendar {
            closed_days: ClosedDays::Bank,
            extra_closed: days.into_iter().collect(),
            source: Name::new("notice of the shop").unwrap(),
        }
    }

    #[test]
    fn closed_days_besides_the_rule_are_recorded_in_order_r55() {
        let revise = closing([day("2026-08-14"), day("2026-08-13")]);
        given([open_book().into()]).when(revise).then([BusinessCalendarRevised {
            closed_days: ClosedDays::Bank,
            extra_closed: vec![day("2026-08-13"), day("2026-08-14")],
            source: "notice of the shop".to_owned(),
        }
        .into()]);
    }

    #[test]
    fn a_shop_that_is_not_open_has_no_calendar() {
        given([]).when(closing([])).then_rejected("shop_not_open");
    }

    #[test]
    fn a_member_does_not_revise_the_calendar() {
        let history = [open_book().into(), by(Actor::Member(Sample::sample()))];
        given(history).when(closing([])).then_rejected("staff_only");
    }

    #[test]
    fn a_day_of_a_year_without_holiday_rules_is_refused() {
        let revise = closing([day("2100-01-04")]);
        given([open_book().into()]).when(revise).then_rejected("year_out_of_range");
    }

    #[test]
    fn closed_days_have_a_limit() {
        let days = |count: usize| (0..).map(|n| day("2026-05-11").plus_days(n)).take(count);
        let longest = given([open_book().into()]).when(closing(days(EXTRA_CLOSED_DAYS_MAX)));
        longest.then_types(["shop.business_calendar_revised"]);
        let longer = given([open_book().into()]).when(closing(days(EXTRA_CLOSED_DAYS_MAX + 1)));
        longer.then_rejected("too_many_closed_days");
    }
}
