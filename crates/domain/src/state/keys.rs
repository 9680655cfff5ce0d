//! The state of the keys of the API.

use std::collections::BTreeMap;

use daicho_events::access::{ACCESS, AccessEvent, KeyCreated};
use daicho_events::{Event, Query, Recorded};
use daicho_values::{Date, KeyId, Tag, Timestamp};

use super::Fold;

/// A key that was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// What was recorded of it when it was created.
    pub created: KeyCreated,
    /// When.
    pub created_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl Key {
    /// Whether it is valid on a day of the shop.
    #[must_use]
    pub fn is_in_force_on(&self, day: Date) -> bool {
        self.revoked_at.is_none() && self.created.expires_on.is_none_or(|last| day <= last)
    }
}

/// What is known of keys.
#[derive(Debug, Default)]
pub struct Keys(BTreeMap<KeyId, Key>);

impl Keys {
    /// What must be read to know one key.
    pub fn query(key: KeyId) -> Query {
        Self::about(key.tag())
    }

    /// What must be read to know all.
    pub fn all_query() -> Query {
        Self::about(Tag::from(ACCESS))
    }

    /// The key of that id.
    pub fn get(&self, key: KeyId) -> Option<&Key> {
        self.0.get(&key)
    }

    /// Every key, in the order of creation.
    pub fn into_all(self) -> impl Iterator<Item = Key> {
        self.0.into_values()
    }
}

impl Fold for Keys {
    const READS: &'static [&'static [&'static str]] = &[AccessEvent::STORED];

    fn apply(&mut self, recorded: &Recorded) {
        let Event::Access(event) = &recorded.event else { return };
        let at = recorded.header.recorded_at;
        match event {
            AccessEvent::KeyCreated(event) => {
                let key = Key { created: event.clone(), created_at: at, revoked_at: None };
                self.0.insert(event.key, key);
            }
            AccessEvent::KeyRevoked(event) => {
                if let Some(key) = self.0.get_mut(&event.key) {
                    key.revoked_at = Some(at);
                }
            }
        }
    }
}
