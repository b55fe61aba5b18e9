//! Python's `bytes`, which `str.encode` makes.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use minijinja::value::{Enumerator, Kwargs, Object, ObjectRepr, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State, Value};

/// A string of bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bytes(pub(super) Vec<u8>);

/// Encodings by their names in Python.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Ascii,
    Latin1,
}

impl Encoding {
    fn named(name: &str) -> Result<Self, Error> {
        match name.to_lowercase().replace(['_', ' '], "-").as_str() {
            "utf-8" | "utf8" | "u8" => Ok(Self::Utf8),
            "ascii" | "us-ascii" | "646" => Ok(Self::Ascii),
            "latin-1" | "latin1" | "latin" | "iso-8859-1" | "iso8859-1" | "l1" | "8859" => Ok(Self::Latin1),
            _ => Err(invalid(format!("the encoding '{name}' is not supported; use utf-8, ascii or latin-1"))),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Ascii => "ascii",
            Self::Latin1 => "latin-1",
        }
    }

    /// First code point that it cannot write.
    fn limit(self) -> u32 {
        match self {
            Self::Utf8 => u32::MAX,
            Self::Ascii => 0x80,
            Self::Latin1 => 0x100,
        }
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

/// Encoding and error handler of a call of `encode` or `decode`.
fn options(args: &[Value]) -> Result<(Encoding, String), Error> {
    let (encoding, errors, kwargs): (Option<String>, Option<String>, Kwargs) = from_args(args)?;
    let encoding =
        encoding.map_or_else(|| kwargs.get::<Option<String>>("encoding"), |given| Ok(Some(given)))?;
    let errors = errors.map_or_else(|| kwargs.get::<Option<String>>("errors"), |given| Ok(Some(given)))?;
    kwargs.assert_all_used()?;
    Ok((
        Encoding::named(encoding.as_deref().unwrap_or("utf-8"))?,
        errors.unwrap_or_else(|| "strict".to_owned()),
    ))
}

/// `str.encode`.
pub(super) fn encode(text: &str, args: &[Value]) -> Result<Value, Error> {
    let (encoding, errors) = options(args)?;
    let mut bytes = Vec::with_capacity(text.len());
    for letter in text.chars() {
        let code = u32::from(letter);
        if encoding == Encoding::Utf8 {
            bytes.extend(letter.encode_utf8(&mut [0; 4]).bytes());
        } else if code < encoding.limit() {
            bytes.push(code as u8);
        } else {
            match errors.as_str() {
                "ignore" => {}
                "replace" => bytes.push(b'?'),
                "xmlcharrefreplace" => bytes.extend(format!("&#{code};").bytes()),
                "backslashreplace" => bytes.extend(escaped(code).bytes()),
                "strict" => {
                    return Err(invalid(format!(
                        "encode: {} has no '{letter}' (U+{code:04X})",
                        encoding.name()
                    )));
                }
                other => return Err(invalid(format!("encode: unknown error handler '{other}'"))),
            }
        }
    }
    Ok(Value::from_object(Bytes(bytes)))
}

fn escaped(code: u32) -> String {
    match code {
        ..=0xff => format!("\\x{code:02x}"),
        0x100..=0xffff => format!("\\u{code:04x}"),
        _ => format!("\\U{code:08x}"),
    }
}

impl Bytes {
    fn decode(&self, args: &[Value]) -> Result<Value, Error> {
        let (encoding, errors) = options(args)?;
        if encoding == Encoding::Latin1 {
            return Ok(self.0.iter().copied().map(char::from).collect::<String>().into());
        }
        let known = |text: &str| encoding == Encoding::Utf8 || text.is_ascii();
        if let Some(text) = std::str::from_utf8(&self.0).ok().filter(|text| known(text)) {
            return Ok(Value::from(text));
        }
        match errors.as_str() {
            "strict" => Err(invalid(format!("decode: these bytes are not {}", encoding.name()))),
            "ignore" => Ok(String::from_utf8_lossy(&self.0).replace('\u{FFFD}', "").into()),
            "replace" => Ok(String::from_utf8_lossy(&self.0).into_owned().into()),
            other => Err(invalid(format!("decode: unknown error handler '{other}'"))),
        }
    }
}

/// As Python writes it.
impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quote = if self.0.contains(&b'\'') && !self.0.contains(&b'"') { '"' } else { '\'' };
        write!(f, "b{quote}")?;
        for byte in &self.0 {
            match byte {
                b'\\' => f.write_str("\\\\")?,
                b'\n' => f.write_str("\\n")?,
                b'\r' => f.write_str("\\r")?,
                b'\t' => f.write_str("\\t")?,
                byte if char::from(*byte) == quote => write!(f, "\\{quote}")?,
                b' '..=b'~' => f.write_char(char::from(*byte))?,
                other => write!(f, "\\x{other:02x}")?,
            }
        }
        f.write_char(quote)
    }
}

impl Object for Bytes {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.get(key.as_usize()?).map(|byte| Value::from(*byte))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.0.len())
    }

    fn call_method(self: &Arc<Self>, _: &mut State, method: &str, args: &[Value]) -> Result<Value, Error> {
        match method {
            "decode" => self.decode(args),
            "hex" => {
                let () = from_args(args)?;
                Ok(self
                    .0
                    .iter()
                    .fold(String::new(), |mut hex, byte| {
                        let _ = write!(hex, "{byte:02x}");
                        hex
                    })
                    .into())
            }
            "startswith" | "endswith" => {
                let (part,): (Value,) = from_args(args)?;
                let part = part.downcast_object_ref::<Self>();
                let part =
                    part.ok_or_else(|| invalid(format!("{method}: bytes are compared with bytes only")))?;
                let holds = if method == "startswith" { <[u8]>::starts_with } else { <[u8]>::ends_with };
                Ok(Value::from(holds(&self.0, &part.0)))
            }
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }
}

/// `int.to_bytes`.
pub(super) fn of_integer(number: i128, args: &[Value]) -> Result<Value, Error> {
    let (length, order, kwargs): (Option<usize>, Option<String>, Kwargs) = from_args(args)?;
    let length =
        length.map_or_else(|| kwargs.get::<Option<usize>>("length"), |given| Ok(Some(given)))?.unwrap_or(1);
    let order = order.map_or_else(|| kwargs.get::<Option<String>>("byteorder"), |given| Ok(Some(given)))?;
    kwargs.assert_all_used()?;
    let bytes = number.to_be_bytes();
    let too_small = || invalid(format!("to_bytes: {number} does not fit into {length} bytes"));
    if number < 0 || length > 16 {
        return Err(too_small());
    }
    let (high, low) = bytes.split_at(16 - length);
    if high.iter().any(|byte| *byte != 0) {
        return Err(too_small());
    }
    let mut bytes = low.to_vec();
    if order.as_deref() == Some("little") {
        bytes.reverse();
    }
    Ok(Value::from_object(Bytes(bytes)))
}

/// Bytes, if a value is made of them.
pub(super) fn of(value: &Value) -> Option<&Bytes> {
    (value.kind() == ValueKind::Seq).then(|| value.downcast_object_ref()).flatten()
}
