//! Texts that are not there in every language.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes;
use crate::diagnostics::toml_reader::{Reader, quoted};

/// A text in several languages: its place, and their tags in order.
type Translated = (Range<usize>, Vec<String>);

/// Reports texts that lack a language of other texts, or that of `[bot]`.
pub(super) fn missing(reader: &mut Reader<'_>, of_bot: Option<&str>) {
    let texts = std::mem::take(&mut reader.translations);
    let of_bot = of_bot.unwrap_or("en");
    let Some((first, _)) = texts.first() else {
        return;
    };
    if texts.iter().all(|(_, tags)| !has(tags, of_bot)) {
        let message = format!("no text is there in `{of_bot}`, the language of `[bot]`");
        let tags: Vec<&str> = texts[0].1.iter().map(String::as_str).collect();
        let help = format!(
            "set `language` in `[bot]` to one of {}, or add the texts",
            quoted(&tags)
        );
        return reader.warn(codes::MISSING_TRANSLATION, first, message, help);
    }
    let (wanted, rare) = languages(&texts);
    for (tag, span) in rare {
        let message = format!("only few texts are there in `{tag}`");
        let help = "add it to the others, or correct the tag";
        reader.warn(codes::MISSING_TRANSLATION, &span, message, help);
    }
    for (span, tags) in &texts {
        let missing = wanted.iter().copied().filter(|tag| !has(tags, tag));
        let missing: Vec<&str> = missing.collect();
        if missing.is_empty() {
            continue;
        }
        let message = format!("this text is not there in {}", quoted(&missing));
        let instead = match tags.iter().find(|tag| serves(tag, of_bot)) {
            Some(tag) => format!("in `{tag}`, the language of `[bot]`"),
            None => format!("in `{}`, the first that is there", tags[0]),
        };
        let help = format!("other texts are; contacts with it get this text {instead}");
        let warning = Diagnostic::warning(codes::MISSING_TRANSLATION, span.clone(), message);
        reader.report(warning.help(help));
    }
}

/// The languages that every text should have, and those of few texts, each with a place: to name
/// every other text would bury the mistake.
fn languages(texts: &[Translated]) -> (Vec<&str>, Vec<(&str, Range<usize>)>) {
    let mut uses: BTreeMap<&str, Vec<&Range<usize>>> = BTreeMap::new();
    for (span, tags) in texts {
        for tag in tags {
            uses.entry(tag).or_default().push(span);
        }
    }
    let few = texts.len() / 4;
    let (rare, wanted): (Vec<_>, Vec<_>) = uses.into_iter().partition(|(tag, places)| {
        let others = texts.iter().filter(|(_, tags)| !has(tags, tag));
        places.len() <= few && others.count() > 3
    });
    let rare = rare
        .into_iter()
        .map(|(tag, places)| (tag, places[0].clone()));
    (
        wanted.into_iter().map(|(tag, _)| tag).collect(),
        rare.collect(),
    )
}

fn has(tags: &[String], wanted: &str) -> bool {
    tags.iter().any(|tag| serves(tag, wanted))
}

/// Whether a text in language `tag` serves contacts with language `wanted`: `en` serves `en-GB`.
fn serves(tag: &str, wanted: &str) -> bool {
    let main = wanted.split('-').next().unwrap_or(wanted);
    tag.eq_ignore_ascii_case(wanted) || tag.eq_ignore_ascii_case(main)
}
