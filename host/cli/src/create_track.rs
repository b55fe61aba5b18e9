//! `rally create-track`: a track from what a cluster holds.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use clap::Args;
use rally_authoring::{CreateError, CreateOptions, CreateProgress, CreatedTrack, Selection, create};
use rally_cluster::{ClientOptions, Cluster, parse_target_hosts};
use rally_race::Cancel;
use rally_support::numbers::grouped;
use rally_support::whole_folder::WholeFolder;

use rally_session::Home;

use crate::ending::CommandError;
use crate::progress::{DataLine, ProgressBoard};
use crate::{interrupt, logging, terminal};

/// Options of `rally create-track`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  rally create-track --track=acme --indices=products,companies --target-hosts=127.0.0.1:9200\n  \
                        rally create-track --track=logs --data-streams=\"logs-*\" --target-hosts=127.0.0.1:9200 --output-path=./tracks"
)]
pub struct CreateArgs {
    /// Name of the new track.
    #[arg(long, value_name = "NAME")]
    pub track: String,

    #[command(flatten)]
    pub selection: SelectionArgs,

    /// Hosts of the cluster, separated by commas, e.g. 127.0.0.1:9200.
    #[arg(long, value_name = "HOST:PORT,…")]
    pub target_hosts: String,

    /// Options of the HTTP client, e.g. "timeout:60,use_ssl:true,basic_auth_user:'me',basic_auth_password:'secret'".
    #[arg(long, value_name = "KEY:VALUE,…", default_value = "timeout:60")]
    pub client_options: String,

    /// Number of documents per request.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub batch_size: u32,

    /// Parent directory of the new track.
    #[arg(long, value_name = "DIR", default_value = "./tracks", value_parser = crate::paths::path())]
    pub output_path: PathBuf,

    /// Print only errors.
    #[arg(long)]
    pub quiet: bool,
}

/// What the track is made of.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct SelectionArgs {
    /// Names or patterns of indices, separated by commas.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub indices: Vec<String>,

    /// Names or patterns of data streams, separated by commas.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub data_streams: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
enum CreateTrackError {
    #[error("--track={0}: the name becomes a folder; use letters, digits, dashes and underscores")]
    Name(String),
    #[error("--{0}: a name between the commas is empty")]
    EmptyName(&'static str),
    #[error("'{path}' already exists and is not empty; choose another --track or --output-path")]
    NotEmpty { path: PathBuf },
    #[error("cannot write '{path}'")]
    Write {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
}

/// Writes the track beside its place, and renames it when it is whole.
pub fn run(arguments: &CreateArgs) -> Result<(), CommandError> {
    let name = &arguments.track;
    if name.is_empty() || name.starts_with(['.', '-']) || name.contains(['/', '\\', '\0']) {
        return Err(CommandError::user(CreateTrackError::Name(name.clone())));
    }
    let place = arguments.output_path.join(name);
    if place.exists() && fs::read_dir(&place).map_or(true, |mut entries| entries.next().is_some()) {
        return Err(CommandError::user(CreateTrackError::NotEmpty { path: place }));
    }
    let selection = selection(&arguments.selection).map_err(CommandError::user)?;
    let hosts = parse_target_hosts(&arguments.target_hosts).map_err(CommandError::user)?;
    let client_options = ClientOptions::parse(&arguments.client_options).map_err(CommandError::user)?;
    let home = Home::from_environment().map_err(CommandError::user)?;
    logging::start(&home);
    let cancel = Cancel::new();
    interrupt::watch(&cancel).map_err(CommandError::failure)?;

    let failed =
        |path: &Path, cause| CommandError::failure(CreateTrackError::Write { path: path.to_owned(), cause });
    let output = &arguments.output_path;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CommandError::failure)?;
    let mut board = ProgressBoard::new(arguments.quiet);
    let work = async {
        let cluster = Cluster::connect(&hosts, &client_options).await.map_err(CommandError::failure)?;
        let fresh = WholeFolder::create_in(output).map_err(|cause| failed(output, cause))?;
        let folder = fresh.path().to_owned();
        let options = CreateOptions { selection, batch_size: arguments.batch_size, folder: folder.clone() };
        let progress = Shown { board: &board, cancel: &cancel, line: Mutex::default() };
        let created = create(&cluster, &options, &progress).await.map_err(|error| match error {
            CreateError::Cancelled => CommandError::interrupted(error),
            CreateError::NothingFound { .. } | CreateError::Name { .. } => CommandError::user(error),
            other => CommandError::failure(other),
        })?;
        progress.finish();
        fresh.put_at(&place).map_err(|cause| failed(&place, cause))?;
        Ok(created)
    };
    // Left behind, the work takes its unfinished files along.
    let created = runtime.block_on(async {
        tokio::select! {
            created = work => created,
            () = out_of_patience(&cancel) => Err(CommandError::interrupted(CreateError::Cancelled)),
        }
    })?;
    board.clear();
    match arguments.quiet {
        true => Ok(()),
        false => terminal::print(describe(name, &place, &created)).map_err(CommandError::failure),
    }
}

fn selection(arguments: &SelectionArgs) -> Result<Selection, CreateTrackError> {
    let names = |option, names: &[String]| match names.iter().any(|name| name.trim().is_empty()) {
        true => Err(CreateTrackError::EmptyName(option)),
        false => Ok(names.iter().map(|name| name.trim().to_owned()).collect()),
    };
    match arguments.data_streams.is_empty() {
        true => names("indices", &arguments.indices).map(Selection::Indices),
        false => names("data-streams", &arguments.data_streams).map(Selection::DataStreams),
    }
}

/// Passes once the user has had enough for so long that a cluster in good health would have answered.
async fn out_of_patience(cancel: &Cancel) {
    while !cancel.is_cancelled() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
}

fn describe(name: &str, place: &Path, created: &CreatedTrack) -> String {
    let mut text = format!("Created track '{name}':\n");
    for of in &created.names {
        let corpus = created.corpora.iter().find(|corpus| corpus.name == *of);
        let documents = corpus.map_or(0, |corpus| corpus.documents);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {of}: {} documents", grouped(documents));
    }
    let _ = writeln!(text, "Run it with: rally run --track-path={}", place.display());
    text
}

/// Shows how many documents have been written.
struct Shown<'a> {
    board: &'a ProgressBoard,
    cancel: &'a Cancel,
    line: Mutex<Option<(String, DataLine)>>,
}

impl Shown<'_> {
    fn finish(&self) {
        if let Some((_, line)) = self.line.lock().unwrap_or_else(PoisonError::into_inner).take() {
            line.finish();
        }
    }
}

impl CreateProgress for Shown<'_> {
    fn dumped(&self, name: &str, done: u64, total: u64) {
        let mut shown = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.as_ref().is_some_and(|(of, _)| of != name)
            && let Some((_, line)) = shown.take()
        {
            line.finish();
        }
        let (_, line) = shown.get_or_insert_with(|| (name.to_owned(), self.board.document_line()));
        line.show("documents of", name, done, Some(total));
    }

    fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }
}
