//! Python's `range`: as long as it likes, it takes no memory.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr, Rest, from_args};
use minijinja::{Environment, Error, ErrorKind, State, Value};

use super::{operators, python};

/// A range of whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    start: i64,
    stop: i64,
    step: i64,
}

/// Adds the function.
pub(super) fn add_to(environment: &mut Environment<'static>) {
    environment.add_function("range", |arguments: Rest<Value>| -> Result<Value, Error> {
        let bounds = arguments.iter().map(bound).collect::<Result<Vec<_>, _>>()?;
        let range = match *bounds.as_slice() {
            [stop] => Range { start: 0, stop, step: 1 },
            [start, stop] => Range { start, stop, step: 1 },
            [_, _, 0] => return Err(invalid("range: the step cannot be 0".to_owned())),
            [start, stop, step] => Range { start, stop, step },
            [] => return Err(Error::from(ErrorKind::MissingArgument)),
            _ => return Err(Error::from(ErrorKind::TooManyArguments)),
        };
        Ok(Value::from_object(range))
    });
}

fn bound(value: &Value) -> Result<i64, Error> {
    let integer = python::integer(value).and_then(|integer| i64::try_from(integer).ok());
    integer.ok_or_else(|| {
        let type_name = operators::type_name(value);
        invalid(format!(
            "range: a bound must be a whole number, not {value} ({type_name}); convert it with | int"
        ))
    })
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

impl Range {
    /// The range that a value is, if it is one.
    pub(super) fn of(value: &Value) -> Option<&Self> {
        value.downcast_object_ref()
    }

    pub(super) fn len(self) -> usize {
        let (start, stop, step) = (i128::from(self.start), i128::from(self.stop), i128::from(self.step));
        let count = match step > 0 {
            true => (stop - start + step - 1).div_euclid(step),
            false => (start - stop - step - 1).div_euclid(-step),
        };
        usize::try_from(count.max(0)).unwrap_or(usize::MAX)
    }

    fn at(self, index: usize) -> Option<i64> {
        let index = (index < self.len()).then_some(index)?;
        let number = i128::from(self.start) + i128::from(self.step) * index as i128;
        i64::try_from(number).ok()
    }

    /// Where a number stands in it.
    pub(super) fn position(self, value: &Value) -> Option<usize> {
        let whole = match python::integer(value) {
            Some(integer) => integer,
            None => {
                let number = f64::try_from(value.clone()).ok().filter(|_| value.is_number())?;
                (number.fract() == 0.0).then_some(number as i128)?
            }
        };
        let distance = whole - i128::from(self.start);
        let (index, rest) = (distance / i128::from(self.step), distance % i128::from(self.step));
        let index = usize::try_from(index).ok().filter(|_| rest == 0)?;
        (index < self.len()).then_some(index)
    }

    /// The part from `start` on with `count` elements, each `step` elements behind the one before.
    pub(super) fn part(self, start: i64, count: usize, step: i64) -> Self {
        let begin = i128::from(self.start) + i128::from(self.step) * i128::from(start);
        let stride = i128::from(self.step) * i128::from(step);
        let end = begin + stride * count as i128;
        let whole = |number: i128| number.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64;
        Self { start: whole(begin), stop: whole(end), step: whole(stride) }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { start, stop, step } = self;
        match step {
            1 => write!(f, "range({start}, {stop})"),
            _ => write!(f, "range({start}, {stop}, {step})"),
        }
    }
}

impl Object for Range {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str() {
            Some("start") => Some(Value::from(self.start)),
            Some("stop") => Some(Value::from(self.stop)),
            Some("step") => Some(Value::from(self.step)),
            Some(_) => None,
            None => self.at(key.as_usize()?).map(Value::from),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.len())
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let other = other.downcast_ref::<Self>()?;
        let ends = |range: &Self| (range.len(), range.at(0), range.at(range.len().saturating_sub(1)));
        Some(ends(self).cmp(&ends(other)))
    }

    fn call_method(self: &Arc<Self>, _: &mut State, method: &str, args: &[Value]) -> Result<Value, Error> {
        match method {
            "index" => {
                let (value,): (Value,) = from_args(args)?;
                let position = self.position(&value);
                position.map(Value::from).ok_or_else(|| invalid(format!("index: {value} is not in {self}")))
            }
            "count" => {
                let (value,): (Value,) = from_args(args)?;
                Ok(Value::from(usize::from(self.position(&value).is_some())))
            }
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }
}
