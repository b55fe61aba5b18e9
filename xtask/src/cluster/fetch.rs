//! Bringing a server here: artifacts from Maven, unpacked, put together where they are parts, moved into place whole.

use std::fs::{self, File, Permissions};
use std::io::BufReader;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use flate2::read::GzDecoder;

use super::folder::{self, Servers};
use super::java;
use super::maven::{self, Cache, Coordinates, Copy};
use super::variant::{Assembly, Module, Recipe, Variant};

/// Fetches a server, unless it is there already. What fails leaves nothing behind.
///
/// # Errors
/// [`crate::tool::MissingTool`] without Maven or a Java that the server runs on; otherwise what could not be
/// downloaded, unpacked or written.
pub fn fetch(servers: &Servers, variant: Variant) -> anyhow::Result<()> {
    let tree = servers.tree(variant);
    if tree.is_dir() {
        eprintln!("{} is there already: {}", variant.name(), tree.display());
        return Ok(());
    }
    // A server that could not be started here is not worth its download.
    java::find(variant)?;
    let (title, version) = (variant.product().title(), variant.version());
    eprintln!("fetching {} ({title} {version}) with Maven …", variant.name());
    let work = tempfile::Builder::new().prefix("fetch-").tempdir_in(servers.root())?;
    let unpacked = match variant.recipe()? {
        Recipe::Distribution(artifact) => distribution(artifact, Vec::new(), work.path(), Cache::Usual)?,
        Recipe::Assembled(assembly) => assemble(assembly, variant, work.path())?,
        Recipe::Carried { artifact, folder } => carried(artifact, &folder, work.path())?,
    };
    let launcher = unpacked.join("bin").join(variant.product().file_name());
    if !launcher.is_file() {
        bail!("the fetched {title} {version} has no launcher {}", launcher.display());
    }
    folder::give_to_servers(&unpacked)?;
    fs::rename(&unpacked, &tree).with_context(|| format!("{} could not be put in place", tree.display()))?;
    eprintln!("{} is in {}", variant.name(), tree.display());
    Ok(())
}

/// Copies an archive and further artifacts, unpacks the archive and returns the one folder in it.
fn distribution(
    archive: Coordinates,
    mut copies: Vec<Copy>,
    work: &Path,
    cache: Cache,
) -> anyhow::Result<PathBuf> {
    let path = work.join(archive.file_name());
    copies.push(Copy { artifact: archive, folder: work.to_owned() });
    maven::copy(&copies, work, cache)?;
    let unpacked = work.join("unpacked");
    unpack(&path, &unpacked).with_context(|| format!("{} could not be unpacked", path.display()))?;
    let mut folders = Vec::new();
    for entry in fs::read_dir(&unpacked)? {
        folders.push(entry?.path());
    }
    match folders.as_slice() {
        [folder] => Ok(folder.clone()),
        _ => bail!(
            "{} holds {} things at its top where one folder was expected",
            path.display(),
            folders.len()
        ),
    }
}

fn unpack(archive: &Path, folder: &Path) -> anyhow::Result<()> {
    let file = BufReader::new(File::open(archive)?);
    if archive.extension().is_some_and(|extension| extension == "zip") {
        zip::ZipArchive::new(file)?.extract(folder)?;
    } else {
        tar::Archive::new(GzDecoder::new(file)).unpack(folder)?;
    }
    Ok(())
}

/// Puts the modules' jars, descriptors and policies into the distribution that comes without them.
fn assemble(assembly: Assembly, variant: Variant, work: &Path) -> anyhow::Result<PathBuf> {
    let jars = work.join("modules");
    let copies = assembly.modules.iter().flat_map(|module| {
        let folder = jars.join(&module.name);
        module.jars.iter().map(move |jar| Copy { artifact: jar.clone(), folder: folder.clone() })
    });
    let home = distribution(assembly.distribution, copies.collect(), work, Cache::Usual)?;
    for module in &assembly.modules {
        let folder = home.join("modules").join(&module.name);
        fs::create_dir_all(home.join("modules"))?;
        fs::rename(jars.join(&module.name), &folder)
            .with_context(|| format!("the module {} could not be put in place", module.name))?;
        let descriptor = descriptor(module, variant, &assembly.java_version);
        fs::write(folder.join("plugin-descriptor.properties"), descriptor)?;
        if !module.permissions.is_empty() {
            fs::write(folder.join("plugin-security.policy"), policy(module))?;
        }
    }
    Ok(home)
}

fn descriptor(module: &Module, variant: Variant, java_version: &str) -> String {
    let Module { name, class, extends, .. } = module;
    let (product, version) = (variant.product().file_name(), variant.version());
    format!(
        "description={name}\nversion={version}\nname={name}\nclassname={class}\njava.version={java_version}\n\
         {product}.version={version}\nextended.plugins={extends}\nhas.native.controller=false\n"
    )
}

fn policy(module: &Module) -> String {
    let grants: Vec<String> =
        module.permissions.iter().map(|permission| format!("  permission {permission};\n")).collect();
    format!("grant {{\n{}}};\n", grants.concat())
}

/// The launcher of Elasticsearch 8, which products that carry the server leave out.
const LAUNCHER: &str = "#!/bin/bash
CLI_NAME=server
CLI_LIBS=lib/tools/server-cli
source \"$(dirname \"$0\")\"/elasticsearch-cli
";

/// The launcher for releases whose own is a native program, run on the JVM instead.
const NATIVE_LAUNCHER: &str = "#!/bin/bash
set -e -o pipefail
source \"$(dirname \"$0\")\"/elasticsearch-env
export JAVA JAVA_TYPE ES_HOME ES_PATH_CONF ES_DISTRIBUTION_TYPE
export CLI_JAVA_OPTS=\"-Xms4m -Xmx64m -XX:+UseSerialGC ${CLI_JAVA_OPTS}\"
exec \"$JAVA\" -Xms4m -Xmx64m -XX:+UseSerialGC -cp \"$ES_HOME/lib/tools/server-launcher/*\" \\
  org.elasticsearch.server.launcher.ServerLauncher \"$@\"
";

fn carried(artifact: Coordinates, folder: &str, work: &Path) -> anyhow::Result<PathBuf> {
    let cache = work.join("repository");
    distribution(artifact, Vec::new(), work, Cache::Temporary(&cache))?;
    let home = work.join("unpacked").join(folder);
    for folder in ["plugins", "logs", "config/jvm.options.d"] {
        fs::create_dir_all(home.join(folder))?;
    }
    let native = home.join("lib/tools/server-launcher").is_dir();
    let launcher = home.join("bin/elasticsearch");
    fs::write(&launcher, if native { NATIVE_LAUNCHER } else { LAUNCHER })?;
    for entry in fs::read_dir(home.join("bin"))? {
        fs::set_permissions(entry?.path(), Permissions::from_mode(0o755))?;
    }
    Ok(home)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn module() -> Module {
        serde_json::from_str(
            r#"{"name": "reindex", "class": "org.example.Reindex", "jars": ["g:a:1"], "extends": "lang-painless",
                "permissions": ["java.net.NetPermission \"getProxySelector\""]}"#,
        )
        .unwrap()
    }

    #[test]
    fn a_modules_descriptor_names_product_version_and_what_it_extends() {
        let text = descriptor(&module(), Variant::Os2, "11");
        for line in ["name=reindex", "opensearch.version=2.19.6", "extended.plugins=lang-painless"] {
            assert!(text.lines().any(|found| found == line), "{line} in {text}");
        }
    }

    #[test]
    fn a_modules_policy_grants_its_permissions() {
        assert_eq!(
            policy(&module()),
            "grant {\n  permission java.net.NetPermission \"getProxySelector\";\n};\n"
        );
    }

    #[test]
    fn a_zip_is_unpacked_with_the_rights_of_its_files() {
        let work = tempfile::tempdir().unwrap();
        let path = work.path().join("server.zip");
        let mut archive = zip::ZipWriter::new(File::create(&path).unwrap());
        let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
        archive.start_file("server-1/bin/server", options).unwrap();
        archive.write_all(b"#!/bin/sh\n").unwrap();
        archive.finish().unwrap();
        unpack(&path, &work.path().join("out")).unwrap();
        let file = work.path().join("out/server-1/bin/server").metadata().unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o755);
    }
}
