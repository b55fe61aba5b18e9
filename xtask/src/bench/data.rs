//! `cargo xtask bench data`: builds the benchmark of unpacking and counting lines, and runs it.

use std::path::PathBuf;

use super::driver::{cargo, succeed};

/// Options of `cargo xtask bench data`.
#[derive(clap::Args)]
#[command(after_help = "\
Compared are those of lbzip2, pbzip2, bzip2, pzstd, zstd, pigz, gzip and wc that are installed.")]
pub struct Arguments {
    /// A minute instead of ten: shows that everything works, not how fast it is
    #[arg(long)]
    quick: bool,
    /// Only this part; may be given several times
    #[arg(long, value_name = "PART", value_parser = ["bzip2", "zstd", "gzip", "offsets"])]
    only: Vec<String>,
    /// Size of the documents
    #[arg(long, value_name = "COUNT")]
    megabytes: Option<u32>,
    /// Where the files are for the time being, instead of /dev/shm
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

/// Measures and prints the tables.
///
/// # Errors
/// Where the build or the measurement fails.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut bench = cargo();
    bench.args(["bench", "--package", "rally-corpus", "--bench", "data", "--"]);
    bench.args(arguments.quick.then_some("--quick"));
    bench.args(arguments.only.iter().map(|part| format!("--only={part}")));
    bench.args(arguments.megabytes.map(|count| format!("--megabytes={count}")));
    if let Some(folder) = &arguments.folder {
        let folder = std::path::absolute(folder)?;
        bench.arg(format!("--folder={}", folder.display()));
    }
    succeed(&mut bench)
}
