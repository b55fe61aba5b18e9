//! The parameters of a `search` operation.

use rally_sdk::serde_json::{Map, Value};
use rally_sdk::{Context, Error, Index, ParamSource, Request, Result};

/// The same request for ever.
pub struct Search {
    values: Map<String, Value>,
}

impl ParamSource for Search {
    fn open(context: &Context) -> Result<Search> {
        let params = context.params();
        let indices: Vec<Index<'_>> = context.track().indices().collect();
        let only_index = match indices.as_slice() {
            [index] => Some(index),
            _ => None,
        };
        let only_type = only_index.and_then(|index| {
            let mut types = index.types();
            types.next().filter(|_| types.next().is_none())
        });
        let index: Option<&str> = params.find("index")?.or(only_index.map(|index| index.name()));
        let index = index
            .ok_or_else(|| Error::config("'index' is mandatory where the track has not exactly one index"))?;
        let mapping_type: Option<&str> = params.find("type")?.or(only_type.map(|only| only.name()));
        let mut values = Map::new();
        values.insert("index".to_owned(), index.into());
        values.insert("type".to_owned(), mapping_type.into());
        values.insert("use_request_cache".to_owned(), params.get_or("cache", false)?.into());
        values.insert("body".to_owned(), params.get("body")?);
        values.insert("request_params".to_owned(), params.get_or("request-params", Map::new().into())?);
        for (name, of_rally) in [("pages", "pages"), ("results-per-page", "items_per_page")] {
            if let Some(value) = params.value(name) {
                values.insert(of_rally.to_owned(), value.clone());
            }
        }
        Ok(Search { values })
    }

    fn params(&mut self, request: &mut Request) -> Result<()> {
        for (name, value) in &self.values {
            request.set(name, value);
        }
        Ok(())
    }
}
