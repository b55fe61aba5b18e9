//! Pages, scrolls and `search_after` give the same hits in the same order as one search for all of them.

use crate::search_support::{TestIndex, ids, properties, search};
use rally_node::search::{SearchRequest, execute};
use rally_node::shard::ShardView;
use serde_json::{Value, json};

/// Three indices' worth of documents: several segments, deletions, equal values, missing ones.
fn index(name: &str, first: usize) -> TestIndex {
    let index = TestIndex::new(
        name,
        &properties(
            json!({"text": {"type": "text"}, "group": {"type": "keyword"}, "number": {"type": "long"}}),
        ),
    );
    let documents: Vec<Value> = (first..first + 120)
        .map(|id| {
            let mut document =
                json!({"id": id, "text": format!("common word{} {}", id % 7, "pad ".repeat(id % 5))});
            if id % 4 != 0 {
                document["group"] = format!("g{}", id % 3).into();
            }
            if id % 5 != 0 {
                document["number"] = (id % 11).into();
            }
            document
        })
        .collect();
    for batch in documents.chunks(50) {
        index.add(batch, |document| document["id"].to_string());
    }
    let deleted: Vec<String> = (first..first + 120).step_by(13).map(|id| id.to_string()).collect();
    index.delete(&deleted.iter().map(String::as_str).collect::<Vec<_>>());
    index
}

fn searches() -> Vec<Value> {
    vec![
        json!({}),
        json!({"query": {"match": {"text": "common word3"}}}),
        json!({"query": {"term": {"group": "g1"}}}),
        json!({"query": {"range": {"number": {"gte": 3}}}}),
        json!({"sort": ["_doc"]}),
        json!({"sort": [{"number": "desc"}]}),
        json!({"sort": [{"group": {"order": "asc", "missing": "_first"}}, {"number": "asc"}]}),
        json!({"query": {"match": {"text": "word2 word5"}}, "sort": [{"_score": "asc"}, {"group": "desc"}]}),
    ]
}

fn all_at_once(views: &[ShardView], body: &Value) -> Vec<String> {
    let mut body = body.clone();
    body["size"] = 1000.into();
    ids(&search(views, &body, "").unwrap())
}

#[test]
fn pages_put_together_are_the_whole() {
    let (left, right) = (index("left", 0), index("right", 1000));
    for views in [vec![left.view()], vec![left.view(), right.view()]] {
        for body in searches() {
            let whole = all_at_once(&views, &body);
            let mut pages = Vec::new();
            while pages.len() < whole.len() {
                let mut page = body.clone();
                page["from"] = pages.len().into();
                page["size"] = 17.into();
                let hits = ids(&search(&views, &page, "").unwrap());
                assert!(!hits.is_empty(), "{body} ends at {}", pages.len());
                pages.extend(hits);
            }
            assert_eq!(pages, whole, "{body}");
        }
    }
}

#[test]
fn a_scroll_gives_every_hit_once_and_in_order() {
    let (left, right) = (index("left", 0), index("right", 1000));
    for views in [vec![left.view()], vec![left.view(), right.view()]] {
        for body in searches() {
            let whole = all_at_once(&views, &body);
            let mut body = body.clone();
            body["size"] = 23.into();
            let parameters = [("scroll".to_string(), "1m".to_string())];
            let request = SearchRequest::parse(body.to_string().as_bytes(), &parameters, "/_search").unwrap();
            let (mut seen, mut cursor) = (Vec::new(), None);
            loop {
                let answer = execute(&views, &request, cursor.as_ref()).unwrap();
                let page: Value = serde_json::from_slice(&answer.to_json(0, Some("id")).unwrap()).unwrap();
                assert_eq!(page["hits"]["total"]["value"], whole.len(), "{body}");
                assert_eq!(page["_scroll_id"], "id");
                seen.extend(ids(&page));
                let empty = answer.is_empty();
                cursor = answer.cursor;
                if cursor.is_none() {
                    assert!(empty);
                    break;
                }
            }
            assert_eq!(seen, whole, "{body}");
        }
    }
}

#[test]
fn search_after_goes_on_behind_the_last_hit() {
    let index = index("left", 0);
    let views = [index.view()];
    let body = json!({"sort": [{"group": "desc"}, {"number": {"order": "asc", "missing": "_first"}}, {"id": "desc"}], "size": 9});
    let whole = all_at_once(&views, &body);
    let (mut seen, mut page_body) = (Vec::new(), body.clone());
    loop {
        let page = search(&views, &page_body, "").unwrap();
        let Some(last) = page["hits"]["hits"].as_array().unwrap().last() else { break };
        page_body["search_after"] = last["sort"].clone();
        seen.extend(ids(&page));
    }
    assert_eq!(seen, whole);
}

#[test]
fn deleted_documents_are_neither_found_nor_counted() {
    let index = index("left", 0);
    let live = 120 - (0..120).step_by(13).count();
    for body in [
        json!({"size": 0}),
        json!({"size": 0, "track_total_hits": true, "query": {"match": {"text": "common"}}}),
        json!({"size": 1, "query": {"match": {"text": "common pad"}}}),
    ] {
        assert_eq!(index.search(&body)["hits"]["total"]["value"], live, "{body}");
    }
    assert_eq!(index.ids(&json!({"query": {"ids": {"values": ["0", "1", "13"]}}})), ["1"]);
    let sums = index.search(&json!({"size": 0, "aggs": {"n": {"value_count": {"field": "id"}}}}));
    assert_eq!(sums["aggregations"]["n"]["value"], live);
}

#[test]
fn totals_are_lower_bounds_beyond_the_threshold_and_left_out_on_request() {
    let index = index("left", 0);
    let total = |body: Value| index.search(&body)["hits"]["total"].clone();
    for query in [
        json!({"match_all": {}}),
        json!({"match": {"text": "common word1"}}),
        json!({"exists": {"field": "id"}}),
    ] {
        assert_eq!(
            total(json!({"query": query, "track_total_hits": 20})),
            json!({"value": 20, "relation": "gte"})
        );
        assert_eq!(total(json!({"query": query, "track_total_hits": false})), Value::Null);
        assert_eq!(total(json!({"query": query, "track_total_hits": 110}))["relation"], "eq");
    }
}

#[test]
fn hits_are_the_same_whether_or_not_they_are_counted() {
    let index = index("left", 0);
    for text in ["common", "word1 word2 word3", "common pad", "word6"] {
        let query = json!({"match": {"text": text}});
        let counted = index.search(&json!({"query": query, "size": 30, "track_total_hits": true}));
        let pruned = index.search(&json!({"query": query, "size": 30, "track_total_hits": false}));
        assert_eq!(counted["hits"]["hits"], pruned["hits"]["hits"], "{text}");
        assert_eq!(counted["hits"]["max_score"], pruned["hits"]["max_score"]);
    }
}

#[test]
fn no_index_is_no_error() {
    let answer = search(&[], &json!({}), "").unwrap();
    assert_eq!(
        answer["hits"],
        json!({"total": {"value": 0, "relation": "eq"}, "max_score": 0.0, "hits": []})
    );
}
