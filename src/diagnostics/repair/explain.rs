//! Explains a syntax error by what stands at its place: habits of other formats, marks of word
//! processors, a forgotten sign.

use std::ops::Range;

use super::layout::{Header, Layout, key, line_end};
use super::mistake::Mistake;
use crate::diagnostics::syntax::SyntaxError;

/// Quotes that word processors and phones write.
const CURLY: [char; 14] = [
    '“', '”', '„', '‟', '«', '»', '‘', '’', '‚', '‛', '＂', '＇', '`', '´',
];
/// Characters that look like a blank, or like nothing, with their names.
const INVISIBLE: [(char, &str); 5] = [
    ('\u{a0}', "a no-break space"),
    ('\u{200b}', "a zero-width space"),
    ('\u{feff}', "a byte order mark"),
    ('\u{202f}', "a narrow no-break space"),
    ('\u{3000}', "a wide space"),
];
/// Signs with which comments begin elsewhere.
const COMMENTS: [&str; 5] = ["//", "/*", "--", ";", "<!--"];

/// The place of an error: its line, its statement.
struct Place<'t> {
    text: &'t str,
    layout: &'t Layout,
    span: Range<usize>,
    /// The line, without its end.
    line: Range<usize>,
    statement: Range<usize>,
}

/// Explains an error of the parser.
pub(super) fn explain(text: &str, layout: &Layout, error: &SyntaxError) -> Mistake {
    let start = text.floor_char_boundary(error.span.start.min(text.len()));
    let end = text.ceil_char_boundary(error.span.end.clamp(start, text.len()));
    // An error at the end of a line belongs to it.
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_text = text[line_start..].lines().next().unwrap_or_default();
    let place = Place {
        text,
        layout,
        span: start..end,
        line: line_start..line_start + line_text.len(),
        statement: layout.statement(start),
    };
    // A bad escape is always inside a text, whose words mean nothing here.
    if error.message().contains("escaped value") {
        return place.plain(error);
    }
    let found = place.whole_file(error).or_else(|| place.invisible());
    let found = found
        .or_else(|| place.curly())
        .or_else(|| place.comment())
        .or_else(|| place.colon())
        .or_else(|| place.duplicate(error))
        .or_else(|| place.header(error));
    found
        .or_else(|| place.by_message(error))
        .unwrap_or_else(|| place.plain(error))
}

impl Place<'_> {
    fn line_text(&self) -> &str {
        &self.text[self.line.clone()]
    }

    /// The place from the error on, at least one character of it.
    fn here(&self) -> &str {
        &self.text[self.span.start..]
    }

    /// The whole statement, or at least the line with the error.
    fn blank(&self) -> Range<usize> {
        self.statement.start.min(self.line.start)..self.statement.end.max(self.line.end)
    }

    /// Repeats the parser's words.
    fn plain(&self, error: &SyntaxError) -> Mistake {
        let (message, span) = (error.message(), self.span.clone());
        let Some(help) = error.escape_help(self.text) else {
            return Mistake::new(span, message, self.blank());
        };
        let before = self.text[..span.start].chars().next_back();
        let start = if before == Some('\\') {
            span.start - 1
        } else {
            span.start
        };
        let written = self.text[start..].chars().take(2);
        let written: String = written.collect();
        let message = format!("`{}` has no meaning in double quotes", written.trim_end());
        Mistake::new(start..span.end.max(start + 1), message, self.blank()).help(help)
    }

    /// Another format, or the line ends of another age.
    fn whole_file(&self, error: &SyntaxError) -> Option<Mistake> {
        let whole = 0..self.text.len();
        if self.text.trim_start().starts_with('{') {
            let message = "this file is JSON, and rules are written in TOML";
            let help = "write `key = \"value\"` on a line of its own, under a line like `[[rule]]`";
            return Some(Mistake::new(self.span.clone(), message, whole).help(help));
        }
        if error.message().starts_with("carriage return") {
            let message = "the lines of this file end with a carriage return alone";
            let help = "save it with the line ends of Unix (LF) or Windows (CRLF)";
            return Some(Mistake::new(self.span.clone(), message, whole).help(help));
        }
        None
    }

    fn invisible(&self) -> Option<Mistake> {
        let (at, character) = self.outside_texts().into_iter().find(|(_, character)| {
            INVISIBLE
                .iter()
                .any(|(invisible, _)| invisible == character)
        })?;
        let (_, name) = INVISIBLE
            .iter()
            .find(|(invisible, _)| *invisible == character)?;
        let span = at..at + character.len_utf8();
        let message = format!("there is {name} here (U+{:04X})", u32::from(character));
        let mistake = Mistake::new(span, message, self.blank());
        Some(mistake.help("delete it and type a plain blank"))
    }

    /// Characters of the line outside straight quotes and comments, with their places.
    fn outside_texts(&self) -> Vec<(usize, char)> {
        let mut quote = None;
        let mut outside = Vec::new();
        let mut characters = self.line_text().char_indices();
        while let Some((at, character)) = characters.next() {
            match quote {
                Some(open) if character == open => quote = None,
                Some('"') if character == '\\' => {
                    characters.next();
                }
                Some(_) => {}
                None if character == '#' => break,
                None if "\"'".contains(character) => quote = Some(character),
                None => outside.push((self.line.start + at, character)),
            }
        }
        outside
    }

    fn curly(&self) -> Option<Mistake> {
        let outside = self.outside_texts();
        let is_curly = |(_, character): &&(usize, char)| CURLY.contains(character);
        let (at, quote) = *outside.iter().find(is_curly)?;
        let (last, closing) = *outside.iter().rev().find(is_curly)?;
        let span = at..last + closing.len_utf8();
        let message = format!("`{quote}` is not a straight quote");
        let written = &self.text[span.clone()];
        let inside = written.trim_matches(CURLY);
        let help = if inside.contains(CURLY) || inside.contains('"') {
            "write every text in straight quotes: \"…\"".to_owned()
        } else {
            format!("write the text in straight quotes: \"{inside}\"")
        };
        let mistake = Mistake::new(span, message, self.blank());
        Some(mistake.label("quotes of a word processor").help(help))
    }

    fn comment(&self) -> Option<Mistake> {
        let outside = self.outside_texts();
        let line = self.line_text();
        let sign = COMMENTS.iter().find_map(|sign| {
            let is_sign = |at: usize| {
                let before = &line[..at - self.line.start];
                let begins = before.is_empty() || before.ends_with(char::is_whitespace);
                begins && self.text[at..].starts_with(sign)
            };
            let found = outside.iter().find(|(at, _)| is_sign(*at))?;
            Some((found.0, *sign))
        });
        let (at, sign) = sign?;
        if at > self.span.start {
            return None;
        }
        let rest = self.text[at + sign.len()..self.line.end].trim();
        let rest = rest.trim_end_matches("*/").trim_end_matches("-->").trim();
        let message = format!("a comment does not begin with `{sign}`");
        let mistake = Mistake::new(at..at + sign.len(), message, self.blank());
        Some(mistake.help(format!("write `# {}`", short(rest))))
    }

    /// `id: "photo"`, `{ "id": "photo" }`, and lists of dashes.
    fn colon(&self) -> Option<Mistake> {
        let (before, rest) = self.around_colon()?;
        let colon = self.line.start + before.len();
        let name = before.trim_end().rsplit(['{', ',', '-', ' ']).next()?;
        let name = name.trim_matches(['"', '\'']);
        let message = "a key and its value are joined by `=`, not by `:`";
        let rest = rest.trim();
        let value = if before.contains('{') {
            let value = rest.split([',', '}']).next().unwrap_or_default().trim();
            let is_cut = value.matches('"').count() % 2 == 1 || value.starts_with(['[', '{']);
            if is_cut { "" } else { value }
        } else if rest.starts_with(['"', '\'', '[', '{']) {
            rest
        } else {
            rest.split(" #").next().unwrap_or_default().trim()
        };
        let (items, end) = self.dashes();
        let blank = self.blank();
        let blank = blank.start..blank.end.max(end);
        let value = if value.is_empty() && !items.is_empty() {
            format!("[{}]", items.join(", "))
        } else {
            as_value(value)
        };
        let help = format!("write `{name} = {}`", short(&value));
        Some(Mistake::new(colon..colon + 1, message, blank).help(help))
    }

    /// What stands before and behind a colon that takes the place of `=`.
    fn around_colon(&self) -> Option<(&str, &str)> {
        let line = self.line_text();
        let mut outside = self.outside_texts().into_iter();
        let (colon, _) = outside.find(|(_, character)| *character == ':')?;
        let (before, behind) = line.split_at(colon - self.line.start);
        // Behind a key with its value, only a table in braces has keys.
        if before.contains('=') && !before.contains('{') {
            return None;
        }
        let name = before.trim_start().trim_start_matches("- ");
        let name = name.rsplit(['{', ',']).next()?.trim().trim_matches('"');
        let is_name = |c: char| c.is_alphanumeric() || "_-.".contains(c);
        let is_key = !name.is_empty() && name.chars().all(is_name);
        is_key.then(|| (before, &behind[1..]))
    }

    /// Elements of a list of dashes below the line, and the byte behind the last line like these.
    fn dashes(&self) -> (Vec<String>, usize) {
        let mut end = line_end(self.text, self.line.end);
        let mut items = Vec::new();
        let mut lines = self.text[end..].split_inclusive('\n').peekable();
        while let Some(line) = lines.next_if(|line| line.trim().starts_with("- ")) {
            items.push(as_value(&line.trim()[2..]));
            end += line.len();
        }
        // More lines of the same habit are the same mistake.
        for line in lines {
            let line_text = line.trim();
            let name = line_text.split(':').next().unwrap_or_default();
            let is_name = |c: char| c.is_alphanumeric() || "_-. \"".contains(c);
            let continues = line_text.contains(':') && name.chars().all(is_name);
            if !continues && !line_text.starts_with("- ") {
                break;
            }
            end += line.len();
        }
        (items, end)
    }

    fn duplicate(&self, error: &SyntaxError) -> Option<Mistake> {
        if !error.message().starts_with("duplicate key") {
            return None;
        }
        let header = self.layout.header(self.span.start);
        let header = header.filter(|header| header.line.contains(&self.span.start));
        if let Some(header) = header {
            return Some(self.header_twice(header));
        }
        let key = key(self.line_text());
        let message = format!(
            "`{}` stands twice in one table",
            &self.text[self.span.clone()]
        );
        let above = self.layout.header(self.span.start);
        let section = above.map_or(0, |header| header.line.start)..self.line.start;
        let mut statements = self.layout.statements_in(section);
        let first = statements.find(|start| {
            let line = self.text[*start..].lines().next().unwrap_or_default();
            key.is_some() && self::key(line) == key
        });
        let mistake = Mistake::new(self.span.clone(), message, self.blank());
        let mistake = mistake.help("keep one of the two lines");
        Some(match (first, key) {
            (Some(first), Some(key)) => {
                let at = first + self.text[first..].find(key).unwrap_or(0);
                mistake.related(at..at + key.len(), "first written here")
            }
            _ => mistake.help("keep one of the two"),
        })
    }

    /// A header whose name is taken: by a list, by a table or by a key.
    fn header_twice(&self, header: &Header) -> Mistake {
        let same = || {
            let headers = self.layout.headers.iter();
            headers.filter(|other| other.name == header.name)
        };
        let name = &header.name;
        let is_list =
            name.rsplit('.').next() == Some("step") || ["rule", "test"].contains(&name.as_str());
        let single = same().find(|other| !other.is_list);
        if let Some(single) = single.filter(|_| is_list || same().any(|other| other.is_list)) {
            let message = format!("`[{name}]` needs double brackets");
            let last = same().rfind(|other| !other.is_list);
            let blank = if same().any(|other| other.is_list) {
                self.layout.section(single)
            } else {
                single.line.start..self.layout.section(last.unwrap_or(single)).end
            };
            let help = format!("there is more than one: begin each with `[[{name}]]`");
            return Mistake::new(single.line.clone(), message, blank).help(help);
        }
        let message = format!("`{name}` is there already");
        let blank = self.layout.section(header);
        let mistake = Mistake::new(header.line.clone(), message, blank);
        let first = same().find(|other| other.line.start < header.line.start);
        if let Some(first) = first {
            let help =
                format!("keep one of them, or begin each with `[[{name}]]` when there are several");
            return mistake
                .related(first.line.clone(), "first written here")
                .help(help);
        }
        let (_, last) = name.rsplit_once('.').unwrap_or(("", name));
        let before = self.text[..header.line.start].rfind(&format!("\n{last}"));
        let mistake = mistake.help(format!("write `{last}` either as a key or as a table"));
        match before {
            Some(at) => mistake.related(at + 1..at + 1 + last.len(), "first written here"),
            None => mistake,
        }
    }

    /// A header of which a bracket is missing.
    fn header(&self, error: &SyntaxError) -> Option<Mistake> {
        let header = self.layout.header(self.span.start)?;
        if header.line.start != self.line.start || error.message().starts_with("duplicate") {
            return None;
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        if !header.name.chars().all(is_plain) {
            let message = "a name in brackets has only the letters a to z, digits, `-` and `_`";
            let blank = self.layout.section(header);
            let mistake = Mistake::new(header.line.clone(), message, blank);
            return Some(mistake.help("write it without blanks and accents"));
        }
        let (open, close) = if header.is_list {
            ("[[", "]]")
        } else {
            ("[", "]")
        };
        let message = "a bracket of this line is missing";
        let blank = self.layout.section(header);
        let mistake = Mistake::new(header.line.clone(), message, blank);
        Some(mistake.help(format!("write `{open}{}{close}`", header.name)))
    }

    fn by_message(&self, error: &SyntaxError) -> Option<Mistake> {
        let message = error.message();
        let new = |span: Range<usize>, message: &str, help: String| {
            Some(Mistake::new(span, message, self.blank()).help(help))
        };
        if message.starts_with("missing comma") {
            let before = self.text[..self.span.start].trim_end();
            let at = before.floor_char_boundary(before.len().saturating_sub(1));
            return new(
                at..before.len(),
                "a comma is missing behind this",
                "write `,` here".to_owned(),
            );
        }
        if message.starts_with("key with no value") {
            let line = self.line_text().trim();
            let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            let help = match rest.split('#').next().unwrap_or_default().trim() {
                _ if name.contains(',') => "give each key a line of its own".to_owned(),
                "" => format!("write `{name} = …`"),
                rest if rest.contains('=') => format!("write `{name}.{}`", short(rest)),
                rest => format!("write `{name} = {}`", short(&as_value(rest))),
            };
            let start =
                self.line.start + (self.line_text().len() - self.line_text().trim_start().len());
            return new(
                start..start + line.len(),
                "there is no `=` on this line",
                help,
            );
        }
        if message.starts_with("unexpected key or value") {
            return Some(self.behind_value());
        }
        let is_bare = [
            "string values",
            "invalid boolean",
            "invalid float",
            "missing opening quote",
        ];
        if is_bare.iter().any(|begin| message.starts_with(begin)) {
            let rest = self.here().lines().next().unwrap_or_default();
            let value = if self.line_text().contains(['[', '{']) {
                rest.split([',', ']', '}']).next().unwrap_or_default()
            } else {
                rest.split(" #").next().unwrap_or_default()
            };
            let value = value.trim();
            let span = self.span.start..self.span.start + value.len().max(1).min(rest.len());
            let (message, help) = match as_value(value) {
                value if ["true", "false"].contains(&value.as_str()) => {
                    ("this is no value", format!("write `{value}`"))
                }
                value => {
                    let help = format!("put the text in quotes: `{}`", short(&value));
                    ("a text needs quotes", help)
                }
            };
            return new(span, message, help);
        }
        None
    }

    /// Something behind a value that was complete.
    fn behind_value(&self) -> Mistake {
        let before = &self.text[self.line.start..self.span.start];
        let rest = self.here().lines().next().unwrap_or_default();
        let first = rest.chars().next().unwrap_or(' ');
        let message = "there is something behind the value";
        let value = before
            .find('=')
            .map_or(self.line.start, |at| self.line.start + at + 1);
        let value = value + (self.text[value..].len() - self.text[value..].trim_start().len());
        let behind = rest.get(1..).unwrap_or_default().trim_start();
        if ";,".contains(first) && (behind.is_empty() || behind.starts_with('#')) {
            let span = self.span.start..self.span.start + 1;
            let help = format!("delete the `{first}`: a line needs no sign at its end");
            return Mistake::new(span, message, self.blank()).help(help);
        }
        let closes = before.trim_end().ends_with(['"', '\'']);
        let span = value..self.line.end;
        if closes && before.trim_end() == before {
            let help = if before.ends_with('\'') {
                "put a text with an apostrophe in double quotes"
            } else {
                "write a quote inside a text as `\\\"`"
            };
            let message = "the text ends at the second quote";
            return Mistake::new(span, message, self.blank()).help(help);
        }
        let span = self.span.start..self.line.end.max(self.span.start);
        let help = "give each key a line of its own; a comment begins with `#`";
        Mistake::new(span, message, self.blank()).help(help)
    }
}

/// A bare word as it has to be written.
fn as_value(word: &str) -> String {
    let word = word.trim().trim_end_matches(',');
    match word.to_lowercase().as_str() {
        "" => "…".to_owned(),
        "true" | "yes" | "on" => "true".to_owned(),
        "false" | "no" | "off" => "false".to_owned(),
        _ if word.starts_with(['"', '\'', '[', '{']) => word.to_owned(),
        _ if word.parse::<f64>().is_ok() => word.to_owned(),
        _ => format!("\"{}\"", word.trim_matches(['"', '\''])),
    }
}

/// Cuts what is repeated in a help.
fn short(text: &str) -> String {
    const MAX: usize = 60;
    if text.chars().count() <= MAX {
        return text.to_owned();
    }
    let cut: String = text.chars().take(MAX).collect();
    format!("{cut}…")
}
