//! A track processor and a validator.

use rally_sdk::serde_json::Value;
use rally_sdk::{Context, Error, Processor, Result, Values, data};

/// Adds to the track's meta-data; prepares data in two jobs, each of which writes a file.
pub struct Preparing {
    track_name: String,
}

impl Processor for Preparing {
    fn open(context: &Context) -> Result<Preparing> {
        Ok(Preparing { track_name: context.track_name() })
    }

    fn on_load(&mut self, context: &Context) -> Result<Option<Value>> {
        let mut track = context.track().values().as_map().clone();
        let Some(Value::Object(meta)) = track.get_mut("meta") else { return Ok(None) };
        meta.insert("processed-by".to_owned(), "conformance".into());
        Ok(Some(Value::Object(track)))
    }

    fn on_prepare(&mut self, _context: &Context) -> Result<Option<u32>> {
        Ok(Some(2))
    }

    fn run_job(&mut self, job: u32) -> Result<()> {
        let file = format!("prepared/{job}.txt");
        data::create(&file)?;
        data::append(&file, format!("job {job} of {}\n", self.track_name).as_bytes())?;
        data::append(&file, b"done\n")
    }
}

/// Refuses track parameters that have `forbidden`.
pub fn check_parameters(params: &Values) -> Result<()> {
    match params.value("forbidden") {
        Some(_) => Err(Error::config("track parameter 'forbidden' is forbidden")),
        None => Ok(()),
    }
}
