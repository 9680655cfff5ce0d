//! The naive model: what a log must answer, told from a plain list of what was appended. It shares
//! no code with any store, the one in memory included.

use daicho_store::{Append, AppendError, Appended, Page, Query, ReadError, Request, Stored};
use sha2::{Digest as _, Sha256};

/// What matters of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    Stands { first: u64, last: u64, repeated: bool },
    Conflict(u64),
    Reused(u64),
    Refused,
    Page { positions: Vec<u64>, scanned_to: u64 },
    Last(Option<u64>),
    Answered(Option<(u64, u64)>),
    Failed(String),
}

struct Row {
    type_name: String,
    tags: Vec<String>,
}

/// Everything that was appended, in order.
#[derive(Default)]
pub struct Naive {
    rows: Vec<Row>,
    requests: Vec<(Request, u64, u64)>,
}

impl Naive {
    pub fn head(&self) -> u64 {
        self.rows.len() as u64
    }

    fn matching(&self, query: &Query, after: u64, until: u64) -> Vec<u64> {
        let matches = |row: &Row| {
            query.items.iter().any(|item| {
                (item.types.is_empty() || item.types.contains(&row.type_name))
                    && item.tags.iter().all(|tag| row.tags.contains(tag))
            })
        };
        let until = if until == 0 { self.head() } else { until };
        let rows = (1..).zip(&self.rows).filter(|(at, _)| *at > after && *at <= until);
        rows.filter(|(_, row)| matches(row)).map(|(at, _)| at).collect()
    }

    pub fn append(&mut self, append: &Append) -> Said {
        if let Some(request) = &append.request {
            let found = self.find(request);
            if let Said::Answered(Some((first, last))) = found {
                return Said::Stands { first, last, repeated: true };
            }
            if found != Said::Answered(None) {
                return found;
            }
        }
        if let Some(condition) = &append.condition {
            if condition.after > self.head() {
                return Said::Refused;
            }
            if let Some(at) = self.matching(&condition.query, condition.after, 0).last() {
                return Said::Conflict(*at);
            }
        }
        let first = self.head() + 1;
        if append.events.iter().filter_map(|event| event.cause).any(|at| at == 0 || at >= first) {
            return Said::Refused;
        }
        for event in &append.events {
            self.rows.push(Row { type_name: event.type_name.clone(), tags: event.tags.clone() });
        }
        let last = self.head();
        self.requests.extend(append.request.clone().map(|request| (request, first, last)));
        Said::Stands { first, last, repeated: false }
    }

    pub fn find(&self, request: &Request) -> Said {
        let found = self.requests.iter().find(|(known, ..)| known.id == request.id);
        match found {
            None => Said::Answered(None),
            Some((known, first, last)) if known == request => Said::Answered(Some((*first, *last))),
            Some((_, first, _)) => Said::Reused(*first),
        }
    }

    pub fn read(&self, query: &Query, after: u64, until: u64, limit: usize) -> Said {
        let mut positions = self.matching(query, after, until);
        let until = if until == 0 { self.head() } else { until.min(self.head()) };
        positions.truncate(limit);
        let scanned_to = match positions.last() {
            Some(last) if positions.len() == limit => *last,
            _ => until.max(after),
        };
        Said::Page { positions, scanned_to }
    }

    pub fn last(&self, query: &Query, until: u64) -> Said {
        Said::Last(self.matching(query, 0, until).last().copied())
    }

    /// Whether `events`, as a store gives them back, are these, and hash to `root` by the
    /// definition of RFC 6962, 2.1.
    pub fn is_whole(&self, events: &[Stored], root: [u8; 32]) -> bool {
        let same = |(row, event): (&Row, &Stored)| {
            let envelope = daicho_store::Envelope::parse(&event.envelope).unwrap();
            envelope.type_name == row.type_name && envelope.tags == row.tags
        };
        let leaf = |event: &Stored| hash(&[&[0], event.envelope.as_bytes()]);
        let leaves: Vec<[u8; 32]> = events.iter().map(leaf).collect();
        events.len() == self.rows.len()
            && self.rows.iter().zip(events).all(same)
            && tree(&leaves) == root
    }
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().into()
}

fn tree(leaves: &[[u8; 32]]) -> [u8; 32] {
    match leaves {
        [] => hash(&[]),
        [leaf] => *leaf,
        leaves => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            hash(&[&[1], &tree(left), &tree(right)])
        }
    }
}

pub fn of_append(answer: &Result<Appended, AppendError>) -> Said {
    match answer {
        Ok(at) => Said::Stands { first: at.first, last: at.last, repeated: at.repeated() },
        Err(AppendError::Conflict { position }) => Said::Conflict(*position),
        Err(AppendError::RequestReused { position, .. }) => Said::Reused(*position),
        Err(AppendError::Refused(_)) => Said::Refused,
        Err(error) => Said::Failed(format!("{error:?}")),
    }
}

pub fn of_answered(answer: Result<Option<Appended>, AppendError>) -> Said {
    match answer {
        Ok(found) => Said::Answered(found.map(|at| (at.first, at.last))),
        Err(error) => of_append(&Err(error)),
    }
}

pub fn of_page(answer: &Result<Page, ReadError>) -> Said {
    match answer {
        Ok(page) => Said::Page {
            positions: page.events.iter().map(|event| event.position).collect(),
            scanned_to: page.scanned_to,
        },
        Err(error) => Said::Failed(format!("{error:?}")),
    }
}

pub fn of_last(answer: &Result<Option<Stored>, ReadError>) -> Said {
    match answer {
        Ok(found) => Said::Last(found.as_ref().map(|event| event.position)),
        Err(error) => Said::Failed(format!("{error:?}")),
    }
}
