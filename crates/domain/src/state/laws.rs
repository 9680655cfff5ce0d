//! The law of folds: an event that changes one is among those that it reads. Queries are built of
//! what a fold reads, so what is forgotten there would never reach a decision.

use daicho_events::{Actor, Event, Header, PUBLISHED, Position, Published, Recorded};
use daicho_values::{Date, Login, Name, Sample, Timestamp};

use super::*;
use crate::billing::Series;
use crate::order::CatalogueAsOrdered;

/// The sample of every event as it is written today, in the order of the families.
fn samples(name: &str) -> Vec<Recorded> {
    let current = PUBLISHED.iter().copied().flatten().filter(|published| published.current);
    current.zip(1..).map(|(published, position)| recorded(published, position, name)).collect()
}

/// The sample with another name and other days in it, so that a change of a name or a day is one.
fn recorded(published: &Published, position: u64, called: &str) -> Recorded {
    let header = Header {
        position: Position(position),
        recorded_at: Timestamp::sample(),
        effective_on: Date::sample(),
        actor: Actor::System(Login::sample()),
        on_behalf_of: None,
        cause: None,
    };
    let (name, version) = (published.event_type.name, published.event_type.version);
    let sample = published.sample().replace(Name::sample().as_str(), called);
    let later = Date::sample().plus_days(u32::try_from(called.len()).unwrap());
    let sample = sample.replace(&Date::sample().to_string(), &later.to_string());
    Recorded { header, event: Event::decode(name, version, &sample).unwrap() }
}

/// Holds for each state on the way through all samples, so that what is changed is there.
fn law<F: Fold + std::fmt::Debug>() {
    let (samples, others) = (samples("Business Suite"), samples("Office Suite"));
    let reads = F::READS.concat();
    let mut changing = std::collections::BTreeSet::new();
    for known in 0..=samples.len() {
        for event in samples.iter().chain(&others) {
            let mut fold = F::default();
            samples.iter().take(known).for_each(|event| fold.apply(event));
            let before = format!("{fold:?}");
            fold.apply(event);
            if before != format!("{fold:?}") {
                changing.insert(event.event.event_type().name);
            }
        }
    }
    let fold = std::any::type_name::<F>();
    for name in &changing {
        assert!(reads.contains(name), "{fold} is changed by `{name}`, which it does not read");
    }
    for name in reads {
        assert!(changing.contains(name), "{fold} reads `{name}`, which never changes it");
    }
}

macro_rules! laws {
    ($($name:ident $fold:ty,)+) => {$(
        #[test]
        fn $name() {
            law::<$fold>();
        }
    )+};
}

laws! {
    a_shop_reads_what_changes_it Shop,
    a_catalogue_reads_what_changes_it Catalogue,
    a_catalogue_as_ordered_reads_what_changes_it CatalogueAsOrdered,
    organisations_read_what_changes_them Organisations,
    members_read_what_changes_them Members,
    quotes_read_what_changes_them Quotes,
    orders_read_what_changes_them Orders,
    contracts_read_what_changes_them Contracts,
    invoices_read_what_changes_them Invoices,
    what_is_billed_reads_what_changes_it Billed,
    closed_months_read_what_changes_them ClosedMonths,
    a_series_reads_what_changes_it Series,
    keys_read_what_changes_them Keys,
}
