//! Reading the record itself, row after row: each one that is read is checked, and all must be
//! there. Nothing derived is asked.

use crate::limits;
use crate::log::{PAGE_BYTES_MAX, ReadError, Stored};

use super::database::RecordDb;
use super::rows::{CHUNK_ROWS_MAX, Checked};

/// Calls `each` with every row in (after, until], which must all be there.
pub(crate) async fn for_each_row(
    record: &dyn RecordDb,
    after: u64,
    until: u64,
    mut each: impl FnMut(Checked<'_>) -> Result<(), ReadError> + Send,
) -> Result<(), ReadError> {
    assert!(after <= until, "a stretch of rows does not end before it begins");
    let mut done = after;
    while done < until {
        let end = until.min(done + CHUNK_ROWS_MAX);
        let chunk = record.range(done, end, CHUNK_ROWS_MAX).await?;
        for row in chunk.rows(done + 1..=end) {
            each(row?)?;
        }
        done = end;
    }
    Ok(())
}

/// Every event in (after, until] (0: the end), from the record itself.
pub(crate) async fn scan(
    record: &dyn RecordDb,
    after: u64,
    until: u64,
    limit: usize,
) -> Result<Vec<Stored>, ReadError> {
    limits::check_limit(limit).map_err(ReadError::Refused)?;
    let head = record.head().await?.position();
    let until = if until == 0 { head } else { until.min(head) };
    let mut page = PageDraft::new(after, limit);
    read_rows(record, after, until, &mut page).await?;
    assert!(page.scanned_to <= until.max(after), "a page ends where it was asked to");
    Ok(page.events)
}

/// Every row in (after, until].
pub(super) async fn read_rows(
    record: &dyn RecordDb,
    after: u64,
    until: u64,
    page: &mut PageDraft,
) -> Result<(), ReadError> {
    let mut done = after;
    while done < until && !page.is_full() {
        let wanted = u64::try_from(page.room()).unwrap_or(u64::MAX).min(CHUNK_ROWS_MAX);
        let end = until.min(done + wanted);
        let chunk = record.range(done, end, wanted).await?;
        for row in chunk.rows(done + 1..=end) {
            page.push(row?.stored());
            if page.is_full() {
                return Ok(());
            }
        }
        done = end;
    }
    assert!(page.scanned_to <= done, "a page never goes back");
    page.scanned_to = done;
    Ok(())
}

/// A page while it fills.
pub(super) struct PageDraft {
    pub(super) events: Vec<Stored>,
    bytes: usize,
    limit: usize,
    pub(super) scanned_to: u64,
}

impl PageDraft {
    /// An empty page behind `after`, for at most `limit` events.
    pub(super) fn new(after: u64, limit: usize) -> Self {
        Self { events: Vec::new(), bytes: 0, limit, scanned_to: after }
    }

    /// How many events it still takes.
    pub(super) fn room(&self) -> usize {
        self.limit - self.events.len()
    }

    /// Whether it takes no further event.
    pub(super) fn is_full(&self) -> bool {
        self.room() == 0 || self.bytes >= PAGE_BYTES_MAX
    }

    /// Adds the next event; the page ends there for now.
    pub(super) fn push(&mut self, event: Stored) {
        assert!(event.position > self.scanned_to, "a page is in order of position");
        assert!(!self.is_full(), "a page keeps its limit");
        self.bytes += event.envelope.len() + event.data.len();
        self.scanned_to = event.position;
        self.events.push(event);
    }
}
