//! Reading by query. One snapshot of the tail is taken first; the sealed index is asked for what
//! lies below it. What the index finds is a candidate: the envelope decides.

use crate::error::StorageError;
use crate::keys::{HashedItem, HashedQuery};
use crate::limits;
use crate::log::{AppendError, Appended, Page, Query, QueryItem, ReadError, Stored};
use crate::memory::repeated;
use crate::prepared::{HashedCondition, Prepared, RequestRecord};

use super::core::Core;
use super::rows::Checked;
use super::scan::{PageDraft, read_rows};
use super::tail::Snapshot;

/// Candidates asked for at once, looking from the newest down: mostly the first one is it.
const NEWEST_CANDIDATES: usize = 8;
/// Candidates of one query item asked for at once; not more than rows come as one value.
const CANDIDATES_MAX: usize = 512;

/// What a caller found before it queues.
pub(crate) enum Looked {
    /// Nothing stands against the append up to this position.
    FreeTo(u64),
    /// The request is recorded: its first answer.
    Recorded(Appended),
}

impl Core {
    pub(crate) async fn read(
        &self,
        query: &Query,
        after: u64,
        until: u64,
        limit: usize,
    ) -> Result<Page, ReadError> {
        limits::check_query(query).map_err(ReadError::Refused)?;
        limits::check_limit(limit).map_err(ReadError::Refused)?;
        let query = &HashedQuery::from(query.clone());
        let (tail, until) = self.snapshot_for(until).await?;
        let mut page = PageDraft::new(after, limit);
        let sealed_to = until.min(tail.start - 1);
        if after < sealed_to {
            self.check_whole(tail.start)?;
            if query.is_everything() {
                read_rows(self.record.as_ref(), after, sealed_to, &mut page).await?;
            } else {
                self.read_sealed(query, after, sealed_to, &mut page).await?;
            }
        }
        if page.scanned_to < until && !page.is_full() {
            self.read_tail(query, &tail, until, &mut page).await?;
        }
        assert!(page.scanned_to >= after, "a page never ends before it begins");
        assert!(page.scanned_to <= until.max(after), "a page ends where it was asked to");
        Ok(Page { events: page.events, scanned_to: page.scanned_to })
    }

    pub(crate) async fn last(
        &self,
        query: &Query,
        until: u64,
    ) -> Result<Option<Stored>, ReadError> {
        limits::check_query(query).map_err(ReadError::Refused)?;
        let query = &HashedQuery::from(query.clone());
        let (tail, until) = self.snapshot_for(until).await?;
        if let Some(position) = tail.newest(query, 0, until) {
            assert!(position <= until, "the last match is not beyond the end of the read");
            let mut page = PageDraft::new(position - 1, 1);
            self.read_tail(query, &tail, position, &mut page).await?;
            return Ok(page.events.pop());
        }
        let sealed_to = until.min(tail.start - 1);
        self.check_whole(tail.start)?;
        match self.newest_sealed(query, 0, sealed_to).await? {
            None => Ok(None),
            Some(position) => {
                let mut page = PageDraft::new(position - 1, 1);
                read_rows(self.record.as_ref(), position - 1, position, &mut page).await?;
                Ok(page.events.pop())
            }
        }
    }

    /// A snapshot that reaches `until` (0: the committed head), and where the read ends.
    async fn snapshot_for(&self, until: u64) -> Result<(Snapshot, u64), ReadError> {
        let tail = self.tail.snapshot();
        if until > 0 && until <= tail.end {
            return Ok((tail, until));
        }
        let head = self.refresh().await?.position();
        let until = if until == 0 { head } else { until.min(head) };
        let tail = self.tail.snapshot();
        assert!(tail.end >= until, "the snapshot reaches the end of the read");
        Ok((tail, until))
    }

    async fn read_sealed(
        &self,
        query: &HashedQuery,
        after: u64,
        until: u64,
        page: &mut PageDraft,
    ) -> Result<(), ReadError> {
        let mut done = after;
        while done < until {
            let (positions, complete_to) =
                self.candidates(query, done, until, page.room().min(CANDIDATES_MAX)).await?;
            for positions in positions.chunks(CANDIDATES_MAX) {
                let chunk = self.record.positions(positions).await?;
                for row in chunk.rows(positions.iter().copied()) {
                    let row = row?;
                    if row_matches(&row, query) {
                        page.push(row.stored());
                    }
                    if page.is_full() {
                        return Ok(());
                    }
                }
            }
            assert!(complete_to <= until, "candidates end where they were asked to");
            done = complete_to;
            page.scanned_to = done;
        }
        Ok(())
    }

    /// Candidates of all items in (after, until], ascending, and how far they are complete.
    async fn candidates(
        &self,
        query: &HashedQuery,
        after: u64,
        until: u64,
        limit: usize,
    ) -> Result<(Vec<u64>, u64), StorageError> {
        let mut all = Vec::new();
        let mut complete_to = until;
        for item in &query.items {
            let found = self.derived.candidates(item, after, complete_to, limit).await?;
            if found.len() >= limit {
                complete_to = found.last().map_or(complete_to, |last| complete_to.min(*last));
            }
            all.extend(found);
        }
        all.retain(|position| *position <= complete_to);
        all.sort_unstable();
        all.dedup();
        assert!(complete_to > after, "each round of a read gets further");
        Ok((all, complete_to))
    }

    async fn read_tail(
        &self,
        query: &HashedQuery,
        tail: &Snapshot,
        until: u64,
        page: &mut PageDraft,
    ) -> Result<(), ReadError> {
        for (position, event) in tail.matching(query, page.scanned_to, until, page.room()) {
            match event.stored(position) {
                Some(stored) => page.push(stored),
                // The tail held too much to keep its data.
                None => read_rows(self.record.as_ref(), position - 1, position, page).await?,
            }
            if page.is_full() {
                return Ok(());
            }
        }
        assert!(page.scanned_to <= until, "a page never goes back");
        page.scanned_to = until;
        Ok(())
    }

    /// The newest match in (after, until], all of which is sealed.
    async fn newest_sealed(
        &self,
        query: &HashedQuery,
        after: u64,
        until: u64,
    ) -> Result<Option<u64>, ReadError> {
        let mut newest = None;
        for item in &query.items {
            let above = newest.unwrap_or(after);
            newest = self.newest_sealed_of(item, above, until).await?.or(newest);
        }
        assert!(newest.is_none_or(|at| at > after && at <= until), "a match is where it was asked");
        Ok(newest)
    }

    async fn newest_sealed_of(
        &self,
        item: &HashedItem,
        after: u64,
        until: u64,
    ) -> Result<Option<u64>, ReadError> {
        if item.item.is_everything() {
            return Ok((until > after).then_some(until));
        }
        let mut until = until;
        while until > after {
            let mut found = self.derived.last_candidates(item, until, NEWEST_CANDIDATES).await?;
            let was_all = found.len() < NEWEST_CANDIDATES;
            let lowest = found.last().copied().unwrap_or(0);
            found.retain(|position| *position > after);
            found.reverse();
            let chunk = self.record.positions(&found).await?;
            let mut newest = None;
            for row in chunk.rows(found.iter().copied()) {
                let row = row?;
                if item.item.matches(&row.envelope.type_name, &row.envelope.tags) {
                    newest = Some(row.position);
                }
            }
            if newest.is_some() || was_all {
                return Ok(newest);
            }
            assert!((1..=until).contains(&lowest), "each round of a lookup gets further down");
            until = lowest - 1;
        }
        Ok(None)
    }

    /// Everything about an append that can be known before it queues, so that the writer only has
    /// to look at what was recorded since.
    pub(crate) async fn look(&self, prepared: &Prepared) -> Result<Looked, AppendError> {
        let condition = prepared.condition.as_ref();
        if condition.is_some_and(|condition| condition.after > self.tail.end()) {
            self.refresh().await?;
        }
        let tail = self.tail.snapshot();
        if let Some(request) = &prepared.request {
            if let Some((first, found)) = tail.request(request, 0) {
                return repeated(request, &found, first).map(Looked::Recorded);
            }
            if let Some(answer) = self.sealed_request(Some(request), tail.start).await? {
                return Ok(Looked::Recorded(answer));
            }
        }
        if let Some(condition) = condition {
            limits::check_known(condition.after, tail.end).map_err(AppendError::Refused)?;
            let newest = tail.newest(&condition.query, condition.after, tail.end);
            if let Some(position) = newest {
                return Err(AppendError::Conflict { position });
            }
        }
        self.sealed_condition(condition, tail.start).await?;
        Ok(Looked::FreeTo(tail.end))
    }

    /// The first answer of a request that is recorded anywhere, by whichever process.
    pub(crate) async fn answered(
        &self,
        request: &RequestRecord,
    ) -> Result<Option<Appended>, AppendError> {
        self.refresh().await?;
        let tail = self.tail.snapshot();
        if let Some((first, found)) = tail.request(request, 0) {
            return repeated(request, &found, first).map(Some);
        }
        self.sealed_request(Some(request), tail.start).await
    }

    /// The first answer of a request that is recorded below the tail.
    pub(crate) async fn sealed_request(
        &self,
        request: Option<&RequestRecord>,
        tail_start: u64,
    ) -> Result<Option<Appended>, AppendError> {
        let Some(request) = request else { return Ok(None) };
        self.check_whole(tail_start)?;
        let item = HashedItem { item: QueryItem::default(), tags: vec![request.key] };
        let mut done = 0;
        while done + 1 < tail_start {
            let found =
                self.derived.candidates(&item, done, tail_start - 1, NEWEST_CANDIDATES).await?;
            let chunk = self.record.positions(&found).await.map_err(ReadError::from)?;
            for row in chunk.rows(found.iter().copied()) {
                let row = row?;
                if let Some(answer) = answer_of(&row, request)? {
                    return Ok(Some(answer));
                }
            }
            match found.last() {
                Some(last) if found.len() >= NEWEST_CANDIDATES => {
                    assert!(*last > done, "each round of a lookup gets further");
                    done = *last;
                }
                Some(_) | None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Whether a condition holds below the tail.
    pub(crate) async fn sealed_condition(
        &self,
        condition: Option<&HashedCondition>,
        tail_start: u64,
    ) -> Result<(), AppendError> {
        let Some(condition) = condition else { return Ok(()) };
        if condition.after + 1 >= tail_start {
            return Ok(());
        }
        self.check_whole(tail_start)?;
        let newest = self.newest_sealed(&condition.query, condition.after, tail_start - 1).await?;
        match newest {
            Some(position) => {
                assert!(position < tail_start, "a conflict below the tail is below it");
                Err(AppendError::Conflict { position })
            }
            None => Ok(()),
        }
    }
}

fn row_matches(row: &Checked<'_>, query: &HashedQuery) -> bool {
    query.matches(&row.envelope.type_name, &row.envelope.tags)
}

fn answer_of(row: &Checked<'_>, request: &RequestRecord) -> Result<Option<Appended>, AppendError> {
    let Some(found) = row.envelope.request.as_ref().filter(|found| found.id == request.id) else {
        return Ok(None);
    };
    repeated(request, &RequestRecord::marked(found), row.position).map(Some)
}
