//! Errors of texts, with suggestions.

use std::ops::Range;

use super::scope::{NAMES, OPEN, Scope};

/// Error in a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// Bytes of the source that the error is about.
    pub range: Range<usize>,
    /// Description in lower case, without a full stop.
    pub message: String,
    /// Suggestion.
    pub help: Option<String>,
}

pub(crate) fn syntax_error(source: &str, error: &minijinja::Error) -> TemplateError {
    TemplateError {
        range: place(source, error),
        message: format!("this is not a good template: {}", detail(error)),
        help: Some("a variable is written {{ contact.name }}".to_owned()),
    }
}

pub(crate) fn bad_expression(written: &str, error: &minijinja::Error) -> TemplateError {
    let range = place(written, error);
    let help = if written.get(range.clone()) == Some("=") {
        "two things are compared with `==`"
    } else {
        "write it like `cakes > 2 and hours.open`"
    };
    TemplateError {
        message: format!("this is not a good expression: {}", detail(error)),
        help: Some(help.to_owned()),
        range,
    }
}

fn detail(error: &minijinja::Error) -> String {
    let detail = error.detail().map(str::to_owned);
    detail.unwrap_or_else(|| error.kind().to_string())
}

/// Finds the bytes that an error is about; all of the source if the error names none.
fn place(source: &str, error: &minijinja::Error) -> Range<usize> {
    let range = error.range().filter(|range| {
        range.start < range.end
            && source.is_char_boundary(range.start)
            && source.get(range.clone()).is_some()
    });
    range.unwrap_or(0..source.len())
}

pub(crate) fn unknown_variable(source: &str, name: &str, scope: &Scope<'_>) -> TemplateError {
    let range = source
        .find(name)
        .map_or(0..source.len(), |at| at..at + name.len());
    let groups = scope.captures.iter();
    let groups = groups.map(|capture| format!("match.{capture}"));
    let fields = scope.fields.into_iter().flatten();
    let fields = fields.map(|field| format!("contact.fields.{field}"));
    let known: Vec<String> = NAMES
        .iter()
        .cloned()
        .chain(groups)
        .chain(fields)
        .chain(scope.roots.iter().cloned())
        .collect();
    let closest = known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(candidate, name), candidate))
        .filter(|(distance, _)| *distance <= name.len() / 4)
        .min();
    let group = name.split('.').next().unwrap_or(name);
    let beside: Vec<&str> = known
        .iter()
        .map(String::as_str)
        .filter(|known| known.split('.').next() == Some(group))
        .collect();
    let help = match closest {
        Some((_, candidate)) => format!("did you mean `{candidate}`?"),
        None if name.starts_with("contact.fields.") => {
            let field = &name["contact.fields.".len()..];
            format!("no rule sets it: `set.{field} = …`")
        }
        None if group == "match" => {
            "give the pattern in `when.text.matches` a group with this name: (?<name>…)".to_owned()
        }
        None if !beside.is_empty() => format!("there are {}", beside.join(", ")),
        None => {
            let mut groups: Vec<&str> = known
                .iter()
                .filter_map(|known| known.split('.').next())
                .chain(OPEN.into_iter().filter(|open| !open.contains('.')))
                .collect();
            groups.sort_unstable();
            groups.dedup();
            format!("variables begin with {}", groups.join(", "))
        }
    };
    TemplateError {
        range,
        message: format!("there is no variable `{name}`"),
        help: Some(help),
    }
}
