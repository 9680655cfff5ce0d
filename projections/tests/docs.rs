//! The page `docs/lists.md` is made from the lists themselves and committed, so that a review reads
//! what changes. `DAICHO_BLESS=1` writes it anew.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fmt::Write as _;

use daicho_projections::{Column, ColumnKind, ColumnRole, List, all};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/lists.md");

const HEAD: &str = "# Lists

This page is made from the lists in `projections/src/`; a test compares it with them. Each list is
a subcommand of [the command line](cli.md), a path of [the service](connect.md), and a view for
[plain SQL](sql.md), where the kinds of columns and how each database holds them are explained. Any
column may be empty. A condition on an indexed column is fast; on another it looks at every row.
";

/// The words of `docs/sql.md` for what a column holds.
fn kind(column: &Column) -> &'static str {
    match column.kind {
        ColumnKind::Text => "text",
        ColumnKind::Integer => "number",
        ColumnKind::Date => "day",
        ColumnKind::Timestamp => "moment",
        ColumnKind::Money => "money",
    }
}

fn chapter(list: &dyn List) -> String {
    let mut text = format!("\n## {}\n\n{}. ", list.name(), list.about());
    write!(text, "The key is `{}`.\n\n", list.key_name()).unwrap();
    text.push_str("| column | kind | indexed | what it says |\n|---|---|---|---|\n");
    for column in list.columns() {
        let indexed = if column.role == ColumnRole::Indexed { "yes" } else { "" };
        let (name, describe) = (column.name, column.describe);
        writeln!(text, "| `{name}` | {} | {indexed} | {describe} |", kind(column)).unwrap();
    }
    text
}

#[test]
fn the_committed_page_is_that_of_the_lists() {
    let chapters: String = all().iter().map(|list| chapter(*list)).collect();
    let page = format!("{HEAD}{chapters}");
    if std::env::var_os("DAICHO_BLESS").is_some() {
        std::fs::write(PAGE, &page).unwrap();
    }
    let committed = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(committed == page, "run the tests with DAICHO_BLESS=1 and read the difference");
}
