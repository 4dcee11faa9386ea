//! E-mail addresses.

use std::sync::LazyLock;

use regex::Regex;

use super::western;
use crate::text::normalize::is_invisible;

/// Largest number of bytes of an address (RFC 5321 allows a path of 256 with its brackets).
const EMAIL_MAX: usize = 254;

static EMAIL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"[^\s@<>()\[\]{},;:"“”„«»]+@[^\s@<>()\[\]{},;:"“”„«»]+"#)
        .expect("the pattern is fixed")
});

/// Finds the only e-mail address in a text. The part before the `@` is kept as written.
#[must_use]
pub fn read_email(text: &str) -> Option<String> {
    // What nobody sees would make the address another one.
    let is_seen = |character: &char| {
        !is_invisible(*character) && !matches!(character, '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
    };
    let text: String = western(text).chars().filter(is_seen).collect();
    let mut matches = EMAIL.find_iter(&text);
    let (Some(first), None) = (matches.next(), matches.next()) else {
        return None;
    };
    let address = unmarked(first.as_str());
    let (local, domain) = address.rsplit_once('@')?;
    let is_valid = !local.is_empty()
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && is_domain(domain)
        && text.matches('@').count() == 1
        && address.len() <= EMAIL_MAX;
    is_valid.then(|| format!("{local}@{}", domain.to_lowercase()))
}

/// Removes WhatsApp's formatting marks at both ends, and the marks that end a sentence.
fn unmarked(text: &str) -> &str {
    let mut text = text.trim_end_matches(['.', '!', '?']);
    for mark in ['*', '_', '~', '`', '\'', '’', '‘'] {
        let without = text.trim_end_matches(mark);
        if without.len() < text.len() {
            text = without
                .trim_start_matches(mark)
                .trim_end_matches(['.', '!', '?']);
        }
    }
    text.trim_start_matches(['‘', '`'])
}

/// Whether a text is the name of a public host: letters, digits and hyphens, not only a number.
fn is_domain(domain: &str) -> bool {
    let label = |label: &str| {
        let is_valid = |character: char| {
            character.is_alphanumeric()
                || character == '-'
                || unicode_normalization::char::is_combining_mark(character)
        };
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(is_valid)
    };
    let last = domain.rsplit('.').next().unwrap_or_default();
    domain.contains('.')
        && domain.split('.').all(label)
        && last.chars().count() >= 2
        && !last.chars().all(|character| character.is_ascii_digit())
}
