//! What a shop does with its book in one life, chosen by a seed.

use daicho_store::{Append, NewEvent};
use fastrand::Rng;

use crate::support::{With as _, append, event_with, query};

/// People whose data is sealed.
const PEOPLE: [&str; 3] = ["member:1", "member:2", "member:3"];
/// Bytes of data that need several pages of SQLite.
const LONG_BYTES: usize = 9_000;

/// How the write-ahead log of the record is written back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checkpoint {
    Passive,
    Restart,
    Truncate,
}

/// One thing that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// An append, which must stand in the end.
    Append(Append),
    /// An append on an old state: refused.
    AppendLate,
    /// A request that was answered before.
    Repeat,
    /// A personal value.
    Seal {
        person: &'static str,
        text: String,
    },
    /// Nobody may ever open this person's values again.
    Erase {
        person: &'static str,
    },
    /// The list follows the log.
    Fold,
    /// The list is made anew.
    Rebuild,
    Checkpoint(Checkpoint),
    /// Everything is closed and opened again.
    Reopen,
}

/// A life with this many appends, and so many other things between them, each in its turn.
pub fn steps(appends: usize, others: usize, chance: &mut Rng) -> Vec<Step> {
    let mut steps = Vec::new();
    for number in 1..=appends {
        steps.push(Step::Append(new_append(number, chance)));
        let turns = (number - 1) * others / appends..number * others / appends;
        let all = [
            Step::Seal { person: PEOPLE[number % 2], text: format!("Aoyama {number}") },
            Step::Fold,
            Step::AppendLate,
            Step::Checkpoint(Checkpoint::Passive),
            Step::Repeat,
            Step::Rebuild,
            Step::Checkpoint(Checkpoint::Restart),
            Step::Fold,
            Step::Seal { person: PEOPLE[2], text: format!("Meguro {number}") },
            Step::Reopen,
            Step::Fold,
            Step::Checkpoint(Checkpoint::Truncate),
        ];
        steps.extend(turns.map(|turn| all[turn % all.len()].clone()));
    }
    steps.push(Step::Seal { person: PEOPLE[0], text: "Aoyama".into() });
    steps.push(Step::Erase { person: PEOPLE[0] });
    steps
}

fn new_append(number: usize, chance: &mut Rng) -> Append {
    let tag = format!("t:{number}");
    let events = 1..=chance.usize(1..=5);
    let events = events.map(|_| new_event(&tag, chance)).collect();
    append(events).unless(query(&[], &[&tag]), 0).answering(&format!("r{number}"), "h")
}

fn new_event(tag: &str, chance: &mut Rng) -> NewEvent {
    let length = if chance.u8(..) < 30 { LONG_BYTES } else { chance.usize(1..200) };
    let text: String = std::iter::repeat_with(|| chance.alphanumeric()).take(length).collect();
    event_with("a", &[tag, "every:1"], &format!("{{\"text\":\"{text}\"}}"))
}
