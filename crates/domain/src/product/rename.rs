//! Gives a product another name (名称変更, R4); old orders keep the name under which they were placed.

use daicho_events::product::ProductRenamed;
use daicho_events::{NewEvent, Query, Recorded};
use daicho_values::{Name, ProductCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::acting::{StaffOnly, staff_only};
use crate::state::{Catalogue, ProductNotListed, Shop, ShopNotOpen};
use crate::{Command, Decision, Moment};

/// Renames a product from today on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameProduct {
    /// The product.
    pub product: ProductCode,
    /// The new name.
    pub name: Name,
}

rejections! {
    /// Why a product is not renamed.
    pub enum RenameProductRejection {
        /// A change changes something.
        NameUnchanged { product: ProductCode, name: Name } = "name_unchanged":
            "product `{product}` is called `{name}` already: give it another name, or leave it",
        shared {
            /// Members do not change the catalogue.
            StaffOnly(StaffOnly),
            /// The shop comes first.
            ShopNotOpen(ShopNotOpen),
            /// The product comes first.
            ProductNotListed(ProductNotListed),
        }
    }
}

known! {
    /// The shop and the product.
    pub struct Known { shop: Shop, catalogue: Catalogue, }
}

impl Decision for RenameProduct {
    type State = Known;
    type Rejection = RenameProductRejection;

    fn query(&self, _: &Known) -> Query {
        Shop::query().or(Catalogue::query([&self.product]))
    }

    fn evolve(known: &mut Known, event: &Recorded) {
        known.apply(event);
    }

    fn decide(&self, known: &Known, at: &Moment) -> Result<Vec<NewEvent>, RenameProductRejection> {
        staff_only(at, Self::NAME)?;
        known.shop.settings()?;
        let product = known.catalogue.listed(&self.product)?;
        let (code, name) = (self.product.clone(), self.name.clone());
        if product.name == name {
            return Err(RenameProductRejection::NameUnchanged { product: code, name });
        }
        let renamed = ProductRenamed { product: code, name };
        Ok(vec![NewEvent::on(known.shop.today(at), renamed)])
    }
}

impl Command for RenameProduct {
    const NAME: &'static str = "product.rename";
}

#[cfg(test)]
mod tests {
    use daicho_events::Actor;
    use daicho_values::Sample;

    use super::*;
    use crate::product::samples::suite;
    use crate::testing::{Step, by, given, open_book};

    fn to(name: &str) -> RenameProduct {
        RenameProduct { product: Sample::sample(), name: Name::new(name).unwrap() }
    }

    fn listed() -> [Step; 2] {
        [open_book().into(), suite().into()]
    }

    #[test]
    fn r4_a_product_gets_another_name() {
        let name = Name::new("ビジネスd スイート").unwrap();
        let event = ProductRenamed { product: Sample::sample(), name };
        given(listed()).when(to("ビジネスd スイート")).then([event.into()]);
    }

    #[test]
    fn r4_a_product_may_have_its_old_name_again() {
        let old = Name::sample();
        let history = listed().into_iter().chain([to("ビジネスd スイート").into()]);
        given(history).when(to(old.as_str())).then_types(["product.renamed"]);
    }

    #[test]
    fn the_same_name_is_no_new_name() {
        given(listed()).when(to(Name::sample().as_str())).then_rejected("name_unchanged");
    }

    #[test]
    fn what_is_not_listed_is_not_renamed() {
        given([open_book().into()]).when(to("Suite")).then_rejected("product_not_listed");
    }

    #[test]
    fn a_shop_that_is_not_open_renames_nothing() {
        given([]).when(to("Suite")).then_rejected("shop_not_open");
    }

    #[test]
    fn a_member_does_not_rename_products() {
        let history = listed().into_iter().chain([by(Actor::Member(Sample::sample()))]);
        given(history).when(to("Suite")).then_rejected("staff_only");
    }
}
