//! Phone numbers, by the metadata of Google's libphonenumber: in a contact's text, where the
//! contact's country is known, and as an operator types them, where no country may be assumed.
//!
//! Patterns are compiled at the first number of each country (tens of milliseconds), so nothing
//! here is called for every message.

use std::sync::LazyLock;

use regex::Regex;
use rlibphonenumber::phonenumber_matcher::FindNumberExt as _;
use rlibphonenumber::{
    CountryCodeSource, NumberLengthType, PHONE_NUMBER_UTIL, ParseError, PhoneNumber,
    PhoneNumberFormat, Region, ValidationError,
};

use super::western;
use crate::text::normalize;

/// Smallest number of digits, with the country code, of a number that a contact gives; shorter ones
/// are services within a country.
const DIGITS_MIN: usize = 7;
/// Number of words that may stand beside a phone number; with more, the number may be anything.
const WORDS_BESIDE: usize = 6;
/// Calling code of North America, where every number has ten digits, so that a number is known by
/// its length.
const NORTH_AMERICA: i32 = 1;
/// Digits of a Mexican number behind the country code.
const MEXICAN_DIGITS: usize = 10;
/// A zero that is dialled only within the country: `+49 (0) 170 …`.
const BRACKETED_ZERO: &str = "(0)";

/// Reason why a text is no phone number that can be dialled from every country.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    /// The text holds something else than a number.
    #[error("this is not a phone number")]
    NotANumber,
    /// The number begins with neither `+` nor `00`, so its country is unknown.
    #[error("the phone number has no country code")]
    NoCountryCode {
        /// Numbers that may be meant, as `+` and digits; at most two.
        readings: Vec<String>,
    },
    /// No country has the calling code.
    #[error("the phone number begins with the code of no country")]
    UnknownCountryCode,
    /// Numbers of the country have more digits.
    #[error("the phone number has too few digits for its country")]
    TooShort,
    /// Numbers of the country have fewer digits.
    #[error("the phone number has too many digits for its country")]
    TooLong,
    /// Numbers of the country have fewer digits or more.
    #[error("no phone number of its country has this many digits")]
    OtherLength,
    /// The number belongs to North America, but not its area code.
    #[error("no area code of North America begins with 0 or 1")]
    UnknownAreaCode,
}

/// Reads a phone number with its country code as digits without a plus; `+` or `00` must come
/// first. Zeros that are dialled only within a country are left out.
///
/// The length must be one that numbers of the country have. Whether the number is assigned is not
/// checked: metadata lags behind the world, and test numbers are assigned to nobody.
///
/// # Errors
/// Every variant of [`PhoneError`].
pub fn read_international(text: &str) -> Result<String, PhoneError> {
    let text = plain(text);
    let text = text.trim();
    let digits = dialled_digits(text).ok_or(PhoneError::NotANumber)?;
    let Some(whole) = international(text) else {
        let readings = readings(&digits);
        return Err(PhoneError::NoCountryCode { readings });
    };
    if is_mexican_mobile(&whole) {
        return Ok(whole.trim_start_matches('+').to_owned());
    }
    let whole = parse(&whole, None)?;
    // Italy dials the zero from abroad too, so that the brackets alone do not decide.
    let has_brackets = text.contains(BRACKETED_ZERO);
    let shorter = if has_brackets {
        let shorter = international(&text.replacen(BRACKETED_ZERO, "", 1));
        shorter.and_then(|digits| parse(&digits, None).ok())
    } else {
        without_zero(&whole)
    };
    let candidates = match shorter {
        Some(shorter) if has_brackets => vec![shorter, whole],
        Some(shorter) => vec![whole, shorter],
        None => vec![whole],
    };
    let valid = candidates.iter().find(|number| number.is_valid());
    let number = valid.unwrap_or(&candidates[0]);
    check(number)?;
    Ok(digits_of(number))
}

/// Finds the only phone number in a contact's text and returns its digits with the country's code,
/// without a plus. A number without a code belongs to `home_country` (ISO 3166) if it is dialled
/// like this there.
#[must_use]
pub fn read_phone(text: &str, home_country: Option<&str>) -> Option<String> {
    let text = plain(text);
    let written = only_number(&text)?;
    if written.contains('+') {
        return read_international(written).ok();
    }
    let home = home_country.and_then(|country| Region::try_from(country).ok());
    let digits = match home.and_then(|home| dialled_at(home, written)) {
        Some(number) => Some(digits_of(&number)),
        // Two zeros are understood everywhere.
        None => read_international(written).ok(),
    };
    digits.filter(|digits| digits.len() >= DIGITS_MIN)
}

/// Replaces digits of every script by 0 to 9, and drops characters that nobody sees: addresses copied
/// from a phone's contacts are often wrapped in marks of direction.
fn plain(text: &str) -> String {
    western(text).replace(normalize::is_invisible, "")
}

/// Finds the only run of digits in a text that can be a phone number, and no date, price or code.
fn only_number(text: &str) -> Option<&str> {
    static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\(?\+?\(?\d[\d\s().\-/\u{2010}-\u{2015}]*\d").expect("the pattern is fixed")
    });
    static DATE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^(?:\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})|\d{4}[./-]\d{1,2}[./-]\d{1,2})$")
            .expect("the pattern is fixed")
    });
    let mut matches = NUMBER.find_iter(text);
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
    let is_other = is_part || digits_left || words > WORDS_BESIDE || DATE.is_match(written);
    (!is_other).then_some(written)
}

/// Extracts the digits of a text that is nothing but a number; `None` for any other text.
#[must_use]
pub fn dialled_digits(text: &str) -> Option<String> {
    let text = plain(text);
    let is_mark = |character: char| {
        character.is_whitespace()
            || "().-/".contains(character)
            || ('\u{2010}'..='\u{2015}').contains(&character)
    };
    let rest = text.trim().trim_start_matches('(');
    let rest = rest.strip_prefix('+').unwrap_or(rest);
    let is_number = |character: char| character.is_ascii_digit() || is_mark(character);
    if !rest.chars().all(is_number) {
        return None;
    }
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    (!digits.is_empty()).then_some(digits)
}

/// Returns a number that begins with `+` or `00` as `+` and digits.
fn international(text: &str) -> Option<String> {
    let digits = dialled_digits(text)?;
    let rest = if text.contains('+') {
        digits.as_str()
    } else {
        digits.strip_prefix("00")?
    };
    Some(format!("+{rest}"))
}

/// Whether a number is a Mexican mobile number with the 1 behind the country code that was abolished
/// in 2019: `WhatsApp` still writes many of them so.
fn is_mexican_mobile(number: &str) -> bool {
    let national = number.strip_prefix("+521");
    national.is_some_and(|national| {
        parse(&format!("+52{national}"), None).is_ok_and(|number| check(&number).is_ok())
            && national.len() == MEXICAN_DIGITS
    })
}

fn parse(digits: &str, region: Option<Region>) -> Result<PhoneNumber, PhoneError> {
    PHONE_NUMBER_UTIL
        .parse(digits, region)
        .map_err(|error| match error {
            ParseError::InvalidCountryCode => PhoneError::UnknownCountryCode,
            ParseError::TooShortAfterIdd | ParseError::TooShortNsn => PhoneError::TooShort,
            ParseError::TooLongNsn => PhoneError::TooLong,
            ParseError::NotANumber(_) => PhoneError::NotANumber,
        })
}

fn digits_of(number: &PhoneNumber) -> String {
    let written = number.format_as(PhoneNumberFormat::E164);
    written.trim_start_matches('+').to_owned()
}

fn check(number: &PhoneNumber) -> Result<(), PhoneError> {
    if number.country_code == NORTH_AMERICA
        && number
            .get_national_significant_number()
            .starts_with(['0', '1'])
    {
        return Err(PhoneError::UnknownAreaCode);
    }
    match number.is_possible_with_reason() {
        Ok(NumberLengthType::IsPossible) => Ok(()),
        Ok(NumberLengthType::IsPossibleLocalOnly) | Err(ValidationError::TooShort) => {
            Err(PhoneError::TooShort)
        }
        Err(ValidationError::TooLong) => Err(PhoneError::TooLong),
        Err(ValidationError::InvalidLength) => Err(PhoneError::OtherLength),
        Err(ValidationError::InvalidCountryCode) => Err(PhoneError::UnknownCountryCode),
    }
}

/// Returns a number without a zero behind its country code, if it has one.
fn without_zero(number: &PhoneNumber) -> Option<PhoneNumber> {
    let national = number.get_national_significant_number();
    let rest = national.strip_prefix('0')?;
    parse(&format!("+{}{rest}", number.country_code), None).ok()
}

/// Returns numbers that may be meant by digits without a country code: with the code in front, and
/// as a number of North America, whose owners are used to leave it out.
fn readings(digits: &str) -> Vec<String> {
    let with_code = parse(&format!("+{digits}"), None).ok();
    let with_code = with_code.filter(|number| check(number).is_ok());
    let region = Region::try_from("US").ok();
    let american = parse(digits, region).ok().filter(PhoneNumber::is_valid);
    let numbers = with_code.into_iter().chain(american);
    let mut readings: Vec<String> = numbers
        .map(|number| format!("+{}", digits_of(&number)))
        .collect();
    readings.dedup();
    readings
}

/// Reads a number as it is dialled in a country.
///
/// Outside North America, a number without its country's code must be assigned and have the trunk
/// prefix where that must not be left out, since other digits (an order, a customer) are long
/// numbers too.
fn dialled_at(home: Region, written: &str) -> Option<PhoneNumber> {
    let digits = dialled_digits(written)?;
    let number = PHONE_NUMBER_UTIL.parse_and_keep_raw_input(&digits, Some(home));
    let number = number.ok()?;
    let home_code = number.country_code;
    let number = Some(number).filter(|number| check(number).is_ok());
    let number = number.filter(|number| {
        let is_enough = number.country_code_source() != CountryCodeSource::FromDefaultCountry
            || number.country_code == NORTH_AMERICA;
        let is_complete = || {
            let mut matches = digits.find_phone_numbers_with_preferred_region(home);
            matches.any(|written| written.raw_string == digits)
        };
        is_enough || is_complete()
    });
    // With the country's code but no plus, as WhatsApp shows it.
    let with_code = || {
        let number = parse(&format!("+{digits}"), None).ok();
        number.filter(|number| number.country_code == home_code && number.is_valid())
    };
    number.or_else(with_code)
}
