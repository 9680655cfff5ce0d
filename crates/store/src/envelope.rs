//! The envelope: the ledger's part of an event, one JSON text with its keys in a fixed order.
//! It is written once, hashed as it stands, and read only in exactly the form that is written.

use std::borrow::Cow;

use crate::clock;
use crate::log::{NewEvent, Request};

/// An envelope that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// 1, 2, 3 …
    pub position: u64,
    /// Stored name of the type, e.g. `order.placed`.
    pub type_name: Cow<'a, str>,
    /// Version of the type's data, from 1.
    pub version: u32,
    /// When the event was recorded, microseconds since the epoch.
    pub recorded_at_us: i64,
    /// Business day from which the event counts, `YYYY-MM-DD`.
    pub effective_on: &'a str,
    /// What the event is about.
    pub tags: Vec<Cow<'a, str>>,
    /// Who acted.
    pub actor: Cow<'a, str>,
    /// On whose behalf.
    pub on_behalf_of: Option<Cow<'a, str>>,
    /// Position of the event that caused this one.
    pub cause: Option<u64>,
    /// The request that the append answered; only the first event of an append carries it.
    pub request: Option<RequestMark<'a>>,
    /// Program and version that wrote it, e.g. `daicho 0.1.0`.
    pub software: Cow<'a, str>,
    /// SHA-256 of the data.
    pub data_sha256: [u8; 32],
}

/// The request that an append answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestMark<'a> {
    /// The caller's id.
    pub id: Cow<'a, str>,
    /// Keyed hash of the plain request.
    pub hash: Cow<'a, str>,
    /// Events of the append.
    pub events: u64,
}

/// Why a text is not an envelope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("byte {at} of the envelope is not as written: {expected} belongs there")]
pub struct EnvelopeError {
    /// Offset into the text.
    pub at: usize,
    /// What must stand there.
    pub expected: &'static str,
}

impl<'a> Envelope<'a> {
    /// Reads an envelope. Only the form that the log writes is accepted: this order of keys, no
    /// blank between them, numbers without leading zeros, nothing escaped that need not be.
    pub fn parse(text: &'a str) -> Result<Self, EnvelopeError> {
        let mut input = Input { text, at: 0 };
        input.literal("{\"position\":")?;
        let position = input.number()?;
        input.literal(",\"type\":")?;
        let type_name = input.string()?;
        input.literal(",\"version\":")?;
        let version = input.small_number()?;
        input.literal(",\"recorded_at\":\"")?;
        let recorded_at_us =
            input.fixed(clock::TEXT_BYTES, "a time of recording", clock::parse_us)?;
        input.literal("\",\"effective_on\":\"")?;
        let effective_on =
            input.fixed(10, "a business day", |text| clock::parse_day(text).map(|_| text))?;
        input.literal("\",\"tags\":[")?;
        let tags = input.strings()?;
        input.literal(",\"actor\":")?;
        let actor = input.string()?;
        let on_behalf_of = match input.take(",\"on_behalf_of\":") {
            true => Some(input.string()?),
            false => None,
        };
        input.literal(",\"cause\":")?;
        let cause = if input.take("null") { None } else { Some(input.number()?) };
        let request = if input.take(",\"request\":") { Some(input.request()?) } else { None };
        input.literal(",\"software\":")?;
        let software = input.string()?;
        input.literal(",\"data_sha256\":\"")?;
        let data_sha256 = input.fixed(64, "a hash in lower case", parse_hash)?;
        input.literal("\"}")?;
        input.end()?;
        Ok(Self {
            position,
            type_name,
            version,
            recorded_at_us,
            effective_on,
            tags,
            actor,
            on_behalf_of,
            cause,
            request,
            software,
            data_sha256,
        })
    }
}

fn parse_hash(text: &str) -> Option<[u8; 32]> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let mut hash = [0; 32];
    hex::decode_to_slice(text, &mut hash).ok().map(|()| hash)
}

/// A text and how far it was read.
struct Input<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Input<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn fail(&self, expected: &'static str) -> EnvelopeError {
        EnvelopeError { at: self.at, expected }
    }

    fn take(&mut self, literal: &str) -> bool {
        let found = self.rest().starts_with(literal);
        if found {
            self.at += literal.len();
        }
        found
    }

    fn literal(&mut self, literal: &'static str) -> Result<(), EnvelopeError> {
        if self.take(literal) { Ok(()) } else { Err(self.fail(literal)) }
    }

    fn end(&self) -> Result<(), EnvelopeError> {
        if self.rest().is_empty() { Ok(()) } else { Err(self.fail("the end")) }
    }

    fn number(&mut self) -> Result<u64, EnvelopeError> {
        let rest = self.rest();
        let length = rest.bytes().take_while(u8::is_ascii_digit).count();
        let digits = rest.get(..length).unwrap_or_default();
        if length > 1 && digits.starts_with('0') {
            return Err(self.fail("a number without leading zeros"));
        }
        let number = digits.parse().map_err(|_| self.fail("a number"))?;
        self.at += length;
        Ok(number)
    }

    fn small_number(&mut self) -> Result<u32, EnvelopeError> {
        let start = self.at;
        let number = self.number()?;
        u32::try_from(number)
            .map_err(|_| EnvelopeError { at: start, expected: "a number below 2^32" })
    }

    fn fixed<T>(
        &mut self,
        length: usize,
        expected: &'static str,
        read: impl FnOnce(&'a str) -> Option<T>,
    ) -> Result<T, EnvelopeError> {
        let piece = self.rest().get(..length).and_then(read);
        let value = piece.ok_or_else(|| self.fail(expected))?;
        self.at += length;
        Ok(value)
    }

    fn string(&mut self) -> Result<Cow<'a, str>, EnvelopeError> {
        self.literal("\"")?;
        let rest = self.rest();
        let mut plain: Option<String> = None;
        let mut copied_to = 0;
        let mut bytes = rest.bytes().enumerate();
        while let Some((at, byte)) = bytes.next() {
            match byte {
                b'"' => {
                    self.at += at + 1;
                    let piece = rest.get(copied_to..at).unwrap_or_default();
                    return Ok(match plain {
                        None => Cow::Borrowed(piece),
                        Some(text) => Cow::Owned(text + piece),
                    });
                }
                b'\\' => {
                    let Some((_, b'"' | b'\\')) = bytes.next() else {
                        self.at += at;
                        return Err(self.fail("an escaped quotation mark or backslash"));
                    };
                    let piece = rest.get(copied_to..at).unwrap_or_default();
                    plain.get_or_insert_default().push_str(piece);
                    copied_to = at + 1;
                }
                0..0x20 => {
                    self.at += at;
                    return Err(self.fail("no control character"));
                }
                _ => {}
            }
        }
        Err(self.fail("a closing quotation mark"))
    }

    fn strings(&mut self) -> Result<Vec<Cow<'a, str>>, EnvelopeError> {
        let mut strings = Vec::new();
        if self.take("]") {
            return Ok(strings);
        }
        loop {
            strings.push(self.string()?);
            if self.take("]") {
                return Ok(strings);
            }
            self.literal(",")?;
        }
    }

    fn request(&mut self) -> Result<RequestMark<'a>, EnvelopeError> {
        self.literal("{\"id\":")?;
        let id = self.string()?;
        self.literal(",\"hash\":")?;
        let hash = self.string()?;
        self.literal(",\"events\":")?;
        let events = self.number()?;
        self.literal("}")?;
        Ok(RequestMark { id, hash, events })
    }
}

/// An envelope without its position and time, written by the caller before the append queues.
#[derive(Debug, Clone)]
pub(crate) struct Unplaced {
    text: String,
    time_at: usize,
}

/// Digits of the longest position.
const POSITION_DIGITS_MAX: usize = 20;
const OPENING: &str = "{\"position\":";

impl Unplaced {
    /// Writes what does not depend on the position. `request` comes with the append's event count.
    pub(crate) fn write(
        event: &NewEvent,
        request: Option<(&Request, usize)>,
        software: &str,
    ) -> Self {
        let mut text = String::with_capacity(512);
        text.push_str(",\"type\":");
        push_string(&mut text, &event.type_name);
        text.push_str(",\"version\":");
        text.push_str(&event.version.to_string());
        text.push_str(",\"recorded_at\":\"");
        let time_at = text.len();
        text.push_str("\",\"effective_on\":\"");
        text.push_str(&event.effective_on);
        text.push_str("\",\"tags\":[");
        for (at, tag) in event.tags.iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            push_string(&mut text, tag);
        }
        text.push_str("],\"actor\":");
        push_string(&mut text, &event.actor);
        if let Some(on_behalf_of) = &event.on_behalf_of {
            text.push_str(",\"on_behalf_of\":");
            push_string(&mut text, on_behalf_of);
        }
        text.push_str(",\"cause\":");
        match event.cause {
            None => text.push_str("null"),
            Some(cause) => text.push_str(&cause.to_string()),
        }
        if let Some((request, events)) = request {
            text.push_str(",\"request\":{\"id\":");
            push_string(&mut text, &request.id);
            text.push_str(",\"hash\":");
            push_string(&mut text, &request.hash);
            text.push_str(",\"events\":");
            text.push_str(&events.to_string());
            text.push('}');
        }
        text.push_str(",\"software\":");
        push_string(&mut text, software);
        text.push_str(",\"data_sha256\":\"");
        text.push_str(&hex::encode(event.data_sha256));
        text.push_str("\"}");
        Self { text, time_at }
    }

    /// Bytes of the envelope at the largest position, so that the limit does not depend on it.
    pub(crate) fn bytes_max(&self) -> usize {
        OPENING.len() + POSITION_DIGITS_MAX + self.text.len() + clock::TEXT_BYTES
    }

    /// Adds the whole envelope to `out`. `recorded_at` is what [`clock::format_us`] wrote.
    pub(crate) fn place(&self, position: u64, recorded_at: &str, out: &mut String) {
        let (before, after) = self.text.split_at(self.time_at);
        out.push_str(OPENING);
        out.push_str(&position.to_string());
        out.push_str(before);
        out.push_str(recorded_at);
        out.push_str(after);
    }
}

/// Control characters were refused before, so only two characters need escaping.
fn push_string(out: &mut String, text: &str) {
    out.push('"');
    if text.bytes().any(|byte| matches!(byte, b'"' | b'\\')) {
        for character in text.chars() {
            if matches!(character, '"' | '\\') {
                out.push('\\');
            }
            out.push(character);
        }
    } else {
        out.push_str(text);
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event() -> NewEvent {
        let data = "{\"total\":1}".to_owned();
        NewEvent {
            type_name: "order.placed".into(),
            version: 1,
            effective_on: "2026-12-01".into(),
            tags: vec!["order:1".into(), "member:2".into()],
            actor: "member:2".into(),
            on_behalf_of: None,
            cause: Some(6),
            data_sha256: NewEvent::hash_data(&data),
            data,
        }
    }

    fn placed(event: &NewEvent, request: Option<(&Request, usize)>) -> String {
        let mut out = String::new();
        Unplaced::write(event, request, "daicho 0.1.0").place(
            7,
            "2026-11-21T01:02:03.000004Z",
            &mut out,
        );
        out
    }

    #[test]
    fn an_envelope_is_one_json_text_with_the_keys_in_their_order() {
        let request = Request { id: "r1".into(), hash: "ab".into() };
        let hash = hex::encode(event().data_sha256);
        assert_eq!(
            placed(&event(), Some((&request, 2))),
            format!(
                "{{\"position\":7,\"type\":\"order.placed\",\"version\":1,\
                 \"recorded_at\":\"2026-11-21T01:02:03.000004Z\",\"effective_on\":\"2026-12-01\",\
                 \"tags\":[\"order:1\",\"member:2\"],\"actor\":\"member:2\",\"cause\":6,\
                 \"request\":{{\"id\":\"r1\",\"hash\":\"ab\",\"events\":2}},\
                 \"software\":\"daicho 0.1.0\",\"data_sha256\":\"{hash}\"}}"
            )
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_and_is_json(
            names in prop::collection::vec("[^\\p{Cc}]{1,20}", 3..8),
            version in 1_u32..,
            cause in prop::option::of(1_u64..),
            with_request in any::<bool>(),
            for_another in any::<bool>(),
        ) {
            let mut event = event();
            event.type_name = names[0].clone();
            event.actor = names[1].clone();
            event.tags = names[2..].to_vec();
            event.on_behalf_of = for_another.then(|| names[2].clone());
            event.version = version;
            event.cause = cause;
            let request = Request { id: names[1].clone(), hash: names[0].clone() };
            let text = placed(&event, with_request.then_some((&request, 3)));

            let envelope = Envelope::parse(&text).unwrap();
            prop_assert_eq!(&envelope.type_name, &event.type_name);
            prop_assert_eq!(&envelope.tags, &event.tags);
            prop_assert_eq!(&envelope.actor, &event.actor);
            prop_assert_eq!(envelope.on_behalf_of.as_deref(), event.on_behalf_of.as_deref());
            prop_assert_eq!(envelope.cause, cause);
            prop_assert_eq!(envelope.version, version);
            prop_assert_eq!(envelope.data_sha256, event.data_sha256);
            prop_assert_eq!(envelope.recorded_at_us, 1_795_222_923_000_004);
            prop_assert_eq!(envelope.request.is_some(), with_request);
            let json: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(json["type"].as_str().unwrap(), &event.type_name);
            prop_assert_eq!(json["tags"].as_array().unwrap().len(), event.tags.len());
            prop_assert_eq!(json["software"].as_str().unwrap(), "daicho 0.1.0");
        }

        #[test]
        fn any_one_changed_byte_is_another_envelope_or_none(
            at in 0_usize..340, byte in 0x20_u8..0x7f,
        ) {
            let text = placed(&event(), None);
            let mut bytes = text.clone().into_bytes();
            let at = at % bytes.len();
            prop_assume!(bytes[at] != byte);
            bytes[at] = byte;
            let changed = String::from_utf8(bytes).unwrap();
            if let Ok(envelope) = Envelope::parse(&changed) {
                prop_assert_ne!(envelope, Envelope::parse(&text).unwrap());
            }
        }
    }

    #[test]
    fn a_json_text_of_the_same_meaning_in_another_form_is_not_read() {
        let text = placed(&event(), None);
        for other in [
            text.replace("\"version\":1", "\"version\":01"),
            text.replace("\"version\":1", "\"version\": 1"),
            text.replace("order.placed", "\\u006frder.placed"),
            text.replace("\"cause\":6,", ""),
            format!("{text} "),
            text[..text.len() - 1].to_owned(),
        ] {
            assert!(Envelope::parse(&other).is_err(), "{other}");
        }
    }
}
