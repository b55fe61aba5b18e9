//! `--client-options`: how to talk to the target. The names are those of Rally and the Elasticsearch client.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rally_support::home::expand;
use rally_support::option_value;
use rally_support::suggest::closest;
use serde_json::{Map, Value};

/// A request that takes longer fails. The default of Elasticsearch's clients as Rally sets it.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// An answer that is longer fails and its connection is dropped, so that a body without end ends. Ten times what
/// Elasticsearch itself accepts as a request (100 MB); `max_response_size` raises it.
const DEFAULT_MAX_RESPONSE_SIZE: u64 = 1 << 30;

const KNOWN: [&str; 12] = [
    "timeout",
    "request_timeout",
    "max_connections",
    "max_response_size",
    "use_ssl",
    "verify_certs",
    "ca_certs",
    "client_cert",
    "client_key",
    "basic_auth_user",
    "basic_auth_password",
    "api_key",
];

/// The options that no specification, record, log or message may hold.
pub const SECRET_CLIENT_OPTIONS: [&str; 2] = ["basic_auth_password", "api_key"];

/// Options that Rally has and that would change what is measured if they were ignored.
const NOT_SUPPORTED: [(&str, &str); 4] = [
    ("http_compress", "requests and answers are sent uncompressed; leave it out, or set it to false"),
    ("enable_cleanup_closed", "connections that the target closed are always cleaned up; leave it out"),
    ("static_responses", "no request is answered without the target"),
    ("create_api_key_per_client", "all clients share the api_key that is given"),
];

/// How to talk to the target.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientOptions {
    /// Longest time for a request, from before it is sent to the last byte of its answer. Default 60 s.
    pub timeout: Duration,
    /// Longest answer in bytes. Default 1 GiB.
    pub max_response_size: u64,
    /// Whether to use TLS. `None`: as the scheme of the host says, plain where it says nothing.
    pub use_ssl: Option<bool>,
    /// Whether the target's certificate is checked. Default true.
    pub verify_certs: bool,
    /// File with the certificates that are trusted, PEM, instead of the system's.
    pub ca_certs: Option<PathBuf>,
    /// File with the client's certificate chain, PEM.
    pub client_cert: Option<PathBuf>,
    /// File with the client's key, PEM. Where it is missing the key is read from `client_cert`.
    pub client_key: Option<PathBuf>,
    /// User and password of basic authentication.
    pub basic_auth: Option<(String, String)>,
    /// API key: `id:key`, or that in Base64 as Elasticsearch returns it under `encoded`.
    pub api_key: Option<String>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        ClientOptions {
            timeout: DEFAULT_TIMEOUT,
            max_response_size: DEFAULT_MAX_RESPONSE_SIZE,
            use_ssl: None,
            verify_certs: true,
            ca_certs: None,
            client_cert: None,
            client_key: None,
            basic_auth: None,
            api_key: None,
        }
    }
}

/// Client options that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientOptionsError {
    /// Neither `key:value` pairs nor JSON.
    #[error(
        "--client-options: part {number}{} is not key:value (give key:value[,key:value], a JSON object, or a .json file; \
         quotes keep the commas of a value)",
        after.as_ref().map(|name| format!(", after '{name}',")).unwrap_or_default()
    )]
    NotAPair {
        /// Which part it is, from 1 on. It may belong to a secret, so that it is not repeated.
        number: usize,
        /// The option before it.
        after: Option<String>,
    },
    /// A part that looks like an option behind a secret with a comma.
    #[error(
        "--client-options: what follows a comma behind '{after}' is no option; put quotes around a value with commas"
    )]
    PartOfSecret {
        /// The secret option.
        after: &'static str,
    },
    /// Options for several clusters.
    #[error(
        "--client-options for several clusters are not supported yet: give those of one, or {{\"default\": {{…}}}}"
    )]
    SeveralClusters,
    /// Inline JSON, or the content of the file.
    #[error("--client-options: {origin} is not a JSON object")]
    NotJson {
        /// Where the text came from.
        origin: String,
        /// What the parser says.
        #[source]
        source: Option<serde_json::Error>,
    },
    /// The file cannot be read.
    #[error("--client-options: cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A name that nothing knows.
    #[error("--client-options: unknown option '{name}'{hint} (known: {})", KNOWN.join(", "))]
    Unknown {
        /// The name.
        name: String,
        /// `, did you mean …?` or nothing.
        hint: String,
    },
    /// A name that Rally knows and this program does not support.
    #[error("--client-options: '{name}' is not supported: {reason}")]
    NotSupported {
        /// The name.
        name: &'static str,
        /// What happens instead.
        reason: &'static str,
    },
    /// A value of the wrong kind.
    #[error("--client-options: '{name}' must be {expected} but is {value}")]
    Value {
        /// The option.
        name: &'static str,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        value: String,
    },
    /// Options that contradict each other.
    #[error("--client-options: {0}")]
    Contradiction(&'static str),
}

impl ClientOptions {
    /// Reads what a user gives: `key:value[,key:value]`, an inline JSON object, or the name of a file that ends in `.json`.
    ///
    /// # Errors
    /// Where the text cannot be read, a name is unknown, or a value makes no sense.
    pub fn parse(text: &str) -> Result<ClientOptions, ClientOptionsError> {
        ClientOptions::from_map(&ClientOptions::read(text)?)
    }

    /// The names and values of what a user gives, in the forms of [`ClientOptions::parse`]. [`ClientOptions::from_map`] checks
    /// them.
    ///
    /// # Errors
    /// Where the text cannot be read.
    pub fn read(text: &str) -> Result<Map<String, Value>, ClientOptionsError> {
        let mut options = read_options(text)?;
        // Rally's form for several clusters.
        let clusters = !options.is_empty() && options.values().all(Value::is_object);
        match options.get_mut("default") {
            Some(Value::Object(default)) if clusters => {
                let default = std::mem::take(default);
                if options.len() == 1 { Ok(default) } else { Err(ClientOptionsError::SeveralClusters) }
            }
            _ if clusters => Err(ClientOptionsError::SeveralClusters),
            _ => Ok(options),
        }
    }

    /// Reads options from names and values; values may be text.
    ///
    /// # Errors
    /// Where a name is unknown or a value makes no sense.
    pub fn from_map(map: &Map<String, Value>) -> Result<ClientOptions, ClientOptionsError> {
        for (name, value) in map {
            if let Some((name, reason)) = NOT_SUPPORTED.iter().find(|(known, _)| known == name) {
                if boolean(name, value).ok() != Some(false) {
                    return Err(ClientOptionsError::NotSupported { name, reason });
                }
            } else if !KNOWN.contains(&name.as_str()) {
                let hint = closest(name, KNOWN)
                    .map(|known| format!(", did you mean '{known}'?"))
                    .unwrap_or_default();
                return Err(ClientOptionsError::Unknown { name: name.clone(), hint });
            }
        }
        let mut options = ClientOptions::default();
        // Rally of 2017 had both names; the first one is the connection's, and there is only one limit here.
        for name in ["timeout", "request_timeout"] {
            if let Some(value) = map.get(name) {
                let seconds = number(name_of(name), value, "a number of seconds above 0")?;
                options.timeout = Duration::try_from_secs_f64(seconds)
                    .map_err(|_| wrong(name_of(name), "a number of seconds above 0", value))?;
            }
        }
        if let Some(value) = map.get("max_connections") {
            // Every client has its own connection, so there is nothing to limit; the value is only checked.
            number("max_connections", value, "a number above 0")?;
        }
        if let Some(value) = map.get("max_response_size") {
            options.max_response_size =
                number("max_response_size", value, "a number of bytes above 0")? as u64;
        }
        options.use_ssl = map.get("use_ssl").map(|value| boolean("use_ssl", value)).transpose()?;
        if let Some(value) = map.get("verify_certs") {
            options.verify_certs = boolean("verify_certs", value)?;
        }
        let file = |name: &'static str| {
            map.get(name).map(|value| string(name, value).map(|path| expand(Path::new(&path)))).transpose()
        };
        options.ca_certs = file("ca_certs")?;
        options.client_cert = file("client_cert")?;
        options.client_key = file("client_key")?;
        let user = map.get("basic_auth_user").map(|value| string("basic_auth_user", value)).transpose()?;
        let password =
            map.get("basic_auth_password").map(|value| string("basic_auth_password", value)).transpose()?;
        options.basic_auth = match (user, password) {
            (Some(user), Some(password)) => Some((user, password)),
            (None, None) => None,
            (Some(_), None) => {
                return Err(ClientOptionsError::Contradiction("basic_auth_user needs basic_auth_password"));
            }
            (None, Some(_)) => {
                return Err(ClientOptionsError::Contradiction("basic_auth_password needs basic_auth_user"));
            }
        };
        options.api_key = map.get("api_key").map(api_key).transpose()?;
        if options.api_key.is_some() && options.basic_auth.is_some() {
            return Err(ClientOptionsError::Contradiction(
                "give either api_key or basic_auth_user, not both",
            ));
        }
        if options.client_key.is_some() && options.client_cert.is_none() {
            return Err(ClientOptionsError::Contradiction("client_key needs client_cert"));
        }
        if options.use_ssl == Some(false) && (options.ca_certs.is_some() || options.client_cert.is_some()) {
            return Err(ClientOptionsError::Contradiction("ca_certs and client_cert need use_ssl:true"));
        }
        Ok(options)
    }

    /// What decides about the figures, by the names of the options, for the record of a race. Of passwords and keys it only
    /// has that they were given.
    pub fn without_secrets(&self) -> Map<String, Value> {
        const HIDDEN: &str = "(not kept)";
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string().into());
        let options: [(&str, Option<Value>); 10] = [
            ("timeout", Some(self.timeout.as_secs_f64().into())),
            ("max_response_size", Some(self.max_response_size.into())),
            ("use_ssl", self.use_ssl.map(Value::from)),
            ("verify_certs", Some(self.verify_certs.into())),
            ("ca_certs", path(&self.ca_certs)),
            ("client_cert", path(&self.client_cert)),
            ("client_key", path(&self.client_key)),
            ("basic_auth_user", self.basic_auth.as_ref().map(|(user, _)| user.as_str().into())),
            ("basic_auth_password", self.basic_auth.as_ref().map(|_| HIDDEN.into())),
            ("api_key", self.api_key.as_ref().map(|_| HIDDEN.into())),
        ];
        options.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

fn read_options(text: &str) -> Result<Map<String, Value>, ClientOptionsError> {
    let text = text.trim();
    let object = |json: &str, origin: String| match serde_json::from_str::<Value>(json) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(ClientOptionsError::NotJson { origin, source: None }),
        Err(source) => Err(ClientOptionsError::NotJson { origin, source: Some(source) }),
    };
    if text.starts_with('{') {
        return object(text, "the text".to_owned());
    }
    if let Some(path) = option_value::file(text) {
        let content = std::fs::read_to_string(&path)
            .map_err(|source| ClientOptionsError::Unreadable { path: path.clone(), source })?;
        return object(content.strip_prefix('\u{FEFF}').unwrap_or(&content), text.to_owned());
    }
    let mut map = Map::new();
    let mut before: Option<&str> = None;
    for (index, part) in option_value::parts(text).into_iter().enumerate() {
        if part.is_empty() {
            continue;
        }
        let (name, value) = part.split_once(':').ok_or_else(|| ClientOptionsError::NotAPair {
            number: index + 1,
            after: before.map(str::to_owned),
        })?;
        let name = name.trim();
        let secret = SECRET_CLIENT_OPTIONS.into_iter().find(|secret| before == Some(secret));
        let is_option = KNOWN.contains(&name) || NOT_SUPPORTED.iter().any(|(known, _)| *known == name);
        if let Some(after) = secret.filter(|_| !is_option) {
            return Err(ClientOptionsError::PartOfSecret { after });
        }
        // Rally's examples quote values: basic_auth_user:'rally'.
        map.insert(name.to_owned(), Value::String(option_value::unquoted(value.trim()).to_owned()));
        before = Some(name);
    }
    Ok(map)
}

fn name_of(name: &str) -> &'static str {
    KNOWN.into_iter().find(|known| *known == name).unwrap_or("timeout")
}

fn wrong(name: &'static str, expected: &'static str, value: &Value) -> ClientOptionsError {
    let value =
        if SECRET_CLIENT_OPTIONS.contains(&name) { "something else".to_owned() } else { value.to_string() };
    ClientOptionsError::Value { name, expected, value }
}

fn number(name: &'static str, value: &Value, expected: &'static str) -> Result<f64, ClientOptionsError> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    number.filter(|number| number.is_finite() && *number > 0.0).ok_or_else(|| wrong(name, expected, value))
}

fn boolean(name: &'static str, value: &Value) -> Result<bool, ClientOptionsError> {
    match value {
        Value::Bool(value) => Ok(*value),
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Ok(true),
            "false" | "no" | "0" => Ok(false),
            _ => Err(wrong(name, "true or false", value)),
        },
        _ => Err(wrong(name, "true or false", value)),
    }
}

/// One text, or an id and a key as Elasticsearch's client takes them.
fn api_key(value: &Value) -> Result<String, ClientOptionsError> {
    let pair = value.as_array().and_then(|pair| match pair.as_slice() {
        [Value::String(id), Value::String(key)] if !id.is_empty() && !key.is_empty() => {
            Some(format!("{id}:{key}"))
        }
        _ => None,
    });
    match pair {
        Some(key) => Ok(key),
        None if value.is_array() => Err(wrong("api_key", "a text, or [id, key]", value)),
        None => string("api_key", value),
    }
}

fn string(name: &'static str, value: &Value) -> Result<String, ClientOptionsError> {
    match value {
        Value::String(text) if !text.is_empty() => Ok(text.clone()),
        _ => Err(wrong(name, "a text that is not empty", value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        ClientOptions::parse(text).expect_err(text).to_string()
    }

    #[test]
    fn pairs_and_json_mean_the_same() {
        let pairs = ClientOptions::parse(
            "timeout:90,use_ssl:true,verify_certs:false,basic_auth_user:'rally',basic_auth_password:'a:b'",
        )
        .unwrap();
        let json = ClientOptions::parse(
            r#"{"timeout": 90, "use_ssl": true, "verify_certs": false, "basic_auth_user": "rally",
                "basic_auth_password": "a:b"}"#,
        )
        .unwrap();
        assert_eq!(pairs, json);
        assert_eq!(pairs.timeout, Duration::from_secs(90));
        assert_eq!(pairs.basic_auth, Some(("rally".to_owned(), "a:b".to_owned())));
    }

    #[test]
    fn no_options_are_the_defaults() {
        assert_eq!(ClientOptions::parse("").unwrap(), ClientOptions::default());
    }

    #[test]
    fn an_unknown_option_is_an_error_with_a_suggestion() {
        assert!(error("time_out:60").contains("did you mean 'timeout'?"));
        assert!(error("verify_cert:false").contains("did you mean 'verify_certs'?"));
        assert!(!error("zzz:1").contains("did you mean"));
    }

    #[test]
    fn compression_is_refused_and_may_be_switched_off() {
        assert!(error("http_compress:true").contains("not supported"));
        assert!(ClientOptions::parse("http_compress:false").is_ok());
    }

    #[test]
    fn wrong_values_name_option_and_value() {
        assert_eq!(
            error("timeout:0"),
            "--client-options: 'timeout' must be a number of seconds above 0 but is \"0\""
        );
        assert!(error("timeout:soon").contains("'timeout' must be"));
        assert!(error("timeout:1e300").contains("'timeout' must be"));
        assert!(error("use_ssl:maybe").contains("true or false"));
        assert!(error("timeout").contains("part 1 is not key:value"));
        assert!(error("{\"timeout\":").contains("not a JSON object"));
        assert!(error("/nowhere/options.json").contains("cannot read /nowhere/options.json"));
    }

    #[test]
    fn a_list_may_end_like_the_name_of_a_file() {
        let options = ClientOptions::parse("basic_auth_user:u,basic_auth_password:x.json").unwrap();
        assert_eq!(options.basic_auth, Some(("u".to_owned(), "x.json".to_owned())));
        let options =
            ClientOptions::parse("basic_auth_user:u,basic_auth_password:'a,b:c',timeout:7").unwrap();
        assert_eq!(options.basic_auth, Some(("u".to_owned(), "a,b:c".to_owned())));
        assert_eq!(options.timeout, Duration::from_secs(7));
    }

    #[test]
    fn no_message_repeats_a_secret() {
        for text in [
            "basic_auth_user:u,basic_auth_password:open,sesame",
            "basic_auth_user:u,basic_auth_password:open,sesame:x",
            "api_key:open,sesame",
            "api_key:id:open,sesame:open",
            "{\"basic_auth_user\": \"u\", \"basic_auth_password\": [\"sesame\"]}",
            "{\"basic_auth_user\": \"u\", \"basic_auth_password\": \"sesame\", \"api_key\": \"sesame\"}",
            "{\"api_key\": [\"sesame\"]}",
            "{\"api_key\": {\"sesame\": 1}}",
            "{\"api_key\": \"sesame\"",
            "basic_auth_password:sesame.json",
            "sesame",
        ] {
            let error = ClientOptions::parse(text).expect_err(text);
            let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            assert!(!format!("{error} {source} {error:?}").contains("sesame"), "{text}: {error:?}");
        }
    }

    #[test]
    fn options_of_the_default_cluster_are_those_of_the_only_one() {
        let options =
            ClientOptions::parse(r#"{"default": {"timeout": 5, "api_key": ["id", "key"]}}"#).unwrap();
        assert_eq!((options.timeout, options.api_key.as_deref()), (Duration::from_secs(5), Some("id:key")));
        for several in [r#"{"default": {}, "other": {}}"#, r#"{"other": {"timeout": 5}}"#] {
            assert!(error(several).contains("several clusters"), "{several}");
        }
        assert_eq!(ClientOptions::parse("{}").unwrap(), ClientOptions::default());
    }

    #[test]
    fn contradictions_are_errors() {
        assert!(error("basic_auth_user:x").contains("needs basic_auth_password"));
        assert!(error("api_key:x,basic_auth_user:x,basic_auth_password:y").contains("not both"));
        assert!(error("use_ssl:false,ca_certs:x.pem").contains("use_ssl:true"));
    }

    #[test]
    fn secrets_stay_out_of_the_record_whatever_they_contain() {
        let text = r#"{"timeout": 90, "basic_auth_user": "rally", "basic_auth_password": "open,sesa:me!"}"#;
        let options = ClientOptions::parse(text).unwrap().without_secrets();
        let kept = Value::Object(options.clone()).to_string();
        assert!(["open", "sesa", "me!"].iter().all(|part| !kept.contains(part)), "{kept}");
        assert_eq!((&options["timeout"], &options["basic_auth_user"]), (&90.0.into(), &"rally".into()));
        let options = ClientOptions::parse("api_key:id:secret").unwrap().without_secrets();
        assert_eq!(options["api_key"], "(not kept)");
    }

    #[test]
    fn a_file_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("options.json");
        std::fs::write(&file, r#"{"timeout": 2.5}"#).unwrap();
        let options = ClientOptions::parse(file.to_str().unwrap()).unwrap();
        assert_eq!(options.timeout, Duration::from_millis(2500));
    }
}
