//! Made-up advertisements, of words that a file of the track folder lists.

use rally_sdk::serde_json::Value;
use rally_sdk::{Context, Error, ParamSource, Random, Request, Result, assets, json};

/// Makes percolate queries with random documents.
pub struct RandomAdvertisements {
    index: String,
    places: Vec<String>,
    things: Vec<String>,
    /// Documents per request.
    documents: u32,
    random: Random,
}

impl ParamSource for RandomAdvertisements {
    fn open(context: &Context) -> Result<RandomAdvertisements> {
        let params = context.params();
        let file: &str = params.get("vocabulary")?;
        let vocabulary = assets::read_text(file)?;
        let words = |section: &str| words(&vocabulary, section).map_err(|error| error.at(file));
        let documents = params.get_or("documents", 1)?;
        if documents == 0 {
            return Err(Error::config("parameter 'documents' is 0 but must be a whole number above 0"));
        }
        Ok(RandomAdvertisements {
            index: params.get("index")?,
            places: words("places")?,
            things: words("things")?,
            documents,
            random: context.random(),
        })
    }

    fn params(&mut self, request: &mut Request) -> Result<()> {
        let documents: Vec<Value> = (0..self.documents).map(|_| self.advertisement()).collect();
        let query = json!({"percolate": {"field": "query", "documents": documents}});
        request
            .index(&self.index)
            .set("documents", self.documents)
            .documents(self.documents)
            .body(&json!({"size": 10, "query": query}));
        Ok(())
    }
}

impl RandomAdvertisements {
    fn advertisement(&mut self) -> Value {
        let random = &mut self.random;
        let [first, second, third] = std::array::from_fn(|_| random.pick(&self.things).clone());
        let place = random.pick(&self.places);
        let price = random.between(1, 120);
        json!({"place": place, "price": price, "text": format!("{first} {second} and a {third}, to be fetched in {place}")})
    }
}

/// The lines of a section, up to the next one.
fn words(vocabulary: &str, section: &str) -> Result<Vec<String>> {
    let head = format!("[{section}]");
    let words: Vec<String> = vocabulary
        .lines()
        .skip_while(|line| *line != head)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect();
    if words.is_empty() {
        return Err(Error::config(format!("there are no words under {head}")));
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use rally_sdk::testing::TestSource;

    use super::*;

    fn source(params: Value) -> Result<TestSource<RandomAdvertisements>> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        let context =
            Context::for_test().params(params).seed(7).track_folder(folder).asset("empty.txt", "[places]\n");
        TestSource::open(&context.build())
    }

    #[test]
    fn each_request_percolates_so_many_documents() {
        let params = json!({"index": "alerts", "vocabulary": "empty.txt", "documents": 3});
        assert_eq!(source(params).err().unwrap().message(), "empty.txt: there are no words under [places]");
        let context = Context::for_test()
            .params(json!({"index": "alerts", "vocabulary": "words.txt", "documents": 3}))
            .asset("words.txt", "[places]\nTurku\n\n[things]\nlamp\n");
        let mut source = TestSource::<RandomAdvertisements>::open(&context.build()).unwrap();
        let request = source.take(1).unwrap().remove(0);
        let documents = request.body_json()["query"]["percolate"]["documents"].clone();
        assert_eq!(documents.as_array().unwrap().len(), 3);
        assert_eq!(documents[0]["text"], "lamp lamp and a lamp, to be fetched in Turku");
        assert_eq!((request.documents, &request.params["documents"]), (3, &json!(3)));
    }

    #[test]
    fn without_its_file_the_race_does_not_begin() {
        let error = source(json!({"index": "alerts", "vocabulary": "nothing.txt"})).err().unwrap();
        assert!(error.message().contains("nothing.txt"), "{error}");
    }
}
