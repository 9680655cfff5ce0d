//! Sets the hour from which an order belongs to the next business day (受付締め時刻, R55).

use daicho_events::access::Role;
use daicho_events::{NewEvent, Query};
use daicho_values::LocalTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::refused::SettingRefused;
use super::settings::{check, event};
use crate::frame::Known;
use crate::{By, Command, Decision, Moment};

/// Sets the cut-off; orders already accepted keep their business day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetCutoff {
    /// In the shop's time zone; an order at this minute counts as the next business day's.
    pub cutoff: LocalTime,
}

impl Decision for SetCutoff {
    type State = ();
    type Rejection = SettingRefused;

    fn query(&self, _: &Known<()>) -> Query {
        Query::default()
    }

    fn decide(&self, known: &Known<()>, at: &Moment) -> Result<Vec<NewEvent>, SettingRefused> {
        let cutoff = Some(self.cutoff);
        check::cutoff(&cutoff, known.shop.opened()?.currency)?;
        Ok(vec![NewEvent::on(known.shop.today(at), event::cutoff(&cutoff))])
    }
}

impl Command for SetCutoff {
    const NAME: &'static str = "shop.set_cutoff";
    const BY: By<Self> = By::Staff;
    const ROLES: &'static [Role] = &[];
}

#[cfg(test)]
mod tests {
    use daicho_events::Actor;
    use daicho_events::shop::CutoffPolicySet;
    use daicho_values::Sample;

    use super::*;
    use crate::testing::{at, by, day, given, open_book};

    fn cutoff(text: &str) -> SetCutoff {
        SetCutoff { cutoff: text.parse().unwrap() }
    }

    #[test]
    fn the_cutoff_holds_from_the_shops_own_day_r55() {
        // Early on the 12th in Tokyo it is still the 11th in UTC.
        let outcome = given([open_book().into(), at("2026-05-12T08:30")]).when(cutoff("15:00"));
        let set = CutoffPolicySet { cutoff: "15:00".parse().unwrap() };
        assert_eq!(outcome.events(), [NewEvent::on(day("2026-05-12"), set)]);
    }

    #[test]
    fn a_shop_that_is_not_open_has_no_cutoff() {
        given([]).when(cutoff("15:00")).then_rejected("shop_not_open");
    }

    #[test]
    fn a_member_does_not_set_the_cutoff() {
        let history = [open_book().into(), by(Actor::Member(Sample::sample()))];
        given(history).when(cutoff("15:00")).then_rejected("staff_only");
    }
}
