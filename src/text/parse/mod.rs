//! Readers of answers in natural language: dates, times, numbers, addresses.
//!
//! Careful rather than clever: an ambiguous text gives no value, and the question is asked again.

mod dates;
mod email;
mod numbers;
mod numeric_dates;
mod phone;
mod times;
mod tokens;

use crate::text::normalize;

pub use email::read_email;
pub use phone::{PhoneError, dialled_digits, read_international, read_phone};

/// Replaces the digits of every script by 0 to 9, and full-width signs by plain ones.
#[must_use]
pub fn western(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization as _;
    let digits = |character| normalize::digit(character).unwrap_or(character);
    let text: String = text.nfkc().map(digits).collect();
    // The Arabic marks for decimals and thousands.
    text.replace('\u{66b}', ".").replace('\u{66c}', ",")
}

#[cfg(test)]
mod tests;
