//! Untrusted text, made safe to show: it cannot imitate replyd's own output. Every command that
//! prints text from outside shows it through this module.
//!
//! A contact, Meta, a gateway or a file may put anything into a text: line breaks that begin a new
//! line, codes that move the cursor, characters that are invisible or reverse a line. So:
//!
//! - Invisible characters are written out: `<U+202E>`; ASCII controls are shown as their pictures:
//!   `␛`. That holds for controls, format characters, line and paragraph separators, private use,
//!   unassigned code points and everything default-ignorable. They stay where text needs them:
//!   joiners inside an emoji and between the letters of scripts that join, the variation selector
//!   of an emoji or an ideograph, the flags of England, Scotland and Wales.
//! - Text that runs from right to left stays as it is: without overrides it keeps to its own line.
//! - More than [`MARKS_MAX`] marks on one letter are counted instead of shown.
//! - Each line of a text has a bar, `›` for the contact and `│` for the business, also where the
//!   text is wrapped at the width of the terminal. A name is one line without these signs, and is
//!   cut.
//!
//! For programs there is `--json`, which has every text exactly.

use std::fmt::Write as _;
use std::sync::LazyLock;

use anstyle::Style;
use regex_syntax::hir::{Class, HirKind};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use super::paint;
use crate::cli::terminal;
use crate::message::counted;

/// The longest name, in columns.
const NAME_COLUMNS_MAX: usize = 32;
/// Maximum number of marks shown on one letter: no script needs more.
const MARKS_MAX: usize = 8;
/// Minimum width of a terminal in columns; a smaller reported width counts as this.
const COLUMNS_MIN: usize = 20;
/// Stands where a line ended, in texts that are shown in one line.
const LINE_END: &str = " ⏎ ";

/// Prefix of each line of a contact's text except the first, which has the contact's name before
/// the same sign.
pub(crate) const CONTACT: &str = "  › ";
/// Prefix of each line of an outbound text.
pub(crate) const BUSINESS: &str = "  │ ";

/// Characters that are invisible or change the look of their neighbours.
static HIDDEN: LazyLock<Characters> =
    LazyLock::new(|| class(r"\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}"));
static MARK: LazyLock<Characters> = LazyLock::new(|| class(r"\p{M}"));
static PICTOGRAPH: LazyLock<Characters> = LazyLock::new(|| class(r"\p{Extended_Pictographic}"));
static HAN: LazyLock<Characters> = LazyLock::new(|| class(r"\p{Han}"));
static MONGOLIAN: LazyLock<Characters> = LazyLock::new(|| class(r"\p{Mongolian}"));
/// Scripts that spell with joiners, or with their opposite.
static JOINING: LazyLock<Characters> = LazyLock::new(|| {
    class(
        r"\p{Arabic}\p{Syriac}\p{Nko}\p{Mongolian}\p{Devanagari}\p{Bengali}\p{Gurmukhi}\p{Gujarati}\p{Oriya}\p{Tamil}\p{Telugu}\p{Kannada}\p{Malayalam}\p{Sinhala}\p{Tibetan}\p{Myanmar}\p{Khmer}",
    )
});

/// The flags that are spelled with tag characters: England, Scotland, Wales.
const TAGGED_FLAGS: [&str; 3] = [
    "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
    "\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
    "\u{1f3f4}\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}",
];

/// A set of characters, as ranges in order.
struct Characters(Vec<(char, char)>);

fn class(members: &str) -> Characters {
    let parsed = regex_syntax::parse(&format!("[{members}]")).expect("Unicode has these classes");
    let HirKind::Class(Class::Unicode(class)) = parsed.into_kind() else {
        unreachable!("brackets are a class");
    };
    let ranges = class.iter().map(|range| (range.start(), range.end()));
    Characters(ranges.collect())
}

fn is(class: &Characters, character: char) -> bool {
    let before = class.0.partition_point(|(start, _)| *start <= character);
    before > 0 && character <= class.0[before - 1].1
}

/// Untrusted text with its invisible characters written out; line breaks stay.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let (mut before, mut marks) = (None, 0);
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        if let Some(flag) = TAGGED_FLAGS.iter().find(|flag| rest.starts_with(**flag)) {
            shown.push_str(flag);
            rest = &rest[flag.len()..];
            before = None;
            continue;
        }
        rest = &rest[character.len_utf8()..];
        let next = rest.chars().next();
        if character.is_ascii() || !is(&MARK, character) {
            surplus(&mut shown, marks);
            marks = 0;
        } else if !is(&HIDDEN, character) {
            marks += 1;
            if marks > MARKS_MAX {
                continue;
            }
        }
        show(&mut shown, character, before, next);
        // An escaped character has no effect on its neighbours.
        before = shown.ends_with(character).then_some(character);
    }
    surplus(&mut shown, marks);
    shown
}

/// Writes the number of marks that are not shown.
fn surplus(shown: &mut String, marks: usize) {
    if marks > MARKS_MAX {
        let _ = write!(shown, "<+{}>", counted(marks - MARKS_MAX, "mark"));
    }
}

fn show(shown: &mut String, character: char, before: Option<char>, next: Option<char>) {
    match character {
        '\n' => shown.push('\n'),
        '\r' if next == Some('\n') => {}
        '\t' => shown.push(' '),
        // U+2400 is the picture of NUL, and the pictures of the other 31 follow it.
        '\0'..='\x1f' => {
            let picture = char::from_u32(0x2400 + u32::from(character));
            shown.push(picture.unwrap_or('\u{fffd}'));
        }
        '\x7f' => shown.push('\u{2421}'),
        _ if character.is_ascii()
            || !is(&HIDDEN, character)
            || is_spelling(character, before, next) =>
        {
            shown.push(character);
        }
        _ => {
            let _ = write!(shown, "<U+{:04X}>", u32::from(character));
        }
    }
}

/// Whether an invisible character is part of the spelling of its neighbours.
fn is_spelling(character: char, before: Option<char>, next: Option<char>) -> bool {
    let Some(before) = before else {
        return false;
    };
    let joins = |character: char| !is(&HIDDEN, character) && is(&JOINING, character);
    match character {
        '\u{200c}' | '\u{200d}' if joins(before) && next.is_some_and(joins) => true,
        '\u{200d}' => {
            // A pictograph may have its variation or its skin colour behind it.
            let ends = matches!(before, '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}');
            (ends || is(&PICTOGRAPH, before)) && next.is_some_and(|next| is(&PICTOGRAPH, next))
        }
        '\u{fe0e}' | '\u{fe0f}' => {
            is(&PICTOGRAPH, before)
                || (matches!(before, '0'..='9' | '#' | '*') && next == Some('\u{20e3}'))
        }
        '\u{e0100}'..='\u{e01ef}' => is(&HAN, before),
        '\u{180b}'..='\u{180d}' | '\u{180f}' => !is(&HIDDEN, before) && is(&MONGOLIAN, before),
        _ => false,
    }
}

/// Untrusted text in one line.
pub(crate) fn one_line(text: &str) -> String {
    visible(text.trim_end_matches(['\r', '\n'])).replace('\n', LINE_END)
}

/// Untrusted text in one line of at most `columns` columns.
pub(crate) fn shortened(text: &str, columns: usize) -> String {
    let line = one_line(text);
    if line.width() <= columns {
        return line;
    }
    let mut cut = String::new();
    let mut width = 1;
    for grapheme in line.graphemes(true) {
        width += grapheme.width();
        if width > columns {
            break;
        }
        cut.push_str(grapheme);
    }
    format!("{}…", cut.trim_end())
}

/// Name of a contact or object: one short line without the signs that separate replyd's own words.
pub(crate) fn name(text: &str) -> String {
    let line = one_line(text.trim());
    let mut shown = String::with_capacity(line.len());
    let mut characters = line.chars().peekable();
    let mut before = ' ';
    while let Some(character) = characters.next() {
        let apart = before == ' ' || characters.peek().is_none_or(|next| *next == ' ');
        match character {
            '›' | '│' => {
                let _ = write!(shown, "<U+{:04X}>", u32::from(character));
            }
            // The dot is a letter's sign in some languages.
            '·' | '—' if apart => {
                let _ = write!(shown, "<U+{:04X}>", u32::from(character));
            }
            _ => shown.push(character),
        }
        before = character;
    }
    if shown.is_empty() {
        "(no name)".clone_into(&mut shown);
    }
    shortened(&shown, NAME_COLUMNS_MAX)
}

/// Path in one line.
pub(crate) fn path(path: &std::path::Path) -> String {
    one_line(&path.display().to_string())
}

/// Untrusted text after the prefix `first`, each further line after `further`, so that every line
/// has a prefix.
pub(crate) fn behind(first: &str, further: &str, style: Style, text: &str) -> String {
    laid_out(first, further, style, text, columns())
}

/// Untrusted text with a bar at each line.
pub(crate) fn framed(bar: &str, text: &str) -> String {
    behind(bar, bar, Style::new(), text)
}

/// Maximum columns of a line; unlimited without a terminal.
fn columns() -> usize {
    let size = terminal_size::terminal_size().filter(|_| terminal::is_terminal());
    size.map_or(usize::MAX, |(width, _)| {
        usize::from(width.0).max(COLUMNS_MIN)
    })
}

fn laid_out(first: &str, further: &str, style: Style, text: &str, columns: usize) -> String {
    let width = |beginning: &str| {
        let bare = anstream::adapter::strip_str(beginning).to_string();
        bare.width()
    };
    let mut lines = Vec::new();
    let mut beginning = first;
    for line in visible(text).trim_end_matches('\n').split('\n') {
        let mut piece = String::new();
        let mut used = width(beginning);
        for grapheme in line.graphemes(true) {
            if used + grapheme.width() > columns && !piece.is_empty() {
                lines.push(format!("{beginning}{}", paint(style, &piece)));
                piece.clear();
                beginning = further;
                used = width(beginning);
            }
            used += grapheme.width();
            piece.push_str(grapheme);
        }
        lines.push(format!("{beginning}{}", paint(style, &piece)));
        beginning = further;
    }
    lines.join("\n")
}

/// Drawn excerpts of files: their colours stay, the content of the file is made visible.
pub(crate) fn drawn(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("\x1b[") {
        let (before, sequence) = rest.split_at(start);
        shown.push_str(&visible(before));
        let length = sequence[2..]
            .find(|character: char| !character.is_ascii_digit() && character != ';')
            .map_or(sequence.len(), |end| end + 3);
        if sequence.as_bytes().get(length - 1) == Some(&b'm') {
            shown.push_str(&sequence[..length]);
            rest = &sequence[length..];
        } else {
            shown.push_str(&visible("\x1b"));
            rest = &sequence[1..];
        }
    }
    shown.push_str(&visible(rest));
    shown
}

/// JSON in one line, exact for programs and harmless for a terminal: invisible characters are
/// written as JSON escapes.
pub(crate) fn json(value: &impl std::fmt::Display) -> String {
    let mut line = String::new();
    for character in value.to_string().chars() {
        // Outside of texts there are none of these.
        if character != '\n'
            && (character == '\x7f' || !character.is_ascii() && is(&HIDDEN, character))
        {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(line, "\\u{unit:04x}");
            }
        } else {
            line.push(character);
        }
    }
    line
}

#[cfg(test)]
mod tests;
