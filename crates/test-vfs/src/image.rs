//! What a crash leaves behind. A replay follows a trace and keeps, for each file, what was written,
//! what of it is durable, and what the power may still take.

use std::collections::BTreeMap;
use std::sync::Arc;

use fastrand::Rng;

use crate::trace::{Bytes, Inode, Operation, Trace};

/// Bytes that a disk writes whole or not at all.
const SECTOR_BYTES: usize = 512;
/// Ends the name of a write-ahead log.
const WAL: &str = "-wal";
/// Ends the name of its shared index. Connections make it anew, whatever a crash left in it.
const WAL_INDEX: &str = "-shm";
const WAL_INDEX_BYTES: usize = 32 * 1_024;

/// What a crash takes of the writes and names that were not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Loss {
    /// Nothing: the process was killed, the system lives on.
    Nothing,
    /// Everything.
    Unsynced,
    /// Any of them, in any combination.
    Reordered,
    /// Everything after one write, of which some sectors stand.
    Torn,
    /// Of write-ahead logs everything, of other files nothing; removed logs come back.
    StaleWal,
    /// Of write-ahead logs nothing, of other files everything.
    StaleDatabase,
}

impl Loss {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Nothing,
        Self::Unsynced,
        Self::Reordered,
        Self::Torn,
        Self::StaleWal,
        Self::StaleDatabase,
    ];
}

/// The files after a crash.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    files: BTreeMap<Arc<str>, Bytes>,
}

impl Image {
    pub(crate) fn files(&self) -> &BTreeMap<Arc<str>, Bytes> {
        &self.files
    }
}

/// Follows a trace.
#[derive(Debug)]
pub struct Replay<'a> {
    trace: &'a Trace,
    done: usize,
    contents: BTreeMap<Inode, Content>,
    names: Names,
}

#[derive(Debug, Default)]
struct Content {
    bytes: Bytes,
    /// Operations since the last sync.
    pending: Vec<usize>,
}

#[derive(Debug, Default)]
struct Names {
    written: BTreeMap<Arc<str>, Inode>,
    durable: BTreeMap<Arc<str>, Inode>,
    pending: Vec<usize>,
}

/// Which pending operations stand.
enum Fate {
    All,
    None,
    Some,
    Before(usize),
}

impl Fate {
    fn keeps(&self, operation: usize, chance: &mut Rng) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Some => chance.bool(),
            Self::Before(cut) => operation < *cut,
        }
    }
}

impl<'a> Replay<'a> {
    /// A replay that stands at the beginning of `trace`.
    #[must_use]
    pub fn new(trace: &'a Trace) -> Self {
        let mut replay =
            Self { trace, done: 0, contents: BTreeMap::new(), names: Names::default() };
        for (name, (inode, bytes)) in &trace.start {
            replay.names.written.insert(Arc::clone(name), *inode);
            replay.names.durable.insert(Arc::clone(name), *inode);
            let content = Content { bytes: bytes.clone(), pending: Vec::new() };
            replay.contents.insert(*inode, content);
        }
        replay
    }

    /// Goes on until `operations` of the trace are done; never back.
    ///
    /// # Panics
    /// When that is before where it stands, or beyond the trace.
    pub fn advance_to(&mut self, operations: usize) {
        assert!(operations >= self.done, "a replay goes forward");
        let trace = self.trace;
        let next = trace.operations.get(self.done..operations).expect("within the trace");
        for operation in next {
            self.follow(operation);
            self.done += 1;
        }
    }

    fn follow(&mut self, operation: &Operation) {
        let index = self.done;
        match operation {
            Operation::Create { name, inode } => {
                self.names.written.insert(Arc::clone(name), *inode);
                self.names.pending.push(index);
                self.contents.insert(*inode, Content::default());
            }
            Operation::Write { inode, .. } | Operation::Truncate { inode, .. } => {
                let content = self.contents.entry(*inode).or_default();
                apply(operation, &mut content.bytes.written);
                content.pending.push(index);
            }
            Operation::Sync { inode, with_folder } => {
                let content = self.contents.entry(*inode).or_default();
                for index in content.pending.drain(..) {
                    apply(at(self.trace, index), &mut content.bytes.durable);
                }
                if *with_folder {
                    self.sync_names();
                }
            }
            Operation::FailedSync { inode } => {
                self.contents.entry(*inode).or_default().pending.clear();
            }
            Operation::Remove { name, with_folder } => {
                self.names.written.remove(name);
                self.names.pending.push(index);
                if *with_folder {
                    self.sync_names();
                }
            }
        }
    }

    fn sync_names(&mut self) {
        self.names.durable.clone_from(&self.names.written);
        self.names.pending.clear();
    }

    /// What a crash now may leave; `chance` chooses where there is a choice.
    pub fn image(&self, loss: Loss, chance: &mut Rng) -> Image {
        let torn = if loss == Loss::Torn { self.any_pending(chance) } else { None };
        let mut image = Image::default();
        for (name, inode) in self.names_left(loss, torn, chance) {
            if let Some(content) = self.contents.get(&inode) {
                let fate = fate(loss, torn, name.ends_with(WAL));
                let bytes = self.content_left(content, &fate, torn, chance);
                image.files.insert(name, bytes);
            }
        }
        self.add_old_indexes(&mut image, chance);
        image
    }

    /// The names that stand.
    fn names_left(
        &self,
        loss: Loss,
        torn: Option<usize>,
        chance: &mut Rng,
    ) -> BTreeMap<Arc<str>, Inode> {
        let mut names = self.names.durable.clone();
        for &index in &self.names.pending {
            let mut stands =
                |name: &str| fate(loss, torn, name.ends_with(WAL)).keeps(index, chance);
            match at(self.trace, index) {
                Operation::Create { name, inode } if stands(name) => {
                    names.insert(Arc::clone(name), *inode);
                }
                Operation::Remove { name, .. } if stands(name) => {
                    names.remove(name);
                }
                Operation::Create { .. }
                | Operation::Remove { .. }
                | Operation::Write { .. }
                | Operation::Truncate { .. }
                | Operation::Sync { .. }
                | Operation::FailedSync { .. } => {}
            }
        }
        names
    }

    fn content_left(
        &self,
        content: &Content,
        fate: &Fate,
        torn: Option<usize>,
        chance: &mut Rng,
    ) -> Bytes {
        let mut bytes = content.bytes.durable.clone();
        for &index in &content.pending {
            if fate.keeps(index, chance) {
                apply(at(self.trace, index), &mut bytes);
            } else if torn == Some(index) {
                tear(at(self.trace, index), &mut bytes, chance);
            }
        }
        // The system lives on: what no sync can make durable any more is read all the same.
        let lives_on = matches!(fate, Fate::All);
        let written = if lives_on { content.bytes.written.clone() } else { bytes.clone() };
        Bytes { written, durable: bytes }
    }

    /// One of the writes that the power may take.
    fn any_pending(&self, chance: &mut Rng) -> Option<usize> {
        let pending: Vec<usize> =
            self.contents.values().flat_map(|content| content.pending.iter().copied()).collect();
        chance.choice(pending)
    }

    /// An index of a write-ahead log as an earlier life left it: nobody may believe it.
    fn add_old_indexes(&self, image: &mut Image, chance: &mut Rng) {
        let logs: Vec<Arc<str>> =
            image.files.keys().filter(|name| name.ends_with(WAL)).cloned().collect();
        for log in logs {
            let mut bytes = vec![0; WAL_INDEX_BYTES];
            chance.fill(&mut bytes);
            let database = log.trim_end_matches(WAL);
            let bytes = Bytes { written: bytes.clone(), durable: bytes };
            image.files.insert(format!("{database}{WAL_INDEX}").into(), bytes);
        }
    }
}

fn at(trace: &Trace, index: usize) -> &Operation {
    trace.operations.get(index).expect("a pending operation is one of the trace")
}

fn fate(loss: Loss, torn: Option<usize>, is_log: bool) -> Fate {
    match loss {
        Loss::Nothing => Fate::All,
        Loss::Unsynced => Fate::None,
        Loss::Reordered => Fate::Some,
        Loss::Torn => torn.map_or(Fate::None, Fate::Before),
        Loss::StaleWal => {
            if is_log {
                Fate::None
            } else {
                Fate::All
            }
        }
        Loss::StaleDatabase => {
            if is_log {
                Fate::All
            } else {
                Fate::None
            }
        }
    }
}

fn apply(operation: &Operation, bytes: &mut Vec<u8>) {
    match operation {
        Operation::Write { offset, bytes: new, .. } => put(bytes, *offset, new),
        Operation::Truncate { length, .. } => bytes.resize(*length, 0),
        Operation::Create { .. }
        | Operation::Sync { .. }
        | Operation::FailedSync { .. }
        | Operation::Remove { .. } => {}
    }
}

fn put(bytes: &mut Vec<u8>, offset: usize, new: &[u8]) {
    let end = offset + new.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes.get_mut(offset..end).expect("just made so long").copy_from_slice(new);
}

/// Some sectors of a write stand, others do not; the file may be longer all the same.
fn tear(operation: &Operation, bytes: &mut Vec<u8>, chance: &mut Rng) {
    let Operation::Write { offset, bytes: new, .. } = operation else { return };
    let (mut from, end) = (*offset, offset + new.len());
    while from < end {
        let sector_end = end.min((from / SECTOR_BYTES + 1) * SECTOR_BYTES);
        if chance.bool() {
            let piece = new.get(from - offset..sector_end - offset).expect("a piece of the write");
            put(bytes, from, piece);
        }
        from = sector_end;
    }
}

#[cfg(test)]
mod tests;
