//! Track processors and validators: what a track's components do before the race.

use std::collections::BTreeSet;
use std::sync::Arc;

use rally_support::printable::quoted;
use rally_track::Track;

use crate::context::{GuestTrack, RaceContext, TaskContext};
use crate::environment::HostEnvironment;
use crate::error::{CallError, ComponentName};
use crate::extension::Extension;
use crate::extensions::Extensions;

/// A processor or validator that stands in the way of the race.
#[derive(Debug, thiserror::Error)]
pub enum ProcessingError {
    /// It failed, or does not accept the track.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The track that it returned cannot be used.
    #[error("extension '{component}', processor {}: it did not return a valid track", quoted(processor))]
    Track {
        /// Whose.
        component: ComponentName,
        /// Which.
        processor: String,
        /// What is wrong with it.
        #[source]
        reason: Box<TrackChangeError>,
    },
    /// Its preparation would never end.
    #[error(
        "extension '{component}', processor {}: it wants to prepare data in {jobs} jobs, the limit is {MOST_JOBS}",
        quoted(processor)
    )]
    Jobs {
        /// Whose.
        component: ComponentName,
        /// Which.
        processor: String,
        /// How many it announced.
        jobs: u32,
    },
}

/// Jobs that a processor may announce. Arbitrary: each is a call with a time limit of its own, and no known track cuts its
/// data into more than a few hundred.
const MOST_JOBS: u32 = 10_000;

/// A processor returned a track that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrackChangeError {
    /// It does not have the shape of a track.
    #[error("it is not a track as JSON: {0}")]
    Shape(#[from] serde_json::Error),
    /// It differs in what decides which files and which requests the race is about.
    #[error("a processor must not change the {0} of the track")]
    Fixed(&'static str),
    /// The two places that have the documents of a type disagree.
    #[error(
        "the documents of type {} in index {} differ from those in the corpora; change only one of the two",
        quoted(mapping_type),
        quoted(index)
    )]
    Disagree {
        /// The type's index.
        index: String,
        /// The type.
        mapping_type: String,
    },
    /// Several files are one figure in a type.
    #[error(
        "the documents of type {} in index {} are several files; change them in the corpora",
        quoted(mapping_type),
        quoted(index)
    )]
    SeveralFiles {
        /// The type's index.
        index: String,
        /// The type.
        mapping_type: String,
    },
    /// A type was given documents without a file.
    #[error("the documents of type {} in index {} have no 'file_name'", quoted(mapping_type), quoted(index))]
    NoFile {
        /// The type's index.
        index: String,
        /// The type.
        mapping_type: String,
    },
}

impl Extensions {
    /// Lets all processors change the track, one after the other.
    ///
    /// # Errors
    /// Where one fails, or makes something that is no track.
    pub fn process(
        &self,
        track: Track,
        challenge: &str,
        seed: u64,
        environment: &Arc<HostEnvironment>,
    ) -> Result<Track, ProcessingError> {
        let mut track = Arc::new(track);
        for extension in self.iter().filter(|extension| !extension.description.processors.is_empty()) {
            let mut instance = extension.sync_instance(environment)?;
            for processor in &extension.description.processors {
                let context = context(&track, challenge, seed);
                let Some(text) = instance.on_load(processor, context)? else { continue };
                track = restored(extension, &text, &track).map(Arc::new).map_err(|reason| {
                    ProcessingError::Track {
                        component: extension.name().clone(),
                        processor: processor.clone(),
                        reason: Box::new(reason),
                    }
                })?;
            }
        }
        Ok(Arc::unwrap_or_clone(track))
    }

    /// Lets all processors prepare data, job after job.
    ///
    /// # Errors
    /// Where one fails.
    pub fn prepare(
        &self,
        track: &Track,
        challenge: &str,
        seed: u64,
        environment: &Arc<HostEnvironment>,
    ) -> Result<(), ProcessingError> {
        let track = Arc::new(track.clone());
        for extension in self.iter().filter(|extension| !extension.description.processors.is_empty()) {
            let mut instance = extension.sync_instance(environment)?;
            for processor in &extension.description.processors {
                let Some(jobs) = instance.on_prepare(processor, context(&track, challenge, seed))? else {
                    continue;
                };
                if jobs > MOST_JOBS {
                    return Err(ProcessingError::Jobs {
                        component: extension.name().clone(),
                        processor: processor.clone(),
                        jobs,
                    });
                }
                for job in 0..jobs {
                    instance.run_job(processor, job)?;
                }
            }
        }
        Ok(())
    }

    /// Lets the validators of a challenge look at the track parameters, a JSON object.
    ///
    /// # Errors
    /// Where one does not accept them.
    pub fn validate(
        &self,
        challenge: &str,
        track_params: &str,
        environment: &Arc<HostEnvironment>,
    ) -> Result<(), ProcessingError> {
        for extension in self.iter() {
            if extension.description.validators.iter().any(|name| name == challenge) {
                extension.sync_instance(environment)?.validate(challenge, track_params)?;
            }
        }
        Ok(())
    }
}

/// Where the track says that data come from. Who may not send requests must not have them sent by naming other addresses.
fn addresses(track: &Track) -> BTreeSet<String> {
    let own = track.document_sets().filter_map(|(_, documents)| documents.base_url.clone());
    track.data_url.iter().cloned().chain(own).collect()
}

/// The track as a processor has changed it.
fn restored(extension: &Extension, text: &str, track: &Track) -> Result<Track, TrackChangeError> {
    let changed = extension.linked.restore_track(text, track)?;
    let known = addresses(track);
    if !addresses(&changed).iter().all(|address| known.contains(address)) {
        return Err(TrackChangeError::Fixed("addresses of data"));
    }
    Ok(changed)
}

fn context(track: &Arc<Track>, challenge: &str, seed: u64) -> RaceContext {
    RaceContext {
        task: Arc::new(TaskContext {
            track: GuestTrack::new(Arc::clone(track)),
            challenge: challenge.to_owned(),
            task: String::new(),
            params: "{}".to_owned(),
            task_params: "{}".to_owned(),
            target_throughput: None,
            clusters: Vec::new(),
        }),
        index: 0,
        total: 1,
        seed,
    }
}
