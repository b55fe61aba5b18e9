//! What a request's parameter can be set to.

use serde_json::{Number, Value};

/// What a request's parameter can be set to: text, numbers, truth values, JSON, and all of these as an option (none: null).
pub trait Parameter {
    /// Whether it is what `value` is. Compares without allocating: a source sets the same parameters in most requests.
    fn equals(&self, value: &Value) -> bool;

    /// Appends it as JSON text.
    fn write(&self, out: &mut Vec<u8>);
}

/// Writing to a buffer in memory fails only for maps whose keys are no texts, which a [`Value`] has not.
fn write_json<T: serde::Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) {
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.extend_from_slice(b"null");
    }
}

/// Whether two texts are equal. WebAssembly has no `memcmp`, and the library's goes byte by byte: this is what most of the
/// comparison of a request's parameters with those of the one before would cost.
pub(crate) fn equal(one: &str, other: &str) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let (one, one_rest) = one.as_bytes().as_chunks::<8>();
    let (other, other_rest) = other.as_bytes().as_chunks::<8>();
    let equal = |(one, other): (&[u8; 8], &[u8; 8])| u64::from_ne_bytes(*one) == u64::from_ne_bytes(*other);
    one.iter().zip(other).all(equal) && one_rest.iter().zip(other_rest).all(|(one, other)| one == other)
}

impl Parameter for str {
    fn equals(&self, value: &Value) -> bool {
        matches!(value, Value::String(text) if equal(text, self))
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_json(self, out);
    }
}

impl Parameter for String {
    fn equals(&self, value: &Value) -> bool {
        self.as_str().equals(value)
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.as_str().write(out);
    }
}

impl Parameter for bool {
    fn equals(&self, value: &Value) -> bool {
        matches!(value, Value::Bool(truth) if truth == self)
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if *self { b"true" } else { b"false" });
    }
}

impl Parameter for f64 {
    fn equals(&self, value: &Value) -> bool {
        matches!(value, Value::Number(number) if number.is_f64() && number.as_f64() == Some(*self))
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_json(self, out);
    }
}

impl Parameter for Value {
    fn equals(&self, value: &Value) -> bool {
        self == value
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_json(self, out);
    }
}

macro_rules! whole {
    ($($type:ty),*) => {$(
        impl Parameter for $type {
            fn equals(&self, value: &Value) -> bool {
                matches!(value, Value::Number(number) if *number == Number::from(*self))
            }

            fn write(&self, out: &mut Vec<u8>) {
                write_json(self, out);
            }
        }
    )*};
}

whole!(u8, u16, u32, u64, usize, i32, i64);

impl<T: Parameter + ?Sized> Parameter for &T {
    fn equals(&self, value: &Value) -> bool {
        (**self).equals(value)
    }

    fn write(&self, out: &mut Vec<u8>) {
        (**self).write(out);
    }
}

impl<T: Parameter> Parameter for Option<T> {
    fn equals(&self, value: &Value) -> bool {
        match self {
            Some(parameter) => parameter.equals(value),
            None => value.is_null(),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Some(parameter) => parameter.write(out),
            None => out.extend_from_slice(b"null"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_equals_what_is_read_back() {
        fn holds(parameter: impl Parameter) {
            let mut text = Vec::new();
            parameter.write(&mut text);
            let value: Value = serde_json::from_slice(&text).unwrap();
            assert!(parameter.equals(&value), "{value}");
            assert!(!parameter.equals(&json!({"other": 1})));
        }
        holds("a \"quoted\" text");
        holds(String::from("ä\n"));
        holds(true);
        holds(2.5);
        holds(7_u64);
        holds(-7_i32);
        holds(json!([1, {"a": null}]));
        holds(Some("text"));
        holds(None::<u64>);
    }

    #[test]
    fn texts_are_equal_to_the_last_byte() {
        let text = "use_request_cache and more";
        for length in 0..text.len() {
            let same = text[..length].to_owned();
            assert!(equal(&text[..length], &same));
            assert!(!equal(&text[..=length], &same), "longer");
            let mut other = same.clone();
            if other.pop().is_some() {
                other.push('#');
                assert!(!equal(&other, &same), "{other}");
            }
        }
    }

    #[test]
    fn kinds_do_not_equal_each_other() {
        assert!(!"1".equals(&json!(1)));
        assert!(!1_u64.equals(&json!(1.0)));
        assert!(!1.0.equals(&json!(1)));
        assert!(!false.equals(&json!(null)));
    }
}
