//! One address of the target with all that every connection to it shares.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
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
    /// What the host's name stood for when the race began.
    pub addresses: KnownAddresses,
}

/// The addresses that a host's name stood for when the race began. A track's own code may only be led to these, or to another
/// public one: whoever answers for the name must not lead it into the network of the load driver.
#[derive(Debug, Clone, Default)]
pub struct KnownAddresses(Arc<OnceLock<Vec<IpAddr>>>);

impl KnownAddresses {
    /// Notes the addresses; only the first time counts.
    pub fn note(&self, addresses: Vec<IpAddr>) {
        let _ = self.0.set(addresses.iter().map(IpAddr::to_canonical).collect());
    }

    /// Whether a track's own code may be connected to this address.
    pub fn admit(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let known = self.0.get().is_some_and(|known| known.contains(&address));
        known || public(address)
    }
}

/// Whether an address is of no network in particular.
fn public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            let shared = first == 100 && (64..128).contains(&second);
            !(address.is_loopback()
                || address.is_private()
                || address.is_link_local()
                || address.is_unspecified()
                || address.is_broadcast()
                || address.is_multicast()
                || shared
                || first == 0)
        }
        IpAddr::V6(address) => {
            !(address.is_loopback()
                || address.is_unspecified()
                || address.is_multicast()
                || address.is_unique_local()
                || address.is_unicast_link_local())
        }
    }
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
                    addresses: KnownAddresses::default(),
                }))
            })
            .collect()
    }
}

impl Endpoint {
    /// What the user gave to be let in, in words.
    pub fn credentials(&self) -> Option<&'static str> {
        let value = self.headers.get(AUTHORIZATION)?;
        Some(if value.as_bytes().starts_with(b"ApiKey") {
            "the api_key"
        } else {
            "basic_auth_user and basic_auth_password"
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_of_the_race_is_admitted_wherever_it_is() {
        let known = KnownAddresses::default();
        known.note(vec![ip("127.0.0.1"), ip("10.1.2.3")]);
        assert!(
            known.admit(ip("127.0.0.1"))
                && known.admit(ip("10.1.2.3"))
                && known.admit(ip("::ffff:127.0.0.1"))
        );
    }

    #[test]
    fn a_name_that_moves_into_a_private_network_is_not_followed() {
        let known = KnownAddresses::default();
        known.note(vec![ip("203.0.113.7")]);
        assert!(known.admit(ip("203.0.113.8")), "another public address of the same name");
        for inside in [
            "127.0.0.1",
            "10.0.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(!known.admit(ip(inside)), "{inside}");
        }
    }
}
