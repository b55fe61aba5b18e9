//! What to do about a target that cannot be reached: whether it speaks TLS is found out by trying.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{CertificateError, Error};

use crate::client_options::ClientOptions;
use crate::http::{Endpoint, ExchangeErrorKind};
use crate::tls::client_config;

/// Longest time to find out what a port speaks.
const PATIENCE: Duration = Duration::from_secs(3);

const NO_TLS: &str = ". The port speaks plain HTTP: write http:// before the host, and leave use_ssl:true out of --client-options";
const TLS: &str =
    ". The port speaks TLS: write https:// before the host, or give --client-options=use_ssl:true";
const UNKNOWN_ISSUER: &str = ". No trusted authority signed the target's certificate: name a file with the certificate of the one that \
     did (or with the target's own, if it is self-signed) in --client-options=ca_certs:FILE, or switch the check off with \
     verify_certs:false";
const OTHER_NAME: &str = ". The certificate is for another name: write one of its names in --target-hosts, or switch the check off \
     with --client-options=verify_certs:false";

/// A sentence for an error, or nothing.
pub async fn of(endpoint: &Endpoint, error: &ExchangeErrorKind) -> &'static str {
    match error {
        ExchangeErrorKind::Refused { .. } => "",
        ExchangeErrorKind::Unreachable { source, .. } if endpoint.tls.is_some() => {
            match source.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
                Some(Error::InvalidCertificate(
                    CertificateError::UnknownIssuer | CertificateError::Other(_),
                )) => UNKNOWN_ISSUER,
                Some(Error::InvalidCertificate(
                    CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
                )) => OTHER_NAME,
                Some(Error::InvalidCertificate(_)) => "",
                _ if speaks_http(endpoint).await => NO_TLS,
                _ => "",
            }
        }
        _ if endpoint.tls.is_none() && speaks_tls(endpoint).await => TLS,
        _ => "",
    }
}

async fn connected(endpoint: &Endpoint) -> Option<TcpStream> {
    TcpStream::connect((endpoint.host.host.as_str(), endpoint.host.port)).await.ok()
}

async fn speaks_http(endpoint: &Endpoint) -> bool {
    let asked = async {
        let mut stream = connected(endpoint).await?;
        let request =
            format!("GET / HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", endpoint.host.authority());
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut start = [0; 5];
        stream.read_exact(&mut start).await.ok()?;
        Some(start == *b"HTTP/")
    };
    tokio::time::timeout(PATIENCE, asked).await.ok().flatten().unwrap_or(false)
}

async fn speaks_tls(endpoint: &Endpoint) -> bool {
    let asked = async {
        let options = ClientOptions { verify_certs: false, ..ClientOptions::default() };
        let config = client_config(&options).ok()?;
        let name = ServerName::try_from(endpoint.host.host.clone()).ok()?;
        let stream = connected(endpoint).await?;
        let connector = TlsConnector::from(Arc::clone(&config));
        Some(match connector.connect(name, stream).await {
            Ok(_) => true,
            // A target that asks for a certificate speaks TLS as well.
            Err(error) => error
                .get_ref()
                .and_then(|inner| inner.downcast_ref::<Error>())
                .is_some_and(|error| matches!(error, Error::AlertReceived(_) | Error::PeerIncompatible(_))),
        })
    };
    tokio::time::timeout(PATIENCE, asked).await.ok().flatten().unwrap_or(false)
}
