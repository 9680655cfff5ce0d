//! Sets the hour from which an order counts as the next business day's (受付締め時刻, R55).

use daicho_events::shop::CutoffPolicySet;
use daicho_events::{NewEvent, Query, Recorded};
use daicho_values::LocalTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::acting::{StaffOnly, staff_only};
use crate::state::{Shop, ShopNotOpen};
use crate::{Command, Decision, Moment};

/// Sets the cut-off; orders already accepted keep their business day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetCutoff {
    /// In the shop's time zone; an order at this minute counts as the next business day's.
    pub cutoff: LocalTime,
}

rejections! {
    /// Why a cut-off is not set.
    pub enum SetCutoffRejection {
        shared {
            /// Members do not set up the shop.
            StaffOnly(StaffOnly),
            /// The shop comes first.
            ShopNotOpen(ShopNotOpen),
        }
    }
}

known! {
    /// The shop as it stands.
    pub struct Known { shop: Shop, }
}

impl Decision for SetCutoff {
    type State = Known;
    type Rejection = SetCutoffRejection;

    fn query(&self, _: &Known) -> Query {
        Shop::query()
    }

    fn evolve(known: &mut Known, event: &Recorded) {
        known.apply(event);
    }

    fn decide(&self, known: &Known, at: &Moment) -> Result<Vec<NewEvent>, SetCutoffRejection> {
        staff_only(at, Self::NAME)?;
        known.shop.settings()?;
        let set = CutoffPolicySet { cutoff: self.cutoff };
        Ok(vec![NewEvent::on(known.shop.today(at), set)])
    }
}

impl Command for SetCutoff {
    const NAME: &'static str = "shop.set_cutoff";
}

#[cfg(test)]
mod tests {
    use daicho_events::Actor;
    use daicho_values::Sample;

    use super::*;
    use crate::testing::{at, by, day, given, open_book};

    fn cutoff(text: &str) -> SetCutoff {
        SetCutoff { cutoff: text.parse().unwrap() }
    }

    #[test]
    fn r55_the_cutoff_holds_from_the_shops_own_day() {
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
