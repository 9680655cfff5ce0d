//! The list of every command: names are stable and unlike, folders are their first words, and what
//! the edge fills is there. The table of who may give it is in `docs/rights.md`.

#![allow(clippy::unwrap_used, reason = "a test that cannot read its files has failed")]

use std::collections::BTreeSet;
use std::fmt::Write as _;

use daicho_domain::{COMMANDS, Command, CommandRow, for_each_command};
use daicho_events::access::Role;
use serde_json::Value;

struct Form {
    row: &'static CommandRow,
    module: &'static str,
    schema: Value,
}

fn form<C: Command>() -> Form {
    let row = CommandRow::by_name(C::NAME).unwrap();
    let schema = schemars::schema_for!(C).to_value();
    Form { row, module: std::any::type_name::<C>(), schema }
}

macro_rules! forms {
    ($($family:ident :: $command:ident,)+) => {
        vec![$(form::<daicho_domain::$family::$command>(),)+]
    };
}

fn forms() -> Vec<Form> {
    for_each_command!(forms)
}

impl Form {
    fn has(&self, field: &str) -> bool {
        self.schema.pointer(&format!("/properties/{field}")).is_some()
    }
}

#[test]
fn no_two_commands_have_one_name_and_each_is_a_family_and_a_verb() {
    let mut names = BTreeSet::new();
    for name in COMMANDS.iter().flat_map(CommandRow::names) {
        let letters = |part: &str| part.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let parts = name.split_once('.');
        assert!(parts.is_some_and(|(family, verb)| letters(family) && letters(verb)), "{name}");
        assert!(names.insert(name), "{name} names two commands");
    }
}

#[test]
fn a_command_stands_in_the_folder_of_its_first_word() {
    for Form { row, module, .. } in forms() {
        let (family, _) = row.name.split_once('.').unwrap();
        // `return` is a word of Rust's own, and no module may have it.
        let folder = if family == "return" { "returns" } else { family };
        assert_eq!(module.split("::").nth(1), Some(folder), "{}", row.name);
    }
}

#[test]
fn what_the_edge_fills_or_seals_is_a_field_of_the_command() {
    for form in forms() {
        let filled = form.row.new_ids.iter().copied();
        let private = form.row.private.iter();
        let private =
            private.flat_map(|private| private.sealed().into_iter().chain(private.made()));
        for field in filled.chain(private) {
            assert!(form.has(field), "`{}` has no field `{field}`", form.row.name);
        }
    }
}

/// `docs/rights.md` is this text; `DAICHO_BLESS=1` writes it again.
#[test]
fn the_page_of_rights_is_the_table_of_commands() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/rights.md");
    let page = page();
    if std::env::var_os("DAICHO_BLESS").is_some_and(|value| value == "1") {
        std::fs::write(path, &page).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(committed == page, "docs/rights.md is not the table: DAICHO_BLESS=1 writes it again");
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    for row in COMMANDS {
        let roles: Vec<&str> =
            [Role::Operator].iter().chain(row.roles).map(|role| role.name()).collect();
        let (name, given_by, roles) = (row.name, row.given_by.words(), roles.join(", "));
        writeln!(page, "| `{name}` | {given_by} | {roles} |").unwrap();
    }
    page
}

const HEAD: &str = "\
# Who may give which command

This page is made from the table of commands: `DAICHO_BLESS=1 cargo test -p daicho-domain --test \
commands` writes it.

*Given by* is asked of whoever acts, or on whose behalf: staff of the shop and its programs may \
give every command; where a member may too, the table says which. A person who only asked for \
registration is not a registered member, and a general user does not bind the organisation (R36). \
*Roles* are those of the keys of the [service](service.md) that may give it, before scopes narrow \
them. On the command line, whoever may read the book's folder may give every command.

| command | given by | roles |
|---|---|---|
";
