//! Retires a product: from a day on nobody orders it (R4); its contracts run on.

use daicho_events::access::Role;
use daicho_events::product::ProductRetired;
use daicho_events::{NewEvent, Query};
use daicho_values::{Date, ProductCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::frame::Known;
use crate::state::{Catalogue, ProductNotListed};
use crate::{By, Command, Decision, Moment};

/// Retires a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetireProduct {
    /// The product.
    pub product: ProductCode,
    /// First day on which it cannot be bought, today or later.
    pub from: Date,
}

rejections! {
    /// Why a product is not retired.
    pub enum RetireProductRejection {
        /// A product is retired once.
        AlreadyRetired { product: ProductCode, from: Date } = "product_already_retired":
            "product `{product}` is already retired from {from}: list what follows it under \
             another code",
        /// What was sold yesterday was on offer yesterday.
        InThePast { from: Date, today: Date } = "retirement_in_the_past":
            "{from} is before today, {today}: it was on offer then, retire it from today or \
             later",
        shared {
            /// The product comes first.
            ProductNotListed(ProductNotListed),
        }
    }
}

known! {
    /// The shop and the product.
    pub struct RetireProductState { catalogue: Catalogue, }
}

impl Decision for RetireProduct {
    type State = RetireProductState;
    type Rejection = RetireProductRejection;

    fn query(&self, _: &Known<RetireProductState>) -> Query {
        Catalogue::query([&self.product])
    }

    fn decide(
        &self,
        known: &Known<RetireProductState>,
        at: &Moment,
    ) -> Result<Vec<NewEvent>, RetireProductRejection> {
        let product = known.catalogue.listed(&self.product)?;
        if let Some(from) = product.retired_from {
            let product = self.product.clone();
            return Err(RetireProductRejection::AlreadyRetired { product, from });
        }
        let today = known.shop.today(at);
        if self.from < today {
            return Err(RetireProductRejection::InThePast { from: self.from, today });
        }
        let retired = ProductRetired { product: self.product.clone(), from: self.from };
        Ok(vec![NewEvent::on(self.from, retired)])
    }
}

impl Command for RetireProduct {
    const NAME: &'static str = "product.retire";
    const BY: By<Self> = By::Staff;
    const ROLES: &'static [Role] = &[];
}

#[cfg(test)]
mod tests {
    use daicho_events::Actor;
    use daicho_values::Sample;

    use super::*;
    use crate::product::samples::suite;
    use crate::testing::{Step, by, day, given, open_book};

    fn from(text: &str) -> RetireProduct {
        RetireProduct { product: Sample::sample(), from: day(text) }
    }

    fn listed() -> [Step; 2] {
        [open_book().into(), suite().into()]
    }

    #[test]
    fn a_product_is_retired_from_today_or_later_r4() {
        for text in ["2026-05-11", "2026-09-30"] {
            let retired = ProductRetired { product: Sample::sample(), from: day(text) };
            let events = given(listed()).when(from(text)).events();
            assert_eq!(events, [NewEvent::on(day(text), retired)]);
        }
    }

    #[test]
    fn what_is_past_was_on_offer() {
        given(listed()).when(from("2026-05-10")).then_rejected("retirement_in_the_past");
    }

    #[test]
    fn a_product_is_retired_once() {
        let history = listed().into_iter().chain([from("2026-09-30").into()]);
        given(history).when(from("2026-10-31")).then_rejected("product_already_retired");
    }

    #[test]
    fn what_is_not_listed_is_not_retired() {
        given([open_book().into()]).when(from("2026-09-30")).then_rejected("product_not_listed");
    }

    #[test]
    fn a_shop_that_is_not_open_retires_nothing() {
        given([]).when(from("2026-09-30")).then_rejected("shop_not_open");
    }

    #[test]
    fn a_member_does_not_retire_products() {
        let history = listed().into_iter().chain([by(Actor::Member(Sample::sample()))]);
        given(history).when(from("2026-09-30")).then_rejected("staff_only");
    }
}
