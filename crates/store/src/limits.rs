//! The rules of form: every limit of the log, checked before anything is queued.
//! Each refusal names the thing, the rule and the way out.

use crate::clock;
use crate::envelope::Unplaced;
use crate::log::{
    APPEND_BYTES_MAX, APPEND_EVENTS_MAX, Append, DATA_BYTES_MAX, ENVELOPE_BYTES_MAX,
    NAME_BYTES_MAX, NewEvent, QUERY_ITEMS_MAX, QUERY_TYPES_MAX, Query, READ_EVENTS_MAX,
    REQUEST_KEY_PREFIX, Request, TAGS_MAX,
};

/// Checks everything of an append except its envelopes: [`check_envelope`] checks those once they
/// are written.
pub(crate) fn check_append(append: &Append) -> Result<(), String> {
    let events = append.events.len();
    if events == 0 {
        return Err("the append holds no event: hand in at least one".into());
    }
    if events > APPEND_EVENTS_MAX {
        return Err(format!(
            "the append holds {events} events, at most {APPEND_EVENTS_MAX} are allowed: split it"
        ));
    }
    for (at, event) in append.events.iter().enumerate() {
        check_event(event).map_err(|reason| format!("event {} of the append: {reason}", at + 1))?;
    }
    let bytes: usize = append.events.iter().map(|event| event.data.len()).sum();
    if bytes > APPEND_BYTES_MAX {
        return Err(format!(
            "the append holds {bytes} bytes of data, at most {APPEND_BYTES_MAX} are allowed: \
             split it"
        ));
    }
    if let Some(condition) = &append.condition {
        check_query(&condition.query)?;
    }
    if let Some(request) = &append.request {
        check_request(request)?;
    }
    Ok(())
}

/// Checks what names a request.
pub(crate) fn check_request(request: &Request) -> Result<(), String> {
    check_name("the request id", &request.id)?;
    check_name("the request hash", &request.hash)
}

fn check_event(event: &NewEvent) -> Result<(), String> {
    check_name("the type", &event.type_name)?;
    check_name("the actor", &event.actor)?;
    if let Some(on_behalf_of) = &event.on_behalf_of {
        check_name("the one on whose behalf it is", on_behalf_of)?;
    }
    if event.version == 0 {
        return Err("the version is 0: versions count from 1".into());
    }
    if clock::parse_day(&event.effective_on).is_none() {
        return Err(format!(
            "effective_on is {:?}: give a day of the calendar as YYYY-MM-DD",
            event.effective_on
        ));
    }
    check_tags(&event.tags)?;
    check_data(event)
}

fn check_data(event: &NewEvent) -> Result<(), String> {
    let bytes = event.data.len();
    if bytes == 0 {
        return Err("the data is empty: hand in a JSON text".into());
    }
    if bytes > DATA_BYTES_MAX {
        return Err(format!(
            "the data has {bytes} bytes, at most {DATA_BYTES_MAX} are allowed: \
             keep what is larger as a blob and name its hash"
        ));
    }
    if NewEvent::hash_data(&event.data) != event.data_sha256 {
        return Err("data_sha256 is not the hash of the data: use NewEvent::hash_data".into());
    }
    Ok(())
}

fn check_tags(tags: &[String]) -> Result<(), String> {
    if tags.len() > TAGS_MAX {
        return Err(format!(
            "there are {} tags, at most {TAGS_MAX} are allowed: split the event",
            tags.len()
        ));
    }
    for (at, tag) in tags.iter().enumerate() {
        check_tag(tag)?;
        // At most 32 tags: looking back costs less than a set.
        if tags.iter().take(at).any(|before| before == tag) {
            return Err(format!("the tag {tag} stands twice: name it once"));
        }
    }
    Ok(())
}

fn check_tag(tag: &str) -> Result<(), String> {
    check_name("a tag", tag)?;
    if tag.starts_with(REQUEST_KEY_PREFIX) {
        return Err(format!(
            "the tag {tag} begins with {REQUEST_KEY_PREFIX}, which is the log's own: \
             choose another prefix"
        ));
    }
    Ok(())
}

fn check_name(what: &str, name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err(format!("{what} is empty: name it"));
    }
    if name.len() > NAME_BYTES_MAX {
        return Err(format!(
            "{what} has {} bytes, at most {NAME_BYTES_MAX} are allowed: shorten it",
            name.len()
        ));
    }
    if holds_control(name) {
        return Err(format!("{what} holds a control character: remove it"));
    }
    Ok(())
}

/// Most names are ASCII, where a byte is a character.
fn holds_control(name: &str) -> bool {
    match name.is_ascii() {
        true => name.bytes().any(|byte| byte.is_ascii_control()),
        false => name.chars().any(char::is_control),
    }
}

/// Checks the name of the program that every envelope carries.
pub(crate) fn check_software(software: &str) -> Result<(), String> {
    check_name("the software's name", software)
}

/// Checks the written envelope against its limit, whatever position it will get.
pub(crate) fn check_envelope(envelope: &Unplaced) -> Result<(), String> {
    let bytes = envelope.bytes_max();
    if bytes > ENVELOPE_BYTES_MAX {
        return Err(format!(
            "the envelope may take {bytes} bytes, at most {ENVELOPE_BYTES_MAX} are allowed: \
             use fewer or shorter tags"
        ));
    }
    Ok(())
}

/// Checks the form of a query.
pub(crate) fn check_query(query: &Query) -> Result<(), String> {
    if query.items.len() > QUERY_ITEMS_MAX {
        return Err(format!(
            "the query has {} items, at most {QUERY_ITEMS_MAX} are allowed: ask in several",
            query.items.len()
        ));
    }
    for item in &query.items {
        if item.types.len() > QUERY_TYPES_MAX {
            return Err(format!(
                "a query item names {} types, at most {QUERY_TYPES_MAX} are allowed: \
                 use several items",
                item.types.len()
            ));
        }
        if item.tags.len() > TAGS_MAX {
            return Err(format!(
                "a query item names {} tags, an event carries at most {TAGS_MAX}: \
                 leave out what cannot match",
                item.tags.len()
            ));
        }
        item.types.iter().try_for_each(|name| check_name("a type of the query", name))?;
        item.tags.iter().try_for_each(|tag| check_tag(tag))?;
    }
    Ok(())
}

/// Checks how many events a read asks for.
pub(crate) fn check_limit(limit: usize) -> Result<(), String> {
    if limit == 0 || limit > READ_EVENTS_MAX {
        return Err(format!(
            "the read asks for {limit} events, from 1 to {READ_EVENTS_MAX} are allowed: \
             read page by page"
        ));
    }
    Ok(())
}

/// Checks that a condition does not claim to know what is not recorded.
pub(crate) fn check_known(after: u64, head: u64) -> Result<(), String> {
    if after > head {
        return Err(format!(
            "the condition knows position {after}, but the book ends at {head}: \
             it comes from another book or from a later copy of this one"
        ));
    }
    Ok(())
}

/// Checks that a cause stands before its effect.
pub(crate) fn check_cause(cause: Option<u64>, position: u64) -> Result<(), String> {
    match cause {
        Some(cause) if cause == 0 || cause >= position => Err(format!(
            "the cause is position {cause}, but the event would stand at {position}: \
             name an event that is recorded"
        )),
        Some(_) | None => Ok(()),
    }
}
