//! Decisions: one command a file; money, tax, calendars. Pure.

pub mod calendar;
