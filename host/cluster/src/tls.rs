//! TLS towards the target, by rustls.

use std::path::PathBuf;
use std::sync::Arc;

use tokio_rustls::rustls;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::client_options::ClientOptions;

/// TLS that cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A PEM file cannot be read, or holds nothing of the kind.
    #[error("--client-options: {option}: cannot read {what} from {}", path.display())]
    Pem {
        /// The option that names the file.
        option: &'static str,
        /// What was looked for.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls::pki_types::pem::Error,
    },
    /// The file holds no certificate.
    #[error("--client-options: {option}: there is no certificate in {}", path.display())]
    NoCertificate {
        /// The option that names the file.
        option: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// The library refuses a certificate, key or protocol version.
    #[error("--client-options: the certificates cannot be used")]
    Refused(#[source] rustls::Error),
}

/// Builds the TLS configuration that all connections share.
///
/// # Errors
/// Where a file cannot be read or a certificate or key cannot be used.
pub fn client_config(options: &ClientOptions) -> Result<Arc<ClientConfig>, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let algorithms = provider.signature_verification_algorithms;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Refused)?;
    let builder = if options.verify_certs {
        builder.with_root_certificates(roots(options)?)
    } else {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate { algorithms }))
    };
    let config = match &options.client_cert {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let chain = certificates("client_cert", path)?;
            let key_path = options.client_key.as_ref().unwrap_or(path);
            let key = PrivateKeyDer::from_pem_file(key_path).map_err(|source| TlsError::Pem {
                option: if options.client_key.is_some() { "client_key" } else { "client_cert" },
                what: "a private key",
                path: key_path.clone(),
                source,
            })?;
            builder.with_client_auth_cert(chain, key).map_err(TlsError::Refused)?
        }
    };
    Ok(Arc::new(config))
}

fn roots(options: &ClientOptions) -> Result<RootCertStore, TlsError> {
    let mut store = RootCertStore::empty();
    if let Some(path) = &options.ca_certs {
        for certificate in certificates("ca_certs", path)? {
            store.add(certificate).map_err(TlsError::Refused)?;
        }
        return Ok(store);
    }
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        tracing::warn!(%error, "a certificate of the system cannot be read");
    }
    store.add_parsable_certificates(native.certs);
    if store.is_empty() {
        // A container without certificates still reaches public targets.
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    Ok(store)
}

fn certificates(option: &'static str, path: &PathBuf) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = |source| TlsError::Pem { option, what: "certificates", path: path.clone(), source };
    let found: Vec<_> =
        CertificateDer::pem_file_iter(path).map_err(pem)?.collect::<Result<_, _>>().map_err(pem)?;
    if found.is_empty() { Err(TlsError::NoCertificate { option, path: path.clone() }) } else { Ok(found) }
}

/// `verify_certs:false`: whoever answers is believed, as the user asked for. Signatures are still checked.
#[derive(Debug)]
struct AnyCertificate {
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
