//! Reads words that are compared with the text of a message, and warns of a text that is probably a
//! list or a pattern.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes;
use crate::diagnostics::toml_reader::{Field, Reader};
use crate::text::normalize::Phrase;

/// Signs between the words of a list.
const COMMAS: [char; 5] = [',', ';', '،', '、', '，'];
/// Parts of regular expressions that nobody writes in words.
const PATTERNS: [&str; 11] = [
    ".*", ".+", "\\b", "\\d", "\\w", "\\s", "(?i", "(?:", "(?<", "[a-z", "[0-9",
];

/// Takes words or phrases, folded.
pub(crate) fn read(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Vec<Phrase>> {
    let phrases = reader.phrases(field);
    let texts = field.elements().unwrap_or_else(|| vec![field.clone()]);
    let is_alone = texts.len() == 1;
    for text in &texts {
        let doubt = text.text().and_then(|written| doubt(written, is_alone));
        if let Some((label, help)) = doubt {
            let message = format!("`{}` compares this as one phrase", field.name);
            let warning = Diagnostic::warning(codes::LOOSE_WORDS, text.span.clone(), message);
            let help = help.replace("KEY", field.name);
            reader.report(warning.label(label).help(help));
        }
    }
    phrases
}

/// What a text looks like that is no phrase, and how to write it.
fn doubt(written: &str, is_alone: bool) -> Option<(&'static str, String)> {
    if PATTERNS.iter().any(|part| written.contains(part)) || written.starts_with('^') {
        let help = format!("write `text.matches = '{written}'` for a pattern");
        return Some(("looks like a regular expression", help));
    }
    if let Some(parts) = parts(written, is_alone) {
        let parts: Vec<String> = parts.iter().map(|part| format!("\"{part}\"")).collect();
        let help = format!("write a list: `KEY = [{}]`", parts.join(", "));
        return Some(("looks like a list", help));
    }
    let is_letter = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
    let star = written.split_once('*').is_some_and(|(before, behind)| {
        is_letter(before.chars().next_back()) != is_letter(behind.chars().next())
    });
    // Of a lone letter its own warning says what is left.
    let is_word = written.chars().filter(|c| c.is_alphanumeric()).count() > 1;
    (star && is_word).then(|| {
        let word = written.replace('*', r"\w*");
        let help = format!(
            "words are compared whole: list every form, or write `text.matches = '(?i)\\b{word}'`"
        );
        ("`*` stands for nothing here", help)
    })
}

/// The phrases of a text that holds several.
fn parts(written: &str, is_alone: bool) -> Option<Vec<&str>> {
    let split = |signs: &[char]| -> Vec<&str> {
        let parts = written.split(signs).map(str::trim);
        parts.filter(|part| !part.is_empty()).collect()
    };
    let bars = split(&['|']);
    if bars.len() > 1 {
        return Some(bars);
    }
    let is_number = |part: &str| part.chars().all(|c| c.is_ascii_digit());
    let commas = split(&COMMAS);
    let tight = written.match_indices(COMMAS).any(|(at, sign)| {
        let behind = written[at + sign.len()..].chars().next();
        behind.is_some_and(char::is_alphabetic)
    });
    // A sentence with a comma is one text.
    let is_short = commas
        .iter()
        .all(|part| part.split_whitespace().count() <= 2);
    let several = is_short && (is_alone || commas.len() > 2) || tight;
    if commas.len() > 1 && several && !commas.iter().any(|part| is_number(part)) {
        return Some(commas);
    }
    let slashes = split(&['/']);
    let is_word = |part: &&str| part.chars().count() > 2 && part.chars().all(char::is_alphabetic);
    if slashes.len() > 1 && slashes.iter().all(is_word) {
        return Some(slashes);
    }
    let either: Vec<&str> = written.split(" or ").collect();
    let is_pair = is_alone && either.len() == 2 && either.iter().all(is_word);
    is_pair.then_some(either)
}

#[cfg(test)]
mod tests {
    use super::doubt;

    #[test]
    fn lists_and_patterns_are_told_from_phrases() {
        for text in [
            "hi, hello",
            "hi|hello",
            "deliver*",
            "*cake",
            "a.*b",
            r"\d+",
            "photo/picture",
        ] {
            assert!(doubt(text, true).is_some(), "{text}");
        }
        for text in [
            "yes, please",
            "24/7",
            "and/or",
            "C*",
            "2 * 3",
            "photos?",
            "10,000",
            "US$",
        ] {
            assert!(doubt(text, false).is_none(), "{text}");
        }
    }
}
