//! Readers of answers in natural language: dates, times, numbers, addresses.
//!
//! An answer is taken only when every word of it is explained, as a part of the value or as one that
//! adds nothing (`grammar`), and when all explanations give one value. Otherwise the question is
//! asked again.

mod answer;
mod dates;
mod dictionary;
mod email;
mod grammar;
mod numbers;
mod numeric_dates;
mod phone;
mod phrases;
mod reading;
mod times;
mod tokens;

use crate::text::normalize;

pub use email::read_email;
pub use phone::{PhoneError, dialled_digits, read_international, read_phone};
pub use phrases::{Consent, Place, is_command};

/// Replaces the digits of every script by 0 to 9, and full-width signs by plain ones.
#[must_use]
pub fn western(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization as _;
    let digits = |character| normalize::digit(character).unwrap_or(character);
    let text: String = text.nfkc().map(digits).collect();
    // The Arabic marks for decimals and thousands, and the vowels of Thai and Lao that NFKC takes
    // apart.
    text.replace('\u{66b}', ".")
        .replace('\u{66c}', ",")
        .replace("\u{e4d}\u{e32}", "\u{e33}")
        .replace("\u{ecd}\u{eb2}", "\u{eb3}")
}

#[cfg(test)]
mod tests;
