//! JSON as a template that renders to it.

use serde_json::Value;

/// Stands in values for how healthy the cluster has to be, which users of current tracks expect to be able to say.
pub(crate) const CLUSTER_HEALTH: &str = "\u{1}cluster_health\u{1}'green'\u{1}s\u{1}";

/// Stands in values for a number that a user of the track may choose.
pub(crate) fn parameter(name: &str, default: &str) -> String {
    format!("\u{1}{name}\u{1}{default}\u{1}n\u{1}")
}

/// Stands in values for any JSON that a user of the track may choose.
pub(crate) fn json_parameter(name: &str, default: &str) -> String {
    format!("\u{1}{name}\u{1}{default}\u{1}j\u{1}")
}

/// How JSON has the character that parameters are marked with.
const MARK: &str = "\\u0001";

/// The text of a file of a track. Values that look like templates are escaped.
pub(crate) fn template_text(value: &Value) -> String {
    let json = format!("{value:#}\n");
    let mut text = String::with_capacity(json.len());
    let mut rest = json.as_str();
    // Objects are written with a line break or `}` behind their brace: these pairs only occur within strings.
    while let Some(at) = ["{{", "{%", "{#"].iter().filter_map(|pair| rest.find(pair)).min() {
        text.push_str(&rest[..at]);
        text.push_str("{{ '");
        text.push_str(&rest[at..at + 2]);
        text.push_str("' }}");
        rest = &rest[at + 2..];
    }
    text.push_str(rest);
    with_parameters(&text)
}

/// Puts parameters where their marks are: in quotes where they are texts, without where they are numbers or JSON.
fn with_parameters(text: &str) -> String {
    let parts: Vec<&str> = text.split(MARK).collect();
    // Four marks each; other texts with this character stay as they are.
    if parts.len() % 4 != 1 {
        return text.to_owned();
    }
    let mut result = parts[0].to_owned();
    for part in parts[1..].chunks(4) {
        let [name, default, kind, rest] = part else { return text.to_owned() };
        let filter = if *kind == "j" { " | tojson" } else { "" };
        let expression = format!("{{{{ {name} | default({default}){filter} }}}}");
        match (*kind, result.strip_suffix('"'), rest.strip_prefix('"')) {
            ("n" | "j", Some(before), Some(after)) => result = format!("{before}{expression}{after}"),
            _ => {
                result.push_str(&expression);
                result.push_str(rest);
            }
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_looks_like_a_template_is_escaped() {
        let text = template_text(&json!({"q": "{{query}} {% raw %} {# no #}", "o": {}}));
        assert_eq!(
            text,
            "{\n  \"q\": \"{{ '{{' }}query}} {{ '{%' }} raw %} {{ '{#' }} no #}\",\n  \"o\": {}\n}\n"
        );
    }

    #[test]
    fn parameters_have_defaults_and_only_texts_have_quotes() {
        let parameters = json!([
            CLUSTER_HEALTH,
            parameter("bulk_size", "5000"),
            json_parameter("index_settings", "{}"),
            7
        ]);
        let text = template_text(&parameters);
        let expected = "[\n  \"{{ cluster_health | default('green') }}\",\n  {{ bulk_size | default(5000) }},\n  \
                        {{ index_settings | default({}) | tojson }},\n  7\n]\n";
        assert_eq!(text, expected);
    }
}
