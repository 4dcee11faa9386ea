//! Tables, and lists of names and values, without lines.

use comfy_table::Table;
use comfy_table::presets::NOTHING;

use super::style::{BAD, GOOD, WARN, paint};
use super::untrusted_text::one_line;

/// Colours a status word of Meta's by its meaning.
pub(crate) fn coloured(word: &str) -> String {
    let style = match word {
        "APPROVED" | "ACTIVE" | "CONNECTED" | "VERIFIED" | "GREEN" => GOOD,
        "REJECTED" | "DISABLED" | "FAILED" | "RED" | "BANNED" | "DECLINED" => BAD,
        "PENDING" | "PAUSED" | "YELLOW" | "FLAGGED" | "IN_APPEAL" | "PENDING_DELETION"
        | "PENDING_REVIEW" | "LIMIT_EXCEEDED" | "ARCHIVED" | "RESTRICTED" => WARN,
        _ => return one_line(word),
    };
    paint(style, word)
}

/// Formats one line per name and value; leaves out empty values.
pub(crate) fn pairs(pairs: &[(&str, String)]) -> String {
    let present = || pairs.iter().filter(|(_, value)| !value.is_empty());
    let width = present().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines: Vec<String> = present()
        .map(|(name, value)| {
            // Further lines of a value stay in its column.
            let value = value.replace('\n', &format!("\n  {:width$}  ", ""));
            format!("  {name:width$}  {value}")
        })
        .collect();
    lines.join("\n")
}

/// Formats a table. Cells must be safe to show.
pub(crate) fn plain<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(header);
    table.add_rows(rows);
    table.trim_fmt()
}

/// Formats a table of untrusted cells, one line per row, with Meta's status words coloured. Colours
/// come last, because the layout counts them as letters.
pub(crate) fn statuses<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let rows = rows.into_iter();
    let table = plain(header, rows.map(|row| row.map(|cell| one_line(&cell))));
    let words = |line: &str| line.split(' ').map(coloured).collect::<Vec<_>>().join(" ");
    table.lines().map(words).collect::<Vec<_>>().join("\n")
}
