//! One address of the target with all that every connection to it shares.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, HOST, HeaderMap, HeaderValue};
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::client_options::ClientOptions;
use crate::hosts::TargetHost;
use crate::tls::{TlsError, client_config};

/// One address of the target.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Where it listens.
    pub host: TargetHost,
    /// TLS, and the name that the certificate must carry.
    pub tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    /// What every request carries.
    pub headers: HeaderMap,
    /// Longest time for a request.
    pub timeout: Duration,
    /// Longest answer in bytes.
    pub max_response_size: u64,
}

/// An address that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The host is no name that a certificate could carry.
    #[error("--target-hosts: '{host}' is no name that a certificate could be for")]
    ServerName {
        /// The host.
        host: String,
    },
    /// Text that cannot go into a header.
    #[error("--client-options: {option} holds characters that cannot be sent")]
    Header {
        /// The option.
        option: &'static str,
    },
}

impl Endpoint {
    /// Endpoints for all hosts. They share one TLS configuration.
    ///
    /// # Errors
    /// Where certificates cannot be read or a header cannot be made.
    pub fn all(hosts: &[TargetHost], options: &ClientOptions) -> Result<Vec<Arc<Endpoint>>, EndpointError> {
        let mut shared_tls: Option<Arc<ClientConfig>> = None;
        let authorization = authorization(options)?;
        hosts
            .iter()
            .map(|host| {
                let secure = options.use_ssl.or(host.secure).unwrap_or(false);
                let tls = if secure {
                    let config = match &shared_tls {
                        Some(config) => Arc::clone(config),
                        None => Arc::clone(shared_tls.insert(client_config(options)?)),
                    };
                    let name = ServerName::try_from(host.host.clone())
                        .map_err(|_| EndpointError::ServerName { host: host.host.clone() })?;
                    Some((config, name))
                } else {
                    None
                };
                let mut headers = HeaderMap::new();
                let authority = HeaderValue::from_str(&host.authority())
                    .map_err(|_| EndpointError::ServerName { host: host.host.clone() })?;
                headers.insert(HOST, authority);
                headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
                if let Some(authorization) = &authorization {
                    headers.insert(AUTHORIZATION, authorization.clone());
                }
                Ok(Arc::new(Endpoint {
                    host: host.clone(),
                    tls,
                    headers,
                    timeout: options.timeout,
                    max_response_size: options.max_response_size,
                }))
            })
            .collect()
    }
}

fn authorization(options: &ClientOptions) -> Result<Option<HeaderValue>, EndpointError> {
    let (option, text) = if let Some((user, password)) = &options.basic_auth {
        ("basic_auth_user", format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
    } else if let Some(key) = &options.api_key {
        let encoded = if key.contains(':') { STANDARD.encode(key) } else { key.clone() };
        ("api_key", format!("ApiKey {encoded}"))
    } else {
        return Ok(None);
    };
    let mut value = HeaderValue::from_str(&text).map_err(|_| EndpointError::Header { option })?;
    value.set_sensitive(true);
    Ok(Some(value))
}
