//! Track processors and validators: what a track's components do before the race.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use rally_track::Track;

use crate::environment::HostEnvironment;
use crate::error::{CallError, ComponentName};
use crate::extensions::Extensions;
use crate::since_0_1_0::state::{RaceContext, TaskContext};

/// A processor or validator that stands in the way of the race.
#[derive(Debug, thiserror::Error)]
pub enum ProcessingError {
    /// It failed, or does not accept the track.
    #[error(transparent)]
    Call(#[from] CallError),
    /// What it made of the track is none.
    #[error("extension [{component}], processor {processor:?}: the track that it returned is none: {reason}")]
    NoTrack {
        /// Whose.
        component: ComponentName,
        /// Which.
        processor: String,
        /// What is wrong with it.
        reason: serde_json::Error,
    },
    /// It changed what decides where files are.
    #[error(
        "extension [{component}], processor {processor:?}: it must not change the {property} of the track"
    )]
    Changed {
        /// Whose.
        component: ComponentName,
        /// Which.
        processor: String,
        /// What.
        property: &'static str,
    },
    /// Its preparation would never end.
    #[error(
        "extension [{component}], processor {processor:?}: it wants to prepare data in {jobs} jobs; at most {MOST_JOBS} are done"
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

/// Where guests believe the track to be: not where it is, which differs from machine to machine and is not their business.
const ROOT: &str = "/track";

/// A track as guests see it.
///
/// # Panics
/// Never: a track is always JSON.
pub fn track_json(track: &Track) -> Arc<str> {
    let mut shown = track.clone();
    shown.root = PathBuf::from(ROOT);
    serde_json::to_string(&shown).unwrap_or_default().into()
}

impl Extensions {
    /// Lets all processors change the track, one after the other.
    ///
    /// # Errors
    /// Where one fails, or makes something that is no track.
    pub fn process(
        &self,
        mut track: Track,
        challenge: &str,
        seed: u64,
        environment: &Arc<HostEnvironment>,
    ) -> Result<Track, ProcessingError> {
        for extension in self.iter().filter(|extension| !extension.description.processors.is_empty()) {
            let mut instance = extension.sync_instance(environment)?;
            for processor in &extension.description.processors {
                let context = context(&track, challenge, seed);
                let Some(text) = instance.on_load(processor, context)? else { continue };
                let changed: Track =
                    serde_json::from_str(&text).map_err(|reason| ProcessingError::NoTrack {
                        component: extension.name().clone(),
                        processor: processor.clone(),
                        reason,
                    })?;
                let known = addresses(&track);
                for (property, same) in [
                    ("addresses of data", addresses(&changed).iter().all(|address| known.contains(address))),
                    ("name", changed.name == track.name),
                    ("root", changed.root.as_os_str() == ROOT),
                    ("dialect", changed.dialect == track.dialect),
                ] {
                    if !same {
                        return Err(ProcessingError::Changed {
                            component: extension.name().clone(),
                            processor: processor.clone(),
                            property,
                        });
                    }
                }
                track = Track { root: track.root, ..changed };
            }
        }
        Ok(track)
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
        for extension in self.iter().filter(|extension| !extension.description.processors.is_empty()) {
            let mut instance = extension.sync_instance(environment)?;
            for processor in &extension.description.processors {
                let Some(jobs) = instance.on_prepare(processor, context(track, challenge, seed))? else {
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

fn context(track: &Track, challenge: &str, seed: u64) -> RaceContext {
    RaceContext {
        task: Arc::new(TaskContext {
            track_name: track.name.clone(),
            track: track_json(track),
            challenge: challenge.to_owned(),
            params: "{}".to_owned(),
            task_params: "{}".to_owned(),
            ..TaskContext::default()
        }),
        index: 0,
        total: 1,
        seed,
    }
}
