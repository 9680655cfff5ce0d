//! Gives a product another name (名称変更, R4); old orders keep the name under which they were placed.

use daicho_events::access::Role;
use daicho_events::product::ProductRenamed;
use daicho_events::{NewEvent, Query};
use daicho_values::{Name, ProductCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::frame::Known;
use crate::state::{Catalogue, ProductNotListed};
use crate::{By, Command, Decision, Moment};

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
        /// The new name differs from the old one.
        NameUnchanged { product: ProductCode, name: Name } = "name_unchanged":
            "product `{product}` is called `{name}` already: give it another name, or leave it",
        shared {
            /// The product comes first.
            ProductNotListed(ProductNotListed),
        }
    }
}

known! {
    /// The shop and the product.
    pub struct RenameProductState { catalogue: Catalogue, }
}

impl Decision for RenameProduct {
    type State = RenameProductState;
    type Rejection = RenameProductRejection;

    fn query(&self, _: &Known<RenameProductState>) -> Query {
        Catalogue::query([&self.product])
    }

    fn decide(
        &self,
        known: &Known<RenameProductState>,
        at: &Moment,
    ) -> Result<Vec<NewEvent>, RenameProductRejection> {
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
    const BY: By<Self> = By::Staff;
    const ROLES: &'static [Role] = &[];
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
    fn a_product_gets_another_name_r4() {
        let name = Name::new("ビジネスd スイート").unwrap();
        let event = ProductRenamed { product: Sample::sample(), name };
        given(listed()).when(to("ビジネスd スイート")).then([event.into()]);
    }

    #[test]
    fn a_product_may_have_its_old_name_again_r4() {
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
