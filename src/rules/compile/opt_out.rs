//! Reads `[opt_out]` and `[opt_in]`: words that end and resume everything.

use super::reply;
use super::text::Symbols;
use super::words;
use crate::diagnostics::codes;
use crate::diagnostics::optional::or_default;
use crate::diagnostics::toml_reader::{Field, Reader};
use crate::rules::{OptOutScope, Words};

/// Reads one of the two; `None` when something in it is wrong. Only `[opt_out]` has a `scope`.
pub(crate) fn read(
    reader: &mut Reader<'_>,
    field: &Field<'_>,
    known: Symbols<'_>,
) -> Option<Words> {
    let keys: &[&str] = match field.name {
        "opt_out" => &["words", "reply", "scope"],
        _ => &["words", "reply"],
    };
    let table = reader.table(field, keys)?;
    let scope = or_default(table.get("scope"), |field| scope(reader, &field));
    let words = reader.required(&table, "words");
    let words = words.and_then(|field| words::read(reader, &field));
    let replies = or_default(table.get("reply"), |field| {
        reply::read(reader, &field, known).templates
    });
    Some(Words {
        words: words?,
        replies: replies?,
        scope: scope?,
    })
}

fn scope(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<OptOutScope> {
    let text = reader.string(field)?;
    match text.value {
        "all" => Some(OptOutScope::All),
        "number" => Some(OptOutScope::Number),
        _ => {
            let message = "`scope` is `all` or `number`".to_owned();
            let help = "`all`: an opt-out holds for all your numbers; `number`: for the one it was sent to";
            reader.error(codes::VALUE, &text.span, message, help);
            None
        }
    }
}
