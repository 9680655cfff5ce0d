//! An answer in the form that was asked for: a table for people, JSON or CSV for programs.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};
use daicho_app::causes;
use serde::Serialize;
use serde_json::json;

use crate::error::CliError;

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    // For people.
    Table,
    // One JSON value.
    Json,
    // A line of names, then a line a row.
    Csv,
}

/// How a column of a table is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// Texts.
    Left,
    /// Numbers.
    Right,
}

/// A column of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heading {
    /// What it is called.
    pub(crate) name: &'static str,
    /// How it is set.
    pub(crate) align: Align,
}

/// A column of texts.
pub(crate) const fn text(name: &'static str) -> Heading {
    Heading { name, align: Align::Left }
}

/// A column of numbers.
pub(crate) const fn number(name: &'static str) -> Heading {
    Heading { name, align: Align::Right }
}

/// An error as programs read it.
#[derive(Debug, Serialize)]
struct ErrorBody {
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    causes: Vec<String>,
}

/// Where answers go, and in which form.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    format: Format,
}

impl Output {
    /// Answers in this form.
    pub(crate) fn new(format: Format) -> Self {
        Self { format }
    }

    /// The form.
    pub(crate) fn format(self) -> Format {
        self.format
    }

    /// Shows an answer: its rows as a table or CSV, its whole value as JSON.
    pub(crate) fn show(
        self,
        value: &impl Serialize,
        headings: &[Heading],
        rows: &[Vec<String>],
    ) -> Result<(), CliError> {
        match self.format {
            Format::Table => self.line(&table(headings, rows)),
            Format::Json => self.line(&pretty(value)?),
            Format::Csv => self.line(csv(headings, rows)?.trim_end_matches('\n')),
        }
    }

    /// A line for people; nothing is written where a program reads.
    pub(crate) fn note(self, text: &str) -> Result<(), CliError> {
        if self.format == Format::Table { self.line(text) } else { Ok(()) }
    }

    /// What comes next, among several answers. Where a program reads the answers, it stands on
    /// standard error.
    pub(crate) fn heading(self, text: &str) -> Result<(), CliError> {
        if self.format == Format::Table {
            return self.line(&format!("\n# {text}\n"));
        }
        self.aside(&format!("# {text}"));
        Ok(())
    }

    /// A line, whatever the form.
    pub(crate) fn line(self, text: &str) -> Result<(), CliError> {
        let mut out = io::stdout().lock();
        writeln!(out, "{text}")?;
        Ok(out.flush()?)
    }

    /// A line on standard error. If even this fails, there is nobody to tell.
    pub(crate) fn aside(self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Says what went wrong, and what caused it.
    pub(crate) fn error(self, error: &CliError) {
        let causes = causes(error);
        if self.format == Format::Json {
            let body = ErrorBody { code: error.code(), message: error.to_string(), causes };
            return self.aside(&json!({ "error": body }).to_string());
        }
        self.aside(&format!("error: {error}"));
        causes.iter().for_each(|cause| self.aside(&format!("  caused by: {cause}")));
    }
}

fn table(headings: &[Heading], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    if io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    table.set_header(headings.iter().map(|heading| heading.name));
    for row in rows {
        table.add_row(row.iter().zip(headings).map(|(cell, heading)| {
            Cell::new(printable(cell)).set_alignment(match heading.align {
                Align::Left => CellAlignment::Left,
                Align::Right => CellAlignment::Right,
            })
        }));
    }
    table.to_string()
}

/// A terminal obeys control characters: a name that holds some must not command it.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn pretty(value: &impl Serialize) -> Result<String, CliError> {
    serde_json::to_string_pretty(value).map_err(|error| CliError::Output(error.into()))
}

/// Written to memory first: the CSV writer would hide that a pipe was closed.
fn csv(headings: &[Heading], rows: &[Vec<String>]) -> Result<String, CliError> {
    let failed = |error: csv::Error| CliError::Output(error.into());
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(headings.iter().map(|heading| heading.name)).map_err(failed)?;
    for row in rows {
        out.write_record(row).map_err(failed)?;
    }
    let bytes = out.into_inner().map_err(|error| CliError::Output(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
