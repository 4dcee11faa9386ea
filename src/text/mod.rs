//! Text in any language: normalization, typing errors, dates, numbers, answers of language models.
//! Knows no rules.

pub mod country;
pub mod fuzzy;
pub mod language;
mod lexicon;
pub mod locale;
mod markdown;
pub mod model_answer;
pub mod normalize;
pub mod parse;
