//! The two macros that bind events to their stored names: `family!` for one family, `families!`
//! for all. A stored name is written out, never derived from a Rust name.

use std::fmt;

/// A type of event as it is stored: its name and the version written today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventType {
    /// Stored name, e.g. `order.placed`.
    pub name: &'static str,
    /// Version of the data, from 1.
    pub version: u32,
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.v{}", self.name, self.version)
    }
}

/// Why a stored text is not an event that this software knows.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The name is not in any family.
    #[error("event type `{0}` is not known to this software: a newer release wrote it")]
    UnknownType(String),
    /// The name is known, the version is not.
    #[error(
        "version {version} of `{name}` is not known to this software: a newer release wrote it"
    )]
    UnknownVersion {
        /// The stored name.
        name: String,
        /// The stored version.
        version: u32,
    },
    /// The data is not of the form that its name and version promise.
    #[error("the data of a `{name}` version {version} is not of its published form")]
    Malformed {
        /// The stored name.
        name: String,
        /// The stored version.
        version: u32,
        /// What the parser says.
        #[source]
        source: serde_json::Error,
    },
}

/// Declares the data of one event: [`data!`] plus the fields whose ids become its tags.
///
/// `event! { /// doc … pub struct OrderAccepted tags [order] { pub order: OrderId, … } }`
macro_rules! event {
    ($(#[$meta:meta])* pub struct $name:ident tags [$($tag:ident),*] {
        $($(#[$field_meta:meta])* pub $field:ident: $ty:ty,)*
    }) => {
        ::daicho_values::data! {
            $(#[$meta])* pub struct $name { $($(#[$field_meta])* pub $field: $ty,)* }
        }

        impl ::daicho_values::Tagged for $name {
            fn tags(&self, _tags: &mut Vec<::daicho_values::Tag>) {
                $(::daicho_values::Tagged::tags(&self.$tag, _tags);)*
            }
        }
    };
}

/// Declares a family: the enum, and the table of stored names and versions.
///
/// `Configured(ShopConfigured) = "shop.configured" 2 from { 1: ShopConfiguredV1 }` says: written as
/// version 2; a stored version 1 is read as `ShopConfiguredV1` and goes up through `From`.
macro_rules! family {
    ($(#[$meta:meta])* pub enum $family:ident tags [$($common:expr),*] {
        $($(#[$variant_meta:meta])* $variant:ident($data:ident) = $stored:literal $version:literal
            $(from { $($old:literal: $old_data:ident),+ })?,)+
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, ::serde::Serialize, ::serde::Deserialize)]
        #[allow(clippy::large_enum_variant, reason = "an event is read far more often than moved")]
        pub enum $family { $($(#[$variant_meta])* $variant($data),)+ }

        $(impl From<$data> for $family {
            fn from(data: $data) -> Self { Self::$variant(data) }
        }
        impl From<$data> for $crate::Event {
            fn from(data: $data) -> Self { $family::$variant(data).into() }
        })+

        $(impl $data {
            /// The stored name of this event, for queries.
            pub const STORED: &'static str = $stored;
        })+

        impl $family {
            /// The stored names of this family, for queries.
            pub const STORED: &'static [&'static str] = &[$($stored,)+];

            /// Every version ever stored in this family, oldest first within a name.
            pub(crate) const PUBLISHED: &'static [$crate::Published] = &[$(
                $($($crate::Published::of::<$old_data>($stored, $old, false),)+)?
                $crate::Published::of::<$data>($stored, $version, true),
            )+];

            /// The stored name and the version written today.
            pub fn event_type(&self) -> $crate::EventType {
                match self {
                    $(Self::$variant(_) => $crate::EventType { name: $stored, version: $version },)+
                }
            }

            /// The stored text: JSON with the keys in the order of the fields.
            pub fn to_json(&self) -> String {
                match self { $(Self::$variant(data) => $crate::published::json(data),)+ }
            }

            pub(crate) fn tags(&self, tags: &mut Vec<::daicho_values::Tag>) {
                $(tags.push(::daicho_values::Tag::from($common));)*
                match self {
                    $(Self::$variant(data) => ::daicho_values::Tagged::tags(data, tags),)+
                }
            }

            pub(crate) fn decode(
                name: &str, version: u32, data: &str,
            ) -> Option<Result<Self, $crate::DecodeError>> {
                fn parse<T: ::serde::de::DeserializeOwned>(
                    name: &str, version: u32, data: &str,
                ) -> Result<T, $crate::DecodeError> {
                    ::serde_json::from_str(data).map_err(|source| $crate::DecodeError::Malformed {
                        name: name.to_owned(), version, source,
                    })
                }
                Some(match (name, version) {
                    $(($stored, $version) => parse::<$data>(name, version, data)
                        .map(Self::$variant),
                    $($(($stored, $old) => parse::<$old_data>(name, version, data)
                        .map(|old| Self::$variant(old.into())),)+)?
                    ($stored, _) => Err($crate::DecodeError::UnknownVersion {
                        name: name.to_owned(), version,
                    }),)+
                    _ => return None,
                })
            }
        }
    };
}

/// Declares the enum of all families.
macro_rules! families {
    ($(#[$meta:meta])* pub enum $event:ident {
        $($(#[$variant_meta:meta])* $variant:ident($family:ident),)+
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, ::serde::Serialize, ::serde::Deserialize)]
        #[allow(clippy::large_enum_variant, reason = "an event is read far more often than moved")]
        pub enum $event { $($(#[$variant_meta])* $variant($family),)+ }

        $(impl From<$family> for $event {
            fn from(event: $family) -> Self { Self::$variant(event) }
        })+

        impl $event {
            /// The families' tables, one after the other.
            pub(crate) const TABLES: &'static [&'static [Published]] = &[$($family::PUBLISHED,)+];

            /// The stored name and the version written today.
            pub fn event_type(&self) -> EventType {
                match self { $(Self::$variant(event) => event.event_type(),)+ }
            }

            /// The stored text: JSON with the keys in the order of the fields.
            pub fn to_json(&self) -> String {
                match self { $(Self::$variant(event) => event.to_json(),)+ }
            }

            /// What the event is about, without duplicates, in the order of its fields.
            pub fn tags(&self) -> Vec<::daicho_values::Tag> {
                let mut tags = Vec::new();
                match self { $(Self::$variant(event) => event.tags(&mut tags),)+ }
                let mut seen = std::collections::HashSet::new();
                tags.retain(|tag: &::daicho_values::Tag| seen.insert(tag.clone()));
                tags
            }

            /// Reads a stored text of any version ever written.
            ///
            /// # Errors
            /// An unknown name or version, or data that is not of the published form.
            pub fn decode(name: &str, version: u32, data: &str) -> Result<Self, DecodeError> {
                $(if let Some(event) = $family::decode(name, version, data) {
                    return event.map(Self::$variant);
                })+
                Err(DecodeError::UnknownType(name.to_owned()))
            }
        }
    };
}
