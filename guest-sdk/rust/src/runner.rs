//! Runners: what an operation of an own type does.

use std::any::Any;
use std::borrow::Cow;
use std::rc::Rc;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::bindings::runners::exports::rally::track::runners as wire;
use crate::bodies::{self, Body};
use crate::client::Client;
use crate::{Context, Error, Result, Values, held};

pub use wire::Progress;

/// Performs an operation for one client: Rally's runner class.
///
/// Requests are sent with the client, which waits for their answers; the time from the first byte sent to the last one
/// received is the service time, the time of the whole `run` is the processing time.
pub trait Runner: Sized + 'static {
    /// Whether it talks to other clusters than the default one.
    const MULTI_CLUSTER: bool = false;

    /// Whether it says itself, by [`progress`](Runner::progress), when the task is complete.
    const COMPLETES_TASK: bool = false;

    /// Opens the runner of one client, before the race starts.
    ///
    /// # Errors
    /// Of class [`Config`](crate::ErrorClass::Config) where the parameters make no sense: then the race does not begin.
    fn open(context: &Context) -> Result<Self>;

    /// Performs the operation once. What it returns says how much was done: nothing (`Ok(())`: 1 `ops`), a weight with its
    /// unit (`Ok((500, "docs"))`), or an [`Outcome`] with more to tell.
    ///
    /// # Errors
    /// Of class `api`, `transport` or `timeout`, as the client returns them: the request counts as failed and the race goes
    /// on, or ends, by `--on-error`. Of any other class: the task cannot go on.
    fn run(&mut self, client: &Client, params: &mut Params) -> Result<impl Into<Outcome>>;

    /// Asked after each run where [`COMPLETES_TASK`](Runner::COMPLETES_TASK) is set.
    fn progress(&self) -> Progress {
        Progress { completed: false, fraction: None }
    }
}

/// The parameters of one request as its runner gets them: those that the source has set, and the body.
#[derive(Debug, Default)]
pub struct Params {
    values: Rc<Values>,
    body: Option<Body>,
    held: Option<Box<dyn Any>>,
}

impl Params {
    /// All parameters but the body.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// The body, taken out: to hand it to the client copies nothing. Where the parameters came from track.json, this is their
    /// `body`.
    ///
    /// # Errors
    /// Where there is none.
    pub fn take_body(&mut self) -> Result<Body> {
        self.find_body()?.ok_or_else(bodies::missing)
    }

    /// The body, taken out, if there is one.
    ///
    /// # Errors
    /// Where a body in the parameters cannot be written as JSON.
    pub fn find_body(&mut self) -> Result<Option<Body>> {
        match self.body.take() {
            Some(body) => Ok(Some(body)),
            None => self.values.value("body").map(bodies::of_value).transpose(),
        }
    }

    /// The body as a JSON value; it stays where it is.
    ///
    /// # Errors
    /// Where there is none, it is not JSON, or it does not fit the type.
    pub fn body_json<T: DeserializeOwned>(&self) -> Result<T> {
        match (&self.body, self.values.value("body")) {
            (Some(body), _) => body.to_json(),
            (None, Some(value)) => Ok(T::deserialize(value)?),
            (None, None) => Err(bodies::missing()),
        }
    }

    /// The object that the source of this client gave with [`Request::hold`](crate::Request::hold).
    ///
    /// # Errors
    /// Where there is none, or it is of another type.
    pub fn take_held<T: Any>(&mut self) -> Result<Box<T>> {
        let held = self.held.take().ok_or_else(|| Error::other("the source has handed over no object"))?;
        held.downcast().map_err(|_| {
            Error::other(format!(
                "the source has handed over another object than a {}",
                std::any::type_name::<T>()
            ))
        })
    }
}

/// Parameters are read like those of an operation: `params.get::<u32>("pages")?`.
impl std::ops::Deref for Params {
    type Target = Values;

    fn deref(&self) -> &Values {
        &self.values
    }
}

impl From<Values> for Params {
    fn from(values: Values) -> Params {
        Params { values: Rc::new(values), body: None, held: None }
    }
}

/// What came of one request.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    weight: f64,
    unit: Cow<'static, str>,
    success: bool,
    failure: Option<String>,
    status: Option<u16>,
    throughput: Option<f64>,
    meta: Map<String, Value>,
}

impl Outcome {
    /// So much work of this unit: a finite number, not negative; the unit is the same in each call.
    pub fn new(weight: f64, unit: impl Into<Cow<'static, str>>) -> Outcome {
        Outcome {
            weight,
            unit: unit.into(),
            success: true,
            failure: None,
            status: None,
            throughput: None,
            meta: Map::new(),
        }
    }

    /// What a runner of Rally's returns as a dict: `weight`, `unit`, `success`, `throughput`, and anything else as meta-data.
    ///
    /// # Errors
    /// Of class `config`, naming the key, where one of these is of another kind.
    pub fn from_map(mut map: Map<String, Value>) -> Result<Outcome> {
        let known: Map<String, Value> = ["weight", "unit", "success", "throughput"]
            .into_iter()
            .filter_map(|key| map.shift_remove_entry(key))
            .collect();
        let known = Values::from(known);
        let mut outcome = Outcome::new(known.get_or("weight", 1.0)?, known.get_or("unit", "ops".to_owned())?);
        outcome.success = known.get_or("success", true)?;
        outcome.throughput = known.find("throughput")?;
        outcome.meta = map;
        Ok(outcome)
    }

    /// The same, but it failed, for this reason: equal reasons are counted together.
    pub fn failed(mut self, reason: impl Into<String>) -> Outcome {
        self.success = false;
        self.failure = Some(reason.into());
        self
    }

    /// The same with the HTTP status to count the failure under.
    pub fn status(mut self, status: u16) -> Outcome {
        self.status = Some(status);
        self
    }

    /// The same with a throughput to report instead of the measured one, per second.
    pub fn throughput(mut self, per_second: f64) -> Outcome {
        self.throughput = Some(per_second);
        self
    }

    /// The same with more to know about this request, such as `took` or `hits`.
    pub fn meta(mut self, name: impl Into<String>, value: impl Into<Value>) -> Outcome {
        self.meta.insert(name.into(), value.into());
        self
    }

    /// How much work was done.
    pub fn weight(&self) -> f64 {
        self.weight
    }

    /// Unit of the work.
    pub fn unit(&self) -> &str {
        &self.unit
    }

    /// Whether it succeeded.
    pub fn success(&self) -> bool {
        self.success
    }

    /// What went wrong, where it failed.
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// Meta-data of the request.
    pub fn meta_data(&self) -> &Map<String, Value> {
        &self.meta
    }

    /// As the interface has it.
    pub(crate) fn into_wire(self) -> wire::Outcome {
        wire::Outcome {
            weight: self.weight,
            unit: self.unit.into_owned(),
            success: self.success,
            failure: self.failure,
            status: self.status,
            throughput: self.throughput,
            meta: if self.meta.is_empty() { None } else { Some(Value::Object(self.meta).to_string()) },
        }
    }
}

impl From<()> for Outcome {
    fn from((): ()) -> Outcome {
        Outcome::new(1.0, "ops")
    }
}

macro_rules! from_pair {
    ($($weight:ty),*) => {$(
        impl From<($weight, &'static str)> for Outcome {
            fn from((weight, unit): ($weight, &'static str)) -> Outcome {
                Outcome::new(weight as f64, unit)
            }
        }

        impl From<($weight, String)> for Outcome {
            fn from((weight, unit): ($weight, String)) -> Outcome {
                Outcome::new(weight as f64, unit)
            }
        }
    )*};
}

from_pair!(f64, i32, u32, u64, usize);

/// A function as a runner: Rally's `async def runner(es, params)`.
pub type RunnerFunction = fn(&Client, &mut Params) -> Result<Outcome>;

/// A runner whose type is forgotten.
pub(crate) trait AnyRunner {
    fn run(&mut self, client: &Client, params: &mut Params) -> Result<Outcome>;
    fn progress(&self) -> Progress;
}

pub(crate) struct RunnerOf<R>(pub(crate) R);

impl<R: Runner> AnyRunner for RunnerOf<R> {
    fn run(&mut self, client: &Client, params: &mut Params) -> Result<Outcome> {
        self.0.run(client, params).map(Into::into)
    }

    fn progress(&self) -> Progress {
        self.0.progress()
    }
}

pub(crate) struct FunctionRunner(pub(crate) RunnerFunction);

impl AnyRunner for FunctionRunner {
    fn run(&mut self, client: &Client, params: &mut Params) -> Result<Outcome> {
        (self.0)(client, params)
    }

    fn progress(&self) -> Progress {
        Progress { completed: false, fraction: None }
    }
}

/// Reads the parameters of each call; those of the call before are kept, as rally says `same` where nothing changed.
#[derive(Default)]
pub(crate) struct ParamsReader {
    last: Rc<Values>,
}

impl ParamsReader {
    /// `params` as the interface has it.
    pub(crate) fn read(&mut self, params: wire::Params, body: Option<Body>) -> Result<Params> {
        match params {
            wire::Params::Same => {}
            wire::Params::Json(text) => self.last = Rc::new(Values::parse_object(&text)?),
            wire::Params::Held(number) => {
                let held = held::take(number).ok_or_else(|| {
                    Error::other(format!("no source of this instance holds an object {number}"))
                })?;
                return Ok(Params { values: Rc::default(), body, held: Some(held) });
            }
        }
        Ok(Params { values: Rc::clone(&self.last), body, held: None })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ErrorClass;

    #[test]
    fn nothing_a_pair_and_more_are_outcomes() {
        let nothing: Outcome = ().into();
        assert_eq!((nothing.weight(), nothing.unit(), nothing.success()), (1.0, "ops", true));
        let pair: Outcome = (500_u32, "docs").into();
        assert_eq!((pair.weight(), pair.unit()), (500.0, "docs"));
        let more =
            Outcome::new(2.0, "pages").meta("took", 5).throughput(3.5).failed("shard failed").status(503);
        let wire = more.into_wire();
        assert_eq!(
            (wire.success, wire.failure.as_deref(), wire.status),
            (false, Some("shard failed"), Some(503))
        );
        assert_eq!((wire.throughput, wire.meta.as_deref()), (Some(3.5), Some(r#"{"took":5}"#)));
    }

    #[test]
    fn a_dict_of_rally_is_an_outcome() {
        let Value::Object(dict) = json!({"weight": 3, "took": 7, "unit": "docs", "hits": {"total": 1}})
        else {
            unreachable!()
        };
        let outcome = Outcome::from_map(dict).unwrap();
        assert_eq!((outcome.weight(), outcome.unit(), outcome.success()), (3.0, "docs", true));
        assert_eq!(Value::Object(outcome.meta_data().clone()), json!({"took": 7, "hits": {"total": 1}}));
        let Value::Object(dict) = json!({"weight": "many"}) else { unreachable!() };
        let error = Outcome::from_map(dict).unwrap_err();
        assert_eq!(error.message(), "parameter 'weight' is \"many\" but must be a number");
    }

    #[test]
    fn same_parameters_are_those_of_the_call_before() {
        let mut reader = ParamsReader::default();
        let first =
            reader.read(wire::Params::Json(r#"{"index":"a","body":{"size":1}}"#.to_owned()), None).unwrap();
        let second = reader.read(wire::Params::Same, None).unwrap();
        assert!(Rc::ptr_eq(&first.values, &second.values));
        assert_eq!(second.get::<&str>("index").unwrap(), "a");
        assert_eq!(second.body_json::<Value>().unwrap(), json!({"size": 1}));
    }

    #[test]
    fn a_held_object_is_taken_once_and_by_its_type() {
        let mut reader = ParamsReader::default();
        let number = held::keep(Box::new(vec![1_u8, 2]));
        let mut params = reader.read(wire::Params::Held(number), None).unwrap();
        assert_eq!(*params.take_held::<Vec<u8>>().unwrap(), [1, 2]);
        assert!(params.take_held::<Vec<u8>>().is_err());
        assert!(reader.read(wire::Params::Held(number), None).is_err(), "the run has consumed it");
        let number = held::keep(Box::new(1_u8));
        let mut params = reader.read(wire::Params::Held(number), None).unwrap();
        assert!(params.take_held::<String>().unwrap_err().message().contains("String"));
    }

    #[test]
    fn a_missing_body_is_named() {
        let error = Params::default().take_body().unwrap_err();
        assert_eq!(error.class(), ErrorClass::Config);
        assert!(error.message().contains("'body' is missing"));
    }
}
