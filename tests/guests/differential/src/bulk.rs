//! The bulks of an `index` operation, whose action lines are generated or lie in the file.

use rally_sdk::serde_json::{Map, Value};
use rally_sdk::{Context, ParamSource, Reader, Request, Result};

/// The bulks of one client.
pub struct Bulk {
    reader: Reader,
    /// What the operation says beside what is said for each file.
    params: Map<String, Value>,
}

impl ParamSource for Bulk {
    fn open(context: &Context) -> Result<Bulk> {
        let params = context.params();
        let bulk_size = params.get("bulk-size")?;
        let mut options =
            Reader::options().bulk_size(bulk_size).batch_size(params.get_or("batch-size", bulk_size)?);
        if let Some(index) = params.find::<&str>("index")? {
            options = options.index(index);
        }
        let mut rest = params.as_map().clone();
        rest.retain(|name, _| !["index", "type", "action_metadata_present"].contains(&name.as_str()));
        Ok(Bulk { reader: options.open(context)?, params: rest })
    }

    fn size(&self) -> Option<u64> {
        Some(self.reader.size())
    }

    fn params(&mut self, request: &mut Request) -> Result<()> {
        let Some(slice) = self.reader.next()? else { return request.exhausted() };
        let (index, mapping_type) = (slice.index(), slice.mapping_type());
        request.documents(slice.documents());
        for (name, value) in &self.params {
            request.set(name, value);
        }
        request.index(&index).set("type", mapping_type.as_deref()).set("action_metadata_present", true);
        if slice.has_action_lines() {
            request.body_of(slice.into_body());
            return Ok(());
        }
        // With Rally's blanks.
        let mut line = format!("{{\"index\": {{\"_index\": {}", Value::from(index));
        if let Some(mapping_type) = mapping_type {
            line.push_str(&format!(", \"_type\": {}", Value::from(mapping_type)));
        }
        line.push_str("}}\n");
        request.body_of(slice.interleaved(line.as_bytes()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rally_sdk::json;
    use rally_sdk::testing::TestSource;

    use super::*;

    #[test]
    fn bulks_have_the_lines_that_rally_writes() {
        let context = Context::for_test()
            .params(json!({"bulk-size": 2, "pipeline": "p"}))
            .documents("logs", "type", &["{\"a\":1}", "{\"a\":2}", "{\"a\":3}"])
            .build();
        let bulks = TestSource::<Bulk>::open(&context).unwrap().all().unwrap();
        let line = "{\"index\": {\"_index\": \"logs\", \"_type\": \"type\"}}\n";
        assert_eq!(bulks[0].body_text(), format!("{line}{{\"a\":1}}\n{line}{{\"a\":2}}\n"));
        assert_eq!(bulks[1].body_text(), format!("{line}{{\"a\":3}}\n"));
        assert_eq!((bulks[1].documents, &bulks[1].params["pipeline"]), (1, &json!("p")));
    }
}
