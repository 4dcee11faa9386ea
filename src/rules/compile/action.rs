//! Reads `call` and `model`: requests to external services.

use std::collections::BTreeMap;
use std::time::Duration;

use super::bot::at_most;
use super::text::{self, Symbols};
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes;
use crate::diagnostics::optional::{optional, or_default, read_each};
use crate::diagnostics::toml_reader::{Field, Reader, Text};
use crate::message::{ACTION_TIMEOUT_MAX, HttpMethod, RuleId, has_dot_segments};
use crate::rules::{ActionTemplate, Body, HttpTemplate, ModelTemplate};
use crate::template::{self, Template};

pub(super) const CALL_KEYS: [&str; 9] = [
    "get", "post", "put", "patch", "delete", "headers", "json", "save", "timeout",
];
const METHODS: [(&str, HttpMethod); 5] = [
    ("get", HttpMethod::Get),
    ("post", HttpMethod::Post),
    ("put", HttpMethod::Put),
    ("patch", HttpMethod::Patch),
    ("delete", HttpMethod::Delete),
];
pub(super) const MODEL_KEYS: [&str; 5] = ["choose", "prompt", "save", "max_tokens", "timeout"];

/// Headers that control where a request goes and where it ends: another value could smuggle a
/// second request.
const RESERVED: [&str; 13] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authorization",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "accept-encoding",
    "http2-settings",
];

/// Default timeout of a call.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// Default timeout of a request to a model.
const MODEL_TIMEOUT: Duration = Duration::from_secs(20);
/// Default limit of a model's response, in tokens: about 200 words.
const MODEL_TOKENS: u32 = 300;
const MODEL_TOKENS_MAX: u32 = 4_000;

/// Reads the value of `call` or `model`; the rules that a model chooses from go into `chooses`.
pub(crate) fn read<'d>(
    reader: &mut Reader<'_>,
    field: &Field<'d>,
    known: Symbols<'_>,
    chooses: &mut Vec<Text<'d>>,
) -> Option<ActionTemplate> {
    if field.name == "call" {
        call(reader, field, known).map(ActionTemplate::Http)
    } else {
        model(reader, field, known, chooses).map(ActionTemplate::Model)
    }
}

fn call(reader: &mut Reader<'_>, field: &Field<'_>, known: Symbols<'_>) -> Option<HttpTemplate> {
    let table = reader.table(field, &CALL_KEYS)?;
    let methods: Vec<(HttpMethod, Field<'_>)> = METHODS
        .iter()
        .filter_map(|(name, method)| Some((*method, table.get(name)?)))
        .collect();
    let [(method, address)] = methods.as_slice() else {
        let message = "a call has one of `get`, `post`, `put`, `patch` and `delete`";
        let help = "write it like `get = \"https://shop.example/…\"`";
        return reader.refuse(codes::MISSING_KEY, &table.span, message, help);
    };
    let url = url(reader, address, known);
    let headers = or_default(table.get("headers"), |field| headers(reader, &field, known));
    let body = optional(table.get("json"), |field| body(reader, &field, known));
    let save = optional(table.get("save"), |field| save(reader, &field));
    let timeout = optional(table.get("timeout"), |field| {
        at_most(reader, &field, ACTION_TIMEOUT_MAX)
    });
    Some(HttpTemplate {
        method: *method,
        url: url?,
        headers: headers?,
        body: body.ok()?,
        save: save.ok()?,
        timeout: timeout.ok()?.unwrap_or(CALL_TIMEOUT),
    })
}

/// Reads the address of a call. Its host must be literal, so that no variable can change it.
fn url(reader: &mut Reader<'_>, field: &Field<'_>, known: Symbols<'_>) -> Option<Template> {
    let text = reader.string(field)?;
    let rest = ["https://", "http://"]
        .iter()
        .find_map(|scheme| text.value.strip_prefix(scheme));
    let host = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let valid = host.is_some_and(|host| !host.is_empty() && !host.contains(['{', '}', '@', ' ']));
    if has_dot_segments(text.value) {
        let message = "the address of a call has a part that is `.` or `..`";
        let help = "write the address as it is called";
        return reader.refuse(codes::LINK, &text.span, message, help);
    }
    if !valid {
        let message = "a call goes to an address with its host written out";
        let help = "write it like `\"https://shop.example/orders/{{ match.number }}\"`";
        return reader.refuse(codes::LINK, &text.span, message, help);
    }
    reader
        .calls
        .push((text.span.clone(), text.value.to_owned()));
    let template = Template::parse_url(text.value, &known.scope());
    text::parsed(reader, &text, template)
}

fn headers(
    reader: &mut Reader<'_>,
    field: &Field<'_>,
    known: Symbols<'_>,
) -> Option<BTreeMap<String, Template>> {
    if !field.is_table() {
        return reader.wrong_type(field, "a table of headers");
    }
    let mut headers = Vec::new();
    for entry in field.entries() {
        let valid = entry
            .name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !valid {
            let message = format!("`{}` cannot be the name of a header", entry.name);
            reader.report(Diagnostic::error(codes::VALUE, entry.span.clone(), message));
        }
        let reserved = RESERVED
            .iter()
            .any(|header| entry.name.eq_ignore_ascii_case(header));
        if reserved {
            let message = format!("a call cannot set the header `{}`", entry.name);
            let help = "leave it out: it follows from the address and the body";
            reader.error(codes::VALUE, &entry.span, message, help);
        }
        let text = reader.string(&entry);
        let text = text.and_then(|text| text::literal(reader, &text, known));
        headers.push(
            text.filter(|_| valid && !reserved)
                .map(|text| (entry.name.to_owned(), text)),
        );
    }
    headers.into_iter().collect()
}

/// Reads a JSON document whose texts are templates.
pub(crate) fn body(reader: &mut Reader<'_>, field: &Field<'_>, known: Symbols<'_>) -> Option<Body> {
    if let Some(value) = field.plain() {
        return Some(Body::Plain(value));
    }
    if let Some(elements) = field.elements() {
        return read_each(elements, |element| body(reader, &element, known)).map(Body::List);
    }
    if field.is_table() {
        let entries = read_each(field.entries(), |entry| {
            Some((entry.name.to_owned(), body(reader, &entry, known)?))
        });
        return entries.map(|entries| Body::Object(entries.into_iter().collect()));
    }
    let text = reader.string(field)?;
    text::literal(reader, &text, known).map(Body::Text)
}

/// `save`: a name that is no group of variables already, but for `order`, which shops want.
fn save(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<String> {
    let name = reader.string(field)?;
    if is_root(name.value) {
        return Some(name.value.to_owned());
    }
    let message = format!("`{}` cannot be the name of a result", name.value);
    let help = "use small letters, digits and `_`, and no name that is a variable already";
    reader.refuse(codes::ODD_ID, &name.span, message, help)
}

/// The name under which an action saves its result.
pub(super) fn saved(field: &Field<'_>) -> Option<String> {
    let entries = field.entries();
    let save = entries.iter().find(|entry| entry.name == "save");
    let save = save.and_then(|save| save.text().map(str::to_owned));
    save.or_else(|| (field.name == "model").then(|| "model".to_owned()))
}

/// Whether a name may stand for a result or an answer.
pub(crate) fn is_root(name: &str) -> bool {
    const SHADOWED: [&str; 8] = [
        "order", "location", "card", "form", "product", "error", "ad", "button",
    ];
    let mut characters = name.chars();
    let first = characters.next();
    first.is_some_and(|first| first.is_ascii_lowercase())
        && characters.all(|character| {
            character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_'
        })
        && (SHADOWED.contains(&name) || template::groups().all(|group| group != name))
}

fn model<'d>(
    reader: &mut Reader<'_>,
    field: &Field<'d>,
    known: Symbols<'_>,
    chooses: &mut Vec<Text<'d>>,
) -> Option<ModelTemplate> {
    let table = reader.table(field, &MODEL_KEYS)?;
    let choose = or_default(table.get("choose"), |field| reader.strings(&field));
    let prompt = optional(table.get("prompt"), |field| {
        let text = reader.string(&field)?;
        text::literal(reader, &text, known)
    });
    if table.get("choose").is_none() && table.get("prompt").is_none() && !table.has_unknown() {
        let message = "a model needs a `prompt`, or rules to `choose` from";
        let help = "write `prompt = \"Answer questions about our bakery. …\"`";
        return reader.refuse(codes::MISSING_KEY, &table.span, message, help);
    }
    let save = optional(table.get("save"), |field| save(reader, &field));
    let max_tokens = optional(table.get("max_tokens"), |field| {
        reader.number(&field, &(1..=MODEL_TOKENS_MAX))
    });
    let timeout = optional(table.get("timeout"), |field| {
        at_most(reader, &field, ACTION_TIMEOUT_MAX)
    });
    let choose = choose?;
    let rules = choose.iter().map(|text| RuleId::parse(text.value));
    let rules: Option<Vec<RuleId>> = rules.collect();
    chooses.extend(choose);
    Some(ModelTemplate {
        choose: rules?,
        prompt: prompt.ok()?,
        save: save.ok()?.unwrap_or_else(|| "model".to_owned()),
        max_tokens: max_tokens.ok()?.unwrap_or(MODEL_TOKENS),
        timeout: timeout.ok()?.unwrap_or(MODEL_TIMEOUT),
    })
}
