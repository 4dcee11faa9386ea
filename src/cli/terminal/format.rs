//! The two forms of a result: text for people, JSON for programs (`--json`).

use std::fmt::Display;

use serde_json::Value;

use super::output::{json_line, line, note};

/// Form in which a command prints its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    /// One JSON object a line.
    Json,
}

impl Format {
    /// Reads the flag `--json`.
    pub(crate) fn from_flag(json: bool) -> Self {
        if json { Self::Json } else { Self::Text }
    }

    /// Prints one result, as JSON or as a line of text.
    pub(crate) fn print(self, json: &Value, text: impl Display) {
        match self {
            Self::Text => line(text),
            Self::Json => json_line(json),
        }
    }

    /// Prints rows: each as JSON, or all as the text of `table`; the note `empty` in place of an
    /// empty table.
    pub(crate) fn print_rows<R>(
        self,
        rows: &[R],
        json: impl Fn(&R) -> Value,
        empty: &str,
        table: impl FnOnce() -> String,
    ) {
        if self == Self::Json {
            for row in rows {
                json_line(&json(row));
            }
        } else if rows.is_empty() {
            note(empty);
        } else {
            line(table());
        }
    }
}
