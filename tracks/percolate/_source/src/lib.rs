//! An operation of an own type: percolation, with a runner for each of the things that a runner may return.
//!
//! The percolate *query* is sent as a search: Elasticsearch from 5 on, OpenSearch and the embedded node have it. From
//! Elasticsearch 7 on mapping types are gone, and with them the `document_type` that versions 5 and 6 may ask for.

mod advertisements;

use rally_sdk::{Client, Context, Outcome, Params, Result, Runner, SearchAnswer};

use advertisements::RandomAdvertisements;

rally_sdk::track! {
    sources: ["random-advertisements" => RandomAdvertisements],
    runners: [
        "percolate" => fn percolate,
        "percolate-documents" => fn percolate_documents,
        "percolate-with-meta" => PercolateWithMeta,
    ],
}

fn send(client: &Client, params: &mut Params) -> Result<SearchAnswer> {
    let body = params.take_body()?;
    client.search(params.get("index")?, body)
}

/// Returns nothing: one request is one `ops`.
fn percolate(client: &Client, params: &mut Params) -> Result<()> {
    send(client, params)?;
    Ok(())
}

/// Returns a weight and its unit: throughput counts documents, not requests.
fn percolate_documents(client: &Client, params: &mut Params) -> Result<(u64, &'static str)> {
    let documents = params.get_or("documents", 1)?;
    send(client, params)?;
    Ok((documents, "docs"))
}

/// Returns more: what the target says of each request is in the record of the race. Finding nothing at all is a failure where
/// the operation says so.
struct PercolateWithMeta {
    must_match: bool,
}

impl Runner for PercolateWithMeta {
    fn open(context: &Context) -> Result<PercolateWithMeta> {
        Ok(PercolateWithMeta { must_match: context.params().get_or("must-match", false)? })
    }

    fn run(&mut self, client: &Client, params: &mut Params) -> Result<impl Into<Outcome>> {
        let documents = params.get_or("documents", 1.0)?;
        let answer = send(client, params)?;
        let hits = answer.hits.unwrap_or(0);
        let outcome = Outcome::new(documents, "docs")
            .meta("took", answer.took)
            .meta("hits", hits)
            .meta("bytes", answer.response.size());
        Ok(match (answer.timed_out, self.must_match && hits == 0) {
            (true, _) => outcome.failed("the target timed out"),
            (_, true) => outcome.failed("no query matches"),
            _ => outcome,
        })
    }
}

#[cfg(test)]
mod tests {
    use rally_sdk::ErrorClass;
    use rally_sdk::json;
    use rally_sdk::testing::Reply;

    use super::*;

    fn answering(hits: u64) -> Client {
        Client::for_test(move |request| {
            assert_eq!(request.target, "/alerts/_search");
            assert_eq!(request.body_json()["query"]["percolate"]["field"], "query");
            let total = json!({"value": hits, "relation": "eq"});
            Reply::json(200, json!({"took": 4, "timed_out": false, "hits": {"total": total, "hits": []}}))
        })
    }

    fn params() -> Params {
        let body = json!({"query": {"percolate": {"field": "query", "document": {"text": "a lamp"}}}});
        Params::for_test(json!({"index": "alerts", "documents": 5, "body": body}))
    }

    #[test]
    fn nothing_counts_as_one_operation() {
        let outcome = percolate(&answering(3), &mut params()).map(Outcome::from).unwrap();
        assert_eq!((outcome.weight(), outcome.unit()), (1.0, "ops"));
    }

    #[test]
    fn a_pair_counts_documents() {
        let outcome: Outcome = percolate_documents(&answering(3), &mut params()).unwrap().into();
        assert_eq!((outcome.weight(), outcome.unit()), (5.0, "docs"));
    }

    #[test]
    fn a_map_tells_what_the_target_said() {
        let mut runner = PercolateWithMeta { must_match: true };
        let outcome: Outcome = runner.run(&answering(3), &mut params()).unwrap().into();
        assert!(outcome.success());
        assert_eq!((&outcome.meta_data()["took"], &outcome.meta_data()["hits"]), (&json!(4), &json!(3)));
        let outcome: Outcome = runner.run(&answering(0), &mut params()).unwrap().into();
        assert_eq!(outcome.failure(), Some("no query matches"));
    }

    #[test]
    fn a_refused_request_is_an_error_of_the_target() {
        let client = Client::for_test(|_| {
            let reason = json!({"type": "index_not_found_exception", "reason": "no such index [alerts]"});
            Reply::json(404, json!({"error": reason, "status": 404}))
        });
        let error = percolate(&client, &mut params()).unwrap_err();
        assert_eq!((error.class(), error.status()), (ErrorClass::Api, Some(404)));
        assert_eq!(
            error.message(),
            "POST /alerts/_search was answered with 404: index_not_found_exception: no such index [alerts]"
        );
    }
}
