//! E-mail addresses and phone numbers.

use std::sync::LazyLock;

use regex::Regex;

use super::{phone_plans, western};

/// Largest number of bytes of an address (RFC 5321 allows a path of 256 with its brackets).
const EMAIL_MAX: usize = 254;

/// Number of words that may stand beside a phone number; with more, the number may be anything.
const WORDS_BESIDE: usize = 6;

static EMAIL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"[^\s@<>()\[\]{},;:"“”„«»]+@[^\s@<>()\[\]{},;:"“”„«»]+"#)
        .expect("the pattern is fixed")
});

/// Finds the only e-mail address in a text. The part before the `@` is kept as written.
#[must_use]
pub fn read_email(text: &str) -> Option<String> {
    let text = western(text);
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

/// Reads a phone number as digits with the country's code, without a plus. A number without a code
/// belongs to `home_country` (ISO 3166) if it has as many digits as numbers there.
#[must_use]
pub fn read_phone(text: &str, home_country: Option<&str>) -> Option<String> {
    static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\(?\+?\(?\d[\d\s().\-/\u{2010}-\u{2015}]*\d").expect("the pattern is fixed")
    });
    static DATE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^(?:\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})|\d{4}[./-]\d{1,2}[./-]\d{1,2})$")
            .expect("the pattern is fixed")
    });
    let text = western(text);
    let mut matches = NUMBER.find_iter(&text);
    let (Some(first), None) = (matches.next(), matches.next()) else {
        return None;
    };
    let written = first.as_str();
    let (before, behind) = (&text[..first.start()], &text[first.end()..]);
    // A digit left over, a code like A123, a price.
    let part = |character: char| character.is_alphanumeric() || "+#$€£%@*".contains(character);
    let is_part = before.ends_with(part) || behind.starts_with(part);
    let rest = [before, behind].concat();
    let words = rest.split_whitespace();
    let words = words
        .filter(|word| word.contains(char::is_alphanumeric))
        .count();
    let digits_left = rest.contains(|character: char| character.is_ascii_digit());
    if is_part || digits_left || words > WORDS_BESIDE || DATE.is_match(written) {
        return None;
    }
    let digits: String = written.chars().filter(char::is_ascii_digit).collect();
    if written.contains('+') {
        // A zero in brackets is dialled inside the country only: +49 (0) 170.
        let without = written.replacen("(0)", "", 1);
        let digits: String = without.chars().filter(char::is_ascii_digit).collect();
        return phone_plans::is_international(&digits).then_some(digits);
    }
    if let Some(rest) = phone_plans::behind_prefix(&digits, home_country) {
        return phone_plans::is_international(rest).then(|| rest.to_owned());
    }
    let whole = phone_plans::whole(&digits, home_country?)?;
    phone_plans::is_international(&whole).then_some(whole)
}
