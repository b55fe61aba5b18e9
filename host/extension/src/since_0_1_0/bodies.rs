//! Bodies that stay in the host.

use std::sync::Arc;

use bytes::Bytes;
use memchr::memchr;
use wasmtime::component::Resource;

use crate::since_0_1_0::bindings::imports::bodies;
use crate::since_0_1_0::state::HostState;

/// An unchanging run of documents.
#[derive(Debug, Clone)]
pub struct Slice {
    /// Its bytes, in a mapped file.
    pub bytes: Bytes,
    /// Number of documents.
    pub documents: u32,
    /// Index that they belong to.
    pub index: Arc<str>,
    /// Mapping type that they belong to, where the target knows types.
    pub mapping_type: Option<Arc<str>>,
    /// Whether each is preceded by an action line.
    pub has_action_lines: bool,
}

/// A finished body.
#[derive(Debug, Default)]
pub struct Body {
    /// Its bytes.
    pub bytes: Bytes,
    /// What the instance is charged for it, bytes: nothing where it lies in a mapped file.
    pub charged: usize,
}

/// A body that is being made.
#[derive(Debug, Default)]
pub struct Builder {
    bytes: Vec<u8>,
    /// What the instance is charged for the buffer, bytes.
    charged: usize,
}

/// At most so many bytes are handed to a guest in one `read`, whatever it asks for.
const LONGEST_READ: usize = 64 << 20;

fn part(bytes: &Bytes, offset: u64, length: u32) -> Vec<u8> {
    let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
    let end = start.saturating_add((length as usize).min(LONGEST_READ)).min(bytes.len());
    bytes[start..end].to_vec()
}

/// The bytes that a guest means, or what is wrong with it.
fn range(what: &str, size: usize, offset: u64, length: u64) -> wasmtime::Result<std::ops::Range<usize>> {
    let start = usize::try_from(offset).ok();
    let end = start.and_then(|start| start.checked_add(usize::try_from(length).ok()?));
    match (start, end) {
        (Some(start), Some(end)) if end <= size => Ok(start..end),
        _ => Err(wasmtime::format_err!(
            "{what}: {length} bytes from {offset} on are not within its {size} bytes"
        )),
    }
}

impl HostState {
    pub(crate) fn push_body(&mut self, bytes: Bytes, charged: usize) -> wasmtime::Result<Resource<Body>> {
        Ok(self.table.push(Body { bytes, charged })?)
    }

    /// Takes a body out of the instance.
    pub(crate) fn take_body(&mut self, handle: Resource<Body>) -> wasmtime::Result<Bytes> {
        self.take_charged_body(handle).map(|(bytes, _)| bytes)
    }

    /// The same with what the instance was charged for it, for who charges it elsewhere.
    pub(crate) fn take_charged_body(&mut self, handle: Resource<Body>) -> wasmtime::Result<(Bytes, usize)> {
        let body = self.table.delete(handle)?;
        self.discharge(body.charged);
        Ok((body.bytes, body.charged))
    }

    /// Charges what a builder's buffer takes beyond what is charged for it already.
    fn charge_builder(&mut self, handle: &Resource<Builder>) -> wasmtime::Result<()> {
        let builder = self.table.get_mut(handle)?;
        let more = builder.bytes.capacity().saturating_sub(builder.charged);
        builder.charged += more;
        self.charge(more)
    }

    /// Makes room in a builder, charged before it is taken.
    fn reserve(&mut self, handle: &Resource<Builder>, more: usize) -> wasmtime::Result<()> {
        let builder = self.table.get(handle)?;
        let needed = builder.bytes.len().saturating_add(more);
        self.charge(needed.saturating_sub(builder.charged))?;
        self.discharge(needed.saturating_sub(self.table.get(handle)?.charged));
        self.table.get_mut(handle)?.bytes.reserve(more);
        self.charge_builder(handle)
    }
}

impl bodies::Host for HostState {
    fn of_bytes(&mut self, bytes: Vec<u8>) -> wasmtime::Result<Resource<Body>> {
        let charged = bytes.len();
        self.charge(charged)?;
        self.push_body(Bytes::from(bytes), charged)
    }

    fn of_slice(&mut self, source: Resource<Slice>) -> wasmtime::Result<Resource<Body>> {
        let slice = self.table.delete(source)?;
        self.push_body(slice.bytes, 0)
    }
}

impl bodies::HostSlice for HostState {
    fn documents(&mut self, handle: Resource<Slice>) -> wasmtime::Result<u32> {
        Ok(self.table.get(&handle)?.documents)
    }

    fn size(&mut self, handle: Resource<Slice>) -> wasmtime::Result<u64> {
        Ok(self.table.get(&handle)?.bytes.len() as u64)
    }

    fn index(&mut self, handle: Resource<Slice>) -> wasmtime::Result<String> {
        Ok(self.table.get(&handle)?.index.to_string())
    }

    fn mapping_type(&mut self, handle: Resource<Slice>) -> wasmtime::Result<Option<String>> {
        Ok(self.table.get(&handle)?.mapping_type.as_ref().map(|name| name.to_string()))
    }

    fn has_action_lines(&mut self, handle: Resource<Slice>) -> wasmtime::Result<bool> {
        Ok(self.table.get(&handle)?.has_action_lines)
    }

    fn read(&mut self, handle: Resource<Slice>, offset: u64, length: u32) -> wasmtime::Result<Vec<u8>> {
        Ok(part(&self.table.get(&handle)?.bytes, offset, length))
    }

    fn drop(&mut self, handle: Resource<Slice>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}

impl bodies::HostBody for HostState {
    fn size(&mut self, handle: Resource<Body>) -> wasmtime::Result<u64> {
        Ok(self.table.get(&handle)?.bytes.len() as u64)
    }

    fn read(&mut self, handle: Resource<Body>, offset: u64, length: u32) -> wasmtime::Result<Vec<u8>> {
        Ok(part(&self.table.get(&handle)?.bytes, offset, length))
    }

    fn drop(&mut self, handle: Resource<Body>) -> wasmtime::Result<()> {
        self.take_body(handle)?;
        Ok(())
    }
}

impl bodies::HostBuilder for HostState {
    fn new(&mut self) -> wasmtime::Result<Resource<Builder>> {
        let bytes = self.environment.buffers.take();
        let handle = self.table.push(Builder { bytes, charged: 0 })?;
        self.charge_builder(&handle)?;
        Ok(handle)
    }

    fn append(&mut self, handle: Resource<Builder>, bytes: Vec<u8>) -> wasmtime::Result<()> {
        self.reserve(&handle, bytes.len())?;
        self.table.get_mut(&handle)?.bytes.extend_from_slice(&bytes);
        Ok(())
    }

    fn append_slice(
        &mut self,
        handle: Resource<Builder>,
        source: Resource<Slice>,
        offset: u64,
        length: u64,
    ) -> wasmtime::Result<()> {
        let bytes = self.table.get(&source)?.bytes.clone();
        let range = range("slice", bytes.len(), offset, length)?;
        self.reserve(&handle, range.len())?;
        self.table.get_mut(&handle)?.bytes.extend_from_slice(&bytes[range]);
        Ok(())
    }

    fn append_interleaved(
        &mut self,
        handle: Resource<Builder>,
        line: Vec<u8>,
        source: Resource<Slice>,
    ) -> wasmtime::Result<()> {
        let bytes = self.table.get(&source)?.bytes.clone();
        let lines = memchr::memchr_iter(b'\n', &bytes).count()
            + usize::from(bytes.last().is_some_and(|last| *last != b'\n'));
        self.reserve(&handle, bytes.len().saturating_add(lines.saturating_mul(line.len())))?;
        let built = &mut self.table.get_mut(&handle)?.bytes;
        let mut rest: &[u8] = &bytes;
        while !rest.is_empty() {
            let end = memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
            built.extend_from_slice(&line);
            built.extend_from_slice(&rest[..end]);
            rest = &rest[end..];
        }
        Ok(())
    }

    fn patch(&mut self, handle: Resource<Builder>, offset: u64, bytes: Vec<u8>) -> wasmtime::Result<()> {
        let built = &mut self.table.get_mut(&handle)?.bytes;
        let range = range("body", built.len(), offset, bytes.len() as u64)?;
        built[range].copy_from_slice(&bytes);
        Ok(())
    }

    fn size(&mut self, handle: Resource<Builder>) -> wasmtime::Result<u64> {
        Ok(self.table.get(&handle)?.bytes.len() as u64)
    }

    fn finish(&mut self, builder: Resource<Builder>) -> wasmtime::Result<Resource<Body>> {
        let Builder { bytes, charged } = self.table.delete(builder)?;
        let bytes = self.environment.buffers.body(bytes);
        self.push_body(bytes, charged)
    }

    fn drop(&mut self, handle: Resource<Builder>) -> wasmtime::Result<()> {
        let Builder { bytes, charged } = self.table.delete(handle)?;
        self.discharge(charged);
        drop(self.environment.buffers.body(bytes));
        Ok(())
    }
}
