//! `--target-hosts`: where the target listens.

use std::fmt;
use std::path::PathBuf;

use rally_support::option_value;
use serde_json::Value;

use serde::{Deserialize, Serialize};

/// Port of a host that names none.
const DEFAULT_PORT: u16 = 9200;
/// The same behind `https://`.
const DEFAULT_TLS_PORT: u16 = 443;

/// One address of the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TargetHost {
    /// Whether the address itself asks for TLS (`https://`); `None` where it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secure: Option<bool>,
    /// Name or address, IPv6 without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// What every path is preceded by: empty, or `/prefix` without a slash at the end.
    #[serde(default, skip_serializing_if = "String::is_empty")]
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
    #[error("--target-hosts with several clusters is not supported yet: give the hosts of one")]
    SeveralClusters,
    /// The file cannot be read.
    #[error("--target-hosts: cannot read {}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the file system says.
        reason: String,
    },
    /// JSON that has no hosts.
    #[error(
        "--target-hosts: {origin} is neither a JSON list of hosts nor {{\"default\": [\"host:port\"]}}{reason}"
    )]
    NotHosts {
        /// The file, or `the text`.
        origin: String,
        /// `: ` and what is wrong, or nothing.
        reason: String,
    },
    /// Hosts with a user or a password in them.
    #[error(
        "--target-hosts: user and password belong into --client-options (basic_auth_user, basic_auth_password), not before \
         '@{host}'"
    )]
    Credentials {
        /// What stands behind the last `@`.
        host: String,
    },
    /// One of the hosts.
    #[error("--target-hosts: '{host}' is not [http[s]://]host[:port][/path]: {reason}")]
    Malformed {
        /// The host as given.
        host: String,
        /// The problem with it.
        reason: String,
    },
}

/// Reads `host:port[,host:port]`, each with optional scheme and path, a JSON list of them or Rally's map with the list of its
/// only cluster, or a `.json` file with one of these. Without a port it is 443 behind `https://`, 9200 otherwise.
///
/// # Errors
/// Where a part is not a host, or there are several clusters.
pub fn parse_target_hosts(text: &str) -> Result<Vec<TargetHost>, TargetHostsError> {
    let text = text.trim();
    let hosts: Vec<TargetHost> = match option_value::file(text) {
        Some(path) => {
            let unreadable = |source: std::io::Error| TargetHostsError::Unreadable {
                path: path.clone(),
                reason: source.to_string(),
            };
            let content = std::fs::read_to_string(&path).map_err(unreadable)?;
            from_json(content.strip_prefix('\u{FEFF}').unwrap_or(&content), text)?
        }
        None if text.starts_with(['{', '[']) && !is_bracketed_address(text) => from_json(text, "the text")?,
        None => {
            // A password may have commas, so that its parts would look like hosts.
            if let Some((_, host)) = text.rsplit_once('@') {
                return Err(TargetHostsError::Credentials { host: host.to_owned() });
            }
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            parts.map(parse_host).collect::<Result<_, _>>()?
        }
    };
    if hosts.is_empty() { Err(TargetHostsError::Empty) } else { Ok(hosts) }
}

/// Whether the text begins with what stands in brackets, but is no list of JSON: an IPv6 address, or what was meant to be one.
fn is_bracketed_address(text: &str) -> bool {
    text.strip_prefix('[').is_some_and(|inner| !inner.trim_start().starts_with(['"', '{', ']']))
}

fn from_json(json: &str, origin: &str) -> Result<Vec<TargetHost>, TargetHostsError> {
    let wrong = |reason: String| TargetHostsError::NotHosts { origin: origin.to_owned(), reason };
    let value: Value = serde_json::from_str(json).map_err(|source| wrong(format!(": {source}")))?;
    let list = match value {
        Value::Object(mut clusters) => match (clusters.len(), clusters.remove("default")) {
            (1, Some(hosts)) => hosts,
            (0, _) => return Err(TargetHostsError::Empty),
            _ => return Err(TargetHostsError::SeveralClusters),
        },
        other => other,
    };
    let hosts = match list {
        Value::Array(hosts) => hosts,
        host @ Value::String(_) => vec![host],
        _ => return Err(wrong(String::new())),
    };
    let host = |host: Value| match host {
        Value::String(text) => match text.rsplit_once('@') {
            Some((_, host)) => Err(TargetHostsError::Credentials { host: host.to_owned() }),
            None => parse_host(text.trim()),
        },
        Value::Object(parts) => from_parts(&parts).map_err(wrong),
        _ => Err(wrong(String::new())),
    };
    hosts.into_iter().map(host).collect()
}

/// A host as the Elasticsearch client takes it apart.
fn from_parts(parts: &serde_json::Map<String, Value>) -> Result<TargetHost, String> {
    const KNOWN: [&str; 4] = ["host", "port", "use_ssl", "url_prefix"];
    if let Some(name) = parts.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        let hint = if name == "http_auth" { "; user and password belong into --client-options" } else { "" };
        return Err(format!(": a host has {}, not '{name}'{hint}", KNOWN.join(", ")));
    }
    let host = parts.get("host").and_then(Value::as_str).filter(|host| !host.is_empty());
    let host = host.ok_or_else(|| ": a host needs \"host\"".to_owned())?;
    let secure = parts.get("use_ssl").and_then(Value::as_bool);
    let port = match parts.get("port") {
        None => {
            if secure == Some(true) {
                DEFAULT_TLS_PORT
            } else {
                DEFAULT_PORT
            }
        }
        Some(port) => port
            .as_u64()
            .and_then(|port| u16::try_from(port).ok())
            .filter(|port| *port > 0)
            .ok_or_else(|| format!(": {port} is not a port (1 to 65535)"))?,
    };
    let prefix = parts.get("url_prefix").and_then(Value::as_str).unwrap_or_default().trim_matches('/');
    let path = if prefix.is_empty() { String::new() } else { format!("/{prefix}") };
    let text =
        if host.contains(':') { format!("[{host}]:{port}{path}") } else { format!("{host}:{port}{path}") };
    let checked = parse_host(&text).map_err(|error| format!(": {error}"))?;
    Ok(TargetHost { secure, ..checked })
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
        None if secure == Some(true) => DEFAULT_TLS_PORT,
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
        assert_eq!(shown("https://search.example/rally/"), "https://search.example:443/rally");
        assert_eq!(shown("http://[::1]:9201/x"), "http://[::1]:9201/x");
        assert_eq!(shown("[::1]"), "[::1]:9200");
        assert_eq!(
            shown("http://es1,https://es2,https://es3:9200"),
            "http://es1:9200 https://es2:443 https://es3:9200"
        );
    }

    #[test]
    fn json_lists_maps_and_files_have_hosts() {
        let list = r#"["es1:9201", "https://es2"]"#;
        let map = format!("{{\"default\": {list}}}");
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("hosts.json");
        for (text, content) in
            [(list, list), (&map, &map), (file.to_str().unwrap(), list), (file.to_str().unwrap(), &map)]
        {
            std::fs::write(&file, content).unwrap();
            assert_eq!(shown(text), "es1:9201 https://es2:443", "{text}");
        }
        assert_eq!(shown(r#"{"default": "es1"}"#), "es1:9200");
        assert_eq!(
            shown(r#"[{"host": "es1", "port": 39200, "use_ssl": true, "url_prefix": "x"}]"#),
            "https://es1:39200/x"
        );
        assert!(shown(r#"[{"host": "es1", "http_auth": "u:sesame"}]"#).contains("--client-options"));
    }

    #[test]
    fn a_password_is_never_repeated() {
        for text in [
            "https://u:sesame@es:9200",
            "u:sesame@es",
            "https://u:se,sesame@es:9200",
            "https://u:sesame@@es:9200",
            "https://u:sesame@es:99999",
            r#"["https://u:sesame@es:9200"]"#,
            r#"{"default": ["u:sesame@es"]}"#,
            r#"[{"host": "es1", "http_auth": "u:sesame"}]"#,
            "u:sesame@es,other:9200",
        ] {
            let error = parse_target_hosts(text).expect_err(text);
            assert!(!format!("{error} {error:?}").contains("sesame"), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_no_host_says_why() {
        assert!(shown("").contains("is empty"));
        assert!(shown("{\"a\": [], \"b\": []}").contains("not supported yet"));
        assert!(shown("{\"default\": []}").contains("is empty"));
        assert!(shown("es:99999").contains("'99999' is not a port"));
        assert!(shown("es:0").contains("'0' is not a port"));
        assert!(shown("::1:9200").contains("in brackets"));
        assert!(shown("[zz]:1").contains("not an IPv6"));
        assert!(shown("ftp://x:1").contains("'ftp'"));
        assert!(shown("u:p@es:9200").contains("--client-options"));
        assert!(shown("[\"a\"").contains("neither a JSON list"));
        assert!(shown("[]").contains("is empty"));
        assert!(shown("/nowhere/hosts.json").contains("cannot read /nowhere/hosts.json"));
        assert!(shown("es host:9200").contains("has no place"));
    }
}
