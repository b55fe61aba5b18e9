//! `--target-hosts`: where the target listens.

use std::fmt;

/// Port of a host that names none.
const DEFAULT_PORT: u16 = 9200;

/// One address of the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetHost {
    /// Whether the address itself asks for TLS (`https://`); `None` where it does not say.
    pub secure: Option<bool>,
    /// Name or address, IPv6 without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// What every path is preceded by: empty, or `/prefix` without a slash at the end.
    pub path: String,
}

impl TargetHost {
    /// `host:port` as it goes into the `host` header and into messages.
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for TargetHost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.secure {
            Some(true) => formatter.write_str("https://")?,
            Some(false) => formatter.write_str("http://")?,
            None => {}
        }
        write!(formatter, "{}{}", self.authority(), self.path)
    }
}

/// A `--target-hosts` that cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TargetHostsError {
    /// There is no host in it.
    #[error("--target-hosts is empty: give at least one host:port, e.g. 127.0.0.1:9200")]
    Empty,
    /// The map of clusters of multi-cluster races.
    #[error("--target-hosts with a JSON map of clusters is not supported yet: give host:port[,host:port]")]
    SeveralClusters,
    /// One of the hosts.
    #[error("--target-hosts: '{host}' is not [http[s]://]host[:port][/path]: {reason}")]
    Malformed {
        /// The host as given.
        host: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// Reads `host:port[,host:port]`, each with optional scheme and path; port 9200 where none is given.
///
/// # Errors
/// Where a part is not a host, or the text is a JSON map.
pub fn parse_target_hosts(text: &str) -> Result<Vec<TargetHost>, TargetHostsError> {
    let text = text.trim();
    if text.starts_with('{') {
        return Err(TargetHostsError::SeveralClusters);
    }
    let hosts: Vec<TargetHost> = text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(parse_host)
        .collect::<Result<_, _>>()?;
    if hosts.is_empty() { Err(TargetHostsError::Empty) } else { Ok(hosts) }
}

fn parse_host(text: &str) -> Result<TargetHost, TargetHostsError> {
    let malformed =
        |reason: &str| TargetHostsError::Malformed { host: text.to_owned(), reason: reason.to_owned() };
    let (secure, rest) = match text.split_once("://") {
        Some(("http", rest)) => (Some(false), rest),
        Some(("https", rest)) => (Some(true), rest),
        Some((scheme, _)) => {
            return Err(malformed(&format!("the scheme '{scheme}' is neither http nor https")));
        }
        None => (None, text),
    };
    let (authority, path) = match rest.find('/') {
        Some(slash) => (&rest[..slash], rest[slash..].trim_end_matches('/')),
        None => (rest, ""),
    };
    if authority.contains('@') {
        return Err(malformed(
            "user and password belong into --client-options (basic_auth_user, basic_auth_password)",
        ));
    }
    let (host, port) = if let Some(bracketed) = authority.strip_prefix('[') {
        let (host, after) =
            bracketed.split_once(']').ok_or_else(|| malformed("the closing ']' is missing"))?;
        if host.parse::<std::net::Ipv6Addr>().is_err() {
            return Err(malformed("what stands in brackets is not an IPv6 address"));
        }
        match after.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if after.is_empty() => (host, None),
            None => return Err(malformed("there is something between ']' and the port")),
        }
    } else if authority.matches(':').count() > 1 {
        return Err(malformed("write an IPv6 address in brackets, e.g. [::1]:9200"));
    } else {
        match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        }
    };
    if host.is_empty() {
        return Err(malformed("the host is missing"));
    }
    if let Some(wrong) =
        host.chars().chain(path.chars()).find(|c| c.is_whitespace() || matches!(c, '?' | '#' | '"'))
    {
        return Err(malformed(&format!("{wrong:?} has no place in it")));
    }
    let port = match port {
        Some(port) => port
            .parse::<u16>()
            .ok()
            .filter(|port| *port > 0)
            .ok_or_else(|| malformed(&format!("'{port}' is not a port (1 to 65535)")))?,
        None => DEFAULT_PORT,
    };
    Ok(TargetHost { secure, host: host.to_owned(), port, path: path.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match parse_target_hosts(text) {
            Ok(hosts) => hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn hosts_have_scheme_port_and_path() {
        assert_eq!(shown("127.0.0.1:9200"), "127.0.0.1:9200");
        assert_eq!(shown("es1:39200, es2"), "es1:39200 es2:9200");
        assert_eq!(shown("https://search.example/rally/"), "https://search.example:9200/rally");
        assert_eq!(shown("http://[::1]:9201/x"), "http://[::1]:9201/x");
        assert_eq!(shown("[::1]"), "[::1]:9200");
    }

    #[test]
    fn what_is_no_host_says_why() {
        assert!(shown("").contains("is empty"));
        assert!(shown("{\"default\": []}").contains("not supported yet"));
        assert!(shown("es:99999").contains("'99999' is not a port"));
        assert!(shown("es:0").contains("'0' is not a port"));
        assert!(shown("::1:9200").contains("in brackets"));
        assert!(shown("[zz]:1").contains("not an IPv6"));
        assert!(shown("ftp://x:1").contains("'ftp'"));
        assert!(shown("u:p@es:9200").contains("--client-options"));
        assert!(shown("es host:9200").contains("has no place"));
    }
}
