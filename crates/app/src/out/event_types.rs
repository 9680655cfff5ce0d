//! The types of events that one may ask for: the published ones and no others.

use daicho_events::PUBLISHED;

use crate::blame::Blame;

/// No type of event has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no type of event `{0}`: the catalogue of schemas lists them")]
pub struct UnknownType(String);

impl UnknownType {
    /// Whose fault it is: the caller's, who named it.
    pub fn blame(&self) -> Blame {
        Blame::Caller
    }
}

/// Accepts the names of existing types: a filter by any other name would never match.
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
