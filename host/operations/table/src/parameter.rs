//! Parameters of operations, and what their values can be.

use serde_json::Value;

/// A parameter that an operation type reads.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Name as tracks write it.
    pub name: &'static str,
    /// What its value can be.
    pub kind: Kind,
    /// Whether an operation without it makes no request.
    pub is_mandatory: bool,
}

/// What the value of a parameter can be. Null counts as not written, as everywhere in Rally.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Anything, or what the parameter source of the operation checks by itself.
    Any,
    /// True or false, also as text.
    Flag,
    /// A whole number from 0 on.
    Number,
    /// A whole number from 1 on, also as text.
    Count,
    /// A whole number from 1 on, not as text.
    StrictCount,
    /// A whole number from 1 on, or `all`.
    Pages,
    /// Seconds from 0 on, also as text.
    Seconds,
    /// True, false or text.
    Setting,
    /// Text.
    Text,
    /// Text that is not empty.
    Name,
    /// A name or a list of names.
    Names,
    /// An object.
    Object,
    /// An object of texts.
    Headers,
    /// An HTTP status or a list of them.
    Statuses,
    /// A list.
    List,
}

impl Parameter {
    pub(crate) const fn mandatory(self) -> Parameter {
        Parameter { is_mandatory: true, ..self }
    }
}

macro_rules! kinds {
    ($($constructor:ident $kind:ident;)*) => {
        $(pub(crate) const fn $constructor(name: &'static str) -> Parameter {
            Parameter { name, kind: Kind::$kind, is_mandatory: false }
        })*
    };
}

kinds! {
    any Any;
    flag Flag;
    number Number;
    count Count;
    strict_count StrictCount;
    pages Pages;
    seconds Seconds;
    setting Setting;
    text Text;
    name Name;
    names Names;
    object Object;
    headers Headers;
    statuses Statuses;
    list List;
}

/// Parameters that say how often an operation is tried. Types that are never tried again ignore them, as in Rally.
pub const RETRY: &[Parameter] = &[
    number("retries"),
    flag("retry-until-success"),
    flag("retry-on-error"),
    flag("retry-on-timeout"),
    seconds("retry-wait-period"),
];

/// Properties that all operations have.
pub const COMMON: &[Parameter] = &[
    any("name"),
    any("operation-type"),
    any("param-source"),
    any("meta"),
    any("tags"),
    any("include-in-reporting"),
    any("run-on-serverless"),
    any("assertions"),
    seconds("request-timeout"),
    headers("headers"),
    text("opaque-id"),
    object("request-params"),
    object("request_params"),
    statuses("ignore"),
];

impl Kind {
    /// What the value must be, if it is not that: `a number of seconds`.
    pub fn refused(self, value: &Value) -> Option<&'static str> {
        if value.is_null() || self.accepts(value) { None } else { Some(self.wanted()) }
    }

    fn accepts(self, value: &Value) -> bool {
        match self {
            Kind::Any => true,
            Kind::Flag => value.is_boolean() || matches!(value.as_str(), Some("true" | "false")),
            Kind::Number => value.is_u64(),
            Kind::Count => whole(value).is_some_and(|number| number > 0),
            Kind::StrictCount => value.as_u64().is_some_and(|number| number > 0),
            Kind::Pages => value.as_str() == Some("all") || whole(value).is_some_and(|number| number > 0),
            Kind::Seconds => fraction(value).is_some_and(|seconds| seconds >= 0.0),
            Kind::Setting => value.is_boolean() || value.is_string(),
            Kind::Text => value.is_string(),
            Kind::Name => value.as_str().is_some_and(|text| !text.is_empty()),
            Kind::Names => {
                let are_texts = |names: &Vec<Value>| names.iter().all(Value::is_string);
                value.is_string() || value.as_array().is_some_and(are_texts)
            }
            Kind::Object => value.is_object(),
            Kind::Headers => value.as_object().is_some_and(|headers| headers.values().all(Value::is_string)),
            Kind::Statuses => match value {
                Value::Array(statuses) => statuses.iter().all(is_status),
                status => is_status(status),
            },
            Kind::List => value.is_array(),
        }
    }

    fn wanted(self) -> &'static str {
        match self {
            Kind::Any => "anything",
            Kind::Flag | Kind::Setting => "true or false",
            Kind::Number => "a whole number of 0 or more",
            Kind::Count | Kind::StrictCount => "a whole number above 0",
            Kind::Pages => "a whole number above 0, or \"all\"",
            Kind::Seconds => "a number of seconds",
            Kind::Text => "text",
            Kind::Name => "a name",
            Kind::Names => "a name or a list of names",
            Kind::Object => "an object",
            Kind::Headers => "an object of texts",
            Kind::Statuses => "an HTTP status or a list of them",
            Kind::List => "a list",
        }
    }
}

/// A whole number, also as text.
fn whole(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_u64(),
    }
}

/// A finite number, also as text, that a clock can count.
fn fraction(value: &Value) -> Option<f64> {
    let number: f64 = match value {
        Value::String(text) => text.trim().parse().ok()?,
        value => value.as_f64()?,
    };
    std::time::Duration::try_from_secs_f64(number).is_ok().then_some(number)
}

fn is_status(value: &Value) -> bool {
    whole(value).is_some_and(|status| u16::try_from(status).is_ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_may_be_text_where_runners_take_text() {
        assert_eq!(Kind::Count.refused(&json!("5")), None);
        assert_eq!(Kind::Count.refused(&json!(0)), Some("a whole number above 0"));
        assert_eq!(Kind::StrictCount.refused(&json!("5")), Some("a whole number above 0"));
        assert_eq!(Kind::Seconds.refused(&json!("0.5")), None);
        for value in [json!(-1), json!("soon"), json!(true), json!([1]), json!(1e300)] {
            assert_eq!(Kind::Seconds.refused(&value), Some("a number of seconds"), "{value}");
        }
    }

    #[test]
    fn null_counts_as_not_written() {
        for kind in [Kind::Flag, Kind::Count, Kind::Names, Kind::Object] {
            assert_eq!(kind.refused(&Value::Null), None);
        }
    }
}
