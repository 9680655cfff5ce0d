//! Laws that every list keeps, checked for each entry of `all()` over random records.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "helpers of tests stand outside the functions that the lints let through"
)]

mod streams;

use std::collections::{BTreeMap, BTreeSet};

use daicho_events::Recorded;
use daicho_projections::{ColumnKind, ColumnRole, List, Partition, SLICES, Value, all};
use daicho_values::{Date, Sample, Timestamp};
use proptest::prelude::*;
use streams::{DAYS, first_day, records, wild_records};

type Rows = BTreeMap<String, Vec<u8>>;

/// Folds further events into stored rows, as catch-up does.
fn catch_up(list: &dyn List, partition: Partition, rows: &mut Rows, events: &[Recorded]) {
    let mut fold = list.start(partition);
    for (key, row) in rows.iter() {
        fold.load(key, row).unwrap();
    }
    for event in events {
        fold.apply(event);
    }
    for (key, row) in fold.finish().unwrap() {
        match row {
            Some(row) => rows.insert(key, row),
            None => rows.remove(&key),
        };
    }
}

fn folded(list: &dyn List, events: &[Recorded]) -> Rows {
    let mut rows = Rows::new();
    catch_up(list, Partition::WHOLE, &mut rows, events);
    rows
}

fn every_day() -> impl Iterator<Item = Date> {
    (0..DAYS + 200).map(|number| first_day().plus_days(number))
}

#[track_caller]
fn check_value(list: &dyn List, index: usize, value: &Value) {
    let column = list.columns()[index];
    let fits = match (column.kind, value) {
        (_, Value::Null) | (ColumnKind::Text, Value::Text(_)) => true,
        (ColumnKind::Integer | ColumnKind::Money, Value::Integer(_)) => true,
        (ColumnKind::Date, Value::Text(text)) => text.parse::<Date>().is_ok(),
        (ColumnKind::Timestamp, Value::Text(text)) => text.parse::<Timestamp>().is_ok(),
        _ => false,
    };
    assert!(fits, "{}.{} holds {value:?}", list.name(), column.name);
}

/// Walks over the days: columns change on the days that `next_change` names, and on no other.
#[track_caller]
fn check_next_change(list: &dyn List, row: &[u8]) {
    let mut last = None;
    let mut announced: Option<Option<Date>> = None;
    for day in every_day() {
        let columns = list.columns_on(row, day).unwrap();
        let next = list.next_change(row, day).unwrap();
        assert!(next.is_none_or(|next| next > day), "{}: {next:?} after {day}", list.name());
        match announced {
            Some(Some(change)) if change == day => {
                assert_ne!(last, Some(columns.clone()), "{}: no change on {day}", list.name());
            }
            Some(announced) => {
                assert_eq!(last, Some(columns.clone()), "{}: a change on {day}", list.name());
                assert_eq!(next, announced, "{}: another answer on {day}", list.name());
            }
            None => {}
        }
        (last, announced) = (Some(columns), Some(next));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn an_event_delivered_twice_counts_once(events in wild_records(), from in 0_usize..80) {
        for list in all() {
            let once = folded(*list, &events);
            let twice = events.iter().flat_map(|event| [event, event]);
        let stuttered: Vec<_> = twice.cloned().collect();
            prop_assert_eq!(&folded(*list, &stuttered), &once, "{}: each at once", list.name());
            let mut rows = once.clone();
            let again = &events[from.min(events.len())..];
            catch_up(*list, Partition::WHOLE, &mut rows, again);
            prop_assert_eq!(&rows, &once, "{}: a stretch again", list.name());
        }
    }

    #[test]
    fn folding_in_stretches_is_folding_at_once(events in wild_records(), size in 1_usize..20) {
        for list in all() {
            let mut rows = Rows::new();
            for stretch in events.chunks(size) {
                catch_up(*list, Partition::WHOLE, &mut rows, stretch);
            }
            prop_assert_eq!(&rows, &folded(*list, &events), "{}", list.name());
        }
    }

    #[test]
    fn a_row_is_the_same_after_binary_and_back(events in wild_records()) {
        for list in all() {
            let mut rows = Rows::new();
            for event in &events {
                catch_up(*list, Partition::WHOLE, &mut rows, std::slice::from_ref(event));
            }
            prop_assert_eq!(&rows, &folded(*list, &events), "{}", list.name());
        }
    }

    #[test]
    fn the_parts_of_a_fold_are_the_whole(events in wild_records(), of in 1_u32..9) {
        for list in all() {
            let mut union = Rows::new();
            for part in Partition::WHOLE.dealt(of) {
                let mut rows = Rows::new();
                catch_up(*list, part, &mut rows, &events);
                for (key, row) in rows {
                    prop_assert!(union.insert(key, row).is_none(), "a key in two parts");
                }
            }
            prop_assert_eq!(&union, &folded(*list, &events), "{}", list.name());
        }
    }

    #[test]
    fn slices_are_taken_one_by_one_and_those_that_were_shed_are_missing(
        events in wild_records(),
        first in 0..SLICES,
        end in 0..=SLICES,
    ) {
        for (list, first) in all().iter().flat_map(|list| [(list, first), (list, 0)]) {
            let mut fold = list.start(Partition::slices(first, SLICES));
            events.iter().for_each(|event| fold.apply(event));
            fold.shed(end);
            let held = fold.len();
            events.iter().for_each(|event| fold.apply(event));
            prop_assert_eq!(fold.len(), held, "what was shed stays away");
            let mut expected = list.start(Partition::slices(first, end));
            events.iter().for_each(|event| expected.apply(event));
            let mut taken = Vec::new();
            for slice in 0..SLICES {
                taken.extend(fold.take_slice(slice, Date::sample()).unwrap());
            }
            taken.sort_by(|(left, _), (right, _)| left.cmp(right));
            let mut whole = expected.finish_on(Date::sample()).unwrap();
            whole.sort_by(|(left, _), (right, _)| left.cmp(right));
            prop_assert_eq!(taken, whole, "{}", list.name());
            prop_assert_eq!(fold.len(), 0);
        }
    }

    #[test]
    fn a_part_leaves_the_rows_of_the_others_alone(events in wild_records(), of in 2_u32..9) {
        let (before, after) = events.split_at(events.len() / 2);
        for list in all() {
            let mut rows = folded(*list, before);
            for part in Partition::WHOLE.dealt(of) {
                catch_up(*list, part, &mut rows, after);
            }
            prop_assert_eq!(&rows, &folded(*list, &events), "{}", list.name());
        }
    }

    #[test]
    fn a_row_changes_only_by_events_that_name_its_key(events in wild_records()) {
        for list in all() {
            let mut rows = Rows::new();
            for event in &events {
                let before = rows.clone();
                catch_up(*list, Partition::WHOLE, &mut rows, std::slice::from_ref(event));
                let keys: BTreeSet<_> = list.keys(event).into_iter().collect();
                for (key, row) in &rows {
                    prop_assert!(before.get(key) == Some(row) || keys.contains(key));
                }
            }
        }
    }

    #[test]
    fn changed_rows_come_in_the_order_of_their_keys(events in wild_records()) {
        for list in all() {
            let mut fold = list.start(Partition::WHOLE);
            events.iter().for_each(|event| fold.apply(event));
            let rows = fold.len();
            let keys: Vec<_> = fold.finish().unwrap().into_iter().map(|(key, _)| key).collect();
            prop_assert_eq!(keys.len(), rows);
            prop_assert!(keys.is_sorted_by(|left, right| left < right), "{:?}", keys);
        }
    }

    #[test]
    fn columns_are_as_many_and_of_the_kinds_that_the_list_says(
        events in wild_records(), number in 0..DAYS,
    ) {
        let on = first_day().plus_days(number);
        for list in all() {
            for row in folded(*list, &events).values() {
                let Some(columns) = list.columns_on(row, on).unwrap() else { continue };
                prop_assert_eq!(columns.len(), list.columns().len(), "{}", list.name());
                let numbered = columns.iter().enumerate();
                    numbered.for_each(|(index, value)| check_value(*list, index, value));
            }
        }
    }

    #[test]
    fn a_row_is_shown_with_the_columns_that_it_has_when_read(
        events in wild_records(), number in 0..DAYS,
    ) {
        let on = first_day().plus_days(number);
        for list in all() {
            let mut fold = list.start(Partition::WHOLE);
            events.iter().for_each(|event| fold.apply(event));
            for (key, shown) in fold.finish_on(on).unwrap() {
                let shown = shown.unwrap();
                prop_assert_eq!(&list.columns_on(&shown.row, on).unwrap(), &shown.columns);
                prop_assert_eq!(list.next_change(&shown.row, on).unwrap(), shown.next_change);
                let json = list.json(&shown.row, on).unwrap();
                prop_assert_eq!(json.is_some(), shown.columns.is_some());
                if let Some(json) = json {
                    prop_assert_eq!(&json[list.key_name()], &serde_json::json!(key));
                    let status = list.columns().iter().position(|column| column.name == "status");
                    let status = &shown.columns.unwrap()[status.unwrap()];
                    prop_assert_eq!(&Value::text(json["status"].as_str().unwrap()), status);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn columns_change_by_themselves_on_the_announced_days_only(events in wild_records()) {
        for list in all() {
            folded(*list, &events).values().for_each(|row| check_next_change(*list, row));
        }
    }

    #[test]
    fn a_day_shows_the_list_as_if_later_facts_were_not_there(
        events in records(), number in 0..DAYS,
    ) {
        let on = first_day().plus_days(number);
        let counting: Vec<_> =
            events.iter().filter(|event| event.header.effective_on <= on).cloned().collect();
        for list in all() {
            let shown = |events: &[Recorded]| -> BTreeMap<_, _> {
                let rows = folded(*list, events);
                let columns =
                    rows.iter().map(|(key, row)| (key, list.columns_on(row, on).unwrap()));
                columns.filter_map(|(key, columns)| Some((key.clone(), columns?))).collect()
            };
            prop_assert_eq!(shown(&events), shown(&counting), "{} on {}", list.name(), on);
        }
    }
}

#[test]
fn lists_and_columns_have_plain_names_of_their_own() {
    const KEPT_BY_SQL: &[&str] =
        &["order", "group", "from", "to", "key", "row", "table", "user", "select", "where", "end"];
    let plain = |name: &str| {
        name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
            && !KEPT_BY_SQL.contains(&name)
    };
    let names: BTreeSet<_> = all().iter().map(|list| list.name()).collect();
    assert_eq!(names.len(), all().len(), "two lists of one name");
    for list in all() {
        assert!(plain(list.name()), "{}", list.name());
        let columns: BTreeSet<_> = list.columns().iter().map(|column| column.name).collect();
        assert_eq!(columns.len(), list.columns().len(), "{}: a name twice", list.name());
        assert!(columns.into_iter().all(plain), "{}", list.name());
        let status = list.columns().iter().find(|column| column.name == "status").unwrap();
        assert_eq!(status.role, ColumnRole::Indexed);
        let money = list.columns().iter().any(|column| column.kind == ColumnKind::Money);
        let currency = list.columns().iter().any(|column| column.name == "currency");
        assert_eq!(money, currency, "{}: amounts and their currency", list.name());
    }
}

#[test]
fn the_random_records_fill_every_list() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let events: Vec<_> =
        (0..8).flat_map(|_| records().new_tree(&mut runner).unwrap().current()).collect();
    for list in all() {
        assert!(!folded(*list, &events).is_empty(), "{} is empty", list.name());
    }
}

/// A list is held to its laws by random records: what these never hold, no law has seen.
#[test]
fn the_random_records_hold_every_event_that_a_list_folds() {
    use daicho_events::{Event, PUBLISHED};
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let seen: BTreeSet<&str> = (0..64)
        .flat_map(|_| records().new_tree(&mut runner).unwrap().current())
        .map(|recorded| recorded.event.event_type().name)
        .collect();
    let header = records().new_tree(&mut runner).unwrap().current()[0].header.clone();
    for published in PUBLISHED.iter().copied().flatten().filter(|published| published.current) {
        let (name, version) = (published.event_type.name, published.event_type.version);
        let event = Event::decode(name, version, &published.sample()).unwrap();
        let recorded = Recorded { header: header.clone(), event };
        for list in all().iter().filter(|list| !list.keys(&recorded).is_empty()) {
            let list = list.name();
            assert!(seen.contains(name), "{list} folds `{name}`: let `tests/streams` make it");
        }
    }
}

#[test]
fn rows_and_keys_of_another_form_are_errors_that_name_the_list() {
    for list in all() {
        let on = first_day();
        let error = list.columns_on(&[0xFF; 3], on).unwrap_err().to_string();
        assert!(error.contains(list.name()), "{error}");
        let error = list.start(Partition::WHOLE).load("", &[]).unwrap_err().to_string();
        assert!(error.contains(list.name()), "{error}");
    }
}
