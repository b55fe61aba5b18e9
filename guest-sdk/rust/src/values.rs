//! JSON objects with getters whose errors name the parameter and say what it must be.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{Error, Result};

/// A JSON object, such as the parameters of an operation.
///
/// ```
/// # use rally_sdk::{Values, Result};
/// # fn open(params: &Values) -> Result<()> {
/// let professions: Vec<String> = params.get("professions")?;
/// let pages: u32 = params.get_or("pages", 1)?;
/// let routing: Option<&str> = params.find("routing")?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Values {
    map: Map<String, Value>,
}

impl Values {
    pub(crate) fn parse_object(text: &str) -> Result<Values> {
        Ok(Values { map: serde_json::from_str(text)? })
    }

    /// A parameter that must be there.
    ///
    /// # Errors
    /// Of class `config`, naming the parameter, where it is missing or of another kind.
    pub fn get<'a, T: FromValue<'a>>(&'a self, name: &str) -> Result<T> {
        match self.find(name)? {
            Some(value) => Ok(value),
            None => Err(missing(name, T::KIND)),
        }
    }

    /// A parameter, or `default` where it is missing or null.
    ///
    /// # Errors
    /// Of class `config`, naming the parameter, where it is of another kind.
    pub fn get_or<'a, T: FromValue<'a>>(&'a self, name: &str, default: T) -> Result<T> {
        Ok(self.find(name)?.unwrap_or(default))
    }

    /// A parameter that may be missing or null.
    ///
    /// # Errors
    /// Of class `config`, naming the parameter, where it is of another kind.
    pub fn find<'a, T: FromValue<'a>>(&'a self, name: &str) -> Result<Option<T>> {
        match self.map.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => T::from_value(value).map(Some).ok_or_else(|| wrong(name, value, T::KIND)),
        }
    }

    /// All parameters as a type of your own.
    ///
    /// # Errors
    /// Of class `config`, with what serde says, where they do not fit.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        T::deserialize(&self.map).map_err(|error| Error::config(error.to_string()))
    }

    /// The value as it is.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.map.get(name)
    }

    /// All values in their order.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.map
    }
}

impl From<Map<String, Value>> for Values {
    fn from(map: Map<String, Value>) -> Values {
        Values { map }
    }
}

fn missing(name: &str, kind: &str) -> Error {
    Error::config(format!("parameter '{name}' is missing: it must be {kind}"))
}

fn wrong(name: &str, value: &Value, kind: &str) -> Error {
    let mut shown = value.to_string();
    if let Some((cut, _)) = shown.char_indices().nth(80) {
        shown.truncate(cut);
        shown.push('…');
    }
    Error::config(format!("parameter '{name}' is {shown} but must be {kind}"))
}

/// What a parameter can be read as.
pub trait FromValue<'a>: Sized {
    /// What the value must be, as an error says it, e.g. `a text`.
    const KIND: &'static str;

    /// The value, or none where it is of another kind.
    fn from_value(value: &'a Value) -> Option<Self>;
}

/// Kinds that a method of [`Value`] tells.
macro_rules! from_value {
    ($($type:ty, $kind:literal, $read:expr;)*) => {$(
        impl<'a> FromValue<'a> for $type {
            const KIND: &'static str = $kind;

            fn from_value(value: &'a Value) -> Option<Self> {
                let read: fn(&'a Value) -> Option<Self> = $read;
                read(value)
            }
        }
    )*};
}

from_value! {
    &'a str, "a text", Value::as_str;
    String, "a text", |value| value.as_str().map(str::to_owned);
    bool, "true or false", Value::as_bool;
    u64, "a whole number, 0 or more", whole;
    i64, "a whole number", Value::as_i64;
    f64, "a number", Value::as_f64;
    u32, "a whole number from 0 to 4294967295", |value| whole(value).and_then(|number| number.try_into().ok());
    usize, "a whole number, 0 or more", |value| whole(value).and_then(|number| number.try_into().ok());
    &'a Value, "a value", Some;
    Value, "a value", |value| Some(value.clone());
    &'a Map<String, Value>, "an object", Value::as_object;
    Values, "an object", |value| value.as_object().cloned().map(Values::from);
    &'a [Value], "a list", |value| value.as_array().map(Vec::as_slice);
    Vec<String>, "a list of texts", list;
    Vec<&'a str>, "a list of texts", list;
    Vec<u64>, "a list of whole numbers, 0 or more", list;
    Vec<f64>, "a list of numbers", list;
    Vec<Value>, "a list", list;
}

/// Templates may write numbers as `10.0`.
fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        let number = value.as_f64()?;
        (number >= 0.0 && number.fract() == 0.0 && number < 9_007_199_254_740_992.0).then_some(number as u64)
    })
}

fn list<'a, T: FromValue<'a>>(value: &'a Value) -> Option<Vec<T>> {
    value.as_array()?.iter().map(T::from_value).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ErrorClass;

    fn values(value: Value) -> Values {
        Values::from(value.as_object().unwrap().clone())
    }

    #[test]
    fn parameters_are_read_as_what_they_are_asked_for() {
        let params = values(
            json!({"text": "a", "list": ["a", "b"], "size": 10.0, "rate": 2, "on": true, "none": null}),
        );
        assert_eq!(params.get::<&str>("text").unwrap(), "a");
        assert_eq!(params.get::<Vec<String>>("list").unwrap(), ["a", "b"]);
        assert_eq!(params.get::<u32>("size").unwrap(), 10);
        assert_eq!(params.get::<f64>("rate").unwrap(), 2.0);
        assert!(params.get::<bool>("on").unwrap());
        assert_eq!(params.get_or("pages", 3_u64).unwrap(), 3);
        assert_eq!(params.find::<&str>("none").unwrap(), None);
    }

    #[test]
    fn a_missing_parameter_is_named_with_what_it_must_be() {
        let error = values(json!({"none": null})).get::<Vec<String>>("none").unwrap_err();
        assert_eq!(error.class(), ErrorClass::Config);
        assert_eq!(error.message(), "parameter 'none' is missing: it must be a list of texts");
    }

    #[test]
    fn a_parameter_of_another_kind_is_shown() {
        let error = values(json!({"size": -1})).get_or("size", 1_u32).unwrap_err();
        assert_eq!(error.message(), "parameter 'size' is -1 but must be a whole number from 0 to 4294967295");
        let error = values(json!({"text": ["x".repeat(200)]})).find::<&str>("text").unwrap_err();
        assert!(error.message().len() < 130, "{error}");
    }

    #[test]
    fn all_parameters_fit_a_type_of_their_own() {
        #[derive(serde::Deserialize, Debug)]
        #[serde(rename_all = "kebab-case")]
        struct Own {
            bulk_size: u32,
        }
        assert_eq!(values(json!({"bulk-size": 5})).parse::<Own>().unwrap().bulk_size, 5);
        let error = values(json!({})).parse::<Own>().unwrap_err();
        assert_eq!((error.class(), error.message()), (ErrorClass::Config, "missing field `bulk-size`"));
    }
}
