//! The parts of the track in the shape of 0.1.0.

use std::sync::Arc;

use rally_track::{CompletedBy, Dialect, Element, MappingType, Target};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::documents::TypeDocuments;
use super::view::{View, view};

type Object = Map<String, Value>;

view! {
    /// The track itself.
    TrackParts of Track by name {
        name: String,
        dialect: DialectView,
        short_description: Option<String>,
        description: String,
        data_url: Option<String>,
        meta: Object,
        indices: Vec<IndexView>,
        #[serde(default)]
        data_streams: Vec<DataStreamView>,
        templates: Vec<IndexTemplateView>,
        #[serde(default)]
        composable_templates: Vec<IndexTemplateView>,
        #[serde(default)]
        component_templates: Vec<ComponentTemplateView>,
        #[serde(default)]
        corpora: Vec<CorpusView>,
        challenges: Vec<ChallengeView>,
        warnings: Vec<String>,
    }
    // `root` is shown as another one.
    hidden { root, dependencies, }
}

view! {
    IndexView of Index by name {
        name: String,
        #[serde(default)]
        body: Object,
        auto_managed: bool,
        types: Vec<TypeView>,
    }
}

view! {
    DataStreamView of DataStream by name {
        name: String,
    }
}

view! {
    CorpusView of Corpus by name {
        name: String,
        meta: Object,
        documents: Vec<DocumentsView>,
    }
}

view! {
    DocumentsView of Documents by file_name {
        file_name: String,
        base_url: Option<String>,
        document_count: u64,
        includes_action_and_meta_data: bool,
        compressed_bytes: Option<u64>,
        uncompressed_bytes: Option<u64>,
        #[serde(default)]
        sha256: Option<String>,
        #[serde(default)]
        target_index: Option<String>,
        #[serde(default)]
        target_type: Option<String>,
        #[serde(default)]
        target_data_stream: Option<String>,
        #[serde(default)]
        meta: Object,
    }
}

view! {
    IndexTemplateView of IndexTemplate by name {
        name: String,
        index_pattern: String,
        delete_matching_indices: bool,
        template: Value,
    }
}

view! {
    ComponentTemplateView of ComponentTemplate by name {
        name: String,
        template: Value,
    }
}

view! {
    ChallengeView of Challenge by name {
        name: String,
        description: Option<String>,
        user_info: Option<String>,
        default: bool,
        #[serde(default)]
        auto_generated: bool,
        #[serde(default)]
        parameters: Object,
        meta: Object,
        index_settings: Object,
        cluster_settings: Object,
        schedule: Vec<ElementView>,
    }
    hidden { serverless_info, }
}

view! {
    TaskView of Task by name {
        name: String,
        operation: Arc<OperationView>,
        meta: Object,
        #[serde(default)]
        tags: Vec<String>,
        clients: u32,
        warmup_iterations: Option<u64>,
        iterations: Option<u64>,
        warmup_time_period: Option<f64>,
        time_period: Option<f64>,
        #[serde(default)]
        ramp_up_time_period: Option<f64>,
        #[serde(default)]
        ignores_non_fatal_errors: bool,
        schedule: String,
        target: Option<TargetView>,
        params: Object,
    }
}

view! {
    OperationView of Operation by name {
        name: String,
        operation_type: String,
        param_source: Option<String>,
        meta: Object,
        params: Object,
    }
}

/// A type with the documents that go into it, which the model has in its corpora.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct TypeView {
    pub(super) name: String,
    pub(super) mapping: Value,
    #[serde(default)]
    pub(super) documents: Option<TypeDocuments>,
}

impl View for TypeView {
    type Model = MappingType;

    fn of(model: &MappingType) -> TypeView {
        let MappingType { name, mapping } = model;
        TypeView { name: name.clone(), mapping: mapping.clone(), documents: None }
    }

    fn restore(self, _before: Option<&MappingType>) -> MappingType {
        MappingType { name: self.name, mapping: self.mapping }
    }

    fn key(value: &Value) -> Option<Value> {
        value.get("name").cloned()
    }

    fn keep(returned: &mut Value, before: &Value) {
        let Some(returned) = returned.as_object_mut() else { return };
        for name in ["name", "mapping", "documents"] {
            if let (None, Some(known)) = (returned.get(name), before.get(name)) {
                returned.insert(name.to_owned(), known.clone());
            }
        }
    }
}

/// The language of a track.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum DialectView {
    Rally2017,
    Current,
}

impl View for DialectView {
    type Model = Dialect;

    fn of(model: &Dialect) -> DialectView {
        match model {
            Dialect::Rally2017 => DialectView::Rally2017,
            Dialect::Current => DialectView::Current,
        }
    }

    fn restore(self, _before: Option<&Dialect>) -> Dialect {
        match self {
            DialectView::Rally2017 => Dialect::Rally2017,
            DialectView::Current => Dialect::Current,
        }
    }
}

/// An entry of a schedule.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ElementView {
    Task(Arc<TaskView>),
    Parallel(ParallelView),
}

/// Tasks that run at the same time.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ParallelView {
    tasks: Vec<Arc<TaskView>>,
    clients: Option<u32>,
    completed_by: Option<CompletedByView>,
}

impl View for ElementView {
    type Model = Element;

    fn of(model: &Element) -> ElementView {
        match model {
            Element::Task(task) => ElementView::Task(View::of(task)),
            Element::Parallel(rally_track::Parallel { tasks, clients, completed_by }) => {
                ElementView::Parallel(ParallelView {
                    tasks: View::of(tasks),
                    clients: *clients,
                    completed_by: View::of(completed_by),
                })
            }
        }
    }

    fn restore(self, before: Option<&Element>) -> Element {
        match self {
            ElementView::Task(task) => {
                let known = before.and_then(|before| before.tasks().first());
                Element::Task(task.restore(known))
            }
            ElementView::Parallel(ParallelView { tasks, clients, completed_by }) => {
                let known = before.map(|before| before.tasks().to_vec());
                Element::Parallel(rally_track::Parallel {
                    tasks: tasks.restore(known.as_ref()),
                    clients,
                    completed_by: completed_by.restore(None),
                })
            }
        }
    }

    fn shows(&self, model: &Element) -> bool {
        match (self, model) {
            (ElementView::Task(view), Element::Task(task)) => view.shows(task),
            (ElementView::Parallel(view), Element::Parallel(parallel)) => {
                view.tasks.len() == parallel.tasks.len()
                    && view.tasks.iter().zip(&parallel.tasks).all(|(view, task)| view.shows(task))
            }
            _ => false,
        }
    }

    /// The name of a task, the names of parallel ones.
    fn key(value: &Value) -> Option<Value> {
        if let Some(task) = value.get("task") {
            return task.get("name").cloned();
        }
        let tasks = value.get("parallel")?.get("tasks")?.as_array()?;
        tasks.iter().map(|task| task.get("name").cloned()).collect()
    }

    fn keep(returned: &mut Value, before: &Value) {
        if let (Some(task), Some(known)) = (returned.get_mut("task"), before.get("task")) {
            TaskView::keep(task, known);
        }
        if let (Some(parallel), Some(known)) = (returned.get_mut("parallel"), before.get("parallel")) {
            if let (Some(tasks), Some(known)) = (parallel.get_mut("tasks"), known.get("tasks")) {
                Vec::<TaskView>::keep(tasks, known);
            }
            let Some(parallel) = parallel.as_object_mut() else { return };
            for name in ["clients", "completed_by"] {
                if let (None, Some(known)) = (parallel.get(name), known.get(name)) {
                    parallel.insert(name.to_owned(), known.clone());
                }
            }
        }
    }
}

/// Which task ends a parallel element.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum CompletedByView {
    Task(String),
    Any,
}

impl View for CompletedByView {
    type Model = CompletedBy;

    fn of(model: &CompletedBy) -> CompletedByView {
        match model {
            CompletedBy::Task(name) => CompletedByView::Task(name.clone()),
            CompletedBy::Any => CompletedByView::Any,
        }
    }

    fn restore(self, _before: Option<&CompletedBy>) -> CompletedBy {
        match self {
            CompletedByView::Task(name) => CompletedBy::Task(name),
            CompletedByView::Any => CompletedBy::Any,
        }
    }
}

/// The rate of a task.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum TargetView {
    Throughput(f64),
    Interval(f64),
    Work { rate: f64, unit: String },
}

impl View for TargetView {
    type Model = Target;

    fn of(model: &Target) -> TargetView {
        match model {
            Target::Throughput(rate) => TargetView::Throughput(*rate),
            Target::Interval(seconds) => TargetView::Interval(*seconds),
            Target::Work { rate, unit } => TargetView::Work { rate: *rate, unit: unit.clone() },
        }
    }

    fn restore(self, _before: Option<&Target>) -> Target {
        match self {
            TargetView::Throughput(rate) => Target::Throughput(rate),
            TargetView::Interval(seconds) => Target::Interval(seconds),
            TargetView::Work { rate, unit } => Target::Work { rate, unit },
        }
    }
}
