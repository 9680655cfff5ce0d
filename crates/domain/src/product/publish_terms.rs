//! Publishes a version of the terms and specification (約款・仕様書, R8) that later orders accept (R63).

use daicho_events::access::Role;
use daicho_events::product::TermsPublished;
use daicho_events::{NewEvent, Query};
use daicho_values::{ProductCode, Sha256, TermsVersion};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::frame::Known;
use crate::state::{Catalogue, ProductNotListed};
use crate::{By, Command, Decision, Moment};

/// Publishes a version of a product's terms, valid from today on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishTerms {
    /// The product.
    pub product: ProductCode,
    /// The version, a new one.
    pub version: TermsVersion,
    /// SHA-256 of the document.
    pub sha256: Sha256,
}

rejections! {
    /// Why terms are not published.
    pub enum PublishTermsRejection {
        /// Who accepted a version accepted one document (R63).
        VersionUsed { product: ProductCode, version: TermsVersion } = "terms_version_used":
            "version `{version}` of the terms of `{product}` is already published: a version is \
             one document, give the new one another",
        shared {
            /// The product comes first.
            ProductNotListed(ProductNotListed),
        }
    }
}

known! {
    /// The shop and the product.
    pub struct PublishTermsState { catalogue: Catalogue, }
}

impl Decision for PublishTerms {
    type State = PublishTermsState;
    type Rejection = PublishTermsRejection;

    fn query(&self, _: &Known<PublishTermsState>) -> Query {
        Catalogue::query([&self.product])
    }

    fn decide(
        &self,
        known: &Known<PublishTermsState>,
        at: &Moment,
    ) -> Result<Vec<NewEvent>, PublishTermsRejection> {
        let product = known.catalogue.listed(&self.product)?;
        if product.terms_versions.contains(&self.version) {
            let (product, version) = (self.product.clone(), self.version.clone());
            return Err(PublishTermsRejection::VersionUsed { product, version });
        }
        let published = TermsPublished {
            product: self.product.clone(),
            version: self.version.clone(),
            sha256: self.sha256.clone(),
        };
        Ok(vec![NewEvent::on(known.shop.today(at), published)])
    }
}

impl Command for PublishTerms {
    const NAME: &'static str = "product.publish_terms";
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

    fn terms(version: &str) -> PublishTerms {
        PublishTerms {
            product: Sample::sample(),
            version: TermsVersion::new(version).unwrap(),
            sha256: Sample::sample(),
        }
    }

    fn listed() -> [Step; 2] {
        [open_book().into(), suite().into()]
    }

    #[test]
    fn a_new_version_of_the_terms_is_published_r8() {
        let event = TermsPublished {
            product: Sample::sample(),
            version: TermsVersion::new("2026-10").unwrap(),
            sha256: Sample::sample(),
        };
        given(listed()).when(terms("2026-10")).then([event.into()]);
    }

    #[test]
    fn a_version_is_one_document_for_ever_r63() {
        let history = listed().into_iter().chain([terms("2026-10").into()]);
        given(history).when(terms("2026-04")).then_rejected("terms_version_used");
    }

    #[test]
    fn terms_of_no_product_are_refused() {
        given([open_book().into()]).when(terms("2026-10")).then_rejected("product_not_listed");
    }

    #[test]
    fn a_shop_that_is_not_open_publishes_no_terms() {
        given([]).when(terms("2026-10")).then_rejected("shop_not_open");
    }

    #[test]
    fn a_member_does_not_publish_terms() {
        let history = listed().into_iter().chain([by(Actor::Member(Sample::sample()))]);
        given(history).when(terms("2026-10")).then_rejected("staff_only");
    }
}
