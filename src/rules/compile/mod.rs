//! Turns rules files into a [`RuleSet`], or into everything that is wrong with them.
//!
//! Pure: the caller reads the files. Each `[[rule]]` and each flow is read on its own ([`rule`],
//! [`flow`], with `condition`, [`answer`] and [`reply`]), so that one bad rule does not hide the
//! next; `lint` then looks at all of them together. Next on the way of a message:
//! [`crate::engine`].

mod action;
pub(super) mod answer;
mod bot;
mod condition;
pub(crate) mod flow;
mod hours;
mod opt_out;
mod reply;
pub(crate) mod rule;
mod test;
mod text;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use jiff::civil::Date;
use sha2::{Digest as _, Sha256};
use toml::de::DeValue;

use super::RuleSet;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes;
use crate::diagnostics::optional::optional;
use crate::diagnostics::sources::{Include, IncludeError, SourceMap};
use crate::diagnostics::syntax::{Parsed, SyntaxError, parse};
use crate::diagnostics::toml_reader::{Field, Reader, Table};
use crate::message::{Outbound, RulesVersion, TemplateFile, hex};
use text::Symbols;

/// File of the rules after the parser.
struct Document<'d> {
    root: Table<'d>,
    syntax: Vec<SyntaxError>,
}

/// The version of the language that this program reads.
const LANGUAGE_VERSION: u32 = 1;

/// What the main file may have at its top.
pub(crate) const ROOT_KEYS: [&str; 9] = [
    "version", "include", "bot", "hours", "opt_out", "opt_in", "rule", "flow", "test",
];
/// What an included file may have.
pub(crate) const INCLUDED_KEYS: [&str; 4] = ["version", "rule", "flow", "test"];

/// What [`compile`] makes of good files.
#[derive(Debug)]
pub struct Compiled {
    /// Ready to answer.
    pub rules: RuleSet,
    /// What is probably not meant as it is written.
    pub warnings: Vec<Diagnostic>,
}

/// What rules are checked against beside themselves.
#[derive(Clone, Copy, Debug, Default)]
pub struct CompileInput<'a> {
    /// The message templates last fetched from Meta; `None` when none ever were.
    pub templates: Option<&'a TemplateFile>,
    /// Holidays before this day are told; `None`: none are.
    pub today: Option<Date>,
}

/// The files that a main file includes, as far as that can be read. What is wrong with `include` is
/// told by [`compile`].
#[must_use]
pub fn includes(text: &str) -> Vec<Include> {
    let (document, _) = parse(0, text);
    let root = Table::root(document.get_ref(), 0);
    let Some(field) = root.get("include") else {
        return Vec::new();
    };
    let mut reader = Reader::new(text);
    let names = reader.any_strings(&field).unwrap_or_default();
    let names = names.into_iter().map(|name| Include {
        name: name.value.to_owned(),
        span: name.span,
    });
    names.collect()
}

/// Compiles rules files. Their names are kept with the text, for people who read the history.
///
/// # Errors
/// Everything that was found in the files, warnings too, in the order of the text, when at least
/// one is an error.
pub fn compile(sources: &SourceMap, beside: CompileInput<'_>) -> Result<Compiled, Vec<Diagnostic>> {
    // Each on its own: behind blank space for all before it, four megabytes in 400 files were a
    // gigabyte.
    let files = sources
        .starts()
        .map(|(start, text)| (start, parse(start, text)));
    let parsed: Vec<(usize, Parsed<'_>)> = files.collect();
    let mut reader = Reader::new(sources.text());
    let documents = roots(&mut reader, &parsed);
    let (draft, blocks) = read_all(&mut reader, &documents, beside);

    let syntax: Vec<&SyntaxError> = documents.iter().flat_map(|one| &one.syntax).collect();
    let left_out = left_out(sources);
    let mut diagnostics = beside_damage(reader.diagnostics, &syntax, &blocks);
    if left_out.iter().any(Diagnostic::is_error) {
        diagnostics.retain(Diagnostic::is_error);
    }
    diagnostics.extend(left_out);
    let text = sources.text();
    diagnostics.extend(syntax.iter().map(|error| error.diagnostic(text)));
    diagnostics.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.span.end));
    let Some(mut rules) = draft.filter(|_| !diagnostics.iter().any(Diagnostic::is_error)) else {
        return Err(diagnostics);
    };
    rules.source = sources.kept().into();
    rules.version = version_of(&rules.source);
    Ok(Compiled {
        rules,
        warnings: diagnostics,
    })
}

/// Makes a diagnostic for each entry of `include` whose files were not all found.
fn left_out(sources: &SourceMap) -> Vec<Diagnostic> {
    let diagnostics = sources.left_out().map(|(include, why)| {
        let (name, span) = (&include.name, include.span.clone());
        let error = |message: String| Diagnostic::error(codes::INCLUDE, span.clone(), message);
        match why {
            IncludeError::Missing => error(format!("there is no file `{name}`"))
                .label("to be included")
                .help("names are relative to the folder of the file they stand in".to_owned()),
            IncludeError::Itself => error("the file includes itself".to_owned())
                .label("this is the main file")
                .help("name only the other files".to_owned()),
            IncludeError::NoPattern(reason) => {
                error(format!("`{name}` is no pattern for names of files"))
                    .label(reason.as_str())
                    .help("`*` stands for any part of a name: `rules/*.toml`".to_owned())
            }
            IncludeError::NoMatch => {
                let message = format!("no file fits `{name}`");
                Diagnostic::warning(codes::NO_INCLUDE, span, message)
                    .label("nothing is included")
                    .help("names are relative to the folder of the file they stand in".to_owned())
            }
            IncludeError::NoText(file) => error(format!("`{file}` is not text in UTF-8"))
                .label("to be included")
                .help("save it with the encoding UTF-8".to_owned()),
            IncludeError::Unreadable(file, reason) => {
                error(format!("`{file}` cannot be read")).label(reason.as_str())
            }
        }
    });
    diagnostics.collect()
}

/// The top of every file; keys that have no place there are told.
fn roots<'d>(reader: &mut Reader<'_>, parsed: &'d [(usize, Parsed<'d>)]) -> Vec<Document<'d>> {
    let mut documents = Vec::with_capacity(parsed.len());
    for (index, (start, (document, syntax))) in parsed.iter().enumerate() {
        let mut root = Table::root(document.get_ref(), *start);
        let keys: &[&'static str] = if index == 0 {
            &ROOT_KEYS
        } else {
            &INCLUDED_KEYS
        };
        reader.known_keys(&mut root, keys);
        documents.push(Document {
            root,
            syntax: syntax.clone(),
        });
    }
    documents
}

/// Reads everything; gives the rules when all could be read, and where each part begins.
fn read_all(
    reader: &mut Reader<'_>,
    documents: &[Document<'_>],
    beside: CompileInput<'_>,
) -> (Option<RuleSet>, Vec<usize>) {
    let (main, included) = documents.split_first().expect("there is a main file");
    version(reader, &main.root, included);
    if let Some(field) = main.root.get("include") {
        reader.any_strings(&field);
    }
    let bot = bot::read(reader, main.root.get("bot").as_ref());
    let timezone = bot.as_ref().map(|bot| bot.timezone.clone());
    let timezone = timezone.unwrap_or(jiff::tz::TimeZone::UTC);
    let hours = optional(main.root.get("hours"), |field| {
        hours::read(reader, &field, &timezone, beside.today)
    });
    let hours = hours.ok();
    let set = what_is_set(documents);
    let known = Symbols {
        fields: Some(&set.fields),
        tags: Some(&set.tags),
        templates: beside.templates,
        ..Symbols::default()
    };
    let mut words = |key| {
        let field = main.root.get(key);
        optional(field, |field| opt_out::read(reader, &field, known)).ok()
    };
    let (opt_out, opt_in) = (words("opt_out"), words("opt_in"));

    // Included files come first, so that the last rule of the main file stays the last of all.
    let in_order = || included.iter().chain([main]);
    let mut headers = Vec::new();
    let mut flows = Vec::new();
    for document in in_order() {
        headers.extend(rule_headers(reader, &document.root));
        flows.extend(flow::headers(reader, &document.root));
    }
    let rules: Vec<rule::Draft<'_>> = headers
        .iter()
        .filter_map(|header| rule::read(reader, header, known))
        .collect();
    let flow_drafts = flow::read_all(reader, &flows, known);
    let blocks = headers.iter().chain(&flows).map(|header| header.span.start);
    let mut blocks: Vec<usize> = blocks.collect();
    blocks.sort_unstable();

    super::lint::all(reader, &rules, &flow_drafts, hours.as_ref());
    let none = documents
        .iter()
        .all(|one| one.root.get("rule").is_none() && !one.root.has_misspelt("rule"));
    if none {
        let warning = Diagnostic::warning(codes::NO_RULES, 0..0, "the file has no rules");
        reader.report(warning.help("begin one with a line that says `[[rule]]`".to_owned()));
    }
    let rules: Option<Vec<_>> = rules.into_iter().map(rule::Draft::finish).collect();
    let flows = flow::finish(flow_drafts);
    let tests = documents.iter();
    let tests = tests.filter_map(|document| document.root.get("test"));
    let tests = test::read_all(reader, tests);
    // `compile` sets version and source.
    let set = || {
        let rules = rules?;
        let places = rules.iter().enumerate();
        let places = places.map(|(place, rule)| (rule.id.as_str().to_owned(), place));
        Some(RuleSet {
            version: version_of(""),
            source: "".into(),
            bot: bot?,
            hours: hours?.map(Arc::new),
            opt_out: opt_out?,
            opt_in: opt_in?,
            tests: tests?,
            places: places.collect(),
            rules,
            flows: flows?,
        })
    };
    (set(), blocks)
}

/// What can be remembered of a person.
#[derive(Default)]
struct Remembered {
    fields: BTreeSet<String>,
    tags: BTreeSet<String>,
}

/// Every field and tag that something sets, wherever it stands.
fn what_is_set(documents: &[Document<'_>]) -> Remembered {
    let mut found = Remembered::default();
    for name in ["rule", "flow"] {
        for document in documents {
            if let Some(field) = document.root.get(name) {
                collect_set(&field, &mut found);
            }
        }
    }
    found
}

fn collect_set(field: &Field<'_>, found: &mut Remembered) {
    let inner = field.elements().unwrap_or_else(|| field.entries());
    for one in inner {
        match one.name {
            "set" => {
                let names = one.entries();
                let names = names.iter().map(|entry| entry.name.to_owned());
                found.fields.extend(names);
            }
            "tag" => {
                let tags = one.elements().unwrap_or_else(|| vec![one.clone()]);
                let tags = tags.iter().filter_map(Field::text);
                found.tags.extend(tags.map(str::to_owned));
            }
            // Asks for tags under the same name.
            "when" => continue,
            _ => {}
        }
        collect_set(&one, found);
    }
}

/// Compiles a text that is one message, in the words of a rule's `reply`: what `replyd send
/// --reply` takes.
///
/// # Errors
/// Everything that was found, warnings too, when at least one is an error. Variables are one: there
/// is no message that they could speak of.
pub fn compile_reply(
    text: &str,
    templates: Option<&TemplateFile>,
) -> Result<(Outbound, Vec<Diagnostic>), Vec<Diagnostic>> {
    let (document, syntax) = parse(0, text);
    let mut reader = Reader::new(text);
    let value = DeValue::Table(document.into_inner());
    let field = Field::whole("reply", &value, 0..0);
    let known = Symbols {
        templates,
        ..Symbols::default()
    };
    let (template, _) = reply::read_one(&mut reader, &field, known);
    let errors: Vec<&SyntaxError> = syntax.iter().collect();
    let mut diagnostics = beside_damage(reader.diagnostics, &errors, &[0]);
    diagnostics.extend(syntax.iter().map(|error| error.diagnostic(text)));
    let literal = template.map(|template| {
        template
            .content
            .try_map(|text| text.literal(&[]).map(str::to_owned).ok_or(()))
    });
    if let Some(Err(())) = literal {
        let message = "there is no message whose variables could be filled in";
        diagnostics.push(Diagnostic::error(codes::TEMPLATE, 0..0, message));
    }
    diagnostics.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.span.end));
    match literal {
        Some(Ok(message)) if !diagnostics.iter().any(Diagnostic::is_error) => {
            Ok((message, diagnostics))
        }
        _ => Err(diagnostics),
    }
}

fn version_of(source: &str) -> RulesVersion {
    RulesVersion::parse(hex(&Sha256::digest(source))).expect("a hash is never empty")
}

/// The main file says its version; an included one may.
fn version(reader: &mut Reader<'_>, root: &Table<'_>, included: &[Document<'_>]) {
    for field in included.iter().filter_map(|one| one.root.get("version")) {
        known_version(reader, &field);
    }
    let Some(field) = root.get("version") else {
        let error = Diagnostic::error(codes::VERSION, 0..0, "the file does not say its version");
        reader.report(error.help(format!(
            "put `version = {LANGUAGE_VERSION}` on its first line"
        )));
        return;
    };
    known_version(reader, &field);
}

fn known_version(reader: &mut Reader<'_>, field: &Field<'_>) {
    let number = reader.number(field, &(0..=u32::MAX));
    if number.is_some_and(|number| number != LANGUAGE_VERSION) {
        reader.report(
            Diagnostic::error(
                codes::VERSION,
                field.span.clone(),
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
    reader.tables(&field, "rules, each under a line with `[[rule]]`")
}

/// Keeps what was found in parts of the file without a syntax error. Inside a damaged part it would
/// mostly be about what the parser could not read.
fn beside_damage(
    found: Vec<Diagnostic>,
    syntax: &[&SyntaxError],
    blocks: &[usize],
) -> Vec<Diagnostic> {
    let block_of = |span: &Range<usize>| blocks.partition_point(|start| *start <= span.start);
    let damaged: Vec<usize> = syntax.iter().map(|error| block_of(&error.span)).collect();
    found
        .into_iter()
        .filter(|diagnostic| {
            // Warnings speak about the rules as a whole, which nobody knows yet.
            let whole = syntax.is_empty() || diagnostic.is_error();
            whole && !damaged.contains(&block_of(&diagnostic.span))
        })
        .collect()
}

#[cfg(test)]
mod tests;
