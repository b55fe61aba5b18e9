//! What is shown of a hit.

use super::hits::Hit;
use super::order::{Level, score_value};
use super::percolate::Percolated;
use super::request::SearchRequest;
use super::source_filter::SourceFilter;
use crate::error::EsError;
use crate::mapping::System;
use crate::shard::ShardView;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tantivy::schema::Value as _;
use tantivy::{DocAddress, TantivyDocument};

/// A hit as it is shown.
#[derive(Debug)]
pub struct ShownHit {
    index: std::sync::Arc<str>,
    id: Option<String>,
    version: Option<u64>,
    sequence_number: Option<u64>,
    score: Option<f32>,
    source: Option<Box<RawValue>>,
    fields: Map<String, Value>,
    sort: Option<Vec<Value>>,
}

impl ShownHit {
    /// Name of its index.
    pub fn index(&self) -> &str {
        &self.index
    }
}

/// Shows `hit` as `request` asks; `levels` is the order of its index, `percolated` what was percolated there.
///
/// # Errors
/// Where the document cannot be read.
pub fn show(
    hit: &Hit,
    shard: &ShardView,
    request: &SearchRequest,
    levels: &[Level],
    scored: bool,
    percolated: &[Percolated],
) -> Result<ShownHit, EsError> {
    let wants_source = request.source != SourceFilter::None && shard.mapping.source_enabled();
    let (mut id, mut source) = (None, None);
    if request.ids || wants_source {
        let document: TantivyDocument = shard.searcher.doc(DocAddress::new(hit.segment, hit.document))?;
        if request.ids {
            id = document.get_first(System::ID).and_then(|value| value.as_str().map(str::to_string));
        }
        if wants_source
            && let Some(bytes) = document.get_first(System::SOURCE).and_then(|value| value.as_bytes())
        {
            source = Some(filtered(bytes, &request.source)?);
        }
    }
    let version = if request.version {
        let segment = shard.searcher.segment_reader(hit.segment);
        let column = segment.fast_fields().column_opt::<u64>(System::VERSION_NAME)?;
        Some(column.and_then(|column| column.first(hit.document)).unwrap_or(1))
    } else {
        None
    };
    let reader = shard.searcher.segment_reader(hit.segment);
    let slots = percolated.iter().filter_map(|each| {
        let slots = each.slots(reader.segment_id(), hit.document)?;
        Some((each.slot_field().to_string(), slots.into()))
    });
    let fields = slots.collect();
    let sort = (!request.sort.is_empty())
        .then(|| levels.iter().zip(&hit.keys).map(|(level, key)| level.show(key)).collect());
    Ok(ShownHit {
        index: shard.index_name.clone(),
        id,
        version,
        sequence_number: request.sequence_numbers.then_some(hit.sequence),
        score: Some(hit.score).filter(|score| scored && !score.is_nan()),
        source,
        fields,
        sort,
    })
}

fn filtered(bytes: &[u8], filter: &SourceFilter) -> Result<Box<RawValue>, EsError> {
    let broken = |error: serde_json::Error| EsError::internal(format!("a stored source is no JSON: {error}"));
    if *filter == SourceFilter::All {
        // As it came, with its spaces and the order of its keys.
        let text = String::from_utf8(bytes.to_vec())
            .map_err(|error| EsError::internal(format!("a stored source is no text: {error}")))?;
        return RawValue::from_string(text).map_err(broken);
    }
    let source = serde_json::from_slice(bytes).map_err(broken)?;
    serde_json::value::to_raw_value(&filter.apply(source)).map_err(broken)
}

impl Serialize for ShownHit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("_index", &*self.index)?;
        map.serialize_entry("_type", "_doc")?;
        if let Some(id) = &self.id {
            map.serialize_entry("_id", id)?;
        }
        if let Some(version) = self.version {
            map.serialize_entry("_version", &version)?;
        }
        if let Some(number) = self.sequence_number {
            map.serialize_entry("_seq_no", &number)?;
            map.serialize_entry("_primary_term", &1)?;
        }
        map.serialize_entry("_score", &self.score.map(score_value))?;
        if let Some(source) = &self.source {
            map.serialize_entry("_source", source)?;
        }
        if !self.fields.is_empty() {
            map.serialize_entry("fields", &self.fields)?;
        }
        if let Some(sort) = &self.sort {
            map.serialize_entry("sort", sort)?;
        }
        map.end()
    }
}
