//! Files that the track names: bodies of indices, and templates of all kinds.

use serde_json::Value;

use crate::document::{Document, Rules};
use crate::reading::{Body, Reader, text};
use crate::{ComponentTemplate, IndexTemplate};

impl Reader<'_> {
    /// Index templates: those below `templates` or `composable-templates`.
    pub(super) fn index_templates(&mut self, key: &str) -> Vec<IndexTemplate> {
        let mut templates = Vec::new();
        for (pointer, value) in self.elements("", key) {
            templates.push(IndexTemplate {
                name: text(value, "name"),
                index_pattern: text(value, "index-pattern"),
                delete_matching_indices: value["delete-matching-indices"].as_bool().unwrap_or(true),
                template: self.template(&pointer, value),
            });
        }
        templates
    }

    pub(super) fn component_templates(&mut self) -> Vec<ComponentTemplate> {
        let mut templates = Vec::new();
        for (pointer, value) in self.elements("", "component-templates") {
            let template = self.template(&pointer, value);
            templates.push(ComponentTemplate { name: text(value, "name"), template });
        }
        templates
    }

    /// The part of a template's file that `template-path` leads to.
    fn template(&mut self, pointer: &str, value: &Value) -> Value {
        let file = text(value, "template");
        let mut template = self.body(&format!("{pointer}/template"), &file);
        let path = text(value, "template-path");
        if path.is_empty() || template.is_null() {
            return template;
        }
        for key in path.split('.') {
            let Some(part) = template.as_object_mut().and_then(|keys| keys.remove(key)) else {
                let message = format!("'template-path' leads nowhere: '{file}' has no '{key}'");
                self.problem(&format!("{pointer}/template-path"), message, None);
                return Value::Null;
            };
            template = part;
        }
        template
    }

    /// Content of a file that the value at `pointer` names, rendered; null if there is something wrong with it. Many
    /// templates may come from one file; each of them counts.
    pub(super) fn body(&mut self, pointer: &str, name: &str) -> Value {
        if let Some((body, bytes)) = self.bodies.get(name).map(|body| (&body.content, body.bytes)) {
            let body = body.clone();
            return if self.may_read(pointer, bytes) { body } else { Value::Null };
        }
        let mut body = Body::default();
        if self.file_text(pointer, name).is_some() {
            let outcome = Document::render(self.renderer, self.files, name, Rules::Body);
            body.bytes = outcome.as_ref().map_or(0, Document::text_bytes);
            body.content = match self.may_read(pointer, body.bytes) {
                true => self.content(outcome).unwrap_or_default(),
                false => Value::Null,
            };
        }
        let content = body.content.clone();
        self.bodies.insert(name.to_owned(), body);
        content
    }
}
