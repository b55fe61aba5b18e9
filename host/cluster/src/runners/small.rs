//! `sleep`, which sends nothing, and `sql`, which goes from page to page by a cursor.

use std::time::Instant;

use serde::Deserialize;
use serde_json::{Value, json};

use super::call::Call;
use super::common::{mandatory, named, seconds};
use super::session::{Done, Session, Stop};

/// `sleep`: its time is that of a request.
pub async fn sleep(session: &mut Session<'_>) -> Result<Done, Stop> {
    let duration = seconds(session.values, &["duration"])?.ok_or("'duration' is mandatory and missing")?;
    let begin = Instant::now();
    session.pause(duration).await;
    session.covers(begin, Instant::now());
    Ok(Done::ops(1))
}

/// `sql`: a query, and as many pages of its result as are asked for.
pub async fn sql(session: &mut Session<'_>) -> Result<Done, Stop> {
    #[derive(Deserialize)]
    struct Page {
        cursor: Option<String>,
    }
    let body = mandatory(session.values, "body")?;
    if body.get("query").is_none_or(Value::is_null) {
        return Err(Stop::Unusable("'body' has no 'query', which is mandatory".to_owned()));
    }
    let pages = match named(session.values, &["pages"]) {
        None => 1,
        Some((name, pages)) => pages
            .as_u64()
            .filter(|pages| *pages > 0)
            .ok_or_else(|| format!("'{name}' is {pages} but must be a number above 0"))?,
    };
    let call = Call::post("/_sql").given(session.values)?;
    let mut page: Page = session.json(call.clone().body(body)).await?;
    for read in 1..pages {
        let cursor = page.cursor.filter(|cursor| !cursor.is_empty()).ok_or_else(|| {
            Stop::answered(format!("the result has only {read} of the {pages} pages that were asked for"))
        })?;
        page = session.json(call.clone().body(&json!({ "cursor": cursor }))).await?;
    }
    Ok(Done::ops(pages as usize))
}
