//! The list of every command: names are stable and unlike, and what the edge fills is there.

use std::collections::BTreeSet;

use daicho_domain::{
    Command, Personal, billing, contract, for_each_command, order, product, quote, registration,
    shop,
};
use serde_json::Value;

struct Row {
    name: &'static str,
    new_ids: &'static [&'static str],
    personal: Option<Personal>,
    schema: Value,
}

fn row<C: Command>() -> Row {
    let schema = schemars::schema_for!(C).to_value();
    Row { name: C::NAME, new_ids: C::NEW_IDS, personal: C::PERSONAL, schema }
}

macro_rules! rows {
    ($($command:ty,)+) => { vec![$(row::<$command>(),)+] };
}

fn rows() -> Vec<Row> {
    for_each_command!(rows)
}

impl Row {
    fn has(&self, field: &str) -> bool {
        self.schema.pointer(&format!("/properties/{field}")).is_some()
    }
}

#[test]
fn no_two_commands_have_one_name_and_each_is_a_family_and_a_verb() {
    let mut names = BTreeSet::new();
    for Row { name, .. } in rows() {
        let letters = |part: &str| part.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let parts = name.split_once('.');
        assert!(parts.is_some_and(|(family, verb)| letters(family) && letters(verb)), "{name}");
        assert!(names.insert(name), "{name} names two commands");
    }
}

#[test]
fn what_the_edge_fills_or_seals_is_a_field_of_the_command() {
    for row in rows() {
        let filled = row.new_ids.iter().copied();
        let sealed = row.personal.iter().flat_map(|personal| {
            let fields = personal
                .fields
                .iter()
                .flat_map(|field| field.index.into_iter().chain([field.name]));
            fields.chain([personal.person])
        });
        for field in filled.chain(sealed) {
            assert!(row.has(field), "`{}` has no field `{field}`", row.name);
        }
    }
}
