//! A term query with a random profession, once as a function and once as a type.

use rally_sdk::{Context, Error, ParamSource, Partition, Random, Request, Result, json};

rally_sdk::track! {
    sources: [
        "random-profession-function" => fn random_profession,
        "random-profession" => RandomProfession,
    ],
}

/// What the search runner needs to know beside the body, by its names.
fn search(index: &str, mapping_type: Option<&str>, cache: bool, profession: &str, request: &mut Request) {
    request
        .index(index)
        .set("type", mapping_type)
        .set("use_request_cache", cache)
        .body(&json!({"query": {"term": {"profession": profession}}}));
}

/// The short way: everything is looked up for each request.
fn random_profession(context: &Context, random: &mut Random, request: &mut Request) -> Result<()> {
    let params = context.params();
    let professions = professions(context)?;
    let default = default_index(context);
    let index = params.find("index")?.or(default).ok_or_else(no_index)?;
    let profession = random.pick(&professions);
    search(index, params.find("type")?, params.get_or("cache", false)?, profession, request);
    Ok(())
}

/// The long way: everything is looked up once, and the part of each client is known.
#[derive(Debug)]
struct RandomProfession {
    index: String,
    mapping_type: Option<String>,
    cache: bool,
    professions: Vec<String>,
    random: Random,
    /// Requests of all clients together, then of this one; none: for ever.
    requests: Option<u64>,
    made: u64,
}

impl ParamSource for RandomProfession {
    fn open(context: &Context) -> Result<RandomProfession> {
        let params = context.params();
        Ok(RandomProfession {
            index: params.find("index")?.or(default_index(context)).ok_or_else(no_index)?.to_owned(),
            mapping_type: params.find("type")?,
            cache: params.get_or("cache", false)?,
            professions: professions(context)?.into_iter().map(str::to_owned).collect(),
            random: context.random(),
            requests: params.find("requests")?,
            made: 0,
        })
    }

    /// Each client makes its part of the requests, the first ones one more where they do not share evenly.
    fn partition(mut self, Partition { index, total }: Partition) -> Result<RandomProfession> {
        let (index, total) = (u64::from(index), u64::from(total));
        self.requests = self.requests.map(|requests| requests / total + u64::from(index < requests % total));
        Ok(self)
    }

    fn size(&self) -> Option<u64> {
        self.requests
    }

    fn params(&mut self, request: &mut Request) -> Result<()> {
        if self.requests == Some(self.made) {
            return request.exhausted();
        }
        self.made += 1;
        let profession = self.random.pick(&self.professions);
        search(&self.index, self.mapping_type.as_deref(), self.cache, profession, request);
        Ok(())
    }
}

fn professions(context: &Context) -> Result<Vec<&str>> {
    let professions: Vec<&str> = context.params().get("professions")?;
    if professions.is_empty() {
        return Err(Error::config("parameter 'professions' is empty: name at least one profession"));
    }
    Ok(professions)
}

/// The index of a track that has only one.
fn default_index(context: &Context) -> Option<&str> {
    let mut indices = context.track().indices();
    indices.next().filter(|_| indices.next().is_none()).map(|index| index.name())
}

fn no_index() -> Error {
    Error::config("parameter 'index' is missing: the track has not exactly one index")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rally_sdk::Extent;
    use rally_sdk::serde_json::Value;
    use rally_sdk::testing::{ContextBuilder, TestSource};

    use super::*;

    fn context(params: Value) -> ContextBuilder {
        let track = json!({"indices": [{"name": "people", "types": [{"name": "person"}]}], "challenges": []});
        Context::for_test().params(params).track(track)
    }

    fn source(params: Value) -> Result<TestSource<RandomProfession>> {
        TestSource::open(&context(params).build())
    }

    #[test]
    fn each_request_looks_for_one_of_the_professions() {
        let requests = source(json!({"professions": ["baker", "nurse"]})).unwrap().take(100).unwrap();
        let found: BTreeSet<String> = requests
            .iter()
            .map(|request| request.body_json()["query"]["term"]["profession"].to_string())
            .collect();
        assert_eq!(found, BTreeSet::from(["\"baker\"".to_owned(), "\"nurse\"".to_owned()]));
        let params = Value::Object(requests[0].params.clone());
        assert_eq!(params, json!({"index": "people", "type": null, "use_request_cache": false}));
    }

    #[test]
    fn the_function_makes_the_same_requests_as_the_type() {
        let context =
            context(json!({"professions": ["baker", "nurse", "smith"], "type": "person"})).seed(5).build();
        let function = TestSource::function(&context, random_profession).take(50).unwrap();
        assert_eq!(function, TestSource::<RandomProfession>::open(&context).unwrap().take(50).unwrap());
    }

    #[test]
    fn clients_share_the_requests_and_have_their_own_professions() {
        let mut counts = Vec::new();
        let mut bodies = BTreeSet::new();
        for client in 0..3 {
            let params = json!({"professions": ["baker", "nurse"], "requests": 20});
            let context = context(params).partition(client, 3).seed(u64::from(client)).build();
            let mut source = TestSource::<RandomProfession>::open(&context).unwrap();
            let requests = source.all().unwrap();
            assert_eq!(source.extent(), Extent::Finite(Some(requests.len() as u64)));
            counts.push(requests.len());
            bodies.insert(requests.iter().flat_map(|request| request.body.clone()).collect::<Vec<u8>>());
        }
        assert_eq!(counts, [7, 7, 6]);
        assert_eq!(bodies.len(), 3, "each client has choices of its own");
    }

    #[test]
    fn without_professions_the_race_does_not_begin() {
        assert!(source(json!({})).err().unwrap().message().contains("'professions' is missing"));
        assert!(
            source(json!({"professions": []})).err().unwrap().message().contains("'professions' is empty")
        );
    }
}
