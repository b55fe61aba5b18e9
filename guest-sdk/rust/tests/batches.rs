//! What a source yields does not depend on how it is asked.

#![allow(clippy::unwrap_used)] // tests fail by panicking

use rally_sdk::serde_json::Value;
use rally_sdk::testing::{TestRequest, TestSource};
use rally_sdk::{
    Body, BodyKind, Context, Error, ErrorClass, Extent, Form, ParamSource, Partition, Random, Reader,
    Request, Result, json,
};

/// Bodies of many sizes and kinds, parameters that come and go.
struct Mixed {
    random: Random,
    left: u64,
    size: Option<u64>,
}

impl ParamSource for Mixed {
    fn open(context: &Context) -> Result<Mixed> {
        let params = context.params();
        Ok(Mixed { random: context.random(), left: params.get("requests")?, size: params.find("size")? })
    }

    fn size(&self) -> Option<u64> {
        self.size
    }

    fn extent(&self) -> Extent {
        Extent::Finite(self.size)
    }

    fn params(&mut self, request: &mut Request) -> Result<()> {
        if self.left == 0 {
            return request.exhausted();
        }
        self.left -= 1;
        let index = format!("index{}", self.random.below(400));
        request.index(&index).set("cache", self.random.bool());
        if self.random.chance(0.3) {
            request.set("routing", self.random.below(3));
        }
        let text = "x".repeat(self.random.below(300) as usize);
        match self.random.below(5) {
            0 => {}
            1 => {
                request.body(&json!({ "text": text }));
            }
            2 => {
                request.body_text(&text).documents(3);
            }
            3 => {
                request.body_bytes(text.as_bytes());
            }
            _ => {
                request.body_of(Body::raw_json("{}"));
            }
        }
        Ok(())
    }
}

fn mixed(limit: u32, most_bytes: u32) -> Vec<TestRequest> {
    let context = Context::for_test().params(json!({"requests": 2_000})).seed(11).build();
    TestSource::<Mixed>::open(&context).unwrap().batches(limit, most_bytes).all().unwrap()
}

#[test]
fn any_batch_size_gives_the_same_requests() {
    let alone = mixed(1, u32::MAX);
    assert_eq!(alone.len(), 2_000);
    assert!(alone.iter().any(|request| request.body_kind == BodyKind::Bytes && !request.body.is_empty()));
    for limit in [7, 64, 256, 1_000] {
        assert_eq!(mixed(limit, u32::MAX), alone, "limit {limit}");
    }
    for most_bytes in [0, 1, 500, 10_000] {
        assert_eq!(mixed(64, most_bytes), alone, "{most_bytes} bytes at most");
    }
}

#[test]
fn the_size_of_a_source_limits_nothing_but_a_task_that_says_nothing() {
    let context = Context::for_test().params(json!({"requests": 50, "size": 20})).build();
    for limit in [1, 7, 20, 64] {
        let mut source = TestSource::<Mixed>::open(&context).unwrap().batches(limit, u32::MAX);
        assert_eq!(source.extent(), Extent::Finite(Some(20)));
        assert_eq!(source.all().unwrap().len(), 20);
        assert_eq!(source.take(1_000).unwrap().len(), 30, "the rest");
    }
}

/// Numbers that end in an error.
struct Failing(u64);

impl ParamSource for Failing {
    fn open(_context: &Context) -> Result<Failing> {
        Ok(Failing(0))
    }

    fn params(&mut self, request: &mut Request) -> Result<()> {
        self.0 += 1;
        request.set("number", self.0);
        if self.0 == 10 { Err(Error::other("out of numbers")) } else { Ok(()) }
    }
}

#[test]
fn requests_before_an_error_cross_whatever_the_batch_size() {
    let context = Context::for_test().build();
    for limit in [1, 3, 9, 10, 64] {
        let mut source = TestSource::<Failing>::open(&context).unwrap().batches(limit, u32::MAX);
        assert_eq!(source.take(9).unwrap().len(), 9, "limit {limit}");
        assert_eq!(source.take(1).unwrap_err().message(), "out of numbers", "limit {limit}");
    }
}

/// The same parameters in each request.
struct Constant;

impl ParamSource for Constant {
    fn open(_context: &Context) -> Result<Constant> {
        Ok(Constant)
    }

    fn params(&mut self, request: &mut Request) -> Result<()> {
        request
            .index("logs")
            .set("cache", None::<bool>)
            .set("pages", 2.5)
            .set("list", json!([1, "a"]))
            .body("text");
        Ok(())
    }
}

#[test]
fn parameters_that_do_not_change_cross_once() {
    let mut source = TestSource::<Constant>::open(&Context::for_test().build()).unwrap().batches(7, u32::MAX);
    let requests = source.take(100).unwrap();
    assert_eq!(source.announced(), 1);
    let params = Value::Object(requests[99].params.clone());
    assert_eq!(params, json!({"index": "logs", "cache": null, "pages": 2.5, "list": [1, "a"]}));
}

/// The same requests in both forms.
macro_rules! texts {
    ($name:ident, $form:expr) => {
        struct $name(u64);

        impl ParamSource for $name {
            const FORM: Form = $form;

            fn open(_context: &Context) -> Result<$name> {
                Ok($name(0))
            }

            fn size(&self) -> Option<u64> {
                Some(30)
            }

            fn params(&mut self, request: &mut Request) -> Result<()> {
                self.0 += 1;
                match self.0 % 3 {
                    0 => request.set("number", self.0),
                    1 => request.set("number", self.0).body_json("{\"a\":\n1}"),
                    _ => request.body_text("{\"index\":{}}\n{}\n"),
                };
                Ok(())
            }
        }
    };
}
texts!(AsArena, Form::Arena);
texts!(AsLines, Form::Lines);

#[test]
fn lines_say_the_same_as_shapes_and_items() {
    let context = Context::for_test().build();
    let mut arena = TestSource::<AsArena>::open(&context).unwrap().all().unwrap();
    for request in &mut arena {
        request.body.retain(|byte| request.body_kind != BodyKind::Json || *byte != b'\n');
    }
    for limit in [1, 7, 64] {
        let mut lines = TestSource::<AsLines>::open(&context).unwrap().batches(limit, 100);
        assert_eq!(lines.all().unwrap(), arena);
    }
}

/// The track's documents as bulks.
struct Bulks(Reader);

impl ParamSource for Bulks {
    fn open(context: &Context) -> Result<Bulks> {
        let bulk_size = context.params().get("bulk-size")?;
        let batch_size = context.params().get_or("batch-size", bulk_size)?;
        Ok(Bulks(Reader::options().index("logs").bulk_size(bulk_size).batch_size(batch_size).open(context)?))
    }

    fn size(&self) -> Option<u64> {
        Some(self.0.size())
    }

    fn params(&mut self, request: &mut Request) -> Result<()> {
        let Some(slice) = self.0.next()? else { return request.exhausted() };
        request.documents(slice.documents()).body_of(slice.interleaved(b"{\"index\":{}}\n"));
        Ok(())
    }
}

#[test]
fn documents_are_cut_into_bulks_of_each_clients_part() {
    let mut texts = Vec::new();
    for client in 0..2 {
        let context = Context::for_test()
            .params(json!({"bulk-size": 2}))
            .documents("logs", "type", &["1", "2", "3", "4", "5"])
            .documents("other", "type", &["6"])
            .partition(client, 2)
            .build();
        for request in TestSource::<Bulks>::open(&context).unwrap().all().unwrap() {
            texts.push((
                request.documents,
                request.body_text().replace("{\"index\":{}}\n", "").replace('\n', " "),
            ));
        }
    }
    assert_eq!(texts, [(2, "1 2 ".to_owned()), (2, "3 4 ".to_owned()), (1, "5 ".to_owned())]);
}

#[test]
fn sizes_that_make_no_sense_are_named() {
    let open = |params: Value| {
        let context = Context::for_test().params(params).documents("logs", "type", &["1"]).build();
        TestSource::<Bulks>::open(&context).err().unwrap()
    };
    let error = open(json!({"bulk-size": 2, "batch-size": 3}));
    assert_eq!(error.class(), ErrorClass::Config);
    assert!(error.message().contains("'batch-size' is 3 but must be a multiple of 'bulk-size', which is 2"));
    assert!(open(json!({"bulk-size": 0})).message().contains("'bulk-size' is 0"));
}

/// What no request can be.
struct Unwritable;

impl ParamSource for Unwritable {
    fn open(_context: &Context) -> Result<Unwritable> {
        Ok(Unwritable)
    }

    fn partition(self, partition: Partition) -> Result<Unwritable> {
        match partition.total {
            1 => Ok(self),
            _ => Err(Error::config("only one client")),
        }
    }

    fn params(&mut self, request: &mut Request) -> Result<()> {
        request.body(&std::collections::BTreeMap::from([([1_u8], 2)]));
        Ok(())
    }
}

#[test]
fn a_body_that_cannot_be_json_is_an_error_of_its_request() {
    let mut source = TestSource::<Unwritable>::open(&Context::for_test().build()).unwrap();
    assert!(source.take(1).unwrap_err().message().starts_with("the body: key must be"));
}

#[test]
fn a_partition_can_be_refused() {
    let context = Context::for_test().partition(0, 2).build();
    assert_eq!(TestSource::<Unwritable>::open(&context).err().unwrap().message(), "only one client");
}
