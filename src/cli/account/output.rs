//! What the commands that manage the account share: lists of several pages, problems, confirmation.

use std::io;

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::Value;

use super::session::Session;
use crate::cli::terminal;
use crate::cli::terminal::{BAD, GOOD, Hint, WARN, paint};
use crate::whatsapp::account_api;
use crate::whatsapp::account_api::{Checked, Pages, Problem};
use crate::whatsapp::api_call::Call;

/// Every row of a list, page by page; `None` with `--dry-run`, which shows the call for the first
/// page.
pub(crate) async fn all_rows(
    session: &Session,
    page: impl Fn(Option<&str>) -> Call,
) -> anyhow::Result<Option<Vec<Value>>> {
    let (mut pages, mut after, mut rows) = (Pages::default(), None, Vec::new());
    loop {
        let Some(answer) = session.call(&page(after.as_deref())).await? else {
            return Ok(None);
        };
        rows.extend(account_api::rows(&answer));
        after = pages.next(&answer).map_err(|error| Hint {
            message: error.to_string(),
            hint: "this is not how Graph answers: check gateway.base_url".to_owned(),
        })?;
        if after.is_none() {
            return Ok(Some(rows));
        }
    }
}

/// The call, with its warnings told; or every problem as one error.
pub(crate) fn checked(what: &str, checked: Result<Checked, Vec<Problem>>) -> anyhow::Result<Call> {
    match checked {
        Ok(checked) => {
            for warning in &checked.warnings {
                let warning = terminal::one_line(&warning.to_string());
                terminal::note(format_args!("{} {warning}", paint(WARN, "warning:")));
            }
            Ok(checked.call)
        }
        Err(problems) => {
            let lines: Vec<String> = problems
                .iter()
                .map(|problem| format!("\n  {}", terminal::one_line(&problem.to_string())))
                .collect();
            Err(Hint {
                message: format!("{what} is not what WhatsApp takes{}", lines.concat()),
                hint: "mend this and try again; nothing was sent".to_owned(),
            }
            .into())
        }
    }
}

/// Whether to do what cannot be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consent {
    /// `--yes`.
    Given,
    /// It must be asked for.
    Asked,
}

impl Consent {
    /// Asks, unless it was given.
    pub(crate) fn obtain(self, what: &str) -> anyhow::Result<()> {
        if self == Self::Given {
            return Ok(());
        }
        if !terminal::can_ask() {
            return Err(Hint {
                message: format!("nobody is there to confirm it: {what}"),
                hint: "say --yes when you mean it".to_owned(),
            }
            .into());
        }
        terminal::prompt(format_args!("{}. Go on? [y/N] ", terminal::one_line(what)));
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        if matches!(answer.trim(), "y" | "Y" | "yes" | "Yes") {
            return Ok(());
        }
        anyhow::bail!("nothing was changed")
    }
}

/// A word of Meta's in the colour of what it means.
pub(crate) fn coloured(word: &str) -> String {
    let style = match word {
        "APPROVED" | "ACTIVE" | "CONNECTED" | "VERIFIED" | "GREEN" => GOOD,
        "REJECTED" | "DISABLED" | "FAILED" | "RED" | "BANNED" | "DECLINED" => BAD,
        "PENDING" | "PAUSED" | "YELLOW" | "FLAGGED" | "IN_APPEAL" | "PENDING_DELETION"
        | "PENDING_REVIEW" | "LIMIT_EXCEEDED" | "ARCHIVED" | "RESTRICTED" => WARN,
        _ => return terminal::one_line(word),
    };
    paint(style, word)
}

/// Lines of a name and a value, without those that have no value.
pub(crate) fn pairs(pairs: &[(&str, String)]) -> String {
    let there = || pairs.iter().filter(|(_, value)| !value.is_empty());
    let width = there().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines: Vec<String> = there()
        .map(|(name, value)| {
            // A value of several lines stays in its column.
            let value = value.replace('\n', &format!("\n  {:width$}  ", ""));
            format!("  {name:width$}  {value}")
        })
        .collect();
    lines.join("\n")
}

/// A table without lines. Words of Meta's get their colour when it is laid out: it takes a colour
/// for letters.
pub(crate) fn table<const N: usize>(header: [&str; N], rows: &[[String; N]]) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(header);
    // One line for each row, whatever a name holds.
    table.add_rows(
        rows.iter()
            .map(|row| row.each_ref().map(|cell| terminal::one_line(cell))),
    );
    let words = |line: &str| line.split(' ').map(coloured).collect::<Vec<_>>().join(" ");
    let laid_out = table.trim_fmt();
    laid_out.lines().map(words).collect::<Vec<_>>().join("\n")
}
