//! The commands as resources, one file each: which path leads to which decision.

mod contracts;
mod invoices;
mod members;
mod months;
mod orders;
mod organisations;
mod payments;
mod products;
mod quotes;
mod resource;
mod returns;
mod shop;

pub(crate) use resource::{Resource, Route};

/// Every resource.
pub(crate) const RESOURCES: &[&Resource] = &[
    &shop::SHOP,
    &products::PRODUCTS,
    &organisations::ORGANISATIONS,
    &members::MEMBERS,
    &quotes::QUOTES,
    &orders::ORDERS,
    &returns::RETURNS,
    &contracts::CONTRACTS,
    &invoices::INVOICES,
    &payments::PAYMENTS,
    &months::MONTHS,
];
