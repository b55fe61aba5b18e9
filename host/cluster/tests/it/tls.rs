//! TLS, certificates and credentials.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::support::{Target, block_on, description, params, response, root, runner};
use rally_cluster::{ClientOptions, Cluster, parse_target_hosts};
use serde_json::json;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned, crypto};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls").join(name)
}

/// Answers every request over TLS; `demanding`: only to clients with a certificate.
fn tls_target(demanding: bool) -> SocketAddr {
    tls_target_with(demanding, "server")
}

/// The same with this certificate and key.
fn tls_target_with(demanding: bool, name: &str) -> SocketAddr {
    let certificate = |name: &str| CertificateDer::from_pem_file(file(name)).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = if demanding {
        let mut roots = RootCertStore::empty();
        roots.add(certificate("ca.pem")).unwrap();
        let provider = Arc::new(crypto::ring::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        builder.with_client_cert_verifier(verifier)
    } else {
        builder.with_no_client_auth()
    };
    let key = PrivateKeyDer::from_pem_file(file(&format!("{name}.key"))).unwrap();
    let config = Arc::new(builder.with_single_cert(vec![certificate(&format!("{name}.pem"))], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = BufReader::new(StreamOwned::new(connection, stream.unwrap()));
            std::thread::spawn(move || {
                loop {
                    let (mut length, mut lines) = (0, 0);
                    loop {
                        let mut line = String::new();
                        if stream.read_line(&mut line).unwrap_or(0) == 0 {
                            return;
                        }
                        if let Some(value) = line.strip_prefix("content-length: ") {
                            length = value.trim().parse().unwrap();
                        }
                        if line.trim().is_empty() {
                            break;
                        }
                        lines += 1;
                    }
                    assert!(lines > 0);
                    std::io::copy(&mut stream.by_ref().take(length), &mut std::io::sink()).unwrap();
                    if stream.get_mut().write_all(response("200 OK", &root("8.19.13")).as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

fn connect(address: SocketAddr, options: &str) -> Result<Cluster, String> {
    let hosts = parse_target_hosts(&address.to_string()).unwrap();
    block_on(Cluster::connect(&hosts, &ClientOptions::parse(options).unwrap()))
        .map_err(|error| error.to_string())
}

fn path(name: &str) -> String {
    file(name).to_str().unwrap().to_owned()
}

#[test]
fn a_certificate_of_the_given_authority_is_trusted() {
    let address = tls_target(false);
    let options = format!("use_ssl:true,ca_certs:{}", path("ca.pem"));
    block_on(async {
        let hosts = parse_target_hosts(&address.to_string()).unwrap();
        let cluster =
            Arc::new(Cluster::connect(&hosts, &ClientOptions::parse(&options).unwrap()).await.unwrap());
        let mut runner = runner("search", &cluster).await;
        for _ in 0..3 {
            let outcome = runner.run(&params(json!({"index": "i", "body": {}}))).await.unwrap();
            assert_eq!(description(&outcome), "");
            assert!(outcome.received > outcome.sent);
        }
    });
}

#[test]
fn a_certificate_of_an_unknown_authority_is_refused_unless_told_otherwise() {
    let address = tls_target(false);
    let error = connect(address, "use_ssl:true").unwrap_err();
    assert!(error.contains("invalid peer certificate: UnknownIssuer"), "{error}");
    assert!(error.contains("ca_certs:FILE") && error.contains("verify_certs:false"), "{error}");
    assert!(connect(address, "use_ssl:true,verify_certs:false").is_ok());
}

#[test]
fn a_self_signed_certificate_is_its_own_authority() {
    // May sign others, and may not.
    for name in ["self-signed-ca", "self-signed"] {
        let address = tls_target_with(false, name);
        let certificate = path(&format!("{name}.pem"));
        assert!(connect(address, "use_ssl:true").unwrap_err().contains("ca_certs:FILE"), "{name}");
        let connected = connect(address, &format!("use_ssl:true,ca_certs:{certificate}"));
        assert!(connected.is_ok(), "{name}: {:?}", connected.err());
        // One that is given does not stand for another, nor for another name.
        let error = connect(tls_target(false), &format!("use_ssl:true,ca_certs:{certificate}")).unwrap_err();
        assert!(error.contains("UnknownIssuer"), "{name}: {error}");
    }
    let address = tls_target_with(false, "self-signed-elsewhere");
    let options = format!("use_ssl:true,ca_certs:{}", path("self-signed-elsewhere.pem"));
    let error = connect(address, &options).unwrap_err();
    assert!(error.contains("for another name"), "{error}");
}

#[test]
fn credentials_that_are_refused_are_said_to_be() {
    for (options, words) in [
        (
            "basic_auth_user:u,basic_auth_password:sesame",
            "refuses basic_auth_user and basic_auth_password (401",
        ),
        ("api_key:id:sesame", "refuses the api_key (401"),
        ("timeout:5", "Give basic_auth_user and basic_auth_password or api_key"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(response("401 Unauthorized", "{}").as_bytes());
        });
        let error = connect(address, options).unwrap_err();
        assert!(error.contains(words) && !error.contains("sesame"), "{error}");
    }
}

#[test]
fn the_scheme_of_the_host_asks_for_tls() {
    let address = tls_target(false);
    let hosts = parse_target_hosts(&format!("https://localhost:{}", address.port())).unwrap();
    let options = ClientOptions::parse(&format!("ca_certs:{}", path("ca.pem"))).unwrap();
    let cluster = block_on(Cluster::connect(&hosts, &options)).unwrap();
    assert_eq!(cluster.capabilities().version.to_string(), "8.19.13");
}

#[test]
fn a_client_shows_its_certificate() {
    let address = tls_target(true);
    let ca = path("ca.pem");
    assert!(connect(address, &format!("use_ssl:true,ca_certs:{ca}")).is_err());
    let with = format!(
        "use_ssl:true,ca_certs:{ca},client_cert:{},client_key:{}",
        path("client.pem"),
        path("client.key")
    );
    assert!(connect(address, &with).is_ok(), "{:?}", connect(address, &with));
}

#[test]
fn certificates_that_cannot_be_read_are_named() {
    let address = tls_target(false);
    let error = connect(address, "use_ssl:true,ca_certs:/nowhere/ca.pem").unwrap_err();
    assert_eq!(error, "--client-options: ca_certs: cannot read certificates from /nowhere/ca.pem");
    let error = connect(address, &format!("use_ssl:true,ca_certs:{}", path("README.md"))).unwrap_err();
    assert!(error.contains("there is no certificate in"), "{error}");
    let error = connect(address, &format!("use_ssl:true,client_cert:{}", path("client.pem"))).unwrap_err();
    assert!(error.contains("client_cert: cannot read a private key"), "{error}");
}

#[test]
fn tls_where_there_is_none_and_none_where_there_is_tls_are_named() {
    let plain = Target::version("7.10.2", |peer, _| peer.answer("200 OK", "{}"));
    let error = connect(plain.address, "use_ssl:true").unwrap_err();
    assert!(error.contains("cannot connect to") && error.contains("speaks plain HTTP"), "{error}");
    assert!(error.contains("http://"), "{error}");
    let error = connect(tls_target(false), "timeout:5").unwrap_err();
    assert!(error.starts_with("cannot reach the target") && error.contains("speaks TLS"), "{error}");
    let error = connect(tls_target(true), "timeout:5").unwrap_err();
    assert!(error.contains("https://") && error.contains("use_ssl:true"), "{error}");
}

#[test]
fn credentials_are_sent_with_every_request() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    for options in
        ["basic_auth_user:rally,basic_auth_password:a:b", "api_key:id:secret", "api_key:aWQ6c2VjcmV0"]
    {
        let target = Target::version("7.10.2", |peer, _| peer.answer("200 OK", "{}"));
        block_on(async {
            let cluster = target.cluster_with(options).await;
            runner("node-stats", &cluster).await.run(&params(json!({}))).await.unwrap();
        });
        for request in target.received() {
            seen.lock().unwrap().push(request.header("authorization").unwrap().to_owned());
        }
    }
    let expected = [
        "Basic cmFsbHk6YTpi",
        "Basic cmFsbHk6YTpi",
        "ApiKey aWQ6c2VjcmV0",
        "ApiKey aWQ6c2VjcmV0",
        "ApiKey aWQ6c2VjcmV0",
        "ApiKey aWQ6c2VjcmV0",
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
}
