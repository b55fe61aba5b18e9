//! Files of the track and of its data folder.

use std::collections::HashSet;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Component, Path};

use cap_std::fs::{Dir, File, OpenOptions};
use rally_support::printable::quoted;

use crate::environment::Folder;
use crate::limits::LimitKind;
use crate::since_0_1_0::bindings::imports::files::{Entry, Kind, Packing, Status};
use crate::since_0_1_0::bindings::imports::types::{Error, ErrorClass};
use crate::since_0_1_0::bindings::imports::{assets, data};
use crate::since_0_1_0::corpora::error;
use crate::since_0_1_0::state::{HostState, exceeded};

/// What an instance has written to the data folder.
#[derive(Debug, Default)]
pub(crate) struct WrittenFiles {
    names: HashSet<String>,
    bytes: u64,
}

/// What a call of the guest comes to, inside what a trap would be.
type Answer<T> = wasmtime::Result<Result<T, Error>>;

/// Files that an instance makes at most. Arbitrary: bounds what a grant of bytes does not, the entries of a file system.
const MOST_FILES: usize = 1_000;

/// Entries of a folder that are told at most. Arbitrary: bounds the list that one call makes the host hold.
const MOST_ENTRIES: usize = 100_000;

/// A name below a folder: relative, without `..`. Links are the business of whoever opens it.
fn checked(name: &str) -> Result<&Path, Error> {
    let path = Path::new(name);
    let plain = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !plain || name.contains('\0') || name.len() > 4096 {
        return Err(error(
            ErrorClass::Denied,
            format!("{} leads out of the folder: names are relative to it, without '..'", quoted(name)),
        ));
    }
    Ok(if name.is_empty() { Path::new(".") } else { path })
}

fn failed(name: &str, failure: &io::Error) -> Error {
    match failure.kind() {
        io::ErrorKind::NotFound => error(ErrorClass::NotFound, format!("no such file: {}", quoted(name))),
        io::ErrorKind::PermissionDenied => {
            error(ErrorClass::Denied, format!("{} leads out of the folder or is not readable", quoted(name)))
        }
        _ => error(ErrorClass::Other, format!("{}: {failure}", quoted(name))),
    }
}

fn status(folder: &Dir, name: &str) -> Result<Status, Error> {
    let metadata = folder.metadata(checked(name)?).map_err(|failure| failed(name, &failure))?;
    let kind = if metadata.is_dir() {
        Kind::Folder
    } else if metadata.is_file() {
        Kind::File
    } else {
        return Err(error(ErrorClass::Denied, format!("{} is neither a file nor a folder", quoted(name))));
    };
    Ok(Status { kind, size: if kind == Kind::File { metadata.len() } else { 0 } })
}

fn entries(folder: &Dir, name: &str) -> Result<Vec<Entry>, Error> {
    let path = checked(name)?;
    let mut all = Vec::new();
    for entry in folder.read_dir(path).map_err(|failure| failed(name, &failure))? {
        let entry = entry.map_err(|failure| failed(name, &failure))?;
        let Ok(own) = entry.file_name().into_string() else { continue };
        let path = if name.is_empty() { own.clone() } else { format!("{name}/{own}") };
        // What leads out, or is no file, is not there.
        if let Ok(status) = status(folder, &path) {
            all.push(Entry { name: own, kind: status.kind });
        }
        if all.len() > MOST_ENTRIES {
            let problem = format!("{} has more than {MOST_ENTRIES} entries", quoted(name));
            return Err(error(ErrorClass::Other, problem));
        }
    }
    all.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(all)
}

/// Opens a file; anything else, a pipe above all, would keep the reader waiting.
fn open(folder: &Dir, name: &str) -> Result<File, Error> {
    if status(folder, name)?.kind != Kind::File {
        return Err(error(ErrorClass::NotFound, format!("{} is a folder, not a file", quoted(name))));
    }
    folder.open(checked(name)?).map_err(|failure| failed(name, &failure))
}

/// Reads to the end, but not more than `most` bytes.
fn read_bounded(source: impl io::Read, most: usize) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    source.take(most as u64 + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= most).then_some(bytes))
}

impl HostState {
    /// What one read may give: it goes into the memory of the guest.
    fn most_read(&self) -> usize {
        self.limits.memory
    }

    fn read_file(&self, folder: &Folder, name: &str, packing: Option<Packing>) -> Answer<Vec<u8>> {
        let file = match open(&folder.directory, name) {
            Ok(file) => file,
            Err(error) => return Ok(Err(error)),
        };
        let most = self.most_read();
        let read = match packing {
            None => read_bounded(file, most),
            Some(Packing::Bzip2) => {
                // Checks the end as well: a file that was cut off is an error, not a short list.
                read_bounded(bzip2::read::MultiBzDecoder::new(file), most)
            }
            Some(Packing::Gzip) => read_bounded(flate2::read::MultiGzDecoder::new(file), most),
        };
        match read {
            Ok(Some(bytes)) => Ok(Ok(bytes)),
            Ok(None) => Err(exceeded(&self.limits, LimitKind::Memory)),
            Err(failure) => Ok(Err(failed(name, &failure))),
        }
    }

    fn data_folder(&self) -> Result<&Folder, Error> {
        self.environment
            .data
            .as_ref()
            .ok_or_else(|| error(ErrorClass::NotFound, "the track has no data folder in this race"))
    }
}

fn read_range(folder: &Dir, name: &str, offset: u64, length: u32, most: usize) -> Result<Vec<u8>, Error> {
    let mut file = open(folder, name)?;
    let length = (length as usize).min(most);
    let mut read = || {
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        Read::by_ref(&mut file).take(length as u64).read_to_end(&mut bytes)?;
        Ok::<_, io::Error>(bytes)
    };
    read().map_err(|failure| failed(name, &failure))
}

impl assets::Host for HostState {
    fn stat(&mut self, name: String) -> Answer<Status> {
        Ok(status(&self.environment.folder.directory, &name))
    }

    fn entries(&mut self, name: String) -> Answer<Vec<Entry>> {
        Ok(entries(&self.environment.folder.directory, &name))
    }

    fn read(&mut self, name: String) -> Answer<Vec<u8>> {
        self.read_file(&self.environment.folder, &name, None)
    }

    fn read_range(&mut self, name: String, offset: u64, length: u32) -> Answer<Vec<u8>> {
        Ok(read_range(&self.environment.folder.directory, &name, offset, length, self.most_read()))
    }

    fn read_unpacked(&mut self, name: String, packing: Packing) -> Answer<Vec<u8>> {
        self.read_file(&self.environment.folder, &name, Some(packing))
    }
}

impl data::Host for HostState {
    fn stat(&mut self, name: String) -> Answer<Status> {
        Ok(self.data_folder().and_then(|folder| status(&folder.directory, &name)))
    }

    fn entries(&mut self, name: String) -> Answer<Vec<Entry>> {
        Ok(self.data_folder().and_then(|folder| entries(&folder.directory, &name)))
    }

    fn read(&mut self, name: String) -> Answer<Vec<u8>> {
        match self.data_folder() {
            Ok(folder) => self.read_file(folder, &name, None),
            Err(error) => Ok(Err(error)),
        }
    }

    fn read_range(&mut self, name: String, offset: u64, length: u32) -> Answer<Vec<u8>> {
        let most = self.most_read();
        Ok(self.data_folder().and_then(|folder| read_range(&folder.directory, &name, offset, length, most)))
    }

    fn read_unpacked(&mut self, name: String, packing: Packing) -> Answer<Vec<u8>> {
        match self.data_folder() {
            Ok(folder) => self.read_file(folder, &name, Some(packing)),
            Err(error) => Ok(Err(error)),
        }
    }

    fn create(&mut self, name: String) -> Answer<()> {
        if self.limits.data_bytes == 0 {
            return Ok(Err(no_grant()));
        }
        if self.written.names.len() >= MOST_FILES && !self.written.names.contains(&name) {
            let problem = format!("an instance makes at most {MOST_FILES} files");
            return Ok(Err(error(ErrorClass::Denied, problem)));
        }
        let made = self.data_folder().and_then(|folder| {
            let path = checked(&name)?;
            let make = || {
                if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                    folder.directory.create_dir_all(parent)?;
                }
                // Never truncated in place: somebody may be reading what was there, as mapped memory even.
                match folder.directory.remove_file(path) {
                    Err(failure) if failure.kind() != io::ErrorKind::NotFound => return Err(failure),
                    _ => {}
                }
                folder.directory.open_with(path, OpenOptions::new().write(true).create_new(true))
            };
            make().map_err(|failure| failed(&name, &failure))
        });
        Ok(made.map(|_| {
            self.written.names.insert(name);
        }))
    }

    fn append(&mut self, name: String, bytes: Vec<u8>) -> Answer<()> {
        if self.limits.data_bytes == 0 {
            return Ok(Err(no_grant()));
        }
        if !self.written.names.contains(&name) {
            let problem = format!("this instance did not create {}: call 'create' first", quoted(&name));
            return Ok(Err(error(ErrorClass::Denied, problem)));
        }
        self.written.bytes = self.written.bytes.saturating_add(bytes.len() as u64);
        if self.written.bytes > self.limits.data_bytes {
            return Err(exceeded(&self.limits, LimitKind::DataBytes));
        }
        Ok(self.data_folder().and_then(|folder| {
            let path = checked(&name)?;
            let append = || {
                let mut file = folder.directory.open_with(path, OpenOptions::new().append(true))?;
                file.write_all(&bytes)
            };
            append().map_err(|failure| failed(&name, &failure))
        }))
    }
}

fn no_grant() -> Error {
    error(
        ErrorClass::Denied,
        "extensions may not write to the data folder; --extension-data-bytes allows it, up to that number of bytes",
    )
}
