//! What a guest may send: a request that would lead elsewhere, or break the connection, is refused before anything is sent.

use rally_cluster::Cluster;
use rally_cluster::http::Request;
use rally_race::Partition;
use rally_support::printable::quoted;

use crate::context::DEFAULT_CLUSTER;
use crate::since_0_1_0::bindings::client;
use crate::since_0_1_0::bindings::client::Method;
use crate::since_0_1_0::bindings::imports::types::{Error, ErrorClass};
use crate::since_0_1_0::corpora::error;

/// Longest path and query that is sent, bytes: what servers take at most, roughly.
const LONGEST_TARGET: usize = 64 * 1024;

/// A request as the guest means it, unless it would lead elsewhere or break the connection.
pub(super) fn checked(
    cluster: &Cluster,
    partition: Partition,
    request: &client::Request,
    has_body: bool,
) -> Result<Request, Error> {
    let wrong = |problem: String| Err(error(ErrorClass::Denied, problem));
    if let Some(name) = request.cluster.as_deref().filter(|name| *name != DEFAULT_CLUSTER) {
        return Err(error(
            ErrorClass::NotFound,
            format!("this race has no cluster {}: its only cluster is '{DEFAULT_CLUSTER}'", quoted(name)),
        ));
    }
    let target = &request.target;
    if !target.starts_with('/') || target.starts_with("//") {
        return wrong(format!(
            "{} is not a path: requests go to the race's target, so their address begins with one slash",
            quoted(target)
        ));
    }
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'#' && byte != b'\\';
    if target.len() > LONGEST_TARGET || !target.bytes().all(plain) {
        let shown: String = target.chars().take(200).collect();
        return wrong(format!(
            "{} is not an encoded path and query of at most {LONGEST_TARGET} bytes",
            quoted(&shown)
        ));
    }
    let method = match request.method {
        Method::Get => http::Method::GET,
        Method::Head => http::Method::HEAD,
        Method::Post => http::Method::POST,
        Method::Put => http::Method::PUT,
        Method::Delete => http::Method::DELETE,
        Method::Patch => http::Method::PATCH,
        Method::Options => http::Method::OPTIONS,
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let content_type = has_body.then_some("application/json");
    let mut made = Request::new(cluster.endpoint(partition.index), method, path, query, content_type)
        .or_else(|_| wrong(format!("{} is not a path and query", quoted(target))))?;
    for (name, value) in &request.headers {
        made.add_header(name, value).map_err(|problem| error(ErrorClass::Denied, problem.to_string()))?;
    }
    Ok(made)
}
