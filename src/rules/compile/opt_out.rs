//! Reads `[opt_out]` and `[opt_in]`: words that end and resume everything.

use super::reply;
use super::text::Symbols;
use super::words;
use crate::diagnostics::optional::or_default;
use crate::diagnostics::toml_reader::{Field, Reader};
use crate::rules::Words;

const KEYS: [&str; 2] = ["words", "reply"];

/// Reads one of the two; `None` when something in it is wrong.
pub(crate) fn read(
    reader: &mut Reader<'_>,
    field: &Field<'_>,
    known: Symbols<'_>,
) -> Option<Words> {
    let table = reader.table(field, &KEYS)?;
    let words = reader.required(&table, "words");
    let words = words.and_then(|field| words::read(reader, &field));
    let replies = or_default(table.get("reply"), |field| {
        reply::read(reader, &field, known).templates
    });
    Some(Words {
        words: words?,
        replies: replies?,
    })
}
