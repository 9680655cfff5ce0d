//! The value of a setting as it is recorded: any JSON but fractions, since the record has no
//! floats. In JSON it stands inline with sorted keys; in binary, which describes no types, as its
//! text.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, de::Error as _,
};
use serde_json::Value;

use daicho_values::Sample;

/// Bytes that the text of a value may have: a table of 1,000 days fits, a document does not.
pub const SETTING_BYTES_MAX: usize = 64 * 1_024;

/// The JSON value of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingValue(Value);

/// Why a JSON value cannot be that of a setting.
#[derive(Debug, thiserror::Error)]
pub enum SettingValueError {
    /// The record holds no floats.
    #[error("`{0}` is not a whole number: the value of a setting has no fractions")]
    Fraction(serde_json::Number),
    /// A limit of its own, below that of an event.
    #[error("the value takes {bytes} bytes, at most {SETTING_BYTES_MAX} are recorded")]
    TooLong {
        /// How many it takes.
        bytes: usize,
    },
    /// What JSON cannot hold.
    #[error("the value has no JSON form")]
    Json(#[from] serde_json::Error),
}

impl SettingValue {
    /// The recorded form of a value.
    ///
    /// # Errors
    /// It has fractions, is too long, or has no JSON form.
    pub fn of(value: &impl Serialize) -> Result<Self, SettingValueError> {
        Self::checked(serde_json::to_value(value)?)
    }

    /// The value of a setting that is none.
    pub fn none() -> Self {
        Self(Value::Null)
    }

    /// The value for a column of a list: a text without its quotes, anything else as JSON; `None`:
    /// it is none.
    pub fn plain(&self) -> Option<String> {
        match &self.0 {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                Some(self.to_string())
            }
        }
    }

    /// The value as a type reads it; `None`: it is of another form.
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        T::deserialize(&self.0).ok()
    }

    fn checked(mut value: Value) -> Result<Self, SettingValueError> {
        refuse_fractions(&value)?;
        value.sort_all_objects();
        let bytes = value.to_string().len();
        if bytes > SETTING_BYTES_MAX {
            return Err(SettingValueError::TooLong { bytes });
        }
        Ok(Self(value))
    }
}

fn refuse_fractions(value: &Value) -> Result<(), SettingValueError> {
    match value {
        Value::Number(number) if number.is_f64() => {
            Err(SettingValueError::Fraction(number.clone()))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        Value::Array(items) => items.iter().try_for_each(refuse_fractions),
        Value::Object(members) => members.values().try_for_each(refuse_fractions),
    }
}

impl fmt::Display for SettingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Serialize for SettingValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            self.0.serialize(serializer)
        } else {
            serializer.collect_str(self)
        }
    }
}

impl<'de> Deserialize<'de> for SettingValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = if deserializer.is_human_readable() {
            Value::deserialize(deserializer)?
        } else {
            let text = Cow::<'de, str>::deserialize(deserializer)?;
            serde_json::from_str(&text).map_err(D::Error::custom)?
        };
        Self::checked(value).map_err(D::Error::custom)
    }
}

impl JsonSchema for SettingValue {
    fn schema_name() -> Cow<'static, str> {
        "SettingValue".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "the value, of the form that its setting has" })
    }
}

impl Sample for SettingValue {
    fn sample() -> Self {
        Self(Value::from(30))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binary;
    use serde_json::json;

    #[test]
    fn a_value_comes_back_from_json_and_from_binary_with_its_keys_sorted() {
        for value in [json!(null), json!(true), json!(-7), json!("年"), json!({"b": [1], "a": {}})]
        {
            let kept = SettingValue::of(&value).unwrap();
            assert_eq!(serde_json::from_str::<SettingValue>(&kept.to_string()).unwrap(), kept);
            let bytes = binary::encode(&kept).unwrap();
            assert_eq!(binary::decode::<SettingValue>(&bytes).unwrap(), kept);
        }
        let sorted = serde_json::from_str::<SettingValue>(r#"{"b":1,"a":2}"#).unwrap();
        assert_eq!(serde_json::to_string(&sorted).unwrap(), r#"{"a":2,"b":1}"#);
    }

    #[test]
    fn a_fraction_is_refused_however_deep_it_stands() {
        assert!(serde_json::from_str::<SettingValue>("1.0").is_err());
        let error = SettingValue::of(&json!([{ "share": 0.5 }])).unwrap_err();
        assert!(error.to_string().contains("0.5"), "{error}");
    }

    #[test]
    fn a_value_has_a_limit() {
        let text = |bytes: usize| SettingValue::of(&"a".repeat(bytes - 2));
        assert!(text(SETTING_BYTES_MAX).is_ok());
        assert!(text(SETTING_BYTES_MAX + 1).is_err());
    }

    #[test]
    fn a_value_is_read_as_its_type_or_not_at_all() {
        let days = SettingValue::of(&30).unwrap();
        assert_eq!((days.read::<u32>(), days.read::<String>()), (Some(30), None));
        assert_eq!(SettingValue::of(&json!(null)).unwrap().read::<Option<u32>>(), Some(None));
    }
}
