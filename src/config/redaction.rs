//! Masks possible secrets in the text of a configuration, so that excerpts can be shown.
//!
//! Works by permission: only names of keys and the values of keys in [`SHOWN`] stay. A secret may
//! stand anywhere else: under a misspelt key, in a comment, behind a quote that is missing.

use std::ops::Range;

use crate::diagnostics::toml_reader::{Field, Table};

/// Keys whose values are shown. A new key is hidden until it stands here. `webhook.path` is not:
/// its neighbours are secrets, which may be pasted one line off.
const SHOWN: [&str; 28] = [
    "server.listen",
    "server.trusted_proxies",
    "admin.listen",
    "admin.hosts",
    "gateway.preset",
    "gateway.graph_version",
    "gateway.requests_per_second",
    "gateway.timeout",
    "delivery.messages_per_second",
    "delivery.max_in_flight",
    "delivery.lease",
    "delivery.give_up_after",
    "delivery.unknown_wait",
    "media.download",
    "media.folder",
    "media.max_bytes",
    "rules.file",
    "actions.hosts.private",
    "actions.max_bytes",
    "actions.per_host",
    "model.name",
    "model.temperature",
    "model.limit_key",
    "log.format",
    "log.filter",
    "number.phone_number_id",
    "number.waba_id",
    "number.rules",
];

/// Keys that hold addresses, which are shown when no user, password or query stands in them.
const ADDRESSES: [&str; 6] = [
    "database.url",
    "gateway.base_url",
    "gateway.control_url",
    "actions.hosts",
    "actions.hosts.host",
    "model.url",
];

/// Secrets; where one is read from may be shown.
const SECRETS: [&str; 6] = [
    "webhook.app_secrets",
    "webhook.verify_token",
    "gateway.api_key",
    "media.token",
    "model.api_key",
    "actions.hosts.authorization",
];

/// Places of a text that are shown, and of values that are not.
#[derive(Default)]
struct Places {
    shown: Vec<Range<usize>>,
    hidden: Vec<Range<usize>>,
}

/// Replaces each byte that must not be shown by `*`, and comments by blanks; every place stays
/// where it was.
pub(super) fn redacted(text: &str, root: &Table<'_>) -> String {
    let mut places = Places::default();
    for field in root.fields() {
        places.add(&field, field.name);
    }
    let mut shown = String::with_capacity(text.len());
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let named = at..at + known_names(line);
        places.shown.push(named);
        let mut comment = false;
        for character in line.chars() {
            let within = |ranges: &[Range<usize>]| ranges.iter().any(|range| range.contains(&at));
            let bytes = character.len_utf8();
            let hidden = within(&places.hidden);
            let visible = !hidden && within(&places.shown);
            comment |= character == '#' && !hidden && !visible;
            let plain = character.is_ascii_whitespace() || is_mark(character) && !comment;
            if visible || character == '\n' || plain && !hidden {
                shown.push(character);
            } else {
                let blot = if comment { " " } else { "*" };
                shown.push_str(&blot.repeat(bytes));
            }
            at += bytes;
        }
        places.shown.pop();
    }
    shown
}

impl Places {
    fn add(&mut self, field: &Field<'_>, path: &str) {
        self.shown.push(field.key.clone());
        if let Some(elements) = field.elements() {
            for element in elements {
                self.add_value(&element, path);
            }
            return;
        }
        self.add_value(field, path);
    }

    fn add_value(&mut self, field: &Field<'_>, path: &str) {
        if field.is_table() {
            for entry in field.entries() {
                self.add(&entry, &format!("{path}.{}", entry.name));
            }
        } else if field.is_boolean()
            || SHOWN.contains(&path)
            || is_source(path)
            || ADDRESSES.contains(&path) && field.text().is_some_and(is_address)
        {
            self.shown.push(field.span.clone());
        } else {
            // The quotes stay.
            let quote = usize::from(field.is_string());
            self.hidden
                .push(field.span.start + quote..field.span.end - quote);
        }
    }
}

/// Whether the key names where a secret is read from.
fn is_source(path: &str) -> bool {
    let (secret, kind) = path.rsplit_once('.').unwrap_or((path, ""));
    ["env", "file"].contains(&kind) && SECRETS.contains(&secret)
}

/// Whether a text is an address or the name of a host, without a place for a password in it.
fn is_address(text: &str) -> bool {
    let has_host = text.contains("://") || text.starts_with("sqlite:") || text.contains('.');
    has_host && !text.contains(['@', '?'])
}

/// Length of the part of a line that holds a header or a key, when all its names are names of keys:
/// a line that is not TOML has no keys to go by.
fn known_names(line: &str) -> usize {
    let length = line.find(['=', '\n']).unwrap_or(line.len());
    let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let mut names = line[..length].split(|character| !is_name(character));
    let is_known = |name: &str| {
        let mut paths = SHOWN.iter().chain(&ADDRESSES).chain(&SECRETS);
        name.is_empty() || paths.any(|path| path.split('.').any(|part| part == name))
    };
    if names.all(is_known) { length } else { 0 }
}

/// Signs of TOML itself.
fn is_mark(character: char) -> bool {
    matches!(
        character,
        '=' | '[' | ']' | '{' | '}' | ',' | '.' | '"' | '\''
    )
}
