//! What a component says of itself.

use crate::extension::{Description, Form, RunnerInfo, SchedulerInfo, Sharing, SourceInfo};
use crate::since_0_1_0::bindings::sync::exports::rally::track::extension as wit;

/// The same in the words of any version.
pub(crate) fn description(said: wit::Description) -> Description {
    Description {
        name: said.name,
        version: said.version,
        sharing: match said.sharing {
            wit::Sharing::Isolated => Sharing::Isolated,
            wit::Sharing::PerClient => Sharing::PerClient,
            wit::Sharing::PerWorker => Sharing::PerWorker,
        },
        sources: said.sources.into_iter().map(source).collect(),
        runners: said.runners.into_iter().map(runner).collect(),
        schedulers: said
            .schedulers
            .into_iter()
            .map(|info| SchedulerInfo { name: info.name, feedback: info.feedback })
            .collect(),
        processors: said.processors,
        validators: said.validators,
    }
}

fn source(info: wit::SourceInfo) -> SourceInfo {
    SourceInfo {
        name: info.name,
        form: match info.form {
            wit::BatchForm::Arena => Form::Arena,
            wit::BatchForm::Lines => Form::Lines,
        },
        prefetch: info.prefetch,
    }
}

fn runner(info: wit::RunnerInfo) -> RunnerInfo {
    RunnerInfo { name: info.name, multi_cluster: info.multi_cluster, completes_task: info.completes_task }
}
