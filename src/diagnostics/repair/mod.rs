//! Finds the mistakes behind the syntax errors of a rules file: one missing bracket makes the parser
//! report every line below it.
//!
//! Each mistake is explained once, at the line to correct, and its statement is then blanked, so
//! that the rest of the file is read as if it were not there. [`layout`] finds brackets and quotes
//! without an end, [`explain`] finds the reason of everything else. Not for configuration: the explanations
//! quote values. Next: [`super::toml_reader`].

mod explain;
mod layout;
mod mistake;

use std::ops::Range;

use super::Diagnostic;
use super::syntax::parse;
use layout::Layout;
use mistake::Mistake;

/// Maximum number of mistakes that are explained in one run; each costs a parse of the file.
const MISTAKES_MAX: usize = 20;

/// A file as it can be read, with an explanation of each mistake that was taken out of it.
pub(crate) struct Repaired {
    /// As long as the file, and with the same lines.
    pub(crate) text: String,
    /// At their places among the bytes of all files.
    pub(crate) mistakes: Vec<Diagnostic>,
}

/// Takes every mistake out of a file that begins at byte `start` of all files together.
pub(crate) fn repair(start: usize, text: &str) -> Repaired {
    let mut text = text.to_owned();
    let mut mistakes = Vec::new();
    while mistakes.len() < MISTAKES_MAX {
        let Some(mistake) = first_mistake(&text) else {
            break;
        };
        if !blank(&mut text, &mistake.blank) {
            // Nothing more can be taken out.
            mistakes.extend(mistakes.is_empty().then(|| mistake.diagnostic(start)));
            break;
        }
        mistakes.push(mistake.diagnostic(start));
    }
    Repaired { text, mistakes }
}

fn first_mistake(text: &str) -> Option<Mistake> {
    let (_, errors) = parse(0, text);
    let error = errors.iter().min_by_key(|error| error.span.start)?;
    let layout = Layout::new(text);
    let open = layout.open.as_ref();
    let open = open.filter(|open| open.at() <= error.span.start);
    Some(match open {
        Some(open) => open.explain(text, &layout),
        None => explain::explain(text, &layout, error),
    })
}

/// Replaces bytes by blanks, but for line ends; says whether anything was there.
fn blank(text: &mut String, range: &Range<usize>) -> bool {
    let start = text.floor_char_boundary(range.start.min(text.len()));
    let end = text
        .ceil_char_boundary(range.end.min(text.len()))
        .max(start);
    let part = &text[start..end];
    if part.trim().is_empty() {
        return false;
    }
    let blanks = part.bytes().map(|byte| match byte {
        b'\n' => '\n',
        _ => ' ',
    });
    let blanks: String = blanks.collect();
    text.replace_range(start..end, &blanks);
    true
}

#[cfg(test)]
mod tests {
    use super::repair;

    #[test]
    fn what_is_left_has_the_same_lines_and_can_be_read() {
        for text in [
            "a = [\n \"é\",\nb = 1\n[[rule]]\nid = \"x\"\n",
            "a = \"one\ntwo\"\nb = 1\n",
            "a: 1\nb = 2\n",
            "[[rule]\nid = 1\n[rule.reply]\nx = 1\n[[rule]]\nid = 2\n",
            "a = \"\"\"text\n[[rule]]\nb = 1\n",
            "a = “é”\n\u{a0}b = 1\r\n",
        ] {
            let repaired = repair(0, text);

            assert_eq!(
                repaired.mistakes.len(),
                1 + usize::from(text.contains('\u{a0}')),
                "{text}"
            );
            assert_eq!(repaired.text.len(), text.len(), "{text}");
            assert_eq!(
                repaired.text.matches('\n').count(),
                text.matches('\n').count()
            );
            assert!(
                super::parse(0, &repaired.text).1.is_empty(),
                "{}",
                repaired.text
            );
        }
    }

    #[test]
    fn a_good_file_stays_as_it_is() {
        let text = include_str!("../../../examples/bakery.toml");

        let repaired = repair(0, text);

        assert_eq!(repaired.text, text);
        assert!(repaired.mistakes.is_empty());
    }
}
