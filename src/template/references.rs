//! References to filters and tests. The engine would report an unknown name only when it fills in a
//! text.

use std::collections::HashSet;
use std::ops::Range;

use minijinja::{Environment, ErrorKind};

use super::blocks::comparisons;
use super::environment::{FILTERS, TESTS};
use super::error::{TemplateError, kind_meant};
use super::scope::{NAMES, Scope};
use crate::message::Kind;

/// Use of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    /// `value | name`
    Filter,
    /// `value is name`
    Test,
}

/// Reports filters and tests that the engine does not have, each at its place.
pub(crate) fn unknown(source: &str, engine: &Environment<'_>) -> Vec<TemplateError> {
    let mut names = used(source);
    names.retain(|(kind, range)| !is_known(engine, *kind, &source[range.clone()]));
    names
        .into_iter()
        .map(|(kind, range)| {
            let name = &source[range.clone()];
            let (noun, known) = match kind {
                Use::Filter => ("filter", FILTERS),
                Use::Test => ("test", TESTS),
            };
            let closest = crate::diagnostics::suggest::did_you_mean(name, known.split(' '));
            let list = || format!("there are {}", known.replace(' ', ", "));
            TemplateError {
                message: format!("there is no {noun} `{name}`"),
                help: Some(closest.unwrap_or_else(list)),
                range,
            }
        })
        .collect()
}

/// Reports filters whose literal arguments they do not take: `date('dd.mm.yyyy')`, `money` without a
/// currency. Arguments with variables are seen when a text is filled in.
pub(crate) fn bad_arguments(source: &str, engine: &Environment<'_>) -> Vec<TemplateError> {
    let mut errors = Vec::new();
    for (kind, range) in used(source) {
        let name = &source[range.clone()];
        if kind != Use::Filter || !is_known(engine, kind, name) {
            continue;
        }
        let Some(arguments) = literal_arguments(&source[range.end..]) else {
            continue;
        };
        let values: &[&str] = match name {
            "date" | "weekday" | "weekday_name" => &["'2026-12-24'"],
            "time" => &["'09:30'"],
            "number" | "money" | "round" | "int" | "float" => &["1"],
            // A number of each plural form.
            "plural" => &["0", "1", "2", "5", "11", "1.5"],
            "join" | "first" | "last" | "length" => &["['a']"],
            _ => &["'a'"],
        };
        let errors_of = values.iter().filter_map(|value| {
            let text = format!("{{{{ {value} | {name}{arguments} }}}}");
            engine.render_str(&text, ()).err()
        });
        if let Some(error) = errors_of.into_iter().next() {
            let detail = error.detail().map(str::to_owned);
            let detail = detail.unwrap_or_else(|| error.kind().to_string());
            errors.push(TemplateError {
                range: range.start..range.end + arguments.len(),
                message: format!("the filter `{name}` cannot be used so: {detail}"),
                help: Some(form_of(name)),
            });
        }
    }
    errors
}

/// How a filter is written.
fn form_of(name: &str) -> String {
    let form = match name {
        "date" => "{{ day | date }} or {{ day | date('short') }}: short, medium, long or full",
        "money" => "{{ total | money('EUR') }}",
        "plural" => "{{ cakes | plural(one='cake', other='cakes') }}",
        "number" => "{{ total | number }} or {{ total | number(2) }}",
        "truncate" => "{{ message.text | truncate(40) }}",
        "default" => "{{ contact.first_name | default('friend') }}",
        "replace" => "{{ message.text | replace('a', 'b') }}",
        "join" => "{{ form.toppings | join(', ') }}",
        "round" => "{{ total | round }} or {{ total | round(2) }}",
        _ => return format!("write it like {{{{ message.text | {name} }}}}"),
    };
    format!("write it like {form}")
}

/// Returns the arguments behind a filter, with their brackets, if all are literals; an empty text
/// if there are none.
fn literal_arguments(rest: &str) -> Option<&str> {
    let inside = rest.strip_prefix('(');
    let Some(inside) = inside else {
        return Some("");
    };
    let mut quote = None;
    let mut word = String::new();
    for (at, character) in inside.char_indices() {
        match (quote, character) {
            (Some(open), _) => quote = (character != open).then_some(open),
            (None, '"' | '\'') => quote = Some(character),
            (None, '(' | '[' | '{' | '|' | '~') => return None,
            (None, '=') => word.clear(),
            (None, ',' | ')') => {
                let word = std::mem::take(&mut word);
                let is_literal = word.is_empty()
                    || ["true", "false", "none"].contains(&word.as_str())
                    || word.parse::<f64>().is_ok();
                if !is_literal {
                    return None;
                }
                if character == ')' {
                    return Some(&rest[..at + 2]);
                }
            }
            (None, _) if character.is_whitespace() => {}
            (None, _) => word.push(character),
        }
    }
    None
}

/// Filters that write a text of whatever they are given.
const OF_TEXTS: &str = "default upper lower title capitalize trim replace truncate";

/// Reports variables that are written as a text, but are a group or a list of groups.
pub(crate) fn whole_groups(
    source: &str,
    used: &HashSet<String>,
    scope: &Scope<'_>,
) -> Vec<TemplateError> {
    let mut errors = Vec::new();
    for (start, _) in source.match_indices("{{") {
        let inside = &source[start + 2..];
        let inside = inside.split_once("}}").map_or(inside, |(inside, _)| inside);
        let inside = inside.trim_start_matches(['-', ' ']);
        let is_name = |character: char| character.is_alphanumeric() || "_.".contains(character);
        let end = inside.find(|character| !is_name(character));
        let (name, rest) = inside.split_at(end.unwrap_or(inside.len()));
        let rest = rest.trim_matches(['-', ' ']);
        let filter = rest.strip_prefix('|').map(str::trim_start);
        let filter = filter.map(|filter| filter.split(|c: char| !is_name(c)).next());
        let is_written = rest.is_empty()
            || filter
                .flatten()
                .is_some_and(|name| OF_TEXTS.split(' ').any(|known| known == name));
        let root = name.split('.').next().unwrap_or(name);
        let replaced = scope.roots.iter().any(|known| known == root);
        if !is_written || replaced || !used.contains(name) {
            continue;
        }
        let Some(help) = help_for_group(name) else {
            continue;
        };
        let at = source.len() - source[start..].len() + source[start..].find(name).unwrap_or(0);
        errors.push(TemplateError {
            range: at..at + name.len(),
            message: format!("`{name}` is a group of variables, not a text"),
            help: Some(help),
        });
    }
    errors
}

/// Reports comparisons with a word that the variable never is.
pub(crate) fn impossible(source: &str) -> Vec<TemplateError> {
    const AUTHORS: [&str; 3] = ["contact", "bot", "colleague"];
    let errors = comparisons(source).into_iter().filter_map(|comparison| {
        let literal = comparison.literal;
        let help = match comparison.name {
            "message.type" if Kind::ALL.iter().all(|(name, _)| *name != literal) => {
                let names = Kind::ALL.map(|(name, _)| name).join(", ");
                kind_meant(literal).unwrap_or_else(|| format!("the types are {names}"))
            }
            "quoted.by" if !AUTHORS.contains(&literal) => {
                format!("it is one of {}", AUTHORS.join(", "))
            }
            _ => return None,
        };
        Some(TemplateError {
            message: format!("`{}` is never `{literal}`", comparison.name),
            help: Some(help),
            range: comparison.range,
        })
    });
    errors.collect()
}

/// How to write what a group or a list of groups holds; `None` for other variables.
fn help_for_group(name: &str) -> Option<String> {
    match name {
        "cards" | "order.items" => {
            let each = if name == "cards" { "card" } else { "item" };
            Some(format!(
                "take each of them: {{% for {each} in {name} %}}…{{% endfor %}}"
            ))
        }
        "form" | "match" | "contact.fields" => Some(format!("write `{name}.` and a name")),
        _ => {
            let group = format!("{name}.");
            let inside: Vec<&str> = NAMES
                .iter()
                .map(String::as_str)
                .filter(|known| known.starts_with(&group))
                .collect();
            (!inside.is_empty()).then(|| format!("there are {}", inside.join(", ")))
        }
    }
}

/// Asks the engine itself, so that no list can be wrong.
fn is_known(engine: &Environment<'_>, kind: Use, name: &str) -> bool {
    let (text, missing) = match kind {
        Use::Filter => (format!("{{{{ 1 | {name} }}}}"), ErrorKind::UnknownFilter),
        Use::Test => (format!("{{{{ 1 is {name} }}}}"), ErrorKind::UnknownTest),
    };
    let tried = engine.render_str(&text, ());
    tried.err().is_none_or(|error| error.kind() != missing)
}

/// Lists every name of a filter or test, with its place.
fn used(source: &str) -> Vec<(Use, Range<usize>)> {
    let mut names = Vec::new();
    let mut at = 0;
    while let Some(open) = source[at..].find(['{']).map(|open| at + open) {
        at = open + 1;
        let close = match source.as_bytes().get(at) {
            Some(b'{') => "}}",
            Some(b'%') => "%}",
            Some(b'#') => {
                let end = source[at..].find("#}");
                at = end.map_or(source.len(), |end| at + end + 2);
                continue;
            }
            _ => continue,
        };
        let block = Block {
            source,
            at: at + 1,
            close,
        };
        at = block.read(&mut names);
    }
    names
}

/// Text between two delimiters.
struct Block<'s> {
    source: &'s str,
    at: usize,
    close: &'static str,
}

impl Block<'_> {
    /// Reads up to the closing delimiter; gives the place behind it.
    fn read(mut self, names: &mut Vec<(Use, Range<usize>)>) -> usize {
        let mut next: Option<Use> = None;
        let mut first = true;
        while let Some(character) = self.source[self.at..].chars().next() {
            if self.source[self.at..].starts_with(self.close) {
                return self.at + self.close.len();
            }
            match character {
                '"' | '\'' => self.skip_text(character),
                '|' => {
                    next = Some(Use::Filter);
                    self.at += 1;
                }
                _ if character.is_alphabetic() || character == '_' => {
                    let range = self.word();
                    let word = &self.source[range.clone()];
                    let is_part = self.source[..range.start].ends_with('.');
                    match (next, word) {
                        (Some(Use::Test), "not") => {}
                        (Some(kind), _) => {
                            names.push((kind, range));
                            next = None;
                        }
                        (None, "is") if !is_part => next = Some(Use::Test),
                        (None, "filter") if first && self.close == "%}" => next = Some(Use::Filter),
                        (None, "raw") if first && self.close == "%}" => return self.behind_raw(),
                        (None, _) => {}
                    }
                    first = false;
                }
                _ => self.at += character.len_utf8(),
            }
        }
        self.at
    }

    fn skip_text(&mut self, quote: char) {
        let mut escaped = false;
        let rest = self.source[self.at + 1..].char_indices();
        for (place, character) in rest {
            if character == quote && !escaped {
                self.at += 1 + place + 1;
                return;
            }
            escaped = character == '\\' && !escaped;
        }
        self.at = self.source.len();
    }

    fn word(&mut self) -> Range<usize> {
        let rest = &self.source[self.at..];
        let length = rest.find(|character: char| !character.is_alphanumeric() && character != '_');
        let start = self.at;
        self.at += length.unwrap_or(rest.len());
        start..self.at
    }

    /// Skips the text in `{% raw %}`, which is no template.
    fn behind_raw(&self) -> usize {
        let end = self.source[self.at..].find("endraw");
        end.map_or(self.source.len(), |end| self.at + end)
    }
}

#[cfg(test)]
mod tests {
    use super::{Use, bad_arguments, is_known, unknown, used};
    use crate::template::environment::{FILTERS, TESTS, environment};

    fn names(source: &str) -> Vec<&str> {
        let names = used(source).into_iter();
        names.map(|(_, range)| &source[range]).collect()
    }

    #[test]
    fn names_are_found_wherever_they_stand_and_nothing_else_is() {
        for (source, expected) in [
            ("{{ a | upper }}", &["upper"][..]),
            ("{{ a|default('x | y')|trim }}", &["default", "trim"]),
            ("{{ a.is | lower }} | not", &["lower"]),
            (
                "{% if a is not defined and b is undefined %}x{% endif %}",
                &["defined", "undefined"],
            ),
            ("{% filter upper %}x | y{% endfilter %}", &["upper"]),
            ("{# a | b #}{{ \"it's\\\" | c\" }}{", &[]),
            ("{% raw %}{{ a | b }}{% endraw %}{{ c | d }}", &["d"]),
            ("{{ a | é", &["é"]),
        ] {
            assert_eq!(names(source), expected, "{source}");
        }
    }

    #[test]
    fn arguments_that_a_filter_does_not_take_are_found() {
        let engine = environment();
        for (source, place) in [
            ("{{ 12.5 | money }}", Some("money")),
            ("{{ day | date('dd.mm.yyyy') }}", Some("date('dd.mm.yyyy')")),
            ("{{ n | plural(one='a') }}", Some("plural(one='a')")),
            (
                "{{ n | plural(one='a', others='b') }}",
                Some("plural(one='a', others='b')"),
            ),
            ("{{ n | money('EURO') }}", Some("money('EURO')")),
            ("{{ n | money(EUR) }}", None),
            ("{{ n | number('two') }}", Some("number('two')")),
            ("{{ a | truncate }}", Some("truncate")),
            ("{{ a | truncate(40) | upper }}", None),
            ("{{ day | date('full') }} {{ n | money('KWD') }}", None),
            ("{{ n | plural(one='a cake', other=n ~ ' cakes') }}", None),
            ("{{ n | plural(one='a cake', other='cakes') }}", None),
            (
                "{{ a | default('x | y') | replace('a', 'b') | join(', ') }}",
                None,
            ),
        ] {
            let errors = bad_arguments(source, &engine);
            let places: Vec<&str> = errors
                .iter()
                .map(|error| &source[error.range.clone()])
                .collect();
            assert_eq!(places.first().copied(), place, "{source}: {errors:?}");
        }
    }

    #[test]
    fn every_name_that_is_suggested_is_there() {
        let engine = environment();
        for (kind, names) in [(Use::Filter, FILTERS), (Use::Test, TESTS)] {
            for name in names.split(' ') {
                assert!(is_known(&engine, kind, name), "{name}");
            }
        }
        assert_eq!(unknown("{{ a | uper }} {{ a is evn }}", &engine).len(), 2);
    }
}
