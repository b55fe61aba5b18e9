//! The extension of the track {{name}}: what it registers here, track.json names.

use rally_sdk::{
    Client, Context, Error, Outcome, ParamSource, Params, Random, Request, Result, Runner, Scheduler, json,
};

rally_sdk::track! {
    sources: ["random-colour" => RandomColour],
    runners: ["count" => Count],
    schedulers: ["jitter" => Jitter],
}

/// `"param-source": "random-colour"`: a query for one of the operation's `colours`.
struct RandomColour {
    index: String,
    colours: Vec<String>,
    random: Random,
}

impl ParamSource for RandomColour {
    fn open(context: &Context) -> Result<RandomColour> {
        let params = context.params();
        let colours: Vec<String> = params.get("colours")?;
        if colours.is_empty() {
            return Err(Error::config("parameter 'colours' is empty: name at least one colour"));
        }
        Ok(RandomColour { index: params.get("index")?, colours, random: context.random() })
    }

    fn params(&mut self, request: &mut Request) -> Result<()> {
        let colour = self.random.pick(&self.colours);
        request.index(&self.index).body(&json!({"query": {"term": {"colour": colour}}}));
        Ok(())
    }
}

/// `"operation-type": "count"`: counts what the query of the parameter source finds.
struct Count;

impl Runner for Count {
    fn open(_context: &Context) -> Result<Count> {
        Ok(Count)
    }

    fn run(&mut self, client: &Client, params: &mut Params) -> Result<impl Into<Outcome>> {
        let body = params.take_body()?;
        let target = format!("/{}/_count", params.get::<&str>("index")?);
        let answer = client.post(target).body(body)?.pick(&["/count"])?;
        let count: Option<u64> = answer.picked(0)?;
        Ok(Outcome::new(1.0, "ops").meta("count", count))
    }
}

/// `"schedule": "jitter"`: pauses around the task's `average-millis`, from nothing to twice as long.
struct Jitter {
    most: f64,
    random: Random,
}

impl Scheduler for Jitter {
    fn open(context: &Context) -> Result<Jitter> {
        let average: f64 = context.task_params().get_or("average-millis", 10.0)?;
        Ok(Jitter { most: 2.0 * average / 1_000.0, random: context.random() })
    }

    fn next(&mut self, current: f64) -> Result<f64> {
        Ok(current + self.random.uniform(0.0, self.most))
    }
}

/// `cargo test` runs these without rally.
#[cfg(test)]
mod tests {
    use rally_sdk::testing::{Reply, TestScheduler, TestSource};

    use super::*;

    #[test]
    fn each_request_looks_for_one_of_the_colours() {
        let params = json!({"index": "things", "colours": ["red", "green"]});
        let context = Context::for_test().params(params).seed(1).build();
        for request in TestSource::<RandomColour>::open(&context).unwrap().take(20).unwrap() {
            assert_eq!(request.params["index"], "things");
            let colour = &request.body_json()["query"]["term"]["colour"];
            assert!(colour == "red" || colour == "green", "{colour}");
        }
    }

    #[test]
    fn without_colours_the_race_does_not_begin() {
        let context = Context::for_test().params(json!({"index": "things"})).build();
        let error = TestSource::<RandomColour>::open(&context).err().unwrap();
        assert_eq!(error.message(), "parameter 'colours' is missing: it must be a list of texts");
    }

    #[test]
    fn the_count_is_told() {
        let client = Client::for_test(|request| {
            assert_eq!(request.target, "/things/_count");
            Reply::json(200, json!({"count": 12}))
        });
        let mut params = Params::for_test(json!({"index": "things", "body": {"query": {"match_all": {}}}}));
        let outcome: Outcome = Count.run(&client, &mut params).unwrap().into();
        assert_eq!(outcome.meta_data()["count"], 12);
    }

    #[test]
    fn due_times_never_go_back() {
        let context = Context::for_test().task_params(json!({"average-millis": 5})).build();
        let times = TestScheduler::<Jitter>::open(&context).unwrap().take(100).unwrap();
        assert!(times.is_sorted());
        assert!((0.2..0.8).contains(&times[99]), "{}", times[99]);
    }
}
