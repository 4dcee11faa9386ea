//! Errors of texts, with suggestions.

use std::ops::Range;

use super::blocks;
use super::scope::{NAMES, OPEN, Scope};
use crate::diagnostics::suggest;
use crate::message::Kind;

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

/// Words for types of messages, each with the type.
const KIND_WORDS: [(&str, &str); 10] = [
    ("photo", "image"),
    ("picture", "image"),
    ("pdf", "document"),
    ("file", "document"),
    ("recording", "voice"),
    ("contact", "contacts"),
    ("interactive", "button"),
    ("button_reply", "button"),
    ("list_reply", "button"),
    ("film", "video"),
];

/// Suggests the type of message that a word was probably meant for.
pub(crate) fn kind_meant(word: &str) -> Option<String> {
    let other = KIND_WORDS
        .iter()
        .find(|(other, _)| other.eq_ignore_ascii_case(word));
    let other = other.map(|(_, kind)| format!("did you mean `{kind}`?"));
    other.or_else(|| suggest::did_you_mean(word, Kind::ALL.map(|(name, _)| name)))
}

/// Finds the variable that is meant by a part of its name: `contact.name` by `name`.
pub(crate) fn meant(word: &str, scope: &Scope<'_>) -> Option<String> {
    const PREFERRED: [&str; 4] = [
        "contact.name",
        "contact.phone",
        "message.text",
        "match.number",
    ];
    if scope.knows(word) {
        return Some(word.to_owned());
    }
    let plain = |text: &str| text.replace(['_', '-', ' '], "").to_lowercase();
    let wanted = plain(word.rsplit('.').next().unwrap_or(word));
    let is_end = |name: &str| plain(name.rsplit('.').next().unwrap_or(name)) == wanted;
    let captures = scope
        .captures
        .iter()
        .map(|capture| format!("match.{capture}"));
    let fields = scope.fields.into_iter().flatten();
    let fields = fields.map(|field| format!("contact.fields.{field}"));
    let preferred = PREFERRED.map(str::to_owned).into_iter();
    let names = captures
        .chain(fields)
        .chain(preferred)
        .chain(NAMES.iter().cloned());
    let mut known = names.filter(|name| scope.knows(name));
    known.find(|name| is_end(name))
}

pub(crate) fn syntax_error(source: &str, error: &minijinja::Error) -> TemplateError {
    let foreign = ["{{#", "{{/"].iter().find_map(|mark| source.find(mark));
    if let Some(at) = foreign {
        return TemplateError {
            range: at..at + 3,
            message: "this is not a good template: `{{` stands before a variable".to_owned(),
            help: Some(
                "a part that is not always there is written {% if … %}…{% endif %}".to_owned(),
            ),
        };
    }
    if let Some((range, word)) = blocks::unfinished(source) {
        return TemplateError {
            range,
            message: format!("this `{word}` has no end"),
            help: Some(format!("write {{% end{word} %}} where the part ends")),
        };
    }
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
    let range = blocks::find_variable(source, name).unwrap_or(0..source.len());
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
    let root = name.split('.').next().unwrap_or(name);
    let of_flow = suggest::closest(root, scope.roots.iter().map(String::as_str));
    let of_flow = of_flow.filter(|root| !name.starts_with(&format!("{root}.")));
    let of_flow = of_flow.map(|known| format!("did you mean `{known}{}`?", &name[root.len()..]));
    let by_end = || meant(name, scope).map(|name| format!("did you mean `{name}`?"));
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
        None if of_flow.is_some() => of_flow.unwrap_or_default(),
        None if name.starts_with("contact.fields.") => {
            let field = &name["contact.fields.".len()..];
            format!("no rule sets it: `set.{field} = …`")
        }
        None if group == "match" => {
            "give the pattern in `when.text.matches` a group with this name: (?<name>…)".to_owned()
        }
        None if group != "contact" && by_end().is_some() => by_end().unwrap_or_default(),
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
