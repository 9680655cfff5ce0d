//! `daicho LIST list|show`, for each list that there is: a page of it or one row, today or on a
//! past day.

use clap::{ArgMatches, Args, FromArgMatches, Subcommand};
use daicho_app::{
    AtLeast, ColumnKind, Currency, Date, KnownAt, Ledger, List, ListFilter, ListPage, ListRequest,
    ListSort, MemberId, OrganisationId, PAGE_ROWS_MAX, Position, all, major_units,
};
use serde_json::json;

use crate::book;
use crate::error::{CliError, Exit};
use crate::global::Global;
use crate::output::{Align, Format, Heading, Output, text};
use crate::shell::quoted;

/// The column that says what the amounts of a row are in.
const CURRENCY: &str = "currency";
/// Milliseconds to wait for a position, unless the caller says otherwise.
const WAIT_MS: u64 = 10_000;

/// A list and what is asked of it. Its subcommands are made from the lists that there are, which
/// clap's derive cannot do.
pub(crate) struct NamedList {
    list: &'static dyn List,
    command: ListCommand,
}

impl std::fmt::Debug for NamedList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple(self.list.name()).field(&self.command).finish()
    }
}

impl FromArgMatches for NamedList {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let named = matches.subcommand();
        let found = named.and_then(|(name, below)| Some((list_named(name)?, below)));
        let (list, below) =
            found.ok_or_else(|| clap::Error::new(clap::error::ErrorKind::InvalidSubcommand))?;
        Ok(Self { list, command: ListCommand::from_arg_matches(below)? })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Subcommand for NamedList {
    fn augment_subcommands(command: clap::Command) -> clap::Command {
        all().iter().fold(command, |command, list| {
            let group = ListCommand::augment_subcommands(clap::Command::new(list.name()));
            let group = group.subcommand_required(true).arg_required_else_help(true);
            command.subcommand(group.about(list.about()))
        })
    }

    fn augment_subcommands_for_update(command: clap::Command) -> clap::Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        list_named(name).is_some()
    }
}

fn list_named(name: &str) -> Option<&'static dyn List> {
    all().iter().copied().find(|list| list.name() == name)
}

#[derive(Debug, Subcommand)]
pub(crate) enum ListCommand {
    /// Print a page of the list
    List(ListArgs),
    /// Print one row with all its facts
    Show(ShowArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// A condition: COLUMN=VALUE, or with != < <= > >= or ^= (begins with); all must hold
    #[arg(long = "where", value_name = "CONDITION")]
    conditions: Vec<ListFilter>,
    /// The same as `--where status=STATUS`
    #[arg(long)]
    status: Option<String>,
    /// The same as `--where organisation=ID`
    #[arg(long, value_name = "ID")]
    organisation: Option<OrganisationId>,
    /// The same as `--where member=ID`
    #[arg(long, value_name = "ID")]
    member: Option<MemberId>,
    /// Sort by this column; with a hyphen before it the largest comes first
    #[arg(long, value_name = "[-]COLUMN", allow_hyphen_values = true)]
    sort: Option<ListSort>,
    #[command(flatten)]
    moment: Moment,
    /// Rows of the page
    #[arg(
        long,
        value_name = "N",
        default_value_t = 50,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(PAGE_ROWS_MAX))
    )]
    limit: u32,
    /// Continue after the previous page
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The key of the row
    key: String,
    #[command(flatten)]
    moment: Moment,
}

/// The two axes of every list, and what it must hold.
#[derive(Debug, Args)]
pub(crate) struct Moment {
    /// As known then: a position, or the end of a day of recording; left out: now
    #[arg(long, value_name = "POSITION|DAY")]
    known_at: Option<KnownAt>,
    /// As it counts on this business day; left out: today
    #[arg(long, value_name = "DAY")]
    effective_on: Option<Date>,
    /// Answer only once the list includes this position, such as that of your own command
    #[arg(long, value_name = "POSITION")]
    wait_for: Option<u64>,
    /// Milliseconds to wait for another process that is bringing the list up to date
    #[arg(long, value_name = "MS", default_value_t = WAIT_MS, requires = "wait_for")]
    wait_ms: u64,
}

impl Moment {
    /// The request at this moment, without conditions.
    fn request(&self) -> ListRequest {
        let wait_ms = self.wait_ms;
        let at_least = |position| AtLeast { position: Position(position), wait_ms };
        ListRequest {
            known_at: self.known_at,
            effective_on: self.effective_on,
            at_least: self.wait_for.map(at_least),
            ..ListRequest::default()
        }
    }
}

pub(crate) async fn run(
    global: &Global,
    output: Output,
    NamedList { list, command }: NamedList,
) -> Result<Exit, CliError> {
    book::with(global, async |ledger| match &command {
        ListCommand::List(args) => print_page(ledger, output, list, args).await,
        ListCommand::Show(args) => print_row(ledger, output, list, args).await,
    })
    .await?;
    Ok(Exit::Done)
}

/// Takes a text that has the form of the list's keys.
pub(crate) fn check_key(list: &dyn List, key: &str) -> Result<String, String> {
    list.check_key(key).map(|()| key.to_owned())
}

async fn print_page(
    ledger: &Ledger,
    output: Output,
    list: &'static dyn List,
    args: &ListArgs,
) -> Result<(), CliError> {
    let page = ledger.lists().page(list, &request(args)?).await?;
    show_page(output, list, &page)?;
    let Some(cursor) = &page.next else { return Ok(()) };
    let command = next_command(std::env::args(), cursor);
    match output.format() {
        Format::Table => output.line(&format!("More rows: {command}")),
        Format::Csv => {
            output.aside(&format!("more rows: {command}"));
            Ok(())
        }
        Format::Json => Ok(()),
    }
}

/// Shows a page, and on a table what it is a page of.
pub(crate) fn show_page(
    output: Output,
    list: &'static dyn List,
    page: &ListPage,
) -> Result<(), CliError> {
    let value = json!({
        "rows": page.rows, "next": page.next, "known_at": page.known_at,
        "effective_on": page.effective_on,
    });
    let (headings, rows) = match output.format() {
        Format::Table => without_empty(columns(list), page.cells(list, amount_with_currency)),
        Format::Csv | Format::Json => (columns(list), page.cells(list, major_units)),
    };
    output.show(&value, &headings, &rows)?;
    output.note(&format!(
        "{} {}, as known at position {}, effective on {}",
        rows.len(),
        if rows.len() == 1 { "row" } else { "rows" },
        page.known_at,
        page.effective_on
    ))
}

fn request(args: &ListArgs) -> Result<ListRequest, CliError> {
    let mut filters = args.conditions.clone();
    let shorthands = [
        ("status", args.status.clone()),
        ("organisation", args.organisation.map(|id| id.to_string())),
        ("member", args.member.map(|id| id.to_string())),
    ];
    for (column, value) in shorthands {
        let Some(value) = value else { continue };
        filters.push(format!("{column}={value}").parse().map_err(CliError::Usage)?);
    }
    Ok(ListRequest {
        filters,
        sort: args.sort.clone(),
        after: args.after.clone(),
        limit: args.limit,
        ..args.moment.request()
    })
}

fn columns(list: &dyn List) -> Vec<Heading> {
    let typed = list.columns().iter().map(|column| Heading {
        name: column.name,
        align: match column.kind {
            ColumnKind::Integer | ColumnKind::Money => Align::Right,
            ColumnKind::Text | ColumnKind::Date | ColumnKind::Timestamp => Align::Left,
        },
    });
    std::iter::once(text(list.key_name())).chain(typed).collect()
}

fn amount_with_currency(minor_units: i64, currency: Option<Currency>) -> String {
    let amount = major_units(minor_units, currency);
    currency.map_or(amount.clone(), |currency| format!("{amount} {currency}"))
}

/// Leaves out what would only make a table wide: columns without a value, and the currency, which
/// is shown with each amount.
fn without_empty(
    headings: Vec<Heading>,
    rows: Vec<Vec<String>>,
) -> (Vec<Heading>, Vec<Vec<String>>) {
    let is_kept = |at: usize, heading: &Heading| {
        let has_value = rows.iter().any(|row| row.get(at).is_some_and(|cell| !cell.is_empty()));
        heading.name != CURRENCY && (rows.is_empty() || has_value)
    };
    let kept: Vec<bool> = headings.iter().enumerate().map(|(at, h)| is_kept(at, h)).collect();
    let keep = |row: Vec<String>| {
        row.into_iter().zip(&kept).filter(|(_, kept)| **kept).map(|(cell, _)| cell).collect()
    };
    let shown = headings.into_iter().zip(&kept).filter(|(_, kept)| **kept).map(|(h, _)| h);
    (shown.collect(), rows.into_iter().map(keep).collect())
}

/// The command that was given, continued after `cursor`.
fn next_command(args: impl Iterator<Item = String>, cursor: &str) -> String {
    let (mut words, mut args) = (vec!["daicho".to_owned()], args.skip(1));
    while let Some(arg) = args.next() {
        if arg == "--after" {
            args.next();
        } else if arg == "--database" {
            // The URL may hold a password.
            args.next();
            words.push("--database URL".to_owned());
        } else if arg.starts_with("--database=") {
            words.push("--database URL".to_owned());
        } else if !arg.starts_with("--after=") {
            words.push(quoted(&arg));
        }
    }
    words.push(format!("--after {cursor}"));
    words.join(" ")
}

async fn print_row(
    ledger: &Ledger,
    output: Output,
    list: &'static dyn List,
    args: &ShowArgs,
) -> Result<(), CliError> {
    let Some(row) = ledger.lists().row(list, &args.key, &args.moment.request()).await? else {
        return Err(CliError::Usage(format!(
            "there is no {} `{}` in the list as it was asked for: `daicho {} list` prints those \
             there are",
            list.key_name(),
            args.key,
            list.name()
        )));
    };
    let mut fields = Vec::new();
    flatten(String::new(), &row, &mut fields);
    output.show(&row, &[text("field"), text("value")], &fields)
}

/// Every value of a row with the path to it, `lines.0.product`.
fn flatten(path: String, value: &serde_json::Value, fields: &mut Vec<Vec<String>>) {
    let below =
        |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        serde_json::Value::Null => {}
        serde_json::Value::Object(object) => {
            object.iter().for_each(|(name, inner)| flatten(below(name), inner, fields));
        }
        serde_json::Value::Array(items) => {
            let numbered = items.iter().enumerate();
            numbered.for_each(|(at, inner)| flatten(below(&at.to_string()), inner, fields));
        }
        serde_json::Value::String(text) => fields.push(vec![path, text.clone()]),
        serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {
            fields.push(vec![path, value.to_string()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_command_is_the_one_given_with_the_new_cursor() {
        let given = ["daicho", "orders", "list", "--after", "old", "--where", "item=5 'a'"];
        assert_eq!(
            next_command(given.into_iter().map(str::to_owned), "new"),
            r"daicho orders list --where 'item=5 '\''a'\''' --after new"
        );
        let given = ["daicho", "--after=old", "quotes"];
        assert_eq!(
            next_command(given.into_iter().map(str::to_owned), "new"),
            "daicho quotes --after new"
        );
    }

    #[test]
    fn columns_without_a_value_and_the_currency_are_left_out_of_a_table() {
        let headings = vec![text("order"), text("reference"), text(CURRENCY)];
        let rows = vec![vec!["1".to_owned(), String::new(), "JPY".to_owned()]];
        let (headings, rows) = without_empty(headings, rows);
        assert_eq!((headings, rows), (vec![text("order")], vec![vec!["1".to_owned()]]));
    }
}
