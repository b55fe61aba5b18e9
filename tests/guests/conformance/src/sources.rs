//! Parameter sources.

use rally_sdk::serde_json::{Map, Value};
use rally_sdk::{
    Body, BodyKind, Builder, Context, Extent, FileKind, Form, Packing, ParamSource, Random, Reader, Request,
    Result, Slice, assets, clock, data, json,
};

/// All that the context tells, as the body.
pub struct Race(Context);

impl ParamSource for Race {
    fn open(context: &Context) -> Result<Race> {
        Ok(Race(context.clone()))
    }

    fn params(&mut self, request: &mut Request) -> Result<()> {
        let context = &self.0;
        let partition = context.partition();
        let indices: Vec<&str> = context.track().indices().map(|index| index.name()).collect();
        let challenges: Vec<&str> = context.track().challenges().map(|challenge| challenge.name()).collect();
        request.body(&json!({
            "track_name": context.track_name(),
            "indices": indices,
            "challenges": challenges,
            "challenge": context.challenge(),
            "task": context.task(),
            "params": context.params().as_map(),
            "task_params": context.task_params().as_map(),
            "target_throughput": context.target_throughput(),
            "partition": [partition.index, partition.total],
            "seed": context.seed(),
            "clusters": context.clusters(),
        }));
        Ok(())
    }
}

/// Each kind of body in turn, 1 to 6; the parameter `number` says which.
pub struct Bodies(u32);

impl ParamSource for Bodies {
    fn open(_context: &Context) -> Result<Bodies> {
        Ok(Bodies(0))
    }

    fn params(&mut self, request: &mut Request) -> Result<()> {
        self.0 = self.0 % 6 + 1;
        request.set("number", self.0);
        match self.0 {
            1 => request,
            2 => request.body(&json!({"kind": "json"})),
            3 => request.body_text("{\"index\":{}}\n{\"kind\":\"text\"}\n").documents(1),
            4 => request.body_bytes(&[0, 255, 10]),
            5 => request.body_of(Body::raw_json("{\"kind\":\"body of the host\"}")),
            _ => {
                let mut builder = Builder::new();
                builder.append(b"{\"kind\":\"built\",\"time\":\"0000\"}");
                builder.patch(builder.size() - 6, b"1234");
                request.body_of(builder.finish(BodyKind::Json))
            }
        };
        Ok(())
    }
}

/// The track's documents: as they lie in the file, with action lines, and copied in two parts, one after the other.
pub struct Documents {
    reader: Reader,
    number: u64,
}

impl ParamSource for Documents {
    fn open(context: &Context) -> Result<Documents> {
        let bulk_size = context.params().get_or("bulk-size", 10)?;
        Ok(Documents { reader: Reader::options().bulk_size(bulk_size).open(context)?, number: 0 })
    }

    fn size(&self) -> Option<u64> {
        Some(self.reader.size())
    }

    fn params(&mut self, request: &mut Request) -> Result<()> {
        let Some(slice) = self.reader.next()? else { return request.exhausted() };
        self.number += 1;
        request
            .index(&slice.index())
            .set("type", slice.mapping_type())
            .set("has_action_lines", slice.has_action_lines())
            .set("way", self.number % 3)
            .documents(slice.documents());
        request.body_of(match self.number % 3 {
            1 => slice.into_body(),
            2 => slice.interleaved(b"{\"index\":{}}\n"),
            _ => in_parts(&slice),
        });
        Ok(())
    }
}

/// The first half through the guest, the second one not.
fn in_parts(slice: &Slice) -> Body {
    let half = slice.size() / 2;
    let mut builder = Builder::new();
    builder.append(&slice.read(0, half as u32));
    builder.append_slice(slice, half, slice.size() - half);
    builder.finish(BodyKind::Text)
}

/// What there is in the track folder (`file`, `packed`, `folder`) and in the data folder, as the body.
pub struct Files(Context);

impl ParamSource for Files {
    fn open(context: &Context) -> Result<Files> {
        Ok(Files(context.clone()))
    }

    fn params(&mut self, request: &mut Request) -> Result<()> {
        let params = self.0.params();
        let mut found = Map::new();
        if let Some(file) = params.find::<&str>("file")? {
            let status = assets::stat(file)?;
            found.insert("is_file".to_owned(), (status.kind == FileKind::File).into());
            found.insert("size".to_owned(), status.size.into());
            found.insert("text".to_owned(), assets::read_text(file)?.into());
            found.insert("middle".to_owned(), String::from_utf8(assets::read_range(file, 1, 3)?)?.into());
        }
        if let Some(packed) = params.find::<&str>("packed")? {
            let packing = if packed.ends_with(".gz") { Packing::Gzip } else { Packing::Bzip2 };
            let unpacked = assets::read_unpacked(packed, packing)?;
            found.insert("unpacked".to_owned(), String::from_utf8(unpacked)?.into());
        }
        if let Some(folder) = params.find::<&str>("folder")? {
            let entries: Vec<String> = assets::entries(folder)?.into_iter().map(|entry| entry.name).collect();
            found.insert("entries".to_owned(), entries.into());
        }
        if let Some(file) = params.find::<&str>("missing")? {
            let error = assets::read(file).err();
            found.insert("error".to_owned(), error.map(|error| format!("{:?}", error.class())).into());
        }
        if let Some(file) = params.find::<&str>("data-file")? {
            found.insert("data".to_owned(), data::read_text(file)?.into());
            found.insert("data_size".to_owned(), data::stat(file)?.size.into());
        }
        request.body(&found);
        Ok(())
    }
}

/// The time, as the body: asked for when the request's turn comes.
pub struct Clock;

impl ParamSource for Clock {
    const PREFETCH: bool = false;

    fn open(_context: &Context) -> Result<Clock> {
        Ok(Clock)
    }

    fn params(&mut self, request: &mut Request) -> Result<()> {
        let [wall, monotonic] = [clock::wall(), clock::monotonic()].map(|time| time.as_nanos() as u64);
        request.body(&json!({"wall": wall, "monotonic": monotonic}));
        Ok(())
    }
}

/// Ends after `requests`, and may say before (`size`) that it will.
pub struct Finite {
    requests: u64,
    made: u64,
    known: bool,
    random: Random,
}

impl ParamSource for Finite {
    fn open(context: &Context) -> Result<Finite> {
        let params = context.params();
        let (requests, known) = (params.get_or("requests", 10)?, params.get_or("size", true)?);
        Ok(Finite { requests, made: 0, known, random: context.random() })
    }

    fn size(&self) -> Option<u64> {
        self.known.then_some(self.requests)
    }

    fn extent(&self) -> Extent {
        Extent::Finite(self.size())
    }

    fn params(&mut self, request: &mut Request) -> Result<()> {
        if self.made == self.requests {
            return request.exhausted();
        }
        self.made += 1;
        request.set("number", self.made).body(&json!({"random": self.random.below(1_000_000)}));
        Ok(())
    }

    fn progress(&self) -> Option<f64> {
        Some(self.made as f64 / self.requests.max(1) as f64)
    }
}

/// Parameters that differ in each request, as lines.
pub struct Lines(u64);

impl ParamSource for Lines {
    const FORM: Form = Form::Lines;

    fn open(_context: &Context) -> Result<Lines> {
        Ok(Lines(0))
    }

    fn params(&mut self, request: &mut Request) -> Result<()> {
        self.0 += 1;
        request.set("number", self.0);
        match self.0 % 3 {
            0 => request,
            1 => request.body(&json!({"number": self.0, "text": "two\nlines"})),
            _ => request.body_text("{\"index\":{}}\n{}\n"),
        };
        Ok(())
    }
}

/// What crosses from [`Held`] to its runner.
pub struct Ticket {
    pub number: u64,
    pub words: Vec<Value>,
}

/// Objects that stay in the instance.
pub struct Held(u64);

impl ParamSource for Held {
    const PREFETCH: bool = false;

    fn open(_context: &Context) -> Result<Held> {
        Ok(Held(0))
    }

    fn params(&mut self, request: &mut Request) -> Result<()> {
        self.0 += 1;
        request.hold(Ticket { number: self.0, words: vec!["kept".into(), self.0.into()] });
        Ok(())
    }
}

/// A line of each level for each request.
pub fn log_lines(context: &Context, _random: &mut Random, request: &mut Request) -> Result<()> {
    let task = context.task();
    rally_sdk::debug!("debug of {task}");
    rally_sdk::info!("info of {task}");
    rally_sdk::warn!("warning of {task}");
    rally_sdk::error!("error of {task}");
    request.set("logged", 4);
    Ok(())
}

/// How many documents the track has, by index and type and by corpus, as the body.
pub fn track_documents(context: &Context, _random: &mut Random, request: &mut Request) -> Result<()> {
    let track = context.track();
    let types = |index: rally_sdk::Index<'_>| -> Map<String, Value> {
        index.types().map(|each| (each.name().to_owned(), each.document_count().into())).collect()
    };
    let indices: Map<String, Value> = track
        .indices()
        .map(|index| {
            (index.name().to_owned(), json!({"documents": index.document_count(), "types": types(index)}))
        })
        .collect();
    let corpora: Map<String, Value> = track
        .corpora()
        .map(|corpus| {
            let files: Map<String, Value> = corpus
                .documents()
                .map(|file| (file.file_name().to_owned(), file.document_count().into()))
                .collect();
            (corpus.name().to_owned(), Value::Object(files))
        })
        .collect();
    request.body(&json!({"indices": indices, "corpora": corpora}));
    Ok(())
}

/// Never ends, although it says that it has `size` requests: Rally's searches say 1.
pub struct Endless {
    size: u64,
    made: u64,
}

impl ParamSource for Endless {
    fn open(context: &Context) -> Result<Endless> {
        Ok(Endless { size: context.params().get_or("size", 1)?, made: 0 })
    }

    fn size(&self) -> Option<u64> {
        Some(self.size)
    }

    fn params(&mut self, request: &mut Request) -> Result<()> {
        self.made += 1;
        request.set("number", self.made);
        Ok(())
    }
}
