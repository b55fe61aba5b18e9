//! The table of paths: which handler a request goes to, and which parameters that one knows.

use super::request::{Parameters, Request, decode};
use super::response::Response;
use crate::error::EsError;
use crate::node::State;
use hyper::Method;
use serde_json::json;
use std::sync::Arc;

/// Parameters that every call takes.
const COMMON: [&str; 4] = ["pretty", "format", "filter_path", "error_trace"];

/// Which pool a handler runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Indexing.
    Write,
    /// Searching and reading.
    Search,
    /// Indices, statistics and the like.
    Manage,
    /// Force merge: one at a time.
    Merge,
    /// Waits for a state of the cluster: asked again until it is reached.
    Wait,
}

/// What a handler is: blocking, run in a pool.
pub type Handler = fn(&Arc<State>, &Request) -> Result<Response, EsError>;

/// A path and what it does.
pub struct Route {
    methods: &'static [Method],
    pattern: &'static str,
    /// Where the handler runs.
    pub class: Class,
    /// Parameters it knows; None where it checks them itself.
    parameters: Option<&'static [&'static str]>,
    /// The handler.
    pub handler: Handler,
}

impl Route {
    /// The route of `pattern`, for example `/{index}/_bulk`.
    pub const fn new(
        methods: &'static [Method],
        pattern: &'static str,
        class: Class,
        parameters: Option<&'static [&'static str]>,
        handler: Handler,
    ) -> Self {
        Route { methods, pattern, class, parameters, handler }
    }
}

/// The table.
pub struct Router {
    routes: Vec<Route>,
}

impl Router {
    /// A table of `routes`; where two patterns fit, the first wins.
    pub fn new(routes: Vec<Route>) -> Self {
        Router { routes }
    }

    /// The route for a request and what its pattern captured.
    ///
    /// # Errors
    /// The answer where there is none, or a parameter is not known to it.
    #[allow(clippy::type_complexity)]
    pub fn find(
        &self,
        method: &Method,
        path: &str,
        uri: &str,
        parameters: &Parameters,
    ) -> Result<(&Route, Vec<(&'static str, String)>), Response> {
        let segments = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| decode(segment, false))
            .collect::<Result<Vec<String>, EsError>>()?;
        let mut allowed: Vec<&str> = Vec::new();
        let mut first_pattern = None;
        for route in &self.routes {
            let Some(captures) = captures(route.pattern, &segments) else { continue };
            // `/_search` fits `/{index}` too: only routes of the most literal pattern count.
            if *first_pattern.get_or_insert(shape(route.pattern)) != shape(route.pattern) {
                continue;
            }
            if route.methods.contains(method) {
                check_parameters(route, parameters, path)?;
                return Ok((route, captures));
            }
            allowed.extend(route.methods.iter().map(Method::as_str));
        }
        if allowed.is_empty() {
            let body = json!({ "error": format!("no handler found for uri [{uri}] and method [{method}]") });
            return Err(Response::json(400, body));
        }
        let order = ["GET", "HEAD", "PUT", "POST", "DELETE"];
        allowed.sort_by_key(|method| order.iter().position(|each| each == method));
        allowed.dedup();
        let list = allowed.join(", ");
        let error = format!("Incorrect HTTP method for uri [{uri}] and method [{method}], allowed: [{list}]");
        let mut response = Response::json(405, json!({ "error": error, "status": 405 }));
        response.allow = Some(list);
        Err(response)
    }
}

/// The pattern with all names of captures made equal.
fn shape(pattern: &str) -> String {
    pattern
        .split('/')
        .map(|part| if part.starts_with('{') { "{}" } else { part })
        .collect::<Vec<_>>()
        .join("/")
}

fn captures(pattern: &'static str, segments: &[String]) -> Option<Vec<(&'static str, String)>> {
    let mut captures = Vec::new();
    let mut rest = segments.iter();
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let segment = rest.next()?;
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            // Names of calls are no names of indices.
            Some("index") if segment.starts_with('_') && segment != "_all" => {
                return None;
            }
            Some(name) => captures.push((name, segment.clone())),
            None if part == segment => {}
            None => return None,
        }
    }
    rest.next().is_none().then_some(captures)
}

fn check_parameters(route: &Route, parameters: &Parameters, path: &str) -> Result<(), EsError> {
    let Some(known) = route.parameters else { return Ok(()) };
    let mut unknown: Vec<&str> = parameters
        .0
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| !known.contains(name) && !COMMON.contains(name))
        .collect();
    unknown.sort_unstable();
    unknown.dedup();
    if unknown.is_empty() {
        return Ok(());
    }
    let plural = if unknown.len() == 1 { "" } else { "s" };
    let listed: Vec<String> = unknown.iter().map(|name| format!("[{name}]")).collect();
    Err(EsError::illegal_argument(format!(
        "request [{path}] contains unrecognized parameter{plural}: {}",
        listed.join(", ")
    )))
}
