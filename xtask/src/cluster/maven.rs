//! Artifacts by their coordinates, through Maven and whatever repositories it is configured for.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use serde::Deserialize;
use serde::de::{self, Deserializer};

use crate::tool;

/// The coordinates of an artifact: `group:artifact:version[:type]`, `jar` if no type is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coordinates {
    pub group: String,
    pub artifact: String,
    pub version: String,
    pub packaging: String,
}

impl Coordinates {
    /// Coordinates from their parts.
    pub fn new(group: &str, artifact: &str, version: &str, packaging: &str) -> Self {
        Self {
            group: group.to_owned(),
            artifact: artifact.to_owned(),
            version: version.to_owned(),
            packaging: packaging.to_owned(),
        }
    }

    /// The file name that Maven gives to a copy of the artifact.
    pub fn file_name(&self) -> String {
        format!("{}-{}.{}", self.artifact, self.version, self.packaging)
    }
}

impl<'de> Deserialize<'de> for Coordinates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.split(':').collect::<Vec<_>>().as_slice() {
            [group, artifact, version] => Ok(Self::new(group, artifact, version, "jar")),
            [group, artifact, version, packaging] => Ok(Self::new(group, artifact, version, packaging)),
            _ => Err(de::Error::custom(format!("{text:?} is not group:artifact:version[:type]"))),
        }
    }
}

/// An artifact and the folder to put it into.
pub struct Copy {
    pub artifact: Coordinates,
    pub folder: PathBuf,
}

/// Where Maven keeps what it downloads.
#[derive(Clone, Copy)]
pub enum Cache<'a> {
    /// Its usual place.
    Usual,
    /// A folder that the caller throws away, for downloads too big to be kept.
    Temporary(&'a Path),
}

/// Copies artifacts, all in one run of Maven; `work` is a folder for its project file.
///
/// # Errors
/// [`tool::MissingTool`] without Maven; what Maven said when an artifact cannot be had.
pub fn copy(copies: &[Copy], work: &Path, cache: Cache) -> anyhow::Result<()> {
    let project = work.join("pom.xml");
    fs::write(&project, project_file(copies)?)
        .with_context(|| format!("{} could not be written", project.display()))?;
    let mut command = Command::new("mvn");
    command.args(["-q", "-B"]).arg("-f").arg(&project).arg("process-resources");
    if let Cache::Temporary(folder) = cache {
        command.arg(format!("-Dmaven.repo.local={}", folder.display()));
    }
    tool::run(&mut command, "install Maven (mvn) and Java 17")
        .context("Maven could not fetch the artifacts")?;
    for copy in copies {
        let path = copy.folder.join(copy.artifact.file_name());
        if !path.is_file() {
            bail!("Maven reported success but left no {}", path.display());
        }
    }
    Ok(())
}

fn project_file(copies: &[Copy]) -> anyhow::Result<String> {
    let mut items = String::new();
    for Copy { artifact, folder } in copies {
        let Some(folder) = folder.to_str().filter(|text| !text.contains(['<', '>', '&'])) else {
            bail!("the folder {} has a name that a Maven project cannot hold", folder.display());
        };
        let Coordinates { group, artifact, version, packaging } = artifact;
        write!(
            items,
            "<artifactItem><groupId>{group}</groupId><artifactId>{artifact}</artifactId>\
             <version>{version}</version><type>{packaging}</type>\
             <outputDirectory>{folder}</outputDirectory></artifactItem>"
        )?;
    }
    Ok(format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion>\
         <groupId>rally</groupId><artifactId>server</artifactId><version>1</version><packaging>pom</packaging>\
         <build><plugins><plugin><groupId>org.apache.maven.plugins</groupId>\
         <artifactId>maven-dependency-plugin</artifactId><version>3.6.1</version><executions><execution>\
         <phase>process-resources</phase><goals><goal>copy</goal></goals><configuration>\
         <artifactItems>{items}</artifactItems>\
         </configuration></execution></executions></plugin></plugins></build></project>\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_without_a_type_are_a_jar() {
        let parse = |text: &str| serde_json::from_value::<Coordinates>(text.into());
        assert_eq!(parse("g:a:1").unwrap(), Coordinates::new("g", "a", "1", "jar"));
        assert_eq!(parse("g:a:1:tar.gz").unwrap().file_name(), "a-1.tar.gz");
        assert!(parse("g:a").unwrap_err().to_string().contains("group:artifact:version"));
    }

    #[test]
    fn a_folder_that_xml_cannot_hold_is_refused() {
        let copy = Copy { artifact: Coordinates::new("g", "a", "1", "jar"), folder: "/x<y".into() };
        assert!(project_file(&[copy]).unwrap_err().to_string().contains("/x<y"));
    }
}
