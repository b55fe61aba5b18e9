//! A source as rally asks it: many requests at a time, as shapes, items and bodies.

use std::marker::PhantomData;

use serde_json::{Map, Value};

use crate::source::{AnySource, Batcher, Form, FunctionSource, SourceFunction};
use crate::{BodyKind, Context, Extent, ParamSource, Result};

/// A request that a source has made, as its runner would get it.
#[derive(Debug, Clone, PartialEq)]
pub struct TestRequest {
    /// Parameters beside the body.
    pub params: Map<String, Value>,
    /// The body; empty where there is none.
    pub body: Vec<u8>,
    /// What the body is.
    pub body_kind: BodyKind,
    /// Number of documents in the body.
    pub documents: u32,
    /// Whether an object was handed over instead of parameters.
    pub held: bool,
}

impl TestRequest {
    /// The body as a JSON value.
    ///
    /// # Panics
    /// Where it is not JSON.
    pub fn body_json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("the body is no JSON ({error}): {}", String::from_utf8_lossy(&self.body)),
        }
    }

    /// The body as text.
    pub fn body_text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Drives a source through the code that drives it in rally.
pub struct TestSource<S> {
    source: Box<dyn AnySource>,
    form: Form,
    limit: u32,
    most_bytes: u32,
    slots: Vec<Map<String, Value>>,
    announced: usize,
    waiting: Vec<TestRequest>,
    exhausted: bool,
    marker: PhantomData<S>,
}

impl<S: ParamSource> TestSource<S> {
    /// Opens the source of the context's client.
    ///
    /// # Errors
    /// What the source's `open` or `partition` returns.
    pub fn open(context: &Context) -> Result<TestSource<S>> {
        Ok(TestSource::new(Box::new(Batcher::<S>::open(context)?), S::FORM))
    }
}

impl TestSource<SourceFunction> {
    /// A function as a source.
    pub fn function(context: &Context, function: SourceFunction) -> TestSource<SourceFunction> {
        TestSource::new(Box::new(Batcher::new(FunctionSource::new(context, function))), Form::Arena)
    }
}

impl<S> TestSource<S> {
    fn new(source: Box<dyn AnySource>, form: Form) -> TestSource<S> {
        TestSource {
            source,
            form,
            limit: 64,
            most_bytes: 1 << 20,
            slots: vec![Map::new(); 256],
            announced: 0,
            waiting: Vec::new(),
            exhausted: false,
            marker: PhantomData,
        }
    }

    /// The same, asked for at most so many requests, and about so many bytes of bodies, at a time. What a source yields must
    /// not depend on it.
    pub fn batches(mut self, limit: u32, most_bytes: u32) -> TestSource<S> {
        (self.limit, self.most_bytes) = (limit, most_bytes);
        self
    }

    /// Whether the client's part ends.
    pub fn extent(&self) -> Extent {
        self.source.extent()
    }

    /// How far it is.
    pub fn progress(&self) -> Option<f64> {
        self.source.progress()
    }

    /// How many shapes it has announced so far: sets of parameters that differ.
    pub fn announced(&self) -> usize {
        self.announced
    }

    /// The next `count` requests, fewer only where the source comes to its end.
    ///
    /// # Errors
    /// What the source's `params` returns, once the requests before it were taken.
    pub fn take(&mut self, count: usize) -> Result<Vec<TestRequest>> {
        while self.waiting.len() < count && !self.exhausted {
            match self.form {
                Form::Arena => self.next_batch()?,
                Form::Lines => self.next_lines()?,
            }
        }
        let rest = self.waiting.split_off(count.min(self.waiting.len()));
        Ok(std::mem::replace(&mut self.waiting, rest))
    }

    /// All requests up to the end, or as many as the source says that there are: what a task makes that says nothing of
    /// iterations and times.
    ///
    /// # Errors
    /// What the source's `params` returns.
    pub fn all(&mut self) -> Result<Vec<TestRequest>> {
        match self.extent() {
            Extent::Finite(Some(requests)) => self.take(usize::try_from(requests).unwrap_or(usize::MAX)),
            _ => self.take(usize::MAX),
        }
    }

    fn next_batch(&mut self) -> Result<()> {
        let batch = self.source.next(self.limit, self.most_bytes)?;
        assert!(batch.items.len() <= self.limit as usize, "more requests than were asked for");
        assert!(batch.exhausted || !batch.items.is_empty(), "an empty batch that is not the last");
        self.announced += batch.new_shapes.len();
        for shape in batch.new_shapes {
            self.slots[shape.slot as usize] = serde_json::from_str(&shape.params)?;
        }
        let mut bodies = batch.bodies.into_iter().peekable();
        let mut begin = 0;
        for (position, item) in batch.items.into_iter().enumerate() {
            let end = item.arena_end as usize;
            let host_body = bodies.next_if(|(place, _)| *place as usize == position);
            let body = match host_body {
                Some((_, body)) => body.to_vec(),
                None => batch.arena[begin..end].to_vec(),
            };
            begin = end;
            self.waiting.push(TestRequest {
                params: self.slots[item.shape as usize].clone(),
                body,
                body_kind: item.body_kind,
                documents: item.documents,
                held: item.held != 0,
            });
        }
        self.exhausted = batch.exhausted;
        Ok(())
    }

    fn next_lines(&mut self) -> Result<()> {
        let lines = self.source.next_lines(self.limit, self.most_bytes)?;
        for line in lines.text.lines() {
            let mut params: Map<String, Value> = serde_json::from_str(line)?;
            let (body_kind, body) = match params.shift_remove("body") {
                None => (BodyKind::Json, Vec::new()),
                Some(Value::String(text)) => (BodyKind::Text, text.into_bytes()),
                Some(value) => (BodyKind::Json, value.to_string().into_bytes()),
            };
            self.waiting.push(TestRequest { params, body, body_kind, documents: 0, held: false });
        }
        self.exhausted = lines.exhausted;
        Ok(())
    }
}
