//! Which product answers, in which version, and what that means for what is sent.

use std::fmt;

use serde_json::Value;

/// A version number, `major.minor.patch` with an optional suffix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Major version.
    pub major: u32,
    /// Minor version.
    pub minor: u32,
    /// Patch level.
    pub patch: u32,
    /// What follows the numbers, without the dash: `SNAPSHOT`, `beta1`.
    pub suffix: Option<String>,
}

impl Version {
    /// Reads `6.8.23` or `8.0.0-SNAPSHOT`. `None` where there is no number to begin with.
    pub fn parse(text: &str) -> Option<Version> {
        let (numbers, suffix) = match text.split_once('-') {
            Some((numbers, suffix)) => (numbers, Some(suffix.to_owned())),
            None => (text, None),
        };
        let mut parts = numbers.split('.');
        let major = parts.next()?.parse().ok()?;
        let mut rest = parts.map(|part| {
            let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().unwrap_or(0)
        });
        Some(Version { major, minor: rest.next().unwrap_or(0), patch: rest.next().unwrap_or(0), suffix })
    }

    /// Whether this version is `major.minor` or later.
    pub fn at_least(&self, major: u32, minor: u32) -> bool {
        (self.major, self.minor) >= (major, minor)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.major, self.minor, self.patch)?;
        match &self.suffix {
            Some(suffix) => write!(formatter, "-{suffix}"),
            None => Ok(()),
        }
    }
}

/// Who answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Product {
    /// Elasticsearch, or anything that does not say otherwise.
    Elasticsearch,
    /// OpenSearch: its version numbers start again at 1, its API is that of Elasticsearch 7.10.
    OpenSearch,
    /// Another distribution, by the name that it gives itself. Its version number is read as Elasticsearch's.
    Other(String),
}

impl fmt::Display for Product {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Product::Elasticsearch => formatter.write_str("Elasticsearch"),
            Product::OpenSearch => formatter.write_str("OpenSearch"),
            Product::Other(name) => formatter.write_str(name),
        }
    }
}

/// How many mapping types an index can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MappingTypes {
    /// Any number: up to 5.
    Several,
    /// Exactly one: 6.
    One,
    /// None, and paths do not name them: from 7 on.
    None,
}

/// How mappings distinguish full-text and exact strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StringFields {
    /// `string`, `analyzed` or `not_analyzed`: before 5.
    Analyzed,
    /// `text` and `keyword`.
    TextKeyword,
}

/// How points in time are opened and closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointInTime {
    /// `POST /index/_pit` answers with an `id`.
    Pit,
    /// `POST /index/_search/point_in_time` answers with a `pit_id`: OpenSearch.
    SearchPointInTime,
}

/// What a target understands. Derived from its version in one place: no other code compares version numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// Who answers.
    pub product: Product,
    /// Its version.
    pub version: Version,
    /// Mapping types of an index.
    pub mapping_types: MappingTypes,
    /// String fields of a mapping.
    pub string_fields: StringFields,
    /// Whether a field `_all` exists that mappings may switch off.
    pub all_field: bool,
    /// Last part of the path that merges segments.
    pub force_merge_path: &'static str,
    /// Name of the parameter that switches the shard request cache.
    pub request_cache_parameter: &'static str,
    /// Whether templates list their patterns under `index_patterns`; otherwise one under `template`.
    pub index_patterns: bool,
    /// Content type of bulk bodies.
    pub bulk_content_type: &'static str,
    /// Whether scroll ids go into a JSON body; otherwise into the address.
    pub scroll_id_in_body: bool,
    /// First part of the paths of machine learning.
    pub machine_learning_path: &'static str,
    /// Whether a merge of segments can go on as a task that is asked for.
    pub force_merge_task: bool,
    /// Whether lists of snapshots can leave out the names of indices.
    pub snapshot_index_names: bool,
    /// How points in time are opened and closed.
    pub point_in_time: PointInTime,
}

impl Capabilities {
    /// What this version of this product understands.
    pub fn of(product: Product, version: Version) -> Capabilities {
        // OpenSearch forked at 7.10 and removed types in 2.0; 1.x still accepts them, but wants none.
        let like = match product {
            Product::OpenSearch => Version { major: 7, minor: 10, patch: 2, suffix: None },
            _ => version.clone(),
        };
        Capabilities {
            mapping_types: match like.major {
                0..=5 => MappingTypes::Several,
                6 => MappingTypes::One,
                _ => MappingTypes::None,
            },
            string_fields: if like.at_least(5, 0) {
                StringFields::TextKeyword
            } else {
                StringFields::Analyzed
            },
            all_field: !like.at_least(6, 0),
            force_merge_path: if like.at_least(2, 1) { "_forcemerge" } else { "_optimize" },
            request_cache_parameter: if like.at_least(2, 0) { "request_cache" } else { "query_cache" },
            index_patterns: like.at_least(6, 0),
            // Content types are looked at from 5.3 on and demanded from 6.0 on.
            bulk_content_type: if like.at_least(5, 3) { "application/x-ndjson" } else { "application/json" },
            scroll_id_in_body: like.at_least(2, 0),
            machine_learning_path: if like.at_least(7, 0) { "_ml" } else { "_xpack/ml" },
            // OpenSearch has it from 2.6 on.
            force_merge_task: match product {
                Product::OpenSearch => version.at_least(2, 6),
                _ => version.at_least(8, 1),
            },
            snapshot_index_names: product != Product::OpenSearch && version.at_least(8, 3),
            point_in_time: match product {
                Product::OpenSearch => PointInTime::SearchPointInTime,
                _ => PointInTime::Pit,
            },
            product,
            version,
        }
    }

    /// Reads the answer to `GET /`. `None` where it is not that of a search cluster.
    pub fn from_root(root: &Value) -> Option<Capabilities> {
        let version = root.get("version")?;
        let number = Version::parse(version.get("number")?.as_str()?)?;
        let product = match version.get("distribution").and_then(Value::as_str) {
            Some(name) if name.eq_ignore_ascii_case("opensearch") => Product::OpenSearch,
            Some(name) if name.eq_ignore_ascii_case("elasticsearch") => Product::Elasticsearch,
            Some(name) => Product::Other(name.to_owned()),
            None => Product::Elasticsearch,
        };
        Some(Capabilities::of(product, number))
    }

    /// Whether paths and action lines name mapping types.
    pub fn typed(&self) -> bool {
        self.mapping_types != MappingTypes::None
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn capabilities(number: &str) -> Capabilities {
        Capabilities::of(Product::Elasticsearch, Version::parse(number).unwrap())
    }

    #[test]
    fn each_version_gets_what_it_understands() {
        let table: Vec<_> =
            ["1.7.6", "2.0.2", "2.4.6", "5.2.2", "5.6.16", "6.8.23", "7.10.2", "8.19.13", "9.4.3"]
                .into_iter()
                .map(|number| {
                    let it = capabilities(number);
                    format!(
                        "{number} {:?} {:?} all={} {} {} patterns={} {} body={}",
                        it.mapping_types,
                        it.string_fields,
                        it.all_field,
                        it.force_merge_path,
                        it.request_cache_parameter,
                        it.index_patterns,
                        it.bulk_content_type,
                        it.scroll_id_in_body
                    )
                })
                .collect();
        assert_eq!(
            table,
            [
                "1.7.6 Several Analyzed all=true _optimize query_cache patterns=false application/json body=false",
                "2.0.2 Several Analyzed all=true _optimize request_cache patterns=false application/json body=true",
                "2.4.6 Several Analyzed all=true _forcemerge request_cache patterns=false application/json body=true",
                "5.2.2 Several TextKeyword all=true _forcemerge request_cache patterns=false application/json body=true",
                "5.6.16 Several TextKeyword all=true _forcemerge request_cache patterns=false application/x-ndjson body=true",
                "6.8.23 One TextKeyword all=false _forcemerge request_cache patterns=true application/x-ndjson body=true",
                "7.10.2 None TextKeyword all=false _forcemerge request_cache patterns=true application/x-ndjson body=true",
                "8.19.13 None TextKeyword all=false _forcemerge request_cache patterns=true application/x-ndjson body=true",
                "9.4.3 None TextKeyword all=false _forcemerge request_cache patterns=true application/x-ndjson body=true",
            ]
        );
    }

    #[test]
    fn opensearch_1_is_not_elasticsearch_1() {
        let root = json!({"version": {"distribution": "opensearch", "number": "1.3.20"}});
        let it = Capabilities::from_root(&root).unwrap();
        assert_eq!(it.product, Product::OpenSearch);
        assert_eq!(it.mapping_types, MappingTypes::None);
        assert_eq!(it.force_merge_path, "_forcemerge");
    }

    #[test]
    fn a_page_without_version_is_no_search_cluster() {
        assert_eq!(Capabilities::from_root(&json!({"ok": true})), None);
        assert_eq!(Capabilities::from_root(&json!({"version": {"number": "latest"}})), None);
    }

    #[test]
    fn versions_keep_their_suffix() {
        assert_eq!(Version::parse("8.0.0-SNAPSHOT").unwrap().to_string(), "8.0.0-SNAPSHOT");
        assert_eq!(Version::parse("7.10").unwrap().to_string(), "7.10.0");
        assert_eq!(Version::parse(""), None);
    }
}
