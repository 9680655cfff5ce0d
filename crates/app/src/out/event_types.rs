//! The types of events that one may ask for: those that are published, and no others.

use daicho_events::PUBLISHED;

use crate::blame::Blame;

/// A name that no type of event has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no type of event `{0}`: the catalogue of schemas lists them")]
pub struct UnknownType(String);

impl UnknownType {
    /// Whose fault it is: the caller's, who named it.
    pub fn blame(&self) -> Blame {
        Blame::Caller
    }
}

/// Lets names of types through that there are: a filter by another would never match.
///
/// # Errors
/// The first name that no type has.
pub fn check_types(names: &[String]) -> Result<(), UnknownType> {
    let published = || PUBLISHED.iter().copied().flatten();
    let is_known = |name: &&String| published().any(|known| known.event_type.name == **name);
    match names.iter().find(|name| !is_known(name)) {
        None => Ok(()),
        Some(name) => Err(UnknownType(name.clone())),
    }
}
