//! Jinja2's filters for HTML. What is printed is never escaped by itself: JSON is no HTML.

use std::sync::LazyLock;

use minijinja::value::{Rest, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, Value};
use regex::Regex;

use super::filters::{given, printed};
use super::guards;

/// Adds the filters.
pub(super) fn add_to(environment: &mut Environment<'static>) {
    for name in ["escape", "e"] {
        environment.add_filter(name, |value: &Value| match value.is_safe() {
            true => value.clone(),
            false => Value::from_safe_string(escaped(&printed(value))),
        });
    }
    environment.add_filter("forceescape", |value: &Value| Value::from_safe_string(escaped(&printed(value))));
    environment.add_filter("striptags", |value: &Value| stripped(&printed(value)));
    environment.add_filter("urlize", urlize);
    environment.add_filter("xmlattr", xmlattr);
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// Text without comments and tags, with single blanks, and with letters for entities.
fn stripped(text: &str) -> String {
    let text = without(&without(text, "<!--", "-->"), "<", ">");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // The library's own filter knows the entities, and may see no sign that looks like a tag.
    let hidden = text.replace('<', "\u{FDD2}");
    minijinja_contrib::filters::striptags(hidden).replace('\u{FDD2}', "<")
}

/// Text without what stands between these signs.
fn without(text: &str, open: &str, close: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(open) {
        let Some(end) = rest[start..].find(close) else { break };
        out.push_str(&rest[..start]);
        rest = &rest[start + end + close.len()..];
    }
    out + rest
}

fn xmlattr(attributes: &Value, arguments: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let [space] = given(arguments, ["autospace"])?;
    let mut out = Vec::new();
    for key in attributes.try_iter()? {
        let value = attributes.get_item(&key)?;
        if value.is_none() || value.is_undefined() {
            continue;
        }
        let name = printed(&key);
        if name.contains(|letter: char| letter.is_whitespace() || matches!(letter, '/' | '>' | '=')) {
            return Err(invalid(format!("xmlattr: '{name}' is not the name of an attribute")));
        }
        out.push(format!("{}=\"{}\"", escaped(&name), escaped(&printed(&value))));
    }
    let space = if space.is_none_or(|space| space.is_true()) && !out.is_empty() { " " } else { "" };
    Ok(Value::from_safe_string(format!("{space}{}", out.join(" "))))
}

/// Addresses of the web: with a scheme or `www.`, with one of the old domains, or with a number.
static ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let host = r"(?:https?://|www\.)(?:(?:[\w%-]+\.)+)?(?:[a-z]{2,63}|xn--[\w%]{2,59})";
    let domain = r"(?:[\w%-]{2,63}\.)+(?:com|net|int|edu|gov|org|info|mil)";
    let number = r"https?://(?:\d{1,3}(?:\.\d{1,3}){3}|\[(?:[\da-f]{0,4}:){2}(?:[\da-f]{0,4}:?){1,6}\])";
    Regex::new(&format!(r"(?i)^(?:{host}|{domain}|{number})(?::\d{{1,5}})?(?:[/?#]\S*)?$")).ok()
});
static MAIL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\S+@\w[\w.-]*\.\w+$").ok());
static SCHEME: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[\w.+-]{2,}:/{0,2}$").ok());

fn matches(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

fn urlize(text: &Value, arguments: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let names = ["trim_url_limit", "nofollow", "target", "rel", "extra_schemes"];
    let [limit, no_follow, target, rel, schemes] =
        given(arguments, names)?.map(|given| given.filter(|given| !given.is_none()));
    let limit = limit.map(usize::try_from).transpose()?;
    let mut relations: Vec<String> = rel
        .iter()
        .flat_map(|rel| printed(rel).split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    relations.push("noopener".to_owned());
    relations.extend(no_follow.filter(Value::is_true).map(|_| "nofollow".to_owned()));
    relations.sort();
    relations.dedup();
    let schemes: Vec<String> = match schemes {
        Some(schemes) => schemes.try_iter()?.map(|scheme| printed(&scheme)).collect(),
        None => Vec::new(),
    };
    if let Some(scheme) = schemes.iter().find(|scheme| !matches(&SCHEME, scheme)) {
        return Err(invalid(format!("urlize: '{scheme}' is not a scheme such as tel:")));
    }
    let target =
        target.map(|target| format!(" target=\"{}\"", escaped(&printed(&target)))).unwrap_or_default();
    let attributes = format!(" rel=\"{}\"{target}", escaped(&relations.join(" ")));
    let links = Links { limit, attributes, schemes };
    let text = escaped(&printed(text));
    let mut out = String::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        out.push_str(&links.word(&rest[..end]));
        rest = &rest[end..];
        let space = rest.len() - rest.trim_start().len();
        out.push_str(&rest[..space]);
        rest = &rest[space..];
    }
    guards::check_elements(out.len())?;
    Ok(Value::from_safe_string(out))
}

/// How addresses become links.
struct Links {
    /// Characters of an address that are shown.
    limit: Option<usize>,
    attributes: String,
    schemes: Vec<String>,
}

impl Links {
    /// A word of escaped text, as a link if it is an address. Brackets around it and signs behind it are not part of it.
    fn word(&self, word: &str) -> String {
        let mut middle = word;
        while let Some(rest) = ["(", "<", "&lt;"].iter().find_map(|sign| middle.strip_prefix(sign)) {
            middle = rest;
        }
        let head = &word[..word.len() - middle.len()];
        let whole = middle;
        while let Some(rest) = [")", ">", ".", ",", "&gt;"].iter().find_map(|sign| middle.strip_suffix(sign))
        {
            middle = rest;
        }
        // Brackets that the address opens belong to it.
        let mut length = middle.len();
        for (open, close) in [("(", ")"), ("<", ">"), ("&lt;", "&gt;")] {
            let opened = whole[..length].matches(open).count();
            if opened <= whole[..length].matches(close).count() {
                continue;
            }
            for _ in 0..opened.min(whole[length..].matches(close).count()) {
                length += whole[length..].find(close).map_or(0, |at| at + close.len());
            }
        }
        let (middle, tail) = whole.split_at(length);
        format!("{head}{}{tail}", self.link(middle).as_deref().unwrap_or(middle))
    }

    fn link(&self, text: &str) -> Option<String> {
        let attributes = &self.attributes;
        if matches(&ADDRESS, text) {
            let scheme =
                if text.starts_with("http://") || text.starts_with("https://") { "" } else { "https://" };
            let shown = match self.limit {
                Some(limit) if text.chars().count() > limit => {
                    text.chars().take(limit).chain("...".chars()).collect()
                }
                _ => text.to_owned(),
            };
            return Some(format!("<a href=\"{scheme}{text}\"{attributes}>{shown}</a>"));
        }
        if let Some(mail) = text.strip_prefix("mailto:").filter(|mail| matches(&MAIL, mail)) {
            return Some(format!("<a href=\"{text}\">{mail}</a>"));
        }
        if !text.starts_with("www.") && !text.contains(':') && matches(&MAIL, text) {
            return Some(format!("<a href=\"mailto:{text}\">{text}</a>"));
        }
        let scheme =
            self.schemes.iter().find(|scheme| text != **scheme && text.starts_with(scheme.as_str()))?;
        debug_assert!(text.starts_with(scheme.as_str()));
        Some(format!("<a href=\"{text}\"{attributes}>{text}</a>"))
    }
}
