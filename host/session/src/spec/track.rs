//! The track of a specification: a folder, a name or a bundle.

use std::path::PathBuf;

use rally_component::Digest;
use serde::{Deserialize, Serialize};

/// Where a track comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrackSpec {
    /// A folder with a `track.json`, or the JSON file of a track.
    Folder(PathBuf),
    /// A track that ships with rally, or one of a track repository.
    Named(NamedTrack),
    /// A file that holds a whole track.
    Bundle(BundleSpec),
}

/// A track by its name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NamedTrack {
    /// Its name.
    pub name: String,
    /// Where it is looked for.
    #[serde(default)]
    pub repository: RepositorySpec,
}

/// Which track repository, and which state of it. By default tracks that ship with rally come before those of the default
/// repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RepositorySpec {
    /// Name of the repository. Tracks that ship with rally do not count where it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Commit, branch or tag, instead of the branch that fits the target's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Version by which the branch is chosen, instead of the target's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution_version: Option<String>,
}

impl RepositorySpec {
    /// Whether the user asks for a track of a repository, and not for one that ships with rally.
    pub fn is_asked(&self) -> bool {
        self.name.is_some() || self.revision.is_some()
    }
}

/// A bundle, and how far it is trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BundleSpec {
    /// Its file.
    pub file: PathBuf,
    /// What has to be true of it before it is read.
    #[serde(default)]
    pub trust: TrustLevel,
    /// Files of the public keys that are trusted, instead of those in rally's home.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trusted_keys: Vec<PathBuf>,
    /// SHA-256 that it has to have.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "digest")]
    pub digest: Option<Digest>,
}

/// What has to be true of a bundle before it is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrustLevel {
    /// A trusted key has signed it.
    #[default]
    Signed,
    /// It is unchanged since it was made, by whomever.
    Digest,
    /// It is the user's own: any tar archive of a track.
    Local,
}

/// A digest as its hexadecimal digits.
mod digest {
    use rally_component::Digest;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub fn serialize<S: Serializer>(digest: &Option<Digest>, serializer: S) -> Result<S::Ok, S::Error> {
        match digest {
            Some(digest) => serializer.collect_str(digest),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Digest>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(de::Error::custom)).transpose()
    }
}
