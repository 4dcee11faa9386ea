//! Styles of text. Colours vanish by themselves when the output is not a terminal or `NO_COLOR` is
//! set (anstream strips them).

use std::fmt::Display;

use anstyle::{AnsiColor, Color, Style};

/// Headings and results.
pub(crate) const STRONG: Style = Style::new().bold();
/// Secondary details.
pub(crate) const DIM: Style = Style::new().dimmed();
/// Success: done, delivered, open.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// Warnings.
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default().bold();
/// Failures.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Commands, paths and addresses to copy.
pub(crate) const LITERAL: Style = AnsiColor::Cyan.on_default();
/// Black on white, for QR codes.
pub(crate) const PAPER: Style = Style::new()
    .fg_color(Some(Color::Ansi(AnsiColor::Black)))
    .bg_color(Some(Color::Ansi(AnsiColor::BrightWhite)));

pub(crate) fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Formats text from a format string in a style, as [`paint()`] does.
macro_rules! paint_format {
    ($style:expr, $($text:tt)*) => {
        $crate::cli::terminal::paint($style, format_args!($($text)*))
    };
}
pub(crate) use paint_format as paint;
