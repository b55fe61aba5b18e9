//! Param sources of their own instances.

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use rally_race::{
    Cause, InTurnSource, InTurnSourceFactory, More, ParamSource, ParamSourceFactory, Params, Partition,
};

use crate::error::CallError;
use crate::extension::{Extent, SourceInfo};
use crate::instance::{OpenSource, SyncInstance};
use crate::roles::pool::{InstancePool, PoolCapacity};
use crate::roles::task::TaskRole;

/// Opens the sources of a task: an instance per client.
pub(crate) struct SourceFactory {
    role: TaskRole,
    info: SourceInfo,
    finite: bool,
    pool: InstancePool<Source>,
}

/// A client's source.
pub(crate) struct Source {
    instance: SyncInstance,
    source: OpenSource,
    /// Requests of the batch that was asked for last, for who takes one at a time.
    made: Vec<Params>,
    exhausted: bool,
    left: Left,
}

/// How many requests may still be asked for. The number that a source gives is for progress; it bounds a task only where that
/// says nothing of iterations and times itself.
pub(crate) struct Left(Option<u64>);

impl Left {
    pub(crate) fn new(role: &TaskRole, extent: Extent) -> Left {
        match extent {
            Extent::Finite(requests) if !role.has_extent => Left(requests),
            _ => Left(None),
        }
    }

    /// Asks for at most `limit` requests, unless there are to be no more. `ask` appends them to what it is given.
    pub(crate) fn take<E>(
        &mut self,
        limit: usize,
        out: &mut Vec<Params>,
        ask: impl FnOnce(usize, &mut Vec<Params>) -> Result<More, E>,
    ) -> Result<More, E> {
        let limit = self.limit(limit);
        if limit == 0 {
            return Ok(More::Exhausted);
        }
        let before = out.len();
        let more = ask(limit, out)?;
        Ok(self.taken(out.len() - before, more))
    }

    /// How many of `limit` may be asked for.
    pub(crate) fn limit(&self, limit: usize) -> usize {
        self.0.map_or(limit, |left| limit.min(usize::try_from(left).unwrap_or(usize::MAX)))
    }

    /// So many were made; whether there are more.
    pub(crate) fn taken(&mut self, made: usize, more: More) -> More {
        let Some(left) = &mut self.0 else { return more };
        *left = left.saturating_sub(made as u64);
        if *left == 0 { More::Exhausted } else { more }
    }
}

impl SourceFactory {
    /// Opens the sources of all clients, to see whether they can be.
    pub(crate) fn new(
        role: TaskRole,
        info: SourceInfo,
        clients: impl Iterator<Item = Partition>,
        capacity: &PoolCapacity,
    ) -> Result<SourceFactory, CallError> {
        let mut factory =
            SourceFactory { role, info, finite: false, pool: InstancePool::new(capacity.clone()) };
        for partition in clients {
            let source = factory.open_source(partition)?;
            factory.finite |= matches!(source.source.extent, Extent::Finite(_));
            factory.pool.put(partition, source);
        }
        Ok(factory)
    }

    fn open_source(&self, partition: Partition) -> Result<Source, CallError> {
        let mut instance = self.role.extension.sync_instance(&self.role.environment)?;
        let source = instance.open_source(&self.info, self.role.context(partition))?;
        let left = Left::new(&self.role, source.extent);
        Ok(Source { instance, source, made: Vec::new(), exhausted: false, left })
    }

    fn source(&self, partition: Partition) -> Result<Source, Cause> {
        match self.pool.take(partition) {
            Some(source) => Ok(source),
            None => Ok(self.open_source(partition)?),
        }
    }
}

impl ParamSourceFactory for SourceFactory {
    fn open(&self, partition: Partition) -> Result<Box<dyn ParamSource>, Cause> {
        Ok(Box::new(self.source(partition)?))
    }

    fn finite(&self) -> bool {
        self.finite
    }
}

impl InTurnSourceFactory for SourceFactory {
    fn open<'a>(&'a self, partition: Partition) -> LocalBoxFuture<'a, Result<Box<dyn InTurnSource>, Cause>> {
        std::future::ready(self.source(partition).map(|source| Box::new(source) as Box<dyn InTurnSource>))
            .boxed_local()
    }

    fn finite(&self) -> bool {
        self.finite
    }
}

impl Source {
    fn requests(&self) -> Option<u64> {
        match self.source.extent {
            Extent::Finite(requests) => requests,
            Extent::Infinite => None,
        }
    }
}

impl ParamSource for Source {
    fn next(&mut self, limit: usize, out: &mut Vec<Params>) -> Result<More, Cause> {
        Ok(self.left.take(limit, out, |limit, out| self.instance.next(&mut self.source, limit, out))?)
    }

    fn size(&self) -> Option<u64> {
        self.requests()
    }
}

impl InTurnSource for Source {
    fn next<'a>(&'a mut self) -> LocalBoxFuture<'a, Result<Option<Params>, Cause>> {
        let mut ask = || -> Result<Option<Params>, Cause> {
            if self.made.is_empty() && !self.exhausted {
                let ask = |limit, out: &mut Vec<Params>| self.instance.next(&mut self.source, limit, out);
                let more = self.left.take(1, &mut self.made, ask)?;
                self.exhausted = more == More::Exhausted;
            }
            Ok(self.made.pop())
        };
        std::future::ready(ask()).boxed_local()
    }

    fn size(&self) -> Option<u64> {
        self.requests()
    }
}
