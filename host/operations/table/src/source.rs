//! Where the parameters of requests come from.

/// A built-in parameter source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The operation's own parameters.
    Generic,
    /// Documents of the track's corpora.
    Documents,
    /// Documents of the track's types, as of 2017.
    Documents2017,
    /// Searches.
    Search,
    /// Searches as of 2017.
    Search2017,
    /// Indices to create.
    CreateIndex,
    /// Indices to delete.
    DeleteIndex,
    /// Data streams to create.
    CreateDataStream,
    /// Data streams to delete.
    DeleteDataStream,
    /// Index templates to create.
    CreateIndexTemplate,
    /// Index templates to delete.
    DeleteIndexTemplate,
    /// Composable templates to create.
    CreateComposableTemplate,
    /// Composable templates to delete.
    DeleteComposableTemplate,
    /// Component templates to create.
    CreateComponentTemplate,
    /// Component templates to delete.
    DeleteComponentTemplate,
    /// How long to sleep.
    Sleep,
    /// What to merge.
    ForceMerge,
    /// What to downsample.
    Downsample,
}

impl Source {
    /// Rally's name of it.
    pub fn rally_name(self) -> &'static str {
        match self {
            Source::Generic => "ParamSource",
            Source::Documents | Source::Documents2017 => "BulkIndexParamSource",
            Source::Search | Source::Search2017 => "SearchParamSource",
            Source::CreateIndex => "CreateIndexParamSource",
            Source::DeleteIndex => "DeleteIndexParamSource",
            Source::CreateDataStream => "CreateDataStreamParamSource",
            Source::DeleteDataStream => "DeleteDataStreamParamSource",
            Source::CreateIndexTemplate => "CreateIndexTemplateParamSource",
            Source::DeleteIndexTemplate => "DeleteIndexTemplateParamSource",
            Source::CreateComposableTemplate => "CreateComposableTemplateParamSource",
            Source::DeleteComposableTemplate => "DeleteComposableTemplateParamSource",
            Source::CreateComponentTemplate => "CreateComponentTemplateParamSource",
            Source::DeleteComponentTemplate => "DeleteComponentTemplateParamSource",
            Source::Sleep => "SleepParamSource",
            Source::ForceMerge => "ForceMergeParamSource",
            Source::Downsample => "DownsampleParamSource",
        }
    }

    /// Whether its requests are cut from the track's documents.
    pub fn reads_documents(self) -> bool {
        matches!(self, Source::Documents | Source::Documents2017)
    }

    /// The parameter that lists names with bodies of indices or templates, if it yields one.
    pub fn lists_bodies_under(self) -> Option<&'static str> {
        match self {
            Source::CreateIndex => Some("indices"),
            Source::CreateIndexTemplate
            | Source::CreateComposableTemplate
            | Source::CreateComponentTemplate => Some("templates"),
            _ => None,
        }
    }
}
