//! The lines of invoices and credits: services from charges, penalties, goods as ordered.

use daicho_events::billing::InvoiceLine;
use daicho_values::{Date, Month, Name, Quantity, Rounding, TaxCategory, TaxRate};

use super::charges::{Charge, charges};
use super::document::DocumentRejection;
use crate::pricing::{TaxRateMissing, rate_on};
use crate::state::{Contract, Shop};

/// What a penalty is called on an invoice.
const PENALTY: &str = "違約金";

/// The lines of a contract's charges of a month; the shop's table says their tax rates.
///
/// # Errors
/// Amounts beyond the limits, or a charge whose rate the table does not have.
pub(super) fn of_contract(
    contract: &Contract,
    month: Month,
    shop: &Shop,
    rounding: Rounding,
) -> Result<Vec<InvoiceLine>, DocumentRejection> {
    let charges = charges(contract, month, rounding)?.into_iter();
    charges.map(|charge| Ok(of_charge(contract, charge, shop)?)).collect()
}

fn of_charge(
    contract: &Contract,
    charge: Charge,
    shop: &Shop,
) -> Result<InvoiceLine, TaxRateMissing> {
    let concluded = &contract.concluded;
    let currency = concluded.unit_price.currency();
    assert_eq!(charge.amount.currency(), currency, "a charge is of its price");
    Ok(InvoiceLine {
        line: 0,
        description: concluded.name.clone(),
        product: Some(concluded.product.clone()),
        order: None,
        contract: Some(concluded.contract),
        period: Some(charge.period),
        quantity: charge.quantity,
        unit_price: concluded.unit_price,
        amount: charge.amount,
        tax: concluded.tax,
        rate: rate_of(contract, charge.rated_on, shop)?,
    })
}

/// The rate of a charge. A shop whose table is empty as a whole levies no tax, so that what was
/// concluded is billed on at 0 %.
fn rate_of(contract: &Contract, day: Date, shop: &Shop) -> Result<TaxRate, TaxRateMissing> {
    let concluded = &contract.concluded;
    match rate_on(shop, &concluded.product, concluded.tax, day) {
        Err(_) if shop.on(day).tax_rates().is_empty() => Ok(TaxRate::ZERO),
        rate => rate,
    }
}

/// The line of a contract's penalty, if one is assessed in the month: outside the tax's scope.
pub(super) fn of_penalty(contract: &Contract, month: Month) -> Option<InvoiceLine> {
    let penalty = contract.penalty.as_ref().filter(|it| it.assessed_on.month() == month)?;
    Some(InvoiceLine {
        line: 0,
        description: Name::new(PENALTY).unwrap_or_else(|_| contract.concluded.name.clone()),
        product: None,
        order: None,
        contract: Some(penalty.contract),
        period: None,
        quantity: Quantity::ONE,
        unit_price: penalty.amount,
        amount: penalty.amount,
        tax: TaxCategory::OutOfScope,
        rate: TaxRate::ZERO,
    })
}
