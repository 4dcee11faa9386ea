//! The layout of a file: where each statement begins, and the first bracket or quote without an end.
//!
//! Reads TOML only as far as brackets, quotes and comments go, and takes a line that looks like a
//! header or a key as one, wherever it stands. Used by [`super::explain`].

use std::ops::Range;

use super::mistake::Mistake;

/// Layout of a file up to the first bracket or quote without an end.
pub(super) struct Layout {
    /// First byte of the line of each header and key, in order.
    statements: Vec<usize>,
    /// Every header, in order.
    pub(super) headers: Vec<Header>,
    /// The first bracket or quote without an end.
    pub(super) open: Option<Open>,
    /// Length of the file in bytes.
    end: usize,
    /// Byte behind the last line that was read.
    read: usize,
}

/// A line in square brackets.
pub(super) struct Header {
    /// Name between the brackets.
    pub(super) name: String,
    /// Whether it has two brackets on either side.
    pub(super) is_list: bool,
    /// The line, without its end.
    pub(super) line: Range<usize>,
}

/// A bracket or quote without an end.
pub(super) enum Open {
    /// `[` or `{`, and the first byte of the line before which it should be closed.
    Bracket(usize, char, usize),
    /// A text that ends with its line, from its quote on.
    Text(Range<usize>, char),
    /// Three quotes, and the first byte of the header that follows.
    LongText(usize, usize),
}

/// A line with its place.
#[derive(Clone, Copy)]
struct Line<'t> {
    start: usize,
    text: &'t str,
}

impl Layout {
    pub(super) fn new(text: &str) -> Self {
        let mut layout = Self {
            statements: Vec::new(),
            headers: Vec::new(),
            open: None,
            end: text.len(),
            read: text.len(),
        };
        let mut scanner = Scanner::default();
        let mut start = 0;
        for whole in text.split_inclusive('\n') {
            let line = Line {
                start,
                text: whole.trim_end_matches(['\n', '\r']),
            };
            layout.open = scanner.line(line, &mut layout);
            if layout.open.is_some() {
                layout.read = start + whole.len();
                return layout;
            }
            start += whole.len();
        }
        let end = text.trim_end().len();
        layout.open = match (scanner.long_text, scanner.brackets.last()) {
            (Some((at, _)), _) => Some(Open::LongText(at, end)),
            (None, Some((at, sign))) => Some(Open::Bracket(*at, *sign, end)),
            (None, None) => None,
        };
        layout
    }

    /// The statement that a byte belongs to, with all its lines.
    pub(super) fn statement(&self, at: usize) -> Range<usize> {
        let next = self.statements.partition_point(|start| *start <= at);
        let start = next
            .checked_sub(1)
            .map_or(0, |index| self.statements[index]);
        let end = self.statements.get(next).copied().unwrap_or(self.read);
        start..end
    }

    /// The bytes that a header governs, its sub-tables included.
    pub(super) fn section(&self, header: &Header) -> Range<usize> {
        let below = format!("{}.", header.name);
        let start = header.line.start;
        let mut later = self.headers.iter();
        let next = later.find(|other| other.line.start > start && !other.name.starts_with(&below));
        start..next.map_or(self.end, |next| next.line.start)
    }

    /// The header above a byte, or on its line.
    pub(super) fn header(&self, at: usize) -> Option<&Header> {
        let headers = self.headers.iter().rev();
        headers.into_iter().find(|header| header.line.start <= at)
    }

    /// First bytes of the statements in a range.
    pub(super) fn statements_in(&self, range: Range<usize>) -> impl Iterator<Item = usize> {
        let statements = self.statements.iter().copied();
        statements.filter(move |start| range.contains(start))
    }
}

#[derive(Default)]
struct Scanner {
    /// Place and sign of each bracket that is open.
    brackets: Vec<(usize, char)>,
    /// Place and quotes of a text of several lines that is open.
    long_text: Option<(usize, &'static str)>,
}

impl Scanner {
    /// Reads a line; gives the bracket or quote that is sure to have no end.
    fn line(&mut self, line: Line<'_>, layout: &mut Layout) -> Option<Open> {
        let header = header(line);
        if let Some((at, quotes)) = self.long_text {
            let Some(end) = line.text.find(quotes) else {
                let is_list = header.is_some_and(|header| header.is_list);
                return is_list.then_some(Open::LongText(at, line.start));
            };
            self.long_text = None;
            return self.rest(line, end + quotes.len());
        }
        if let Some((at, sign)) = self.brackets.last() {
            let in_list = *sign == '[' && is_key(line.text);
            if header.is_some() || in_list {
                return Some(Open::Bracket(*at, *sign, line.start));
            }
            return self.rest(line, 0);
        }
        let written = line.text.trim_start();
        let is_statement = header.is_some() || is_key(line.text);
        let begins = is_statement || !written.is_empty() && !written.starts_with('#');
        layout.statements.extend(begins.then_some(line.start));
        if let Some(header) = header {
            layout.headers.push(header);
            return None;
        }
        self.rest(line, 0)
    }

    /// Reads a line from a byte of it on.
    fn rest(&mut self, line: Line<'_>, from: usize) -> Option<Open> {
        let mut at = from;
        while let Some(sign) = line.text[at..].chars().next() {
            let rest = &line.text[at..];
            let place = line.start + at;
            match sign {
                '#' => return None,
                '[' | '{' => self.brackets.push((place, sign)),
                ']' | '}' => match self.brackets.pop() {
                    Some((open, '{')) if sign == ']' => {
                        return Some(Open::Bracket(open, '{', place));
                    }
                    Some((open, '[')) if sign == '}' => {
                        return Some(Open::Bracket(open, '[', place));
                    }
                    _ => {}
                },
                '"' | '\'' => {
                    let quotes = if sign == '"' { "\"\"\"" } else { "'''" };
                    let is_long = rest.starts_with(quotes);
                    let length = if is_long { 3 } else { 1 };
                    let closing = if is_long { quotes } else { &quotes[..1] };
                    let Some(end) = end_of_text(&rest[length..], closing) else {
                        if is_long {
                            self.long_text = Some((place, quotes));
                            return None;
                        }
                        return Some(Open::Text(place..line.start + line.text.len(), sign));
                    };
                    at += length + end;
                    continue;
                }
                _ => {}
            }
            at += sign.len_utf8();
        }
        None
    }
}

/// Finds the byte behind the closing quotes of a text.
fn end_of_text(rest: &str, closing: &str) -> Option<usize> {
    let escapes = closing.starts_with('"');
    let mut at = 0;
    while let Some(sign) = rest[at..].chars().next() {
        if rest[at..].starts_with(closing) {
            return Some(at + closing.len());
        }
        let is_marked = escapes && sign == '\\';
        at += sign.len_utf8();
        if is_marked {
            at += rest[at..].chars().next().map_or(0, char::len_utf8);
        }
    }
    None
}

/// Reads a line as a header, also when a bracket of it is missing.
fn header(line: Line<'_>) -> Option<Header> {
    let written = line.text.split('#').next().unwrap_or_default().trim();
    let inside = written.trim_start_matches('[');
    let opening = written.len() - inside.len();
    let name = inside.trim_end_matches(']');
    let is_name = |character: char| character.is_alphanumeric() || "_-. ".contains(character);
    let begins = name.chars().next().is_some_and(char::is_alphabetic);
    if opening == 0 || opening > 2 || !begins || !name.chars().all(is_name) {
        return None;
    }
    let closing = inside.len() - name.len();
    Some(Header {
        name: name.trim().to_owned(),
        is_list: opening.max(closing) == 2,
        line: line.start..line.start + line.text.trim_end().len(),
    })
}

/// Whether a line begins with a key and `=`.
pub(super) fn is_key(line: &str) -> bool {
    key(line).is_some()
}

/// The key that a line begins with, dots included.
pub(super) fn key(line: &str) -> Option<&str> {
    let (key, _) = line.split_once('=')?;
    let key = key.trim();
    let is_part = |character: char| character.is_alphanumeric() || "_-.".contains(character);
    (!key.is_empty() && key.chars().all(is_part)).then_some(key)
}

impl Open {
    /// The byte where it begins.
    pub(super) fn at(&self) -> usize {
        match self {
            Self::Bracket(at, ..) | Self::LongText(at, _) => *at,
            Self::Text(span, _) => span.start,
        }
    }

    /// Explains it.
    pub(super) fn explain(&self, text: &str, layout: &Layout) -> Mistake {
        match self {
            Self::Bracket(at, sign, next) => {
                let close = if *sign == '[' { ']' } else { '}' };
                let message = format!("this `{sign}` is never closed");
                let blank = layout.statement(*at).start..*next.max(at) + 1;
                let line_start = text[..*next].rfind('\n').map_or(0, |end| end + 1);
                let is_line =
                    text[line_start..*next].trim().is_empty() && *next < text.trim_end().len();
                // The line with the evidence is good, unless the evidence is a bracket on it.
                let blank = if is_line && !text[*next..].starts_with([']', '}']) {
                    blank.start..*next
                } else {
                    blank.start..line_end(text, *next)
                };
                let mistake = Mistake::new(*at..at + 1, message, blank);
                let help = format!(
                    "write `{close}` where the {} ends",
                    if *sign == '[' { "list" } else { "table" }
                );
                let mistake = mistake.help(help);
                if *next < text.trim_end().len() {
                    let label = format!("`{close}` is missing before this");
                    let evidence =
                        *next..next + text[*next..].chars().next().map_or(0, char::len_utf8);
                    return mistake.related(evidence, label);
                }
                mistake
            }
            Self::LongText(at, next) => {
                let quotes = &text[*at..at + 3];
                let message = format!("this text in `{quotes}` has no end");
                let blank = layout.statement(*at).start..*next;
                let help = format!("write `{quotes}` where the text ends");
                Mistake::new(*at..at + 3, message, blank).help(help)
            }
            Self::Text(span, quote) => self::text(text, layout, span, *quote),
        }
    }
}

/// Explains a text that ends with its line.
fn text(text: &str, layout: &Layout, span: &Range<usize>, quote: char) -> Mistake {
    let statement = layout.statement(span.start).start;
    let line_start = text[..span.start].rfind('\n').map_or(0, |end| end + 1);
    let before = &text[line_start..span.start];
    let is_second = before.contains(quote);
    let lines = text[span.end..].split_inclusive('\n').skip(1);
    let more = lines.take_while(|line| {
        let line = line.trim();
        !line.is_empty() && !is_key(line) && !line.starts_with(['#', '['])
    });
    let more: Vec<&str> = more.collect();
    let closed = more.iter().position(|line| line.contains(quote));
    let value = before
        .find('=')
        .map_or(span.start, |at| line_start + at + 1);
    let value = value + (text[value..].len() - text[value..].trim_start().len());
    if is_second {
        let message = "there is a quote too many or too few on this line";
        let help = if quote == '\'' {
            "put a text with an apostrophe in double quotes"
        } else {
            "a text begins and ends with a quote; one inside it is written `\\\"`"
        };
        return Mistake::new(value..span.end, message, statement..span.end).help(help);
    }
    let Some(last) = closed else {
        let message = "this text has no closing quote";
        let mistake = Mistake::new(span.clone(), message, statement..span.end);
        return mistake.help(format!("write `{quote}` where the text ends"));
    };
    let first_line = line_end(text, span.end);
    let length: usize = more[..=last].iter().map(|line| line.len()).sum();
    let message = "a text in quotes ends on its line";
    let mistake = Mistake::new(span.clone(), message, statement..first_line + length);
    let quotes = if quote == '"' { "\"\"\"" } else { "'''" };
    mistake.help(format!(
        "put a text of several lines between `{quotes}` and `{quotes}`"
    ))
}

/// The byte behind the end of the line that a byte is on.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |end| at + end + 1)
}
