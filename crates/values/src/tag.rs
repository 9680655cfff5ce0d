//! Tags: what an event is about.

use std::fmt;
use std::sync::Arc;

/// What an event is about: a kind and an identity, `order:01J…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(Arc<str>);

impl Tag {
    /// The tag of an identity of a kind.
    pub fn of(kind: &str, identity: impl fmt::Display) -> Self {
        Self(format!("{kind}:{identity}").into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Tag {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What puts tags on an event: identities do, and what is made of them.
pub trait Tagged {
    /// Adds the tags.
    fn tags(&self, tags: &mut Vec<Tag>);
}

impl<T: Tagged> Tagged for Option<T> {
    fn tags(&self, tags: &mut Vec<Tag>) {
        self.iter().for_each(|value| value.tags(tags));
    }
}

impl<T: Tagged> Tagged for Vec<T> {
    fn tags(&self, tags: &mut Vec<Tag>) {
        self.iter().for_each(|value| value.tags(tags));
    }
}
