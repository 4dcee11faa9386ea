//! Text in any language: normalization, typing errors, dates, numbers. Knows no rules.

pub mod country;
pub mod fuzzy;
pub mod language;
mod lexicon;
pub mod locale;
pub mod normalize;
pub mod parse;
