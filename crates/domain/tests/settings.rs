//! The page of the settings is generated from their table: it says what the software does.
//!
//! `DAICHO_BLESS=1 cargo test -p daicho-domain --test settings` writes it again.

#![allow(clippy::unwrap_used, reason = "a test that cannot read its files has failed")]

use std::fs;

use daicho_domain::shop::{ROWS, Row};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/settings.md");

const INTRODUCTION: &str = "\
# Settings of a shop

What one shop does otherwise than another is a setting. Its values are recorded with the day from
which they hold, so that a past day keeps its own rules: an invoice has the prefix, the rounding
and the due date of its day of issue, an order counts by the cut-off and the calendar of the day
on which it was placed.

`shop.open_book` gives a book its first settings; it takes them under the names of this page, of
the `calendar` only `closed_days`. [`shop.set`](commands.md#shopset) sets new values from a day
on, several at once:

```json
{\"from\": \"2027-01-04\", \"settings\": {\"cutoff\": \"15:00\", \"quote_valid_days\": 60}}
```

- The opening records its values in `shop.configured` where that has a field for them, and in the
  setting's own event elsewhere.
- On days before a setting was first given a value, it has that first value; the list shows it
  from the first day on. From the opening on, a setting that was not given has its default.
- Of two values from one day, the one recorded later holds.
- A day may lie in the past, at most 120 months back, or to come, but neither in a closed month nor
  before one. `tax_rates` is set without a day.
- A rule that a value must keep to is asked when the value comes in. What was recorded before the
  rule was written is read as it was.
- The currency (`currency`) and the time zone (`time_zone`) are fixed when the book is opened:
  amounts and days would mean something else.

The list `settings` shows what holds on a day, since when, who set it and at which position:
`daicho settings list --effective-on DAY`.

This page is made of the table in `crates/domain/src/shop/settings.rs` by the test
`crates/domain/tests/settings.rs`; [add a setting](how-to/add-a-setting.md) says how it grows.
";

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn recorded_as(row: &Row) -> String {
    let [value, default] = (row.stored)();
    let also = (value != default).then(|| format!("; {}: `{default}`", (row.default)()));
    format!("`{value}`{}", also.unwrap_or_default())
}

fn section(row: &Row) -> String {
    format!(
        "\n## `{}`\n\n{}\n\n| value | default | limits | recorded as | source |\n\
         |---|---|---|---|---|\n| {} | `{}` | {} | {} | {} |\n",
        row.name,
        words(row.sentence),
        row.is,
        (row.default)(),
        row.limits,
        recorded_as(row),
        row.source,
    )
}

#[test]
fn the_page_of_the_settings_says_what_their_table_says() {
    let page = INTRODUCTION.to_owned() + &ROWS.iter().map(section).collect::<String>();
    if std::env::var_os("DAICHO_BLESS").is_some_and(|value| value == "1") {
        fs::write(PAGE, &page).unwrap();
    }
    let committed = fs::read_to_string(PAGE).unwrap_or_default();
    assert_eq!(committed, page, "docs/settings.md is not of this release: run with DAICHO_BLESS=1");
}
