//! Identities: one type each, so that an order's id is never taken for a contract's.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use ulid::Ulid;

use crate::{Sample, Tag, Tagged};

/// A text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {kind} id: 26 characters of Crockford's base 32 (ULID) are expected")]
pub struct IdError {
    kind: &'static str,
    text: String,
}

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident $tag:literal $kind:literal $sample:literal,)+) => {$(
        $(#[$meta])*
        ///
        /// A ULID: 26 characters in text, 16 bytes in derived data. It is made where random numbers
        /// are read, never here.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// The kind of tag that names this identity, as in `order:01J…`.
            pub const TAG: &'static str = $tag;

            /// The tag of this identity.
            pub fn tag(self) -> Tag {
                Tag::of(Self::TAG, self)
            }
        }

        impl From<Ulid> for $name {
            fn from(id: Ulid) -> Self {
                Self(id.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut buffer = [0; ulid::ULID_LEN];
                f.write_str(Ulid(self.0).array_to_str(&mut buffer))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($tag, ":{}"), self)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                let error = || IdError { kind: $kind, text: text.to_owned() };
                let id = Ulid::from_string(text).map_err(|_| error())?;
                // One text for each id: lower case or look-alike letters would make two tags of
                // one thing.
                if Self(id.0).to_string() == text { Ok(Self(id.0)) } else { Err(error()) }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    serializer.serialize_u128(self.0)
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    let text = Cow::<'de, str>::deserialize(deserializer)?;
                    text.parse().map_err(D::Error::custom)
                } else {
                    u128::deserialize(deserializer).map(Self)
                }
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": "^[0-7][0-9A-HJKMNP-TV-Z]{25}$" })
            }
        }

        impl Sample for $name {
            fn sample() -> Self {
                Self(0x0191_F3A0_0000_0000_0000_0000_0000_0000 + $sample)
            }
        }

        impl Tagged for $name {
            fn tags(&self, tags: &mut Vec<Tag>) {
                tags.push(self.tag());
            }
        }
    )+};
}

ids! {
    /// A company (会社) or sole proprietor that buys.
    OrganisationId "organisation" "an organisation" 1,
    /// A person who acts for an organisation (会員).
    MemberId "member" "a member" 2,
    /// A quote (見積).
    QuoteId "quote" "a quote" 3,
    /// An order (注文).
    OrderId "order" "an order" 4,
    /// A return of goods (返品).
    ReturnId "return" "a return" 5,
    /// A contract (契約).
    ContractId "contract" "a contract" 6,
    /// A payment received (入金).
    PaymentId "payment" "a payment" 7,
    /// A key of the API.
    KeyId "key" "a key" 8,
}
