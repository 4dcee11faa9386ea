//! Turns rules files into a [`RuleSet`], or into everything that is wrong with them.
//!
//! Pure: the caller reads the files. Each `[[rule]]` and each flow is read on its own ([`rule`],
//! [`flow`], with `condition`, [`answer`] and [`reply`]), so that one bad rule does not hide the
//! next; `lint` then looks at all of them together. Next on the way of a message:
//! [`crate::engine`].

mod action;
pub(super) mod answer;
mod bot;
pub(crate) mod condition;
mod damage;
pub(crate) mod flow;
mod foreign_marks;
mod hours;
mod opt_out;
mod reply;
pub(crate) mod rule;
mod test;
mod text;
mod words;

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use jiff::civil::Date;
use sha2::{Digest as _, Sha256};
use toml::de::DeValue;

use super::RuleSet;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes;
use crate::diagnostics::optional::optional;
use crate::diagnostics::repair::{Repaired, repair};
use crate::diagnostics::sources::{Include, IncludeError, SourceMap};
use crate::diagnostics::syntax::{Parsed, parse};
use crate::diagnostics::toml_reader::{Field, Reader, Table};
use crate::message::{Outbound, RulesVersion, TemplateFile, TemplateStates, hex};
use damage::outside_damage;
use text::Symbols;

/// File of the rules after the parser.
struct Document<'d> {
    root: Table<'d>,
}

/// The version of the language that this program reads.
const LANGUAGE_VERSION: u32 = 1;

/// Keys at the top of the main file.
pub(crate) const ROOT_KEYS: [&str; 9] = [
    "version", "include", "bot", "hours", "opt_out", "opt_in", "rule", "flow", "test",
];
/// Keys at the top of an included file.
pub(crate) const INCLUDED_KEYS: [&str; 4] = ["version", "rule", "flow", "test"];

/// The tables of the language, with words for where each is and with its keys.
static PLACES: LazyLock<Vec<(&str, Vec<&str>)>> = LazyLock::new(|| {
    vec![
        ("at the top of the file", vec!["version", "include"]),
        ("under `[bot]`", bot::KEYS.to_vec()),
        ("under `[hours]`", vec!["holidays", "daily"]),
        (
            "in the rule, above its tables in brackets",
            rule::KEYS.to_vec(),
        ),
        ("in `when`", condition::KEYS.to_vec()),
        ("in `when.text`", condition::TEXT_KEYS.to_vec()),
        ("in `reply`", reply::reply_keys()),
        ("under `[flow.NAME]`", flow::KEYS.to_vec()),
        ("under `[[flow.NAME.step]]`", flow::STEP_KEYS.to_vec()),
        ("in `call`", action::CALL_KEYS.to_vec()),
        ("in `model`", action::MODEL_KEYS.to_vec()),
        ("in a button or row", vec!["title", "description"]),
        ("under `[[test]]`", vec!["name", "at", "talk"]),
        (
            "in a table of its own: `[opt_out]`",
            vec!["opt_out", "words"],
        ),
        ("in a table of its own: `[opt_in]`", vec!["opt_in"]),
    ]
});

/// Rules of files without errors.
#[derive(Debug)]
pub struct Compiled {
    /// Rules for an engine.
    pub rules: RuleSet,
    /// Warnings about parts that are probably not meant as written.
    pub warnings: Vec<Diagnostic>,
}

/// External facts that a check needs.
#[derive(Clone, Copy, Debug, Default)]
pub struct CompileInput<'a> {
    /// The message templates last fetched from Meta; `None` when none ever were.
    pub templates: Option<&'a TemplateFile>,
    /// Holidays before this day cause a warning; `None` turns the warning off.
    pub today: Option<Date>,
    /// Scheme, host and port of each address that calls may go to; `None` when they are not known.
    pub hosts: Option<&'a [String]>,
}

/// Lists the files that a main file includes. [`compile`] reports errors in `include`.
#[must_use]
pub fn includes(text: &str) -> Vec<Include> {
    let repaired = repair(0, text);
    let (document, _) = parse(0, &repaired.text);
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

/// Compiles rules files. The names of the files are kept with their text, for readers of the
/// history.
///
/// # Errors
/// Every diagnostic, warnings too, in the order of the text, when at least one is an error.
pub fn compile(sources: &SourceMap, input: CompileInput<'_>) -> Result<Compiled, Vec<Diagnostic>> {
    // Each file is parsed on its own. Padding each with blanks, to give it its place among all
    // files, made a gigabyte of four megabytes in 400 files.
    let files = sources.starts();
    let files: Vec<(usize, Repaired)> = files
        .map(|(start, text)| (start, repair(start, text)))
        .collect();
    let parsed = files
        .iter()
        .map(|(start, file)| (*start, parse(*start, &file.text)));
    let parsed: Vec<(usize, Parsed<'_>)> = parsed.collect();
    let mut reader = Reader::with_places(sources.text(), &PLACES);
    let documents = roots(&mut reader, &parsed);
    let syntax: Vec<Diagnostic> = files
        .iter()
        .flat_map(|(_, file)| file.mistakes.clone())
        .collect();
    let (draft, blocks) = read_all(&mut reader, &documents, input, &syntax);

    let left_out = left_out(sources);
    let mut diagnostics = outside_damage(reader.diagnostics, &syntax, &blocks);
    if left_out.iter().any(Diagnostic::is_error) {
        diagnostics.retain(Diagnostic::is_error);
    }
    diagnostics.extend(left_out);
    diagnostics.extend(syntax);
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
            IncludeError::NoText(file, reason) => error(format!("`{file}` is not text in UTF-8"))
                .label("to be included")
                .help(reason.clone()),
            IncludeError::Unreadable(file, reason) => {
                error(format!("`{file}` cannot be read")).label(reason.as_str())
            }
        }
    });
    diagnostics.collect()
}

/// Reads the top of every file and reports unknown keys there.
fn roots<'d>(reader: &mut Reader<'_>, parsed: &'d [(usize, Parsed<'d>)]) -> Vec<Document<'d>> {
    let mut documents = Vec::with_capacity(parsed.len());
    for (index, (start, (document, _))) in parsed.iter().enumerate() {
        let mut root = Table::root(document.get_ref(), *start);
        let keys: &[&'static str] = if index == 0 {
            &ROOT_KEYS
        } else {
            &INCLUDED_KEYS
        };
        reader.known_keys(&mut root, keys);
        documents.push(Document { root });
    }
    documents
}

/// Reads every part of the rules. Returns the rules, unless a part is wrong, and the byte at which
/// each rule and flow begins.
fn read_all(
    reader: &mut Reader<'_>,
    documents: &[Document<'_>],
    input: CompileInput<'_>,
    syntax: &[Diagnostic],
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
        hours::read(reader, &field, &timezone, input.today)
    });
    let hours = hours.ok();
    let set_names = SetNames::new(documents);
    let known = Symbols {
        // What is set in a part that cannot be read is not known.
        fields: syntax.is_empty().then_some(&set_names.fields),
        tags: syntax.is_empty().then_some(&set_names.tags),
        templates: input.templates,
        ..Symbols::default()
    };
    let mut words = |key| {
        let field = main.root.get(key);
        optional(field, |field| opt_out::read(reader, &field, known)).ok()
    };
    let (opt_out, opt_in) = (words("opt_out"), words("opt_in"));

    let (headers, flows) = headers(reader, main, included);
    let rules: Vec<rule::Draft<'_>> = headers
        .iter()
        .filter_map(|header| rule::read(reader, header, known))
        .collect();
    let flow_drafts = flow::read_all(reader, &flows, known);
    let blocks = blocks(reader, headers.iter().chain(&flows), syntax);

    let context = super::lint::Context {
        hours: hours.as_ref(),
        language: bot.as_ref().map(|bot| bot.language.as_str()),
        hosts: input.hosts,
        words: super::lint::OptWords {
            opt_out: opt_out.as_ref().and_then(Option::as_ref),
            opt_in: main.root.get("opt_in"),
        },
    };
    super::lint::all(reader, &rules, &flow_drafts, &context);
    no_rules(reader, documents);
    let rules: Option<Vec<_>> = rules.into_iter().map(rule::Draft::finish).collect();
    let flows = flow::finish(flow_drafts);
    let tests = documents.iter().filter_map(|file| file.root.get("test"));
    let tests = test::read_all(reader, tests);
    if let (true, Some(rules), Some(flows)) = (syntax.is_empty(), &rules, &flows) {
        super::lint::tested_rules(reader, rules, flows);
    }
    let templates = input.templates.map(TemplateStates::from_file);
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
            templates: templates.unwrap_or_default(),
        })
    };
    (set(), blocks)
}

/// The byte at which each rule and flow begins, in order. A header that cannot be read begins a part
/// of its own.
fn blocks<'h, 'd: 'h>(
    reader: &Reader<'_>,
    headers: impl Iterator<Item = &'h Field<'d>>,
    syntax: &[Diagnostic],
) -> Vec<usize> {
    let broken = syntax.iter().map(|error| error.span.start);
    let broken = broken.filter(|at| reader.header_begins_at(*at));
    let mut blocks: Vec<usize> = headers
        .map(|header| header.span.start)
        .chain(broken)
        .collect();
    blocks.sort_unstable();
    blocks
}

fn no_rules(reader: &mut Reader<'_>, documents: &[Document<'_>]) {
    let has_no_rules = |root: &Table<'_>| root.get("rule").is_none() && !root.has_misspelt("rule");
    if documents.iter().all(|file| has_no_rules(&file.root)) {
        let message = "the file has no rules";
        let help = "begin one with a line that says `[[rule]]`";
        reader.warn(codes::NO_RULES, &(0..0), message, help);
    }
}

/// Fields and tags that rules or flows set for a contact.
#[derive(Default)]
struct SetNames {
    fields: BTreeSet<String>,
    tags: BTreeSet<String>,
}

impl SetNames {
    fn new(documents: &[Document<'_>]) -> Self {
        let mut names = Self::default();
        for document in documents {
            for field in ["rule", "flow"]
                .iter()
                .filter_map(|name| document.root.get(name))
            {
                names.add_all(&field);
            }
        }
        names
    }

    /// Adds the names below a key, at any depth.
    fn add_all(&mut self, field: &Field<'_>) {
        let inner = field.elements().unwrap_or_else(|| field.entries());
        for field in inner {
            match field.name {
                "set" => {
                    let entries = field.entries();
                    let names = entries.iter().map(|entry| entry.name.to_owned());
                    self.fields.extend(names);
                }
                "tag" => {
                    let tags = field.elements().unwrap_or_else(|| vec![field.clone()]);
                    let tags = tags.iter().filter_map(Field::text);
                    self.tags.extend(tags.map(str::to_owned));
                }
                // Asks for tags under the same name.
                "when" => continue,
                _ => {}
            }
            self.add_all(&field);
        }
    }
}

/// Compiles the text of one message, written like a rule's `reply`, for `replyd send --reply`.
///
/// # Errors
/// Every diagnostic, warnings too, when at least one is an error. A variable is an error, because
/// no inbound message gives it a value.
pub fn compile_reply(
    text: &str,
    templates: Option<&TemplateFile>,
) -> Result<(Outbound, Vec<Diagnostic>), Vec<Diagnostic>> {
    let Repaired {
        text: readable,
        mistakes: syntax,
    } = repair(0, text);
    let (document, _) = parse(0, &readable);
    let mut reader = Reader::new(text);
    let value = DeValue::Table(document.into_inner());
    let field = Field::whole("reply", &value, 0..0);
    let known = Symbols {
        templates,
        ..Symbols::default()
    };
    let (template, _) = reply::read_one(&mut reader, &field, known);
    let mut diagnostics = outside_damage(reader.diagnostics, &syntax, &[0]);
    diagnostics.extend(syntax);
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

/// Checks the version, which is required in the main file and optional in included files.
fn version(reader: &mut Reader<'_>, root: &Table<'_>, included: &[Document<'_>]) {
    for field in included.iter().filter_map(|file| file.root.get("version")) {
        known_version(reader, &field);
    }
    let Some(field) = root.get("version") else {
        if root.has_misspelt("version") {
            return;
        }
        let message = "the file does not say its version";
        let help = format!("put `version = {LANGUAGE_VERSION}` on its first line");
        reader.error(codes::VERSION, &(0..0), message, help);
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

/// The rules and the flows of all files. Included files come first, so that the last rule of the main
/// file stays the last of all.
fn headers<'d>(
    reader: &mut Reader<'_>,
    main: &Document<'d>,
    included: &[Document<'d>],
) -> (Vec<Field<'d>>, Vec<Field<'d>>) {
    let (mut rules, mut flows) = (Vec::new(), Vec::new());
    for document in included.iter().chain([main]) {
        rules.extend(rule_headers(reader, &document.root));
        flows.extend(flow::headers(reader, &document.root));
    }
    (rules, flows)
}

fn rule_headers<'d>(reader: &mut Reader<'_>, root: &Table<'d>) -> Vec<Field<'d>> {
    let Some(field) = root.get("rule") else {
        return Vec::new();
    };
    reader.tables(&field, "rules, each under a line with `[[rule]]`")
}

#[cfg(test)]
mod tests;
