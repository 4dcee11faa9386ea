//! Turns a rules file into a [`RuleSet`], or into everything that is wrong with it.
//!
//! Pure: the caller reads the file. Each `[[rule]]` is read on its own ([`rule`], with [`when`] and [`reply`]), so
//! that one bad rule does not hide the next; [`lint`] then looks at all of them together.
//! Next on the way of a message: [`crate::turn`].

mod bot;
mod lint;
mod reply;
mod rule;
mod sample;
mod when;

use std::ops::Range;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use toml::de::{DeTable, DeValue};

use super::RuleSet;
use super::codes;
use super::diagnostic::{Diagnostic, Severity};
use super::file::{Field, Reader, Table};
use crate::message::{Outbound, RulesVersion, TemplateFile};

/// The version of the language that this program reads.
const LANGUAGE_VERSION: u32 = 1;

/// What [`compile`] makes of a good file.
#[derive(Debug)]
pub struct Compiled {
    /// Ready to answer.
    pub rules: RuleSet,
    /// What is probably not meant as it is written.
    pub warnings: Vec<Diagnostic>,
}

/// Compiles the text of a rules file. `file_name` is kept with the text, for people who read the history. Message
/// templates are held against `templates`, the ones last fetched from Meta.
///
/// # Errors
/// Everything that was found in the file, warnings too, in the order of the text, when at least one is an error.
pub fn compile(
    file_name: &str,
    text: &str,
    templates: Option<&TemplateFile>,
) -> Result<Compiled, Vec<Diagnostic>> {
    let (document, syntax) = DeTable::parse_recoverable(text);
    let mut reader = Reader::new(text);
    let mut root = Table::root(document.get_ref());
    reader.known_keys(&mut root, &["version", "bot", "rule"]);
    version(&mut reader, &root);
    let bot = bot::read(&mut reader, root.get("bot").as_ref());
    let headers = rule_headers(&mut reader, &root);
    let rules: Vec<rule::Draft<'_>> = headers
        .iter()
        .filter_map(|header| rule::read(&mut reader, header, templates))
        .collect();
    lint::duplicate_ids(&mut reader, &rules);
    lint::unreachable(&mut reader, &rules);
    lint::choices(&mut reader, &rules);
    if root.get("rule").is_none() && !root.has_misspelt("rule") {
        let warning = Diagnostic::warning(codes::NO_RULES, 0..0, "the file has no rules");
        reader.report(warning.help("begin one with a line that says `[[rule]]`".to_owned()));
    }

    let blocks: Vec<usize> = headers.iter().map(|header| header.span.start).collect();
    let mut diagnostics = beside_damage(reader.diagnostics, &syntax, &blocks);
    diagnostics.extend(syntax.iter().map(|error| syntax_error(error, text)));
    diagnostics.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.span.end));
    let good = diagnostics
        .iter()
        .all(|diagnostic| diagnostic.severity != Severity::Error);
    let rules: Option<Vec<_>> = rules.into_iter().map(rule::Draft::finish).collect();
    let (true, Some(bot), Some(rules)) = (good, bot, rules) else {
        return Err(diagnostics);
    };
    let source: Arc<str> = format!("# file: {file_name}\n{text}").into();
    let rules = RuleSet {
        version: version_of(&source),
        source,
        bot,
        rules,
    };
    Ok(Compiled {
        rules,
        warnings: diagnostics,
    })
}

/// Compiles a text that is one message, in the words of a rule's `reply`: what `replyd send --reply` takes.
///
/// # Errors
/// Everything that was found, warnings too, when at least one is an error. Variables are one: there is no message that
/// they could speak of.
pub fn compile_reply(
    text: &str,
    templates: Option<&TemplateFile>,
) -> Result<(Outbound, Vec<Diagnostic>), Vec<Diagnostic>> {
    let (document, syntax) = DeTable::parse_recoverable(text);
    let mut reader = Reader::new(text);
    let value = DeValue::Table(document.into_inner());
    let field = Field::whole("reply", &value);
    let known = reply::Known {
        captures: &[],
        templates,
    };
    let (template, _) = reply::read_one(&mut reader, &field, known);
    let mut diagnostics = beside_damage(reader.diagnostics, &syntax, &[0]);
    diagnostics.extend(syntax.iter().map(|error| syntax_error(error, text)));
    let literal = template.map(|template| {
        template
            .content
            .try_map(|text| text.literal().map(str::to_owned).ok_or(()))
    });
    if let Some(Err(())) = literal {
        let message = "there is no message whose variables could be filled in";
        diagnostics.push(Diagnostic::error(codes::TEMPLATE, 0..0, message));
    }
    diagnostics.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.span.end));
    let is_error = |found: &Diagnostic| found.severity == Severity::Error;
    match literal {
        Some(Ok(message)) if !diagnostics.iter().any(is_error) => Ok((message, diagnostics)),
        _ => Err(diagnostics),
    }
}

fn version_of(source: &str) -> RulesVersion {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(source.as_bytes()) {
        for digit in [byte >> 4, byte & 0xf] {
            hex.extend(char::from_digit(u32::from(digit), 16));
        }
    }
    RulesVersion::parse(hex).expect("a hash is never empty")
}

fn version(reader: &mut Reader<'_>, root: &Table<'_>) {
    let Some(field) = root.get("version") else {
        let error = Diagnostic::error(codes::VERSION, 0..0, "the file does not say its version");
        reader.report(error.help(format!(
            "put `version = {LANGUAGE_VERSION}` on its first line"
        )));
        return;
    };
    let number = reader.number(&field, &(0..=u32::MAX));
    if number.is_some_and(|number| number != LANGUAGE_VERSION) {
        reader.report(
            Diagnostic::error(
                codes::VERSION,
                field.span,
                "unknown version of the language",
            )
            .label(format!("this program reads version {LANGUAGE_VERSION}")),
        );
    }
}

fn rule_headers<'d>(reader: &mut Reader<'_>, root: &Table<'d>) -> Vec<Field<'d>> {
    let Some(field) = root.get("rule") else {
        return Vec::new();
    };
    field.elements().unwrap_or_else(|| {
        reader.wrong_type(&field, "rules, each under a line with `[[rule]]`");
        Vec::new()
    })
}

fn syntax_error(error: &toml::de::Error, text: &str) -> Diagnostic {
    let span = error.span().unwrap_or(text.len()..text.len());
    // People write patterns in double quotes, where a backslash begins an escape.
    let escape = text.get(..span.end).is_some_and(|before| {
        let written = &before[before.floor_char_boundary(span.start.saturating_sub(1))..];
        written.contains('\\')
    });
    let help = escape.then(|| {
        "in single quotes a backslash stands for itself; in double quotes write two".to_owned()
    });
    Diagnostic::error(codes::SYNTAX, span, error.message()).help(help)
}

/// Keeps what was found in parts of the file without a syntax error. Inside a damaged part it would mostly be
/// about what the parser could not read.
fn beside_damage(
    found: Vec<Diagnostic>,
    syntax: &[toml::de::Error],
    blocks: &[usize],
) -> Vec<Diagnostic> {
    let block_of = |span: &Range<usize>| blocks.partition_point(|start| *start <= span.start);
    let damaged: Vec<usize> = syntax
        .iter()
        .filter_map(toml::de::Error::span)
        .map(|span| block_of(&span))
        .collect();
    found
        .into_iter()
        .filter(|diagnostic| {
            // Warnings speak about the rules as a whole, which nobody knows yet.
            let whole = syntax.is_empty() || diagnostic.severity == Severity::Error;
            whole && !damaged.contains(&block_of(&diagnostic.span))
        })
        .collect()
}

#[cfg(test)]
mod tests;
