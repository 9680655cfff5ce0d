//! What callers asked and were told, each with the number of operations that the disk had seen by
//! then; and what must therefore stand after a crash.

use daicho_store::vault::SealedText;
use daicho_store::{Append, Appended, Stored};

/// A moment: how many operations the disk had seen.
pub type Moment = usize;

/// Something that was begun and perhaps done.
#[derive(Debug, Clone)]
pub struct Asked<Q, A> {
    pub what: Q,
    pub begun: Moment,
    /// When the answer was there, and what it was.
    pub answered: Option<(Moment, A)>,
}

impl<Q, A> Asked<Q, A> {
    pub fn new(what: Q, begun: Moment) -> Self {
        Self { what, begun, answered: None }
    }

    /// What was answered by then.
    pub fn answer_at(&self, moment: Moment) -> Option<&A> {
        self.answered.as_ref().filter(|(at, _)| *at <= moment).map(|(_, answer)| answer)
    }
}

/// One life of a book.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// When the book's creation was answered.
    pub created: Option<Moment>,
    /// When the vault's creation was answered, and its keyed hash of [`INDEXED`].
    pub vault: Option<(Moment, String)>,
    pub appends: Vec<Asked<Append, Appended>>,
    pub seals: Vec<Asked<(&'static str, String), SealedText>>,
    pub erasures: Vec<Asked<&'static str, ()>>,
    /// Every event at the end of the life.
    pub events: Vec<Stored>,
}

/// What the vault is asked to hash.
pub const INDEXED: &str = "aoyama@example.jp";

impl History {
    pub fn is_created_at(&self, moment: Moment) -> bool {
        self.created.is_some_and(|at| at <= moment)
    }

    /// What the vault made of [`INDEXED`], once it was there for good.
    pub fn vault_at(&self, moment: Moment) -> Option<&str> {
        self.vault.as_ref().filter(|(at, _)| *at <= moment).map(|(_, hash)| hash.as_str())
    }

    /// Whether the book may end at this position after a crash at `moment`: all that was answered
    /// is there, nothing that was not begun, and each append whole.
    #[track_caller]
    pub fn assert_end(&self, end: u64, moment: Moment) {
        let ends = |asked: &Asked<Append, Appended>| asked.answered.map(|(_, answer)| answer.last);
        let known = self.appends.iter().filter(|asked| asked.answer_at(moment).is_some());
        let acknowledged = known.filter_map(ends).max().unwrap_or(0);
        assert!(end >= acknowledged, "acknowledged up to {acknowledged}, the book ends at {end}");
        let begun = self.appends.iter().filter(|asked| asked.begun < moment);
        let possible = begun.filter_map(ends).max().unwrap_or(0);
        assert!(end <= possible, "begun up to {possible}, the book ends at {end}");
        let whole = end == 0 || self.appends.iter().filter_map(ends).any(|last| last == end);
        assert!(whole, "the book ends at {end}, in the midst of an append");
    }

    /// Whether the person may be, and whether they must be erased after a crash at `moment`.
    pub fn erasure_of(&self, person: &str, moment: Moment) -> (bool, bool) {
        let of = || self.erasures.iter().filter(|asked| asked.what == person);
        let may = of().any(|asked| asked.begun < moment);
        (may, of().any(|asked| asked.answer_at(moment).is_some()))
    }
}
