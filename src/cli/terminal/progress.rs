//! Progress of long work: one line on standard error, if that is a terminal.

use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{DIM, GOOD, paint};
use crate::cli::terminal;
use crate::message::media_file::readable;

/// Cells of the bar.
const WIDTH: u64 = 24;
/// Two shapes, so that the bar is seen without colours too.
const FULL: &str = "█";
const EMPTY: &str = "░";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Bytes,
    Things(&'static str),
}

impl Unit {
    fn written(self, count: u64) -> String {
        match self {
            Self::Bytes => readable(count),
            Self::Things(name) => format!("{count} {name}"),
        }
    }
}

/// Progress line; hidden when standard error is not a terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    what: &'static str,
    unit: Unit,
    /// `None` when the total is unknown.
    total: Option<u64>,
    /// Last step shown, so that each step is written once; `None` when hidden.
    shown: Option<AtomicU64>,
}

impl Progress {
    /// Shows nothing yet.
    pub(crate) fn new(what: &'static str, total: Option<u64>) -> Self {
        let shown = std::io::stderr().is_terminal();
        Self {
            what,
            unit: Unit::Bytes,
            total: total.filter(|total| *total > 0),
            shown: shown.then(|| AtomicU64::new(u64::MAX)),
        }
    }

    /// Counts things in place of bytes.
    pub(crate) fn of_things(what: &'static str, things: &'static str, total: u64) -> Self {
        Self {
            unit: Unit::Things(things),
            ..Self::new(what, Some(total))
        }
    }

    pub(crate) fn at(&self, bytes: u64) {
        let Some(shown) = &self.shown else { return };
        let step = self.step(bytes);
        if shown.swap(step, Ordering::Relaxed) != step {
            terminal::over(self.text(bytes));
        }
    }

    pub(crate) fn done(&self) {
        if self.shown.is_some() {
            terminal::over("");
        }
    }

    /// Step of the display: each percent, or each MB when the total is unknown.
    fn step(&self, bytes: u64) -> u64 {
        match self.total {
            Some(total) => percent(bytes, total),
            None => bytes >> 20,
        }
    }

    fn text(&self, bytes: u64) -> String {
        let what = self.what;
        let Some(total) = self.total else {
            return format!("{what} {}", self.unit.written(bytes));
        };
        let percent = percent(bytes, total);
        let cells =
            |cell: &str, count: u64| cell.repeat(usize::try_from(count).unwrap_or_default());
        let full = percent * WIDTH / 100;
        format!(
            "{what} {}{} {percent:>3} % of {}",
            paint(GOOD, cells(FULL, full)),
            paint(DIM, cells(EMPTY, WIDTH - full)),
            self.unit.written(total)
        )
    }
}

/// Percentage, at most 100, even beyond the total.
fn percent(bytes: u64, total: u64) -> u64 {
    let percent = u128::from(bytes) * 100 / u128::from(total);
    u64::try_from(percent.min(100)).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(total: Option<u64>) -> Progress {
        Progress {
            what: "uploading",
            unit: Unit::Bytes,
            total,
            shown: None,
        }
    }

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn a_bar_fills_up_and_never_runs_over() {
        let bar = progress(Some(4 << 20));

        for (bytes, full, percent) in [(0, 0, "  0"), (2 << 20, 12, " 50"), (9 << 20, 24, "100")] {
            assert_eq!(
                plain(&bar.text(bytes)),
                format!(
                    "uploading {}{} {percent} % of 4 MB",
                    "█".repeat(full),
                    "░".repeat(24 - full)
                )
            );
        }
    }

    #[test]
    fn without_an_end_the_bytes_are_told() {
        assert_eq!(progress(None).text(3 << 20), "uploading 3 MB");
    }

    #[test]
    fn a_line_is_written_for_each_percent_and_not_for_each_chunk() {
        let bar = progress(Some(1000));

        assert_eq!(bar.step(10), bar.step(19));
        assert_ne!(bar.step(19), bar.step(20));
    }
}
