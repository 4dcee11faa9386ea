//! Phone numbers that a person types on the command line, and the advice when one is refused.

use crate::cli::terminal::Hint;
use crate::text::parse::{PhoneError, dialled_digits, read_international};

/// Example in advice; nobody has the number.
pub(crate) const EXAMPLE: &str = "+15550001111";

/// Digits at the end of a number by which it may be looked up; fewer are the id of a conversation.
const LOOKED_UP_DIGITS_MIN: usize = 6;

/// Describes a refused phone number, with the spelling to write instead.
pub(crate) fn refusal(error: &PhoneError) -> anyhow::Error {
    let hint = match error {
        PhoneError::NotANumber => format!("write it with its country code, like {EXAMPLE}"),
        PhoneError::NoCountryCode { readings } if readings.is_empty() => {
            format!(
                "write + and the country's code in place of the zero for calls at home, like {EXAMPLE}"
            )
        }
        PhoneError::NoCountryCode { readings } => {
            let readings = readings.join(" or ");
            format!("write {readings} if it is that number; + and the country's code come first")
        }
        PhoneError::UnknownCountryCode => {
            format!("write + and the code of its country first, like {EXAMPLE}")
        }
        PhoneError::TooShort
        | PhoneError::TooLong
        | PhoneError::OtherLength
        | PhoneError::UnknownAreaCode => {
            "check its digits, and that the country's code comes first".to_owned()
        }
    };
    Hint::error(error.to_string(), hint)
}

/// Reads the number of a contact as WhatsApp writes it: with `+` or `00` in front, or digits that
/// begin with the country's code.
pub(crate) fn read_contact(text: &str) -> anyhow::Result<String> {
    match read_international(text) {
        Ok(digits) => Ok(digits),
        Err(error @ PhoneError::NoCountryCode { .. }) => {
            let digits = dialled_digits(text).filter(|digits| !digits.starts_with('0'));
            digits.ok_or_else(|| refusal(&error))
        }
        Err(error) => Err(refusal(&error)),
    }
}

/// Returns the digits by which the contact with a phone number is looked up; a number dialled at
/// home lacks only its zero. Any other text is returned as it is.
pub(crate) fn search_term(text: &str) -> String {
    let national = || {
        let digits = dialled_digits(text)?;
        let national = digits.trim_start_matches('0');
        let is_national = national.len() < digits.len() && national.len() >= LOOKED_UP_DIGITS_MIN;
        is_national.then(|| national.to_owned())
    };
    let international = read_international(text).ok();
    international
        .or_else(national)
        .unwrap_or_else(|| text.to_owned())
}
