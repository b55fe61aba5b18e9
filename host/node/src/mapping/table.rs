//! The field table of an index: an immutable value, replaced as a whole when the mapping grows.

use super::date::DateFormat;
use super::dynamic::{self, DynamicTemplate, DynamicValue};
use super::field::{FieldDefinition, MappedField};
use super::parse::{self, Definition, ObjectDefinition};
use super::slot::{Layout, SlotCounts, SlotKind};
use crate::error::EsError;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What happens to fields that no mapping names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dynamic {
    /// They are added to the mapping.
    True,
    /// They are kept in the source only.
    False,
    /// The document is refused.
    Strict,
}

impl Dynamic {
    fn name(self) -> &'static str {
        match self {
            Dynamic::True => "true",
            Dynamic::False => "false",
            Dynamic::Strict => "strict",
        }
    }
}

/// The options at the top of a mapping; None where it does not say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RootOptions {
    /// Whether new strings that look like dates become dates (true).
    pub date_detection: Option<bool>,
    /// Whether new strings that look like numbers become numbers (false).
    pub numeric_detection: Option<bool>,
    /// What dates look like in new fields.
    pub dynamic_date_formats: Option<Vec<Arc<DateFormat>>>,
    /// Rules for new fields.
    pub dynamic_templates: Option<Vec<DynamicTemplate>>,
    /// Whether documents are kept as they came (true).
    pub source_enabled: Option<bool>,
    /// Free for the user, `_meta`.
    pub meta: Option<Value>,
}

/// A member of an object of the mapping.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// An object with members of its own.
    Object(ObjectNode),
    /// A field, by its index in the field list.
    Field(usize),
}

/// An object of the mapping; the root is one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ObjectNode {
    /// What happens to unknown members; as in the object above where it does not say.
    pub dynamic: Option<Dynamic>,
    /// False where the members are kept in the source only.
    pub enabled: Option<bool>,
    /// Its members by name.
    pub members: BTreeMap<String, Node>,
}

/// The mapping of an index.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    fields: Vec<MappedField>,
    paths: HashMap<String, usize>,
    root: ObjectNode,
    objects: usize,
    options: RootOptions,
    used: SlotCounts,
    layout: Layout,
}

impl Mapping {
    /// The mapping of a new index from `{"properties": {…}, …}`, with spare slots.
    ///
    /// # Errors
    /// 400 in the words of Elasticsearch where the definition is wrong or asks for what the node does not have.
    pub fn new(body: &Value) -> Result<Self, EsError> {
        Mapping::blank(Layout::default()).merged(body)
    }

    /// The mapping as it was saved: its JSON, the paths in the order in which they took their slots, and the layout.
    ///
    /// # Errors
    /// 500 where the parts do not belong together.
    pub fn restore(body: &Value, order: &[String], layout: Layout) -> Result<Self, EsError> {
        let mut additions = Additions::default();
        let mut mapping = Mapping::blank(layout);
        mapping.absorb(body, &mut additions)?;
        let position = |path: &String| order.iter().position(|each| each == path);
        if additions.fields.len() != order.len()
            || additions.fields.iter().any(|(path, _)| position(path).is_none())
        {
            return Err(EsError::internal("the saved field order does not fit the saved mapping"));
        }
        additions.fields.sort_by_key(|(path, _)| position(path));
        mapping.take_slots(additions)?;
        let mut root = std::mem::take(&mut mapping.root);
        number(&mut root, "", &mapping.paths);
        mapping.root = root;
        Ok(mapping)
    }

    fn blank(layout: Layout) -> Self {
        Mapping {
            fields: Vec::new(),
            paths: HashMap::new(),
            root: ObjectNode::default(),
            objects: 0,
            options: RootOptions::default(),
            used: SlotCounts::default(),
            layout,
        }
    }

    /// This mapping with the definitions of `body` merged into it. Its layout is grown where the slots ran out.
    ///
    /// # Errors
    /// 400 where `body` is wrong or contradicts what is there.
    pub fn merged(&self, body: &Value) -> Result<Self, EsError> {
        let mut mapping = self.clone();
        let mut additions = Additions::default();
        mapping.absorb(body, &mut additions)?;
        mapping.take_slots(additions)?;
        Ok(mapping)
    }

    /// This mapping with fields for paths that documents brought, by the first value seen of each.
    ///
    /// # Errors
    /// 400 where a dynamic template is wrong, or one path needs both an object and a field.
    pub fn with_new_fields(&self, new: &[(String, DynamicValue)]) -> Result<Self, EsError> {
        let mut mapping = self.clone();
        let mut additions = Additions::default();
        for (path, value) in new {
            if mapping.node(path).is_some() {
                continue;
            }
            let mut definition = dynamic::definition(&mapping.options, path, value)?;
            for name in path.split('.').rev() {
                let properties = vec![(name.to_string(), definition)];
                definition =
                    Definition::Object(ObjectDefinition { properties, ..ObjectDefinition::default() });
            }
            if let Definition::Object(object) = definition {
                mapping.absorb_object(object, &mut additions)?;
            }
        }
        mapping.take_slots(additions)?;
        Ok(mapping)
    }

    /// The field at `path`, or None where the mapping has none there (an object is not a field).
    pub fn get(&self, path: &str) -> Option<&MappedField> {
        self.paths.get(path).map(|index| &self.fields[*index])
    }

    /// The field with this index, as [`Node::Field`] and [`MappedField::multi_fields`] give it.
    pub fn field(&self, index: usize) -> &MappedField {
        &self.fields[index]
    }

    /// Every field, multi-fields too, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = &MappedField> {
        self.fields.iter()
    }

    /// Whether there is an object at `path`.
    pub fn is_object(&self, path: &str) -> bool {
        matches!(self.node(path), Some(Node::Object(_)))
    }

    /// The root object.
    pub fn root(&self) -> &ObjectNode {
        &self.root
    }

    /// The options at the top.
    pub fn options(&self) -> &RootOptions {
        &self.options
    }

    /// Whether documents are kept as they came.
    pub fn source_enabled(&self) -> bool {
        self.options.source_enabled.unwrap_or(true)
    }

    /// The slots of the index that this mapping needs.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Fields and objects, as `index.mapping.total_fields.limit` counts them.
    pub fn total_fields(&self) -> usize {
        self.fields.len() + self.objects
    }

    /// The mapping as `GET _mapping` answers it; members sorted by name.
    pub fn to_json(&self) -> Value {
        let mut root = Map::new();
        let options = &self.options;
        if let Some(meta) = &options.meta {
            root.insert("_meta".to_string(), meta.clone());
        }
        if let Some(dynamic) = self.root.dynamic {
            root.insert("dynamic".to_string(), dynamic.name().into());
        }
        if let Some(formats) = &options.dynamic_date_formats {
            let sources: Vec<&str> = formats.iter().map(|format| format.source()).collect();
            root.insert("dynamic_date_formats".to_string(), json!(sources));
        }
        if let Some(templates) = &options.dynamic_templates {
            let sources: Vec<&Value> = templates.iter().map(|template| &template.source).collect();
            root.insert("dynamic_templates".to_string(), json!(sources));
        }
        if let Some(detection) = options.date_detection {
            root.insert("date_detection".to_string(), detection.into());
        }
        if let Some(detection) = options.numeric_detection {
            root.insert("numeric_detection".to_string(), detection.into());
        }
        if options.source_enabled == Some(false) {
            root.insert("_source".to_string(), json!({ "enabled": false }));
        }
        if !self.root.members.is_empty() {
            root.insert("properties".to_string(), self.members_json(&self.root));
        }
        Value::Object(root)
    }

    /// The paths in the order in which they took their slots, for [`Mapping::restore`].
    pub fn order(&self) -> Vec<String> {
        self.fields.iter().map(|field| field.path.clone()).collect()
    }

    fn members_json(&self, object: &ObjectNode) -> Value {
        let members = object.members.iter().map(|(name, node)| {
            let json = match node {
                Node::Field(index) => self.fields[*index].definition.to_json(),
                Node::Object(object) => {
                    let mut json = Map::new();
                    if let Some(dynamic) = object.dynamic {
                        json.insert("dynamic".to_string(), dynamic.name().into());
                    }
                    if let Some(enabled) = object.enabled {
                        json.insert("enabled".to_string(), enabled.into());
                    }
                    if object.members.is_empty() {
                        json.insert("type".to_string(), "object".into());
                    } else {
                        json.insert("properties".to_string(), self.members_json(object));
                    }
                    Value::Object(json)
                }
            };
            (name.clone(), json)
        });
        Value::Object(members.collect())
    }

    /// The object or field at `path`; multi-fields are not found here.
    fn node(&self, path: &str) -> Option<&Node> {
        let mut names = path.split('.');
        let mut node = self.root.members.get(names.next()?)?;
        for name in names {
            let Node::Object(object) = node else { return None };
            node = object.members.get(name)?;
        }
        Some(node)
    }

    fn absorb(&mut self, body: &Value, additions: &mut Additions) -> Result<(), EsError> {
        let definition = parse::root(body)?;
        let (old, new) = (&mut self.options, definition.options);
        if old.source_enabled.is_some_and(|old| new.source_enabled.is_some_and(|new| new != old)) {
            return Err(EsError::illegal_argument(
                "Mapper for [_source] conflicts with existing mapper: Cannot update parameter [enabled]",
            ));
        }
        old.date_detection = new.date_detection.or(old.date_detection);
        old.numeric_detection = new.numeric_detection.or(old.numeric_detection);
        old.dynamic_date_formats = new.dynamic_date_formats.or(old.dynamic_date_formats.take());
        old.dynamic_templates = new.dynamic_templates.or(old.dynamic_templates.take());
        old.source_enabled = new.source_enabled.or(old.source_enabled);
        old.meta = new.meta.or(old.meta.take());
        self.absorb_object(definition.object, additions)
    }

    fn absorb_object(&mut self, object: ObjectDefinition, additions: &mut Additions) -> Result<(), EsError> {
        let mut root = std::mem::take(&mut self.root);
        let merged = self.merge_object("", &mut root, object, additions);
        self.root = root;
        merged
    }

    fn merge_object(
        &mut self,
        path: &str,
        node: &mut ObjectNode,
        definition: ObjectDefinition,
        additions: &mut Additions,
    ) -> Result<(), EsError> {
        node.dynamic = definition.dynamic.or(node.dynamic);
        if let Some(enabled) = definition.enabled {
            if !node.members.is_empty() && enabled != node.enabled.unwrap_or(true) {
                return Err(EsError::new(
                    400,
                    "mapper_exception",
                    format!("The [enabled] parameter can't be updated for the object mapping [{path}]."),
                ));
            }
            node.enabled = Some(enabled);
        }
        for (name, definition) in definition.properties {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            match (node.members.get_mut(&name), definition) {
                (Some(Node::Object(old)), Definition::Object(new)) => {
                    self.merge_object(&path, old, new, additions)?;
                }
                (Some(Node::Field(index)), Definition::Field(new)) => {
                    let index = *index;
                    self.merge_field(&path, index, *new, additions)?;
                }
                (None, Definition::Object(new)) => {
                    let mut object = ObjectNode::default();
                    self.objects += 1;
                    self.merge_object(&path, &mut object, new, additions)?;
                    node.members.insert(name, Node::Object(object));
                }
                (None, Definition::Field(new)) => {
                    let index = self.fields.len() + additions.fields.len();
                    additions.add(path, *new);
                    node.members.insert(name, Node::Field(index));
                }
                (Some(Node::Object(_)), Definition::Field(_)) => {
                    return Err(EsError::illegal_argument(format!(
                        "can't merge a non object mapping [{path}] with an object mapping"
                    )));
                }
                (Some(Node::Field(_)), Definition::Object(_)) => {
                    return Err(EsError::illegal_argument(format!(
                        "can't merge a non object mapping [{path}] with an object mapping"
                    )));
                }
            }
        }
        Ok(())
    }

    fn merge_field(
        &mut self,
        path: &str,
        index: usize,
        new: FieldDefinition,
        additions: &mut Additions,
    ) -> Result<(), EsError> {
        // A field that this very merge added is not in the list yet; the later definition adds nothing then.
        let Some(field) = self.fields.get(index) else { return Ok(()) };
        let mut definition = updated(path, &field.definition, new.clone())?;
        for (name, new) in new.fields {
            let sub_path = format!("{path}.{name}");
            match self.paths.get(&sub_path).copied() {
                Some(sub) => {
                    let merged = updated(&sub_path, &self.fields[sub].definition, new)?;
                    if let Some((_, old)) = definition.fields.iter_mut().find(|(each, _)| *each == name) {
                        *old = merged.clone();
                    }
                    self.fields[sub].definition = merged;
                }
                None => {
                    definition.fields.push((name, new.clone()));
                    let sub = self.fields.len() + additions.fields.len();
                    additions.fields.push((sub_path, new));
                    self.fields[index].multi_fields.push(sub);
                }
            }
        }
        self.fields[index].definition = definition;
        Ok(())
    }

    fn take_slots(&mut self, additions: Additions) -> Result<(), EsError> {
        let mut used = self.used;
        for kind in additions.fields.iter().flat_map(|(_, definition)| definition.field_type.slot_kinds()) {
            used[*kind as usize] += 1;
        }
        if self.layout == Layout::default() {
            self.layout = Layout::with_spare(used);
        } else if !self.layout.holds(used) {
            self.layout = self.layout.grown(used);
        }
        for (path, definition) in additions.fields {
            let mut slots = Vec::new();
            for kind in definition.field_type.slot_kinds() {
                let number = self.next(*kind);
                slots.extend(self.layout.slot(*kind, number));
            }
            if slots.len() != definition.field_type.slot_kinds().len() {
                return Err(EsError::internal(format!("no slot left for field [{path}]")));
            }
            self.paths.insert(path.clone(), self.fields.len());
            self.fields.push(MappedField { path, definition, slots, multi_fields: Vec::new() });
        }
        // Multi-fields follow their field in the list when they came with it.
        for index in 0..self.fields.len() {
            let field = &self.fields[index];
            let multi_fields = field
                .definition
                .fields
                .iter()
                .filter_map(|(name, _)| self.paths.get(&format!("{}.{name}", field.path)).copied())
                .collect();
            self.fields[index].multi_fields = multi_fields;
        }
        Ok(())
    }

    fn next(&mut self, kind: SlotKind) -> usize {
        let next = &mut self.used[kind as usize];
        *next += 1;
        *next - 1
    }
}

/// Writes the indexes of `paths` into the fields below `object`, which is at `prefix`.
fn number(object: &mut ObjectNode, prefix: &str, paths: &HashMap<String, usize>) {
    for (name, node) in &mut object.members {
        let path = format!("{prefix}{name}");
        match node {
            Node::Field(index) => *index = paths.get(&path).copied().unwrap_or(*index),
            Node::Object(object) => number(object, &format!("{path}."), paths),
        }
    }
}

/// Fields that a merge adds, multi-fields after their field; slots come when it is known that all of them fit.
#[derive(Default)]
struct Additions {
    fields: Vec<(String, FieldDefinition)>,
}

impl Additions {
    fn add(&mut self, path: String, definition: FieldDefinition) {
        let multi_fields: Vec<_> = definition
            .fields
            .iter()
            .map(|(name, definition)| (format!("{path}.{name}"), definition.clone()))
            .collect();
        self.fields.push((path, definition));
        self.fields.extend(multi_fields);
    }
}

/// `old` after an update by `new`, its multi-fields untouched.
fn updated(path: &str, old: &FieldDefinition, new: FieldDefinition) -> Result<FieldDefinition, EsError> {
    if old.field_type != new.field_type {
        return Err(EsError::illegal_argument(format!(
            "mapper [{path}] cannot be changed from type [{}] to [{}]",
            old.field_type.name(),
            new.field_type.name()
        )));
    }
    let conflict = |parameter: &str, old: &dyn std::fmt::Display, new: &dyn std::fmt::Display| {
        EsError::illegal_argument(format!(
            "Mapper for [{path}] conflicts with existing mapper:\n\tCannot update parameter [{parameter}] from [{old}] to [{new}]"
        ))
    };
    if old.index != new.index {
        return Err(conflict("index", &old.index, &new.index));
    }
    if old.doc_values != new.doc_values {
        return Err(conflict("doc_values", &old.doc_values, &new.doc_values));
    }
    if new.norms && !old.norms {
        return Err(conflict("norms", &old.norms, &new.norms));
    }
    if old.format != new.format {
        return Err(conflict("format", &old.format.source(), &new.format.source()));
    }
    if old.scaling_factor != new.scaling_factor {
        return Err(conflict("scaling_factor", &old.scaling_factor, &new.scaling_factor));
    }
    let mut merged = new;
    merged.fields = old.fields.clone();
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::FieldType;

    fn places() -> Mapping {
        Mapping::new(&json!({"dynamic": "strict", "properties": {
            "name": {"type": "text", "fields": {"raw": {"type": "keyword"}}},
            "population": {"type": "long"},
            "location": {"type": "geo_point"},
            "address": {"properties": {"city": {"type": "keyword", "ignore_above": 10}}},
        }}))
        .unwrap()
    }

    #[test]
    fn fields_are_found_by_path() {
        let mapping = places();
        assert_eq!(mapping.get("name.raw").unwrap().field_type(), FieldType::Keyword);
        assert_eq!(mapping.get("address.city").unwrap().definition.ignore_above, Some(10));
        assert_eq!(mapping.get("location").unwrap().slots.len(), 2);
        assert!(mapping.get("address").is_none() && mapping.is_object("address"));
        let name = mapping.get("name").unwrap();
        assert_eq!(mapping.field(name.multi_fields[0]).path, "name.raw");
        assert_eq!(mapping.total_fields(), 6);
    }

    #[test]
    fn every_field_has_slots_of_its_own() {
        let mut names: Vec<_> =
            places().iter().flat_map(|field| field.slots.clone()).map(|slot| slot.name).collect();
        names.sort();
        let count = names.len();
        names.dedup();
        assert_eq!((count, names.len()), (6, 6));
    }

    #[test]
    fn the_json_is_sorted_and_reads_back() {
        let mapping = places();
        let json = mapping.to_json();
        let expected = r#"{"dynamic":"strict","properties":{"address":{"properties":{"city":{"type":"keyword","ignore_above":10}}},"location":{"type":"geo_point"},"name":{"type":"text","fields":{"raw":{"type":"keyword"}}},"population":{"type":"long"}}}"#;
        assert_eq!(json.to_string(), expected);
        let restored = Mapping::restore(&json, &mapping.order(), mapping.layout().clone()).unwrap();
        assert_eq!(restored, mapping);
    }

    #[test]
    fn merging_adds_and_keeps_slots() {
        let mapping = places();
        let body = json!({"properties": {"population": {"type": "long"}, "name": {"type": "text", "fields": {"exact": {"type": "keyword"}}}, "address": {"properties": {"zip": {"type": "keyword"}}}}});
        let merged = mapping.merged(&body).unwrap();
        assert_eq!(merged.get("population").unwrap().slots, mapping.get("population").unwrap().slots);
        assert_eq!(merged.get("name").unwrap().multi_fields.len(), 2);
        assert!(merged.get("name.exact").is_some() && merged.get("address.zip").is_some());
        assert_eq!(merged.layout(), mapping.layout());
    }

    #[test]
    fn contradictions_are_refused() {
        for (body, reason) in [
            (
                json!({"population": {"type": "keyword"}}),
                "mapper [population] cannot be changed from type [long] to [keyword]",
            ),
            (
                json!({"population": {"properties": {}}}),
                "can't merge a non object mapping [population] with an object mapping",
            ),
            (
                json!({"address": {"type": "long"}}),
                "can't merge a non object mapping [address] with an object mapping",
            ),
            (json!({"x": {"type": "nested"}}), "No handler for type [nested] declared on field [x]"),
            (
                json!({"x": {"type": "long", "foo": "bar"}}),
                "unknown parameter [foo] on mapper [x] of type [long]",
            ),
            (json!({"x": {"index": false}}), "No type specified for field [x]"),
        ] {
            assert_eq!(places().merged(&json!({"properties": body})).unwrap_err().reason, reason);
        }
        let error = Mapping::new(&json!({"foo": 1})).unwrap_err();
        assert_eq!(error.reason, "Root mapping definition has unsupported parameters:  [foo : 1]");
    }

    #[test]
    fn new_fields_follow_the_rules_and_the_templates() {
        let mapping = Mapping::new(&json!({"dynamic_templates": [
            {"words": {"match_mapping_type": "string", "match": "*_word", "mapping": {"type": "keyword"}}}
        ]}))
        .unwrap();
        let text = |text: &str| DynamicValue::String(text.to_string());
        let grown = mapping
            .with_new_fields(&[
                ("a.title".to_string(), text("hello")),
                ("a.one_word".to_string(), text("hello")),
                ("day".to_string(), text("2015-01-01")),
                ("slashed".to_string(), text("2015/01/01")),
                ("year".to_string(), text("2015")),
                ("count".to_string(), DynamicValue::Long),
                ("ratio".to_string(), DynamicValue::Double),
                ("flag".to_string(), DynamicValue::Boolean),
                ("empty".to_string(), DynamicValue::Object),
            ])
            .unwrap();
        let types: Vec<_> =
            grown.iter().map(|field| (field.path.as_str(), field.field_type().name())).collect();
        assert_eq!(
            types,
            [
                ("a.title", "text"),
                ("a.title.keyword", "keyword"),
                ("a.one_word", "keyword"),
                ("day", "date"),
                ("slashed", "date"),
                ("year", "text"),
                ("year.keyword", "keyword"),
                ("count", "long"),
                ("ratio", "float"),
                ("flag", "boolean"),
            ]
        );
        assert!(grown.is_object("empty"));
    }

    #[test]
    fn a_mapping_that_outgrows_its_slots_gets_a_larger_layout() {
        let fields: Vec<_> =
            (0..20).map(|n| (format!("t{n}"), DynamicValue::String("word".to_string()))).collect();
        let mapping = places();
        let grown = mapping.with_new_fields(&fields).unwrap();
        assert_ne!(grown.layout(), mapping.layout());
        assert_eq!(grown.get("name").unwrap().slots, mapping.get("name").unwrap().slots);
    }
}
