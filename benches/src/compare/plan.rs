//! What is measured, in which order: ours and each peer with the same number of writers in turn.

use crate::append::CALLERS;

/// Who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// A workload of [`crate::append::OneWork`].
    Ours(&'static str),
    /// Our rebuild, beside decode-and-fold alone.
    Rebuild,
    /// A peer by its name in `benches/peers`.
    Peer(&'static str),
}

/// One process that measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) who: Who,
    /// Stands in PostgreSQL.
    pub(crate) on_postgres: bool,
    pub(crate) writers: usize,
    pub(crate) batch: usize,
    pub(crate) checked: bool,
}

/// A peer, how many writers it takes, and whether its checked append differs from its fastest.
struct Peer {
    name: &'static str,
    on_postgres: bool,
    writers_max: usize,
    has_checked: bool,
}

const PEERS: [Peer; 8] = [
    peer("cqrs-sqlite", false, 16, true),
    peer("evento-sqlite", false, 16, false),
    peer("evento-fjall", false, 256, false),
    peer("umadb", false, 256, true),
    peer("umadb-core", false, 1, true),
    peer("cqrs-postgres", true, 256, true),
    peer("disintegrate", true, 256, true),
    peer("evento-postgres", true, 256, false),
];
/// Events of a batch of the peers.
const PEER_BATCH: usize = 100;
/// Writers of such batches.
const BATCH_WRITERS: [usize; 2] = [1, 16];
/// Events of a batch of a bulk import.
pub(crate) const BULK_BATCH: usize = 1_000;

const fn peer(
    name: &'static str,
    on_postgres: bool,
    writers_max: usize,
    has_checked: bool,
) -> Peer {
    Peer { name, on_postgres, writers_max, has_checked }
}

impl Job {
    const fn ours(work: &'static str, on_postgres: bool, writers: usize, batch: usize) -> Self {
        Self { who: Who::Ours(work), on_postgres, writers, batch, checked: true }
    }

    /// What it is called where it is chosen or fails.
    pub(crate) fn label(&self) -> String {
        let Self { who, on_postgres, writers, batch, checked } = self;
        let name = match who {
            Who::Ours(work) => format!("ours-{}-{work}", place(*on_postgres)),
            Who::Rebuild => "ours-sqlite-rebuild".to_owned(),
            Who::Peer(name) if *checked => format!("{name}-checked"),
            Who::Peer(name) => (*name).to_owned(),
        };
        format!("{name} {writers} × {batch}")
    }
}

const fn place(on_postgres: bool) -> &'static str {
    if on_postgres { "postgres" } else { "sqlite" }
}

/// Everything, in the order of one round. With slowed syncs only what a sync decides.
pub(crate) fn jobs(slowed: bool) -> Vec<Job> {
    let mut jobs = vec![Job::ours("sync", false, 1, 1)];
    for writers in CALLERS {
        for on_postgres in [false, true] {
            jobs.push(Job::ours("append", on_postgres, writers, 1));
        }
        if writers == 256 {
            jobs.extend([false, true].map(|on| Job::ours("burst", on, writers, 1)));
        }
        for peer in PEERS.iter().filter(|peer| peer.writers_max >= writers) {
            jobs.extend(peer.jobs(writers, 1));
        }
    }
    if !slowed {
        for writers in BATCH_WRITERS {
            let peers = PEERS.iter().filter(|peer| peer.writers_max >= writers);
            jobs.extend(peers.map(|peer| peer.job(writers, PEER_BATCH, false)));
        }
        jobs.push(Job { checked: false, ..Job::ours("bulk", false, 1, BULK_BATCH) });
        let rusqlite = peer("rusqlite", false, 1, true);
        jobs.push(rusqlite.job(1, BULK_BATCH, false));
        jobs.push(Job { who: Who::Rebuild, ..Job::ours("", false, 1, 1) });
    }
    jobs
}

impl Peer {
    fn job(&self, writers: usize, batch: usize, checked: bool) -> Job {
        let Self { name, on_postgres, .. } = *self;
        Job { who: Who::Peer(name), on_postgres, writers, batch, checked }
    }

    /// Its fastest append, and its checked one where that is another.
    fn jobs(&self, writers: usize, batch: usize) -> Vec<Job> {
        let checked = self.has_checked.then(|| self.job(writers, batch, true));
        std::iter::once(self.job(writers, batch, false)).chain(checked).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_is_measured_with_one_writer_and_every_job_has_a_label_of_its_own() {
        let jobs = jobs(false);
        for peer in &PEERS {
            let alone = |job: &&Job| job.who == Who::Peer(peer.name) && job.writers == 1;
            assert!(jobs.iter().any(|job| alone(&job)), "{}", peer.name);
        }
        let mut labels: Vec<String> = jobs.iter().map(Job::label).collect();
        labels.sort_unstable();
        labels.dedup();
        assert_eq!(labels.len(), jobs.len());
    }
}
