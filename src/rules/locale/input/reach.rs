//! E-mail addresses and phone numbers.

use std::sync::LazyLock;

use regex::Regex;

use super::western;
use crate::rules::locale::country;

/// Bytes of an address (RFC 5321 allows a path of 256 with its brackets).
const EMAIL_MAX: usize = 254;

/// Digits of a phone number with its country, by ITU-T E.164.
const PHONE: std::ops::RangeInclusive<usize> = 7..=15;

static EMAIL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[^\s@<>(),;:]+@[^\s@<>(),;:]+\.[^\s@<>(),;:.]{2,}").expect("the pattern is fixed")
});

/// Finds the one e-mail address in a text. The part before the `@` is kept as written, because its owner knows best.
#[must_use]
pub fn read_email(text: &str) -> Option<String> {
    let mut found = EMAIL.find_iter(text);
    let (Some(first), None) = (found.next(), found.next()) else {
        return None;
    };
    let address = first.as_str().trim_end_matches(['.', '!', '?', '"', '\'']);
    let (local, domain) = address.rsplit_once('@')?;
    let sound = !local.starts_with('.')
        && !local.ends_with('.')
        && !domain.starts_with(['.', '-'])
        && !domain.contains("..")
        && domain.contains('.')
        && text.matches('@').count() == 1
        && address.len() <= EMAIL_MAX;
    sound.then(|| format!("{local}@{}", domain.to_lowercase()))
}

/// Reads a phone number as digits with the country's code, without a plus. A number without a country is one of
/// `own_country` (ISO 3166), when that is known.
#[must_use]
pub fn read_phone(text: &str, own_country: Option<&str>) -> Option<String> {
    static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\+?\(?\d[\d\s().\-/\u{2010}-\u{2015}]*\d").expect("the pattern is fixed")
    });
    let text = western(text);
    let mut found = NUMBER.find_iter(&text);
    let (Some(first), None) = (found.next(), found.next()) else {
        return None;
    };
    let written = first.as_str();
    let digits: String = written.chars().filter(char::is_ascii_digit).collect();
    let whole = if written.starts_with('+') {
        // A zero in brackets is dialled inside the country only: +49 (0) 170.
        let without = written.replacen("(0)", "", 1);
        without.chars().filter(char::is_ascii_digit).collect()
    } else if let Some(rest) = digits.strip_prefix("00") {
        rest.to_owned()
    } else {
        let code = country::calling_code(own_country?)?;
        // A national number with its country's code in front, as WhatsApp shows it.
        let has_code = digits.starts_with(code) && digits.len() > 10 && !digits.starts_with('0');
        if has_code {
            digits
        } else if code == "39" {
            // Italy keeps the zero.
            format!("{code}{digits}")
        } else {
            format!("{code}{}", digits.strip_prefix('0').unwrap_or(&digits))
        }
    };
    let known = PHONE.contains(&whole.len()) && !whole.starts_with('0');
    known.then_some(whole)
}
