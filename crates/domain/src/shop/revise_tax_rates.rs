//! Revises the dated table of tax rates; what is already billed keeps its rate.

use daicho_events::access::Role;
use daicho_events::{NewEvent, Query};
use daicho_values::DatedTaxRate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::refused::SettingRefused;
use super::settings::{check, event};
use crate::frame::Known;
use crate::{By, Command, Decision, Moment};

/// Replaces the table of tax rates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviseTaxRates {
    /// All rows: past rates stay in the table beside coming ones.
    pub rates: Vec<DatedTaxRate>,
}

impl Decision for ReviseTaxRates {
    type State = ();
    type Rejection = SettingRefused;

    fn query(&self, _: &Known<()>) -> Query {
        Query::default()
    }

    fn decide(&self, known: &Known<()>, at: &Moment) -> Result<Vec<NewEvent>, SettingRefused> {
        check::tax_rates(&self.rates, known.shop.opened()?.currency)?;
        Ok(vec![NewEvent::on(known.shop.today(at), event::tax_rates(&self.rates))])
    }
}

impl Command for ReviseTaxRates {
    const NAME: &'static str = "shop.revise_tax_rates";
    const BY: By<Self> = By::Staff;
    const ROLES: &'static [Role] = &[];
}

#[cfg(test)]
mod tests {
    use daicho_events::Actor;
    use daicho_events::shop::TaxRateTableRevised;
    use daicho_values::{Sample, TaxCategory, TaxRate};

    use super::*;
    use crate::shop::TAX_RATE_ROWS_MAX;
    use crate::testing::{by, day, given, open_book};

    fn row(from: &str, rate: u32) -> DatedTaxRate {
        DatedTaxRate { category: TaxCategory::Standard, from: day(from), rate: TaxRate(rate) }
    }

    fn table(rates: impl IntoIterator<Item = DatedTaxRate>) -> ReviseTaxRates {
        ReviseTaxRates { rates: rates.into_iter().collect() }
    }

    #[test]
    fn a_coming_rate_stands_beside_the_present_one() {
        let rows = [row("2019-10-01", 1_000), row("2027-04-01", 1_200)];
        let outcome = given([open_book().into()]).when(table(rows));
        outcome.then([TaxRateTableRevised { rates: rows.to_vec() }.into()]);
    }

    #[test]
    fn a_rate_is_at_most_the_whole_price() {
        let whole = given([open_book().into()]).when(table([row("2027-04-01", 10_000)]));
        whole.then_types(["shop.tax_rate_table_revised"]);
        let above = given([open_book().into()]).when(table([row("2027-04-01", 10_001)]));
        above.then_rejected("tax_rate_above_whole");
    }

    #[test]
    fn a_category_has_one_rate_a_day() {
        let rows = [row("2027-04-01", 1_200), row("2027-04-01", 1_000)];
        given([open_book().into()]).when(table(rows)).then_rejected("tax_rate_twice");
        let reduced = DatedTaxRate { category: TaxCategory::Reduced, ..row("2027-04-01", 800) };
        let outcome = given([open_book().into()]).when(table([row("2027-04-01", 1_200), reduced]));
        outcome.then_types(["shop.tax_rate_table_revised"]);
    }

    #[test]
    fn a_book_opens_with_a_table_that_keeps_the_same_rules() {
        let rows = vec![row("2027-04-01", 1_200), row("2027-04-01", 1_000)];
        let book = crate::shop::OpenBook { tax_rates: rows, ..open_book() };
        given([]).when(book).then_rejected("tax_rate_twice");
    }

    #[test]
    fn a_table_has_a_limit() {
        let rows = |count: usize| {
            let days = (0..).map(|n| day("2026-05-11").plus_days(n)).take(count);
            days.map(|from| DatedTaxRate { from, ..row("2026-05-11", 1_000) })
        };
        let longest = given([open_book().into()]).when(table(rows(TAX_RATE_ROWS_MAX)));
        longest.then_types(["shop.tax_rate_table_revised"]);
        let longer = given([open_book().into()]).when(table(rows(TAX_RATE_ROWS_MAX + 1)));
        longer.then_rejected("too_many_tax_rates");
    }

    #[test]
    fn a_shop_that_is_not_open_has_no_rates() {
        given([]).when(table([])).then_rejected("shop_not_open");
    }

    #[test]
    fn a_member_does_not_revise_tax_rates() {
        let history = [open_book().into(), by(Actor::Member(Sample::sample()))];
        given(history).when(table([])).then_rejected("staff_only");
    }
}
