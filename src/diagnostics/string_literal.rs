//! Finds a place inside a TOML string: from bytes of the text it stands for to bytes of the file.
//!
//! Escapes and line ends make the two differ. Used to underline the wrong part of a template or a
//! regular expression, not the whole text. Next: [`super::toml_reader`].

use std::ops::Range;

/// Finds where `part` (bytes of the decoded text `value`) is written in the literal `raw` (with its
/// quotes). `None` when that cannot be told exactly.
pub(crate) fn locate(raw: &str, value: &str, part: &Range<usize>) -> Option<Range<usize>> {
    let (decoded, offsets) = decode(raw)?;
    if decoded != value || part.start > part.end {
        return None;
    }
    Some(*offsets.get(part.start)?..*offsets.get(part.end)?)
}

/// Decodes a literal, with the offset in `raw` of each decoded byte and of the end.
fn decode(raw: &str) -> Option<(String, Vec<usize>)> {
    let (quote, escapes) = ["\"\"\"", "'''", "\"", "'"]
        .into_iter()
        .find(|quote| {
            raw.len() >= 2 * quote.len() && raw.starts_with(quote) && raw.ends_with(quote)
        })
        .map(|quote| (quote, quote.starts_with('"')))?;
    let end = raw.len() - quote.len();
    let mut at = quote.len();
    if quote.len() == 3 {
        // A line end right after the opening quotes does not count.
        at += ["\r\n", "\n"]
            .iter()
            .find(|line_end| raw[at..].starts_with(**line_end))
            .map_or(0, |line_end| line_end.len());
    }
    let mut decoded = String::new();
    let mut offsets = Vec::new();
    while at < end {
        let character = raw[at..end].chars().next()?;
        let (written, length) = match character {
            '\\' if escapes => escape(&raw[at..end])?,
            _ => (Some(character), character.len_utf8()),
        };
        if let Some(written) = written {
            decoded.push(written);
            offsets.resize(decoded.len(), at);
        }
        at += length;
    }
    offsets.push(end);
    Some((decoded, offsets))
}

/// Decodes the escape at the beginning of `text`: its character (none for an escaped line end) and
/// its length in bytes.
fn escape(text: &str) -> Option<(Option<char>, usize)> {
    let kind = text[1..].chars().next()?;
    let simple = |character| Some((Some(character), 2));
    match kind {
        'b' => simple('\u{8}'),
        't' => simple('\t'),
        'n' => simple('\n'),
        'f' => simple('\u{c}'),
        'r' => simple('\r'),
        'e' => simple('\u{1b}'),
        '"' => simple('"'),
        '\\' => simple('\\'),
        'x' => code_point(text, 2),
        'u' => code_point(text, 4),
        'U' => code_point(text, 8),
        _ if kind.is_whitespace() => {
            let rest = text[1..].trim_start_matches([' ', '\t', '\n', '\r']);
            Some((None, text.len() - rest.len()))
        }
        _ => None,
    }
}

fn code_point(text: &str, digits: usize) -> Option<(Option<char>, usize)> {
    let number = u32::from_str_radix(text.get(2..2 + digits)?, 16).ok()?;
    Some((Some(char::from_u32(number)?), 2 + digits))
}

#[cfg(test)]
mod tests {
    use super::locate;

    /// Decodes the literal with the TOML parser, looks for `wanted` in it, and says what is written
    /// there.
    fn written(raw: &str, wanted: &str) -> Option<String> {
        let value: toml::Value = toml::from_str::<toml::Table>(&format!("a = {raw}"))
            .unwrap()
            .remove("a")
            .unwrap();
        let value = value.as_str().unwrap();
        let start = value.find(wanted).unwrap();
        let range = locate(raw, value, &(start..start + wanted.len()))?;
        Some(raw[range].to_owned())
    }

    #[test]
    fn a_part_is_found_behind_escapes_of_every_kind() {
        assert_eq!(written(r#""hi {{ x }}""#, "x").as_deref(), Some("x"));
        assert_eq!(
            written(r#""\t\u00e9\U0001F600 \"{{ x }}""#, "{{ x }}").as_deref(),
            Some("{{ x }}")
        );
        assert_eq!(written(r#""a\u0078b""#, "x").as_deref(), Some(r"\u0078"));
        assert_eq!(written(r"'\d{{ x }}'", "x").as_deref(), Some("x"));
        assert_eq!(
            written("\"\"\"\nfirst \\\n   second {{ x }}\"\"\"", "second").as_deref(),
            Some("second")
        );
        assert_eq!(written("'''\nline\nx'''", "x").as_deref(), Some("x"));
        assert_eq!(written("\"\"\"say \"x\"\"\"\"", "x").as_deref(), Some("x"));
    }

    #[test]
    fn what_is_not_a_string_literal_is_found_nowhere() {
        assert_eq!(locate("7", "7", &(0..1)), None);
        assert_eq!(locate("\"a\"", "b", &(0..1)), None);
        assert_eq!(locate("\"", "", &(0..0)), None);
    }
}
