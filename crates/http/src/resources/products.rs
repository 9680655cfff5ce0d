//! Products (商品) and what is offered of them.

use super::resource::{Resource, change, make};

pub(super) const PRODUCTS: Resource = Resource {
    path: "/products",
    kind: "product",
    commands: &[
        make("product.list", "/products"),
        change("product.rename", "/products/{product}/rename"),
        change("product.publish_plan", "/products/{product}/publish-plan"),
        change("product.set_rules", "/products/{product}/set-rules"),
        change("product.publish_terms", "/products/{product}/publish-terms"),
        change("product.retire", "/products/{product}/retire"),
    ],
};
