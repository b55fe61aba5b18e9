//! Where a repository may be fetched from.

use std::fmt;

use gix::bstr::ByteSlice;
use gix::url::Scheme;

/// The address of a repository that rally is willing to ask.
///
/// Git itself would also run commands for some addresses (`ext::`, other `name::` helpers), and reads an address that
/// begins with a dash as an option. Addresses come from `rally.ini` and from working copies, which others may have written.
#[derive(Clone, PartialEq, Eq)]
pub struct RemoteUrl {
    url: gix::Url,
}

/// An address that rally does not ask.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the address '{url}' {reason}; a repository is at https://…, http://…, ssh://…, git://…, file://…, user@host:path or in a local folder"
)]
pub struct RemoteUrlError {
    /// The address, without its password.
    pub url: String,
    /// The problem with it.
    pub reason: &'static str,
}

impl RemoteUrl {
    /// Checks an address; a local path that is not absolute counts from the current folder.
    ///
    /// # Errors
    /// Where it is an option, would run a command or is no address.
    pub fn parse(text: &str) -> Result<RemoteUrl, RemoteUrlError> {
        let refused = |reason| Err(RemoteUrlError { url: without_password(text), reason });
        if text.trim().is_empty() {
            return refused("is empty");
        }
        if text.trim_start().starts_with('-') {
            return refused("begins with a dash, as an option of git does");
        }
        if text.chars().any(char::is_control) {
            return refused("contains a control character");
        }
        let Ok(mut url) = gix::url::parse(text.trim()) else {
            return refused("cannot be read");
        };
        match url.scheme {
            Scheme::Https | Scheme::Http | Scheme::Ssh | Scheme::Git | Scheme::File => {}
            Scheme::Ext | Scheme::Helper(_) => return refused("names a helper that git would run"),
            Scheme::HelperUrl(_) => return refused("has a scheme that rally does not know"),
        }
        // What becomes an argument of `ssh` or `git-upload-pack`.
        let arguments = [url.user(), url.host()];
        if arguments.into_iter().flatten().any(|part| part.starts_with('-')) {
            return refused("has a user or a host that begins with a dash, as an option does");
        }
        if url.path.starts_with(b"-") {
            return refused("has a path that begins with a dash, as an option does");
        }
        if url.scheme == Scheme::File && !make_absolute(&mut url) {
            return refused("names a local folder that cannot be made absolute");
        }
        Ok(RemoteUrl { url })
    }

    /// With its password, as `git` keeps it.
    pub(crate) fn whole(&self) -> gix::bstr::BString {
        self.url.to_bstring()
    }

    /// Whether no network is needed.
    pub(crate) fn is_local(&self) -> bool {
        self.url.scheme == Scheme::File
    }

    /// Whether two addresses are the same, but for a trailing slash or `.git`.
    pub(crate) fn is_same_as(&self, other: &RemoteUrl) -> bool {
        let plain = |url: &RemoteUrl| {
            let text = url.to_string();
            let text = text.trim_end_matches('/');
            text.strip_suffix(".git").unwrap_or(text).to_owned()
        };
        plain(self) == plain(other)
    }
}

/// Without the password that it may hold.
impl fmt::Display for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_password(&self.url.to_bstring().to_string()))
    }
}

impl fmt::Debug for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemoteUrl({self})")
    }
}

/// Makes the path of a local address absolute. Not [`gix::Url::canonicalize`]: that asks the disk, and what is not there
/// yet is an error of the fetch.
fn make_absolute(url: &mut gix::Url) -> bool {
    let Ok(path) = gix::path::from_bstr(url.path.as_bstr()) else { return false };
    let Ok(path) = std::path::absolute(path) else { return false };
    let Ok(path) = gix::path::into_bstr(path) else { return false };
    url.path = path.into_owned();
    true
}

/// An address for messages.
pub(crate) fn without_password(text: &str) -> String {
    match text.split_once("://") {
        Some((scheme, rest)) => {
            let authority = rest.find('/').unwrap_or(rest.len());
            match rest[..authority].rfind('@') {
                Some(end) if rest[..end].contains(':') => format!("{scheme}://…{}", &rest[end..]),
                _ => text.to_owned(),
            }
        }
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        RemoteUrl::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn what_git_can_ask_without_running_anything_is_an_address() {
        for text in [
            "https://github.com/elastic/rally-tracks",
            "http://127.0.0.1:8080/tracks.git",
            "ssh://git@example.org:2222/tracks.git",
            "git@github.com:elastic/rally-tracks.git",
            "git://example.org/tracks",
            "file:///srv/tracks",
            "/srv/tracks",
        ] {
            assert_eq!(RemoteUrl::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_local_path_is_made_absolute() {
        let folder = std::env::current_dir().unwrap();
        let url = RemoteUrl::parse("./tracks").unwrap();
        assert_eq!(url.to_string(), folder.join("tracks").to_str().unwrap());
    }

    #[test]
    fn an_option_is_refused() {
        for text in
            ["--upload-pack=touch /tmp/x", "-x", "  -x", "ssh://-oProxyCommand=x/y", "-oProxyCommand=x:y"]
        {
            assert!(refused(text).contains("dash"), "{text}");
        }
        assert!(refused("host:-x").contains("dash"));
    }

    #[test]
    fn a_helper_is_refused() {
        for text in ["ext::sh -c true", "ext://sh", "fd::17", "foo::bar", "ssh::host/path"] {
            assert!(refused(text).contains("helper that git would run"), "{text}: {}", refused(text));
        }
        assert!(refused("ftp://example.org/tracks").contains("scheme"));
    }

    #[test]
    fn control_characters_are_refused() {
        assert!(refused("https://example.org/a\nb").contains("control character"));
    }

    #[test]
    fn a_password_is_not_shown() {
        let url = RemoteUrl::parse("https://me:secret@example.org/tracks").unwrap();
        assert_eq!(url.to_string(), "https://…@example.org/tracks");
        assert!(!format!("{url:?}").contains("secret"));
        assert_eq!(url.whole(), "https://me:secret@example.org/tracks");
    }

    #[test]
    fn a_suffix_of_git_makes_no_difference() {
        let [one, other] = ["https://example.org/tracks.git", "https://example.org/tracks/"]
            .map(|text| RemoteUrl::parse(text).unwrap());
        assert!(one.is_same_as(&other));
    }
}
