//! What holds for every change of licences, more or fewer: when it may take effect.

use daicho_events::Query;
use daicho_values::{ContractId, Date, Month};

use crate::state::{Billed, Contract, Contracts};

rejections! {
    /// Why a change of licences cannot take effect on its day.
    pub enum ChangeRejection {
        /// Not before the contract begins.
        BeforeStart { from: Date, starts_on: Date } = "change_before_start":
            "{from} is before the contract's first day: give {starts_on} or a later day",
        /// Not after it ends.
        AfterEnd { from: Date, last_day: Date } = "change_after_end":
            "{from} is after the contract's last day: give {last_day} or an earlier day",
        /// Changes follow each other in time.
        EarlierThanLastChange { from: Date, last: Date } = "earlier_than_last_change":
            "licences already change on {last}: {from} is earlier, give {last} or a later day",
        /// A month that is billed is not changed.
        MonthAlreadyBilled { contract: ContractId, month: Month } = "month_already_billed":
            "contract {contract} is already billed for {month}: give a day of a later month",
    }
}

/// The contract, and what is billed of it.
pub(super) fn query(contract: ContractId, contracts: &Contracts) -> Query {
    let query = Contracts::query(contract);
    let Ok(known) = contracts.get(contract) else { return query };
    let organisation = known.concluded.organisation;
    query.or(Billed::query(organisation))
}

/// Checks the day of a change, in the order of [`ChangeRejection`].
pub(super) fn check(
    contract: &Contract,
    from: Date,
    billed: &Billed,
) -> Result<(), ChangeRejection> {
    let (id, starts_on) = (contract.concluded.contract, contract.concluded.starts_on);
    if from < starts_on {
        return Err(ChangeRejection::BeforeStart { from, starts_on });
    }
    if let Some(last_day) = contract.last_day().filter(|last| from > *last) {
        return Err(ChangeRejection::AfterEnd { from, last_day });
    }
    let last = contract.last_change();
    if from < last {
        return Err(ChangeRejection::EarlierThanLastChange { from, last });
    }
    let month = from.month();
    if billed.has_contract_month(id, month) {
        return Err(ChangeRejection::MonthAlreadyBilled { contract: id, month });
    }
    Ok(())
}
