//! Talking to the remote repository.

use gix::remote::{Connection, Direction};
use gix_transport::client::blocking_io::Transport;
use gix_transport::client::blocking_io::http::connect_http;

use crate::http::HttpClient;

pub(crate) type BoxedTransport = Box<dyn Transport + Send>;

/// A connection to fetch through: HTTP with rally's own client, everything else as gix does it.
pub(crate) fn connect<'remote, 'repo>(
    remote: &'remote gix::Remote<'repo>,
) -> gix::Result<Connection<'remote, 'static, 'repo, BoxedTransport>> {
    use gix::error::ErrorExt;

    let (url, version) = remote.sanitized_url_and_version(Direction::Fetch)?;
    if !matches!(url.scheme, gix::url::Scheme::Http | gix::url::Scheme::Https) {
        return remote.connect(Direction::Fetch);
    }
    let config = remote.repo().config_snapshot();
    let authorities = config.trusted_path("http.sslCAInfo")?;
    let proxy = config.string("http.proxy").map(|proxy| proxy.to_string());
    let client =
        HttpClient::new(&url, authorities.as_deref(), proxy.as_deref()).map_err(|error| error.raise())?;
    let transport: BoxedTransport = Box::new(connect_http(client, url, version, false));
    Ok(remote.to_connection_with_transport(transport))
}
