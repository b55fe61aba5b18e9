//! The target as a whole: who answers, and calls that are not measured.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::Value;

use crate::answer::describe;
use crate::client_options::ClientOptions;
use crate::hint;
use crate::hosts::TargetHost;
use crate::http::{Collect, Connection, Endpoint, EndpointError, ExchangeError, Request, WriteMode};
use crate::version::Capabilities;

/// How long a client waits for a host that is down when its task begins: a restart of a node takes less.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Pause between two tries to connect to a host that is down.
const WAIT_BETWEEN_TRIES: Duration = Duration::from_millis(250);

/// A target that has answered: its addresses and what it understands.
#[derive(Debug, Clone)]
pub struct Cluster {
    endpoints: Vec<Arc<Endpoint>>,
    capabilities: Arc<Capabilities>,
    root: Value,
    /// Whether clients wait for a host that is down when their task begins.
    waits_for_hosts: bool,
}

/// A target that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// Options or addresses cannot be used.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// A host does not answer.
    #[error("cannot reach the target at {host}: {source}{hint}")]
    Unreachable {
        /// The host.
        host: String,
        /// `. ` and what to do about it, or nothing.
        hint: &'static str,
        /// Why.
        #[source]
        source: CallError,
    },
    /// Something answers, but not a search cluster.
    #[error(
        "{host} answers, but not like Elasticsearch or OpenSearch: {reason}. Check --target-hosts (scheme, port and path)"
    )]
    NotACluster {
        /// The host.
        host: String,
        /// What is odd about the answer.
        reason: String,
    },
    /// The cluster wants to know who we are.
    #[error(
        "{host} refuses {} ({status}: {description}). {}",
        given.unwrap_or("the request"),
        match given {
            Some(_) => "Check what --client-options says, and what the user may do",
            None => "Give basic_auth_user and basic_auth_password or api_key in --client-options",
        }
    )]
    NotAllowed {
        /// The host.
        host: String,
        /// What the user gave to be let in, if anything.
        given: Option<&'static str>,
        /// 401 or 403.
        status: u16,
        /// What it says.
        description: String,
    },
}

/// A call that did not succeed.
#[derive(Debug, thiserror::Error)]
#[error("{method} {path}: {problem}")]
pub struct CallError {
    /// Method of the request.
    pub method: Method,
    /// Path and query of the request.
    pub path: String,
    /// What happened.
    #[source]
    pub problem: Box<CallProblem>,
}

/// What happened to a call.
#[derive(Debug, thiserror::Error)]
pub enum CallProblem {
    /// There was no whole answer.
    #[error(transparent)]
    Exchange(ExchangeError),
    /// The target answered with a failure.
    #[error("{status}: {description}")]
    Status {
        /// HTTP status.
        status: StatusCode,
        /// What the answer says.
        description: String,
    },
    /// The answer is not what it should be.
    #[error("the answer is not JSON")]
    NotJson(#[source] serde_json::Error),
    /// The path is no address.
    #[error("this is no valid address")]
    Address(#[source] http::uri::InvalidUri),
}

impl CallError {
    /// HTTP status, where there was an answer.
    pub fn status(&self) -> Option<StatusCode> {
        match &*self.problem {
            CallProblem::Status { status, .. } => Some(*status),
            _ => None,
        }
    }
}

impl Cluster {
    /// Asks all hosts what they are. Clients are spread over them, so each has to answer before anything is changed.
    ///
    /// # Errors
    /// Where a host does not answer, or what answers is not a search cluster.
    pub async fn connect(hosts: &[TargetHost], options: &ClientOptions) -> Result<Cluster, ClusterError> {
        let endpoints = Endpoint::all(hosts, options)?;
        for endpoint in &endpoints {
            let host = &endpoint.host;
            // A name that stands for nothing is found out by who connects.
            if let Ok(addresses) = tokio::net::lookup_host((host.host.as_str(), host.port)).await {
                endpoint.addresses.note(addresses.map(|address| address.ip()).collect());
            }
        }
        let mut first = None;
        for endpoint in &endpoints {
            let found = identify(endpoint).await?;
            first.get_or_insert(found);
        }
        let (capabilities, root) = first.ok_or_else(|| ClusterError::NotACluster {
            host: "--target-hosts".to_owned(),
            reason: "no host is given".to_owned(),
        })?;
        Ok(Cluster { endpoints, capabilities: Arc::new(capabilities), root, waits_for_hosts: false })
    }

    /// The same target, whose clients wait for a host that is down when their task begins ([`Cluster::make_ready`]).
    pub fn waiting_for_hosts(self, waits: bool) -> Cluster {
        Cluster { waits_for_hosts: waits, ..self }
    }

    /// Connects a client before its task, so that its first request measures a request.
    ///
    /// # Errors
    /// Where its host cannot be reached. Where hosts are waited for, a client whose host is down for a minute begins its task all
    /// the same: its requests fail, and are counted as failures, until the host is back.
    pub async fn make_ready(&self, connection: &mut Connection) -> Result<(), ExchangeError> {
        let began = Instant::now();
        loop {
            match connection.connect().await {
                Err(error) if self.waits_for_hosts => {
                    if began.elapsed() >= LONGEST_WAIT {
                        tracing::warn!(%error, "a client begins its task without a connection");
                        return Ok(());
                    }
                    tracing::info!(%error, "a client waits for its host");
                    tokio::time::sleep(WAIT_BETWEEN_TRIES).await;
                }
                connected => return connected,
            }
        }
    }

    /// What the target understands.
    pub fn capabilities(&self) -> &Arc<Capabilities> {
        &self.capabilities
    }

    /// The answer to `GET /`.
    pub fn root(&self) -> &Value {
        &self.root
    }

    /// Whether this is Elasticsearch as a service, without versions and without operations on the cluster.
    pub fn is_serverless(&self) -> bool {
        self.root.pointer("/version/build_flavor").and_then(Value::as_str) == Some("serverless")
    }

    /// Whether the user operates a serverless target; which needs a login.
    ///
    /// # Errors
    /// Where the target does not say who the user is.
    pub async fn is_operator(&self) -> Result<bool, CallError> {
        match self.api().get("/_security/_authenticate").await {
            Ok(user) => Ok(user.get("operator").and_then(Value::as_bool).unwrap_or(false)),
            // Security is switched off.
            Err(error) if error.status().is_some_and(|status| status.is_client_error()) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The endpoint that a client with this index uses: clients are spread over the hosts in turn.
    pub fn endpoint(&self, client_index: u32) -> &Arc<Endpoint> {
        &self.endpoints[client_index as usize % self.endpoints.len()]
    }

    /// A connection for calls that are not measured, to the first host.
    pub fn api(&self) -> Api {
        Api::new(Arc::clone(&self.endpoints[0]))
    }
}

async fn identify(endpoint: &Arc<Endpoint>) -> Result<(Capabilities, Value), ClusterError> {
    let host = endpoint.host.to_string();
    let mut api = Api::new(Arc::clone(endpoint));
    match api.get("/").await {
        Ok(root) => match Capabilities::from_root(&root) {
            Some(capabilities) => Ok((capabilities, root)),
            None => {
                Err(ClusterError::NotACluster { host, reason: "GET / gives no version number".to_owned() })
            }
        },
        Err(CallError { problem, method, path }) => match *problem {
            CallProblem::Status { status, description }
                if status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN =>
            {
                let given = endpoint.credentials();
                Err(ClusterError::NotAllowed { host, given, status: status.as_u16(), description })
            }
            CallProblem::Status { status, description } => match by_nodes(&mut api).await {
                // Distributions cut down to the core have no handler for `/`, but their nodes know their version.
                Some(found) => Ok(found),
                None => {
                    Err(ClusterError::NotACluster { host, reason: format!("GET /: {status}: {description}") })
                }
            },
            CallProblem::NotJson(_) => {
                Err(ClusterError::NotACluster { host, reason: "the answer to GET / is not JSON".to_owned() })
            }
            problem => {
                let hint = match &problem {
                    CallProblem::Exchange(error) => hint::of(endpoint, &error.kind).await,
                    _ => "",
                };
                let source = CallError { method, path, problem: Box::new(problem) };
                Err(ClusterError::Unreachable { host, hint, source })
            }
        },
    }
}

async fn by_nodes(api: &mut Api) -> Option<(Capabilities, Value)> {
    let nodes = api.get("/_nodes").await.ok()?;
    let node = nodes.get("nodes")?.as_object()?.values().next()?;
    let root = serde_json::json!({
        "cluster_name": nodes.get("cluster_name"),
        "version": {"number": node.get("version"), "build_hash": node.get("build_hash")},
    });
    Some((Capabilities::from_root(&root)?, root))
}

/// A connection for calls that are not measured: setup and telemetry.
pub struct Api {
    connection: Connection,
}

impl Api {
    /// A connection to `endpoint` that is made with the first call.
    pub fn new(endpoint: Arc<Endpoint>) -> Self {
        Api { connection: Connection::new(endpoint, WriteMode::Flatten) }
    }

    /// `GET`, answered with JSON.
    ///
    /// # Errors
    /// Where there is no whole answer, the answer is a failure or not JSON.
    pub async fn get(&mut self, path: &str) -> Result<Value, CallError> {
        self.call(Method::GET, path, None).await
    }

    /// Sends a request with an optional JSON body and reads the JSON that answers it.
    ///
    /// # Errors
    /// Where there is no whole answer, the answer is a failure or not JSON.
    pub async fn call(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, CallError> {
        self.call_as(method, path, body).await
    }

    /// The same for an answer of which only some is needed, or which must stay as it is written.
    ///
    /// # Errors
    /// As [`call`](Self::call), and where the answer has another form.
    pub async fn call_as<Answer: serde::de::DeserializeOwned>(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, CallError> {
        let answer = self.exchange(&method, path, body).await;
        answer
            .and_then(|body| serde_json::from_slice(&body).map_err(CallProblem::NotJson))
            .map_err(|problem| CallError { method, path: path.to_owned(), problem: Box::new(problem) })
    }

    /// Asks with `HEAD` whether something exists.
    ///
    /// # Errors
    /// Where there is no whole answer, or it is neither a success nor 404.
    pub async fn exists(&mut self, path: &str) -> Result<bool, CallError> {
        match self.exchange(&Method::HEAD, path, None).await {
            Ok(_) => Ok(true),
            Err(CallProblem::Status { status: StatusCode::NOT_FOUND, .. }) => Ok(false),
            Err(problem) => {
                Err(CallError { method: Method::HEAD, path: path.to_owned(), problem: Box::new(problem) })
            }
        }
    }

    async fn exchange(
        &mut self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Vec<u8>, CallProblem> {
        let content_type = body.map(|_| "application/json");
        let request = Request::new(self.connection.endpoint(), method.clone(), path, "", content_type)
            .map_err(CallProblem::Address)?;
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let mut collected = Collect::default();
        let answer =
            self.connection.exchange(&request, body, &mut collected).await.map_err(CallProblem::Exchange)?;
        if answer.status.is_success() {
            Ok(collected.body)
        } else {
            Err(CallProblem::Status { status: answer.status, description: describe(&answer) })
        }
    }
}
