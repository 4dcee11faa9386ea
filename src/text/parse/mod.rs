//! Readers of answers in natural language: dates, times, numbers, addresses.
//!
//! Careful rather than clever: an ambiguous text gives no value, and the question is asked again.

mod dates;
mod email_and_phone;
mod numbers;
mod numeric_dates;
mod phone_plans;
mod times;
mod tokens;

use crate::text::normalize;

pub use email_and_phone::{read_email, read_phone};

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
