//! Operations of which others need an id: points in time and asynchronous searches. They are steps of a composite operation,
//! which keeps the ids.

use serde::Deserialize;
use serde_json::{Value, json};

use super::call::Call;
use super::common::{mandatory, mandatory_text, names};
use super::paging::{Total, outside_composite};
use super::session::{Done, Session, Stop};
use crate::http::encode_path;
use crate::version::PointInTime;

/// `open-point-in-time`.
pub async fn open_point_in_time(session: &mut Session<'_>) -> Result<Done, Stop> {
    #[derive(Deserialize)]
    struct Opened {
        #[serde(alias = "pit_id")]
        id: Value,
    }
    let context = session.context.clone().ok_or_else(outside_composite)?;
    let operation = mandatory_text(session.values, "name")?;
    let index = names(session.values, "index")?.ok_or("'index' is mandatory and missing")?;
    let keep_alive = session.values.get("keep-alive").filter(|time| !time.is_null());
    let path = match session.capabilities().point_in_time {
        PointInTime::Pit => format!("/{index}/_pit"),
        PointInTime::SearchPointInTime => format!("/{index}/_search/point_in_time"),
    };
    let call = Call::post(path).parameter("keep_alive", keep_alive.cloned().unwrap_or_else(|| json!("1m")));
    let opened: Opened = session.json(call.given(session.values)?).await?;
    context.put(operation, opened.id);
    Ok(Done::ops(1))
}

/// `close-point-in-time`.
pub async fn close_point_in_time(session: &mut Session<'_>) -> Result<Done, Stop> {
    let context = session.context.clone().ok_or_else(outside_composite)?;
    let operation = mandatory_text(session.values, "with-point-in-time-from")?;
    let id = context.get(operation)?;
    let (path, body) = match session.capabilities().point_in_time {
        PointInTime::Pit => ("/_pit", json!({ "id": id })),
        PointInTime::SearchPointInTime => ("/_search/point_in_time", json!({ "pit_id": [id] })),
    };
    session.done(Call::delete(path).body(&body).given(session.values)?).await?;
    context.remove(operation);
    Ok(Done::ops(1))
}

/// `submit-async-search`.
pub async fn submit_async_search(session: &mut Session<'_>) -> Result<Done, Stop> {
    #[derive(Deserialize)]
    struct Submitted {
        id: Option<Value>,
    }
    let context = session.context.clone().ok_or_else(outside_composite)?;
    let operation = mandatory_text(session.values, "name")?;
    let path = match names(session.values, "index")? {
        Some(index) => format!("/{index}/_async_search"),
        None => "/_async_search".to_owned(),
    };
    // A quick search, too, is to be an asynchronous one, unless the parameters say how long to wait.
    let call = Call::post(path).parameter("wait_for_completion_timeout", 0);
    let call = call.body(mandatory(session.values, "body")?).given(session.values)?;
    let submitted: Submitted = session.json(call).await?;
    context.put(operation, submitted.id.unwrap_or_default());
    Ok(Done::ops(1))
}

/// The ids of the searches that a parameter names, with their names. A search that had no id needs none.
fn searches(session: &Session<'_>, key: &str) -> Result<Vec<(String, String)>, String> {
    let context = session.context.clone().ok_or_else(outside_composite)?;
    let named: Vec<&Value> = match mandatory(session.values, key)? {
        Value::Array(names) => names.iter().collect(),
        name => vec![name],
    };
    let mut found = Vec::new();
    for name in named {
        let name = name.as_str().ok_or_else(|| format!("'{key}' holds {name} where a name must be"))?;
        if let Value::String(id) = context.get(name)? {
            found.push((id, name.to_owned()));
        }
    }
    Ok(found)
}

/// `get-async-search`: whether the searches are done, and what they found.
pub async fn get_async_search(session: &mut Session<'_>) -> Result<Done, Stop> {
    #[derive(Deserialize)]
    struct Search {
        is_running: bool,
        response: Response,
    }
    #[derive(Deserialize)]
    struct Response {
        #[serde(default)]
        timed_out: bool,
        #[serde(default)]
        took: u64,
        hits: Hits,
    }
    #[derive(Deserialize)]
    struct Hits {
        total: Option<Total>,
    }
    let mut stats = serde_json::Map::new();
    let mut running = false;
    for (id, name) in searches(session, "retrieve-results-for")? {
        let call = Call::get(format!("/_async_search/{}", encode_path(&id))).given(session.values)?;
        let search: Search = session.json(call).await?;
        running |= search.is_running;
        if !search.is_running {
            let mut found = json!({"timed_out": search.response.timed_out, "took": search.response.took});
            if let Some(total) = search.response.hits.total {
                found["hits"] = total.value().into();
                found["hits_relation"] = total.relation().into();
            }
            stats.insert(name, found);
        }
    }
    let done = Done::ops(stats.len()).with("stats", stats);
    Ok(done.expecting(!running, || "searches are still running".to_owned()))
}

/// `delete-async-search`.
pub async fn delete_async_search(session: &mut Session<'_>) -> Result<Done, Stop> {
    let context = session.context.clone().ok_or_else(outside_composite)?;
    for (id, name) in searches(session, "delete-results-for")? {
        session.done(Call::delete(format!("/_async_search/{}", encode_path(&id)))).await?;
        context.remove(&name);
    }
    Ok(Done::ops(1))
}
