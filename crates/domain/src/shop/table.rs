//! The macro that makes everything of a shop's settings from one table, a row a setting: the fold
//! by day, the values of a day, the changes that `shop.set` takes, the opening of a book, the page
//! in the docs.

use std::borrow::Cow;
use std::fmt;

use daicho_events::Event;
use daicho_events::shop::SettingChanged;
use daicho_values::SettingCode;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What people are told of a setting.
pub struct Row {
    /// Its name, as `shop.set` and the record call it.
    pub name: &'static str,
    /// What it says, one sentence or two.
    pub sentence: &'static str,
    /// What its value is, with its unit.
    pub is: &'static str,
    /// What a new value must keep to.
    pub limits: &'static (dyn fmt::Display + Sync),
    /// Where the rule comes from.
    pub source: &'static str,
    /// The value where nothing says another, as JSON.
    pub default: fn() -> String,
    /// The types of the events that record a value of it and, where it may be none, none.
    pub stored: fn() -> [&'static str; 2],
}

/// A value that a request gives, or leaves as it is. `null` is a value where a setting may be none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Given<T> {
    /// The request does not name the setting.
    #[default]
    Absent,
    /// It names this value.
    Value(T),
}

impl<T> Given<T> {
    /// Whether the request does not name the setting.
    pub fn is_absent(&self) -> bool {
        self.value().is_none()
    }

    /// The value, if the request names one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Absent => None,
            Self::Value(value) => Some(value),
        }
    }
}

impl<T: Serialize> Serialize for Given<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::Value)
    }
}

/// The schema of the value: a setting that cannot be none does not take `null`.
impl<T: JsonSchema> JsonSchema for Given<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }
    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// The event of a setting that has none of its own.
pub(super) fn setting_changed(name: &str, value: &impl Serialize) -> Event {
    let value = daicho_events::SettingValue::of(value);
    match (SettingCode::new(name), value) {
        (Ok(setting), Ok(value)) => SettingChanged { setting, value }.into(),
        (name, value) => {
            unreachable!("a row is named by a Rust field, its values are small: {name:?} {value:?}")
        }
    }
}

/// See the table in `settings.rs`, whose rows show the form.
macro_rules! settings {
    ($(
        $(#[doc = $sentence:literal])+
        $name:ident: $held:ident<$ty:ty> {
            default: $default:expr,
            is: $is:literal,
            limits: $limits:expr,
            source: $source:literal,
            check: $check:expr,
            $(stored: $stored:expr,)?
            opening: { $(#[$opening:meta])* $field:ident: $field_ty:ty },
        }
    )+) => {
        /// Every setting, in the order in which changes are recorded.
        pub const ROWS: &[Row] = &[$(Row {
            name: stringify!($name),
            sentence: concat!($($sentence),+),
            is: $is,
            limits: &$limits,
            source: $source,
            default: || json(&default::$name()),
            stored: || {
                let stored = |value| event::$name(&value).event_type().name;
                [stored(Sample::sample()), stored(default::$name())]
            },
        },)+];

        /// The value of each setting where nothing says another.
        mod default {
            use super::*;
            $(pub(super) fn $name() -> $ty { $default })+
        }

        /// What a new value of each setting must keep to.
        pub(super) mod check {
            use super::*;
            $(pub(in crate::shop) fn $name(
                value: &$ty, currency: Currency,
            ) -> Result<(), SettingRefused> {
                let check: fn(&$ty, Currency) -> Result<(), SettingRefused> = $check;
                check(value, currency)
            })+
        }

        /// What records a new value of each setting.
        pub(super) mod event {
            use super::*;
            $(pub(in crate::shop) fn $name(value: &$ty) -> Event {
                $({
                    let own: fn(&$ty) -> Option<Event> = $stored;
                    if let Some(event) = own(value) {
                        return event;
                    }
                })?
                setting_changed(stringify!($name), value)
            })+
        }

        /// The settings of a shop by day.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct Settings { $(pub(super) $name: $held<$ty>,)+ }

        impl Settings {
            /// Gives every setting that has no value yet its default, from a day on.
            pub(super) fn begin(&mut self, day: Date) {
                $(if self.$name.on(day).is_none() { self.$name.set(day, default::$name()); })+
            }

            /// Takes a change in. A setting that this software does not know, and a value that its
            /// row cannot read, change nothing: the record of a newer release is read, too.
            pub(super) fn change(&mut self, day: Date, changed: &SettingChanged) {
                match changed.setting.as_str() {
                    $(stringify!($name) => {
                        if let Some(value) = changed.value.read::<$ty>() {
                            self.$name.set(day, value);
                        }
                    })+
                    _ => {}
                }
            }
        }

        impl OnDay<'_> {
            $(
                $(#[doc = $sentence])+
                pub fn $name(&self) -> $ty {
                    self.settings.$name.on(self.day).cloned().unwrap_or_else(default::$name)
                }
            )+
        }

        /// New values of settings: those that are named change, the others stay as they are.
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct SettingChanges {
            $(
                $(#[doc = $sentence])+
                #[serde(default, skip_serializing_if = "Given::is_absent")]
                pub $name: Given<$ty>,
            )+
        }

        impl SettingChanges {
            /// The names of the settings that change.
            pub fn names(&self) -> Vec<&'static str> {
                let names = [$((self.$name.is_absent(), stringify!($name)),)+];
                names.into_iter().filter(|(absent, _)| !absent).map(|(_, name)| name).collect()
            }

            /// The first value that does not keep to its row, in the order of the table.
            pub(super) fn refused(
                &self, currency: Currency,
            ) -> Option<(&'static str, SettingRefused)> {
                $(if let Some(Err(refused)) =
                    self.$name.value().map(|value| check::$name(value, currency))
                {
                    return Some((stringify!($name), refused));
                })+
                None
            }

            /// Lets values through that keep to their rows.
            ///
            /// # Errors
            /// The first that does not, in the order of the table.
            pub(super) fn check(&self, currency: Currency) -> Result<(), SettingRefused> {
                self.refused(currency).map_or(Ok(()), |(_, refused)| Err(refused))
            }

            /// What records the values that are others than those that hold on the day.
            pub(super) fn events(&self, held: &Settings, from: Date) -> Vec<NewEvent> {
                let held = OnDay { settings: held, day: from };
                let mut events = Vec::new();
                $(if let Some(value) = self.$name.value().filter(|value| **value != held.$name()) {
                    events.push(NewEvent::on(from, event::$name(value)));
                })+
                events
            }
        }

        /// Opens the book with the settings of its shop.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct OpenBook {
            /// The currency of all its prices.
            pub currency: Currency,
            /// Where its business days begin and end.
            pub time_zone: TimeZone,
            $($(#[doc = $sentence])+ $(#[$opening])* pub $field: $field_ty,)+
        }

        impl OpenBook {
            /// A shop of that name with the default of every other setting.
            pub fn of(name: Name, currency: Currency, time_zone: TimeZone) -> Self {
                let book = Self {
                    currency,
                    time_zone,
                    $($field: <$field_ty>::from(default::$name()),)+
                };
                Self { name, ..book }
            }

            /// The first setting that breaks its rule, and how.
            pub fn refused(&self) -> Option<(&'static str, SettingRefused)> {
                self.settings().refused(self.currency)
            }

            /// Its settings as `shop.set` would take them.
            pub(super) fn settings(&self) -> SettingChanges {
                SettingChanges {
                    $($name: Given::Value(<$ty>::from(self.$field.clone())),)+
                }
            }
        }
    };
}

pub(super) use settings;
