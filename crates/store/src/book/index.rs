//! Finding events in memory by key: for each key hash a chain of events, newest first.
//! A batch uses it for its own events, a segment of the tail for its block.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use crate::keys::HashedItem;
use crate::prepared::{Facets, RequestRecord};

/// Keys of an event for which room is made at once; more grow it.
const KEYS_EXPECTED: usize = 4;

/// Events in order, and for each key those that carry it. Events are named by their place, from 0.
#[derive(Default)]
pub(crate) struct KeyIndex {
    events: Vec<Arc<Facets>>,
    links: Vec<Link>,
    chains: HashMap<u64, Chain, BuildHasherDefault<AlreadyHashed>>,
}

#[derive(Clone, Copy)]
struct Chain {
    newest: usize,
    length: usize,
}

struct Link {
    event: usize,
    older: Option<usize>,
}

/// Keys come hashed already.
#[derive(Default)]
struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

impl KeyIndex {
    /// Room for so many events.
    pub(crate) fn with_capacity(events: usize) -> Self {
        let keys = events * KEYS_EXPECTED;
        Self {
            events: Vec::with_capacity(events),
            links: Vec::with_capacity(keys),
            chains: HashMap::with_capacity_and_hasher(keys, BuildHasherDefault::default()),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    pub(crate) fn push(&mut self, facets: Arc<Facets>) {
        let event = self.events.len();
        for hash in &facets.key_hashes {
            let link = self.links.len();
            let chain = self.chains.entry(*hash);
            let chain = chain.and_modify(|chain| chain.length += 1);
            let chain = chain.or_insert(Chain { newest: usize::MAX, length: 1 });
            let older = (chain.newest != usize::MAX).then_some(chain.newest);
            chain.newest = link;
            self.links.push(Link { event, older });
        }
        self.events.push(facets);
    }

    pub(crate) fn facets(&self, event: usize) -> Option<&Arc<Facets>> {
        self.events.get(event)
    }

    /// Places of matching events below `below`, newest first.
    pub(crate) fn newest_first<'a>(
        &'a self,
        item: &'a HashedItem,
        below: usize,
    ) -> impl Iterator<Item = usize> + 'a {
        self.candidates(item, below)
            .filter(move |event| self.facets(*event).is_some_and(|facets| facets.matches(item)))
    }

    fn candidates(
        &self,
        item: &HashedItem,
        below: usize,
    ) -> Box<dyn Iterator<Item = usize> + Send + '_> {
        if item.tags.is_empty() {
            return Box::new((0..below.min(self.events.len())).rev());
        }
        let chains = item.tags.iter().map(|hash| self.chains.get(hash));
        // A tag without a chain is on no event; else the shortest chain is followed.
        match chains.collect::<Option<Vec<_>>>() {
            Some(chains) => match chains.into_iter().min_by_key(|chain| chain.length) {
                Some(chain) => Box::new(self.follow(*chain, below)),
                None => Box::new(std::iter::empty()),
            },
            None => Box::new(std::iter::empty()),
        }
    }

    fn follow(&self, chain: Chain, below: usize) -> impl Iterator<Item = usize> + Send + '_ {
        let mut at = Some(chain.newest);
        std::iter::from_fn(move || {
            let link = self.links.get(at?)?;
            at = link.older;
            Some(link.event)
        })
        .skip_while(move |event| *event >= below)
    }

    /// The event below `below` that carries the request of this id, and what it says of it.
    pub(crate) fn request(
        &self,
        wanted: &RequestRecord,
        below: usize,
    ) -> Option<(usize, &RequestRecord)> {
        let chain = self.chains.get(&wanted.key)?;
        self.follow(*chain, below).find_map(|event| {
            assert!(event < below, "a chain leads from newer events to older ones");
            let request = self.facets(event)?.request.as_deref()?;
            (request.id == wanted.id).then_some((event, request))
        })
    }
}
