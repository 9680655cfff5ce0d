//! Rows and page requests of all kinds: nulls, ends of the ranges, texts whose order by bytes is
//! not that of a language.

use std::collections::BTreeMap;

use daicho_store::views::*;
use proptest::prelude::*;
use proptest::sample::select as one_of;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::support::text;

const COLUMNS: [&str; 4] = ["key", "status", "amount", "order"];

const TEXTS: [&str; 10] =
    ["", "a", "ab", "abc", "b", "A", "é", "\u{d7ff}", "\u{10ffff}", "a\u{10ffff}x"];

pub fn any_text() -> impl Strategy<Value = Value> {
    one_of(&TEXTS[..]).prop_map(text)
}

pub fn any_number() -> impl Strategy<Value = Value> {
    one_of(vec![i64::MIN, -1, 0, 1, 2, 10, i64::MAX]).prop_map(Value::Integer)
}

fn or_null(value: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Value> {
    prop_oneof![3 => value, 1 => Just(Value::Null)]
}

pub fn any_key() -> impl Strategy<Value = String> {
    "[abé\u{10ffff}]{1,3}"
}

pub fn any_rows() -> impl Strategy<Value = Vec<ViewRow>> {
    let day = one_of(vec!["2026-11-30", "2026-12-01", "2026-12-02", "2027-01-01"]);
    let next_change = proptest::option::of(day.prop_map(str::to_owned));
    let cells = (or_null(any_text()), or_null(any_number()), or_null(any_number()), next_change);
    proptest::collection::vec((any_key(), cells), 0..40).prop_map(|rows| {
        let rows: BTreeMap<String, _> = rows.into_iter().collect();
        rows.into_iter()
            .map(|(key, (status, amount, order, next_change))| ViewRow {
                row: format!("row of {key}").into_bytes(),
                key,
                columns: vec![status, amount, order],
                next_change,
            })
            .collect()
    })
}

pub fn any_value_of(column: &'static str) -> BoxedStrategy<Value> {
    match column {
        "key" => any_key().prop_map(Value::Text).boxed(),
        "status" => any_text().boxed(),
        _ => any_number().boxed(),
    }
}

pub fn any_filter() -> impl Strategy<Value = Filter> {
    use Comparison::{Eq, Ge, Gt, Le, Lt, Ne, Prefix};
    one_of(&COLUMNS[..]).prop_flat_map(|column| {
        let prefix = if ["key", "status"].contains(&column) { Prefix } else { Eq };
        let ops = one_of(vec![Eq, Ne, Lt, Le, Gt, Ge, prefix, prefix]);
        let null = one_of(vec![Eq, Ne]).prop_map(|op| (op, Value::Null));
        let compared = prop_oneof![5 => (ops, any_value_of(column)), 1 => null];
        compared.prop_map(move |(op, value)| Filter { column: column.to_owned(), op, value })
    })
}

pub fn any_sort() -> impl Strategy<Value = Option<(String, Direction)>> {
    let direction = one_of(vec![Direction::Ascending, Direction::Descending]);
    let column = one_of(&COLUMNS[..]).prop_map(str::to_owned);
    proptest::option::weighted(0.9, (column, direction))
}

pub fn any_request() -> impl Strategy<Value = PageRequest> {
    (proptest::collection::vec(any_filter(), 0..3), any_sort(), 1_u32..8)
        .prop_map(|(filters, sort, limit)| PageRequest { filters, sort, after: None, limit })
}

/// The same cases in every run.
pub fn runner() -> TestRunner {
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    TestRunner::new_with_rng(Config::default(), random)
}
