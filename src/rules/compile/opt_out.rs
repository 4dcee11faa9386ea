//! Reads `[opt_out]` and `[opt_in]`: words that end and resume everything.

use super::reply;
use super::text::Symbols;
use crate::diagnostics::toml_reader::{Field, Reader};
use crate::rules::Words;

const KEYS: [&str; 2] = ["words", "reply"];

/// Reads one of the two; `None` when something in it is wrong.
#[expect(
    clippy::option_option,
    reason = "the outer one is for what is wrong, the inner one for what is not there"
)]
pub(crate) fn read(
    reader: &mut Reader<'_>,
    field: Option<&Field<'_>>,
    known: Symbols<'_>,
) -> Option<Option<Words>> {
    let Some(field) = field else {
        return Some(None);
    };
    let table = reader.table(field, &KEYS)?;
    let words = reader.required(&table, "words");
    let words = words.and_then(|field| reader.phrases(&field));
    let replies = match table.get("reply") {
        Some(field) => reply::read(reader, &field, known).templates,
        None => Some(Vec::new()),
    };
    Some(Some(Words {
        words: words?,
        replies: replies?,
    }))
}
