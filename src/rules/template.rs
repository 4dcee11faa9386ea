//! Texts with `{{ variables }}`, filled in by minijinja.
//!
//! A template comes from the owner only. What people write is a value, never source, so nothing they
//! send is ever run. Which variables exist is fixed, so an unknown one is found when the rules are loaded.

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, filters, tests};

use super::variables::{self, Variables};

/// Instructions a text may take; a text with a loop over a handful of things takes some hundred.
const FUEL: u64 = 20_000;
/// The name of the one template in each environment.
const NAME: &str = "text";
/// A text of the owner's, checked when the rules are loaded.
pub struct Template {
    source: String,
    /// `None` when the text has nothing to fill in.
    engine: Option<Box<Environment<'static>>>,
}

/// Why a text is not a good template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// Bytes of the source that are wrong.
    pub range: Range<usize>,
    /// What is wrong, lower case, no full stop.
    pub message: String,
    /// What to do instead.
    pub help: Option<String>,
}

/// A text could not be filled in for one message: it ran out of its allowance, or used a value as what it is not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RenderError(String);

impl Template {
    /// Checks a text: syntax, and that every variable exists (`captures` are the names under `match`).
    ///
    /// # Errors
    /// Every problem found.
    pub fn parse(source: &str, captures: &[String]) -> Result<Self, Vec<TemplateError>> {
        if !["{{", "{%", "{#"].iter().any(|mark| source.contains(mark)) {
            return Ok(Self {
                source: source.to_owned(),
                engine: None,
            });
        }
        let mut engine = environment();
        if let Err(error) = engine.add_template_owned(NAME, source.to_owned()) {
            return Err(vec![syntax_error(source, &error)]);
        }
        let template = engine.get_template(NAME).expect("it was added above");
        let used: HashSet<String> = template.undeclared_variables(true);
        let mut unknown: Vec<TemplateError> = used
            .iter()
            .filter(|name| !variables::is_known(name, captures))
            .map(|name| unknown_variable(source, name, captures))
            .collect();
        if unknown.is_empty() {
            return Ok(Self {
                source: source.to_owned(),
                engine: Some(Box::new(engine)),
            });
        }
        unknown.sort_by_key(|error| error.range.start);
        Err(unknown)
    }

    /// The text itself when it has nothing to fill in, so that limits can be checked when rules are loaded.
    #[must_use]
    pub fn literal(&self) -> Option<&str> {
        self.engine.is_none().then_some(self.source.as_str())
    }

    /// As the owner wrote it.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Fills the text in. A variable that is known but has no value for this message is empty.
    ///
    /// # Errors
    /// [`RenderError`]: what went wrong, without any value.
    pub fn render(&self, variables: &Variables<'_>) -> Result<String, RenderError> {
        let Some(engine) = &self.engine else {
            return Ok(self.source.clone());
        };
        let template = engine.get_template(NAME).expect("parse added it");
        // The kind tells enough; details could quote what a person wrote.
        template
            .render(Serde(variables))
            .map_err(|error| RenderError(error.kind().to_string()))
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Template").field(&self.source).finish()
    }
}

/// An engine with the filters that make sense in a message, and nothing that reads files or other templates.
fn environment() -> Environment<'static> {
    let mut engine = Environment::empty();
    // A message has no `order` as a rule: its `order.text` is empty then, not an error.
    engine.set_undefined_behavior(UndefinedBehavior::Chainable);
    engine.set_fuel(Some(FUEL));
    engine.set_debug(true); // errors carry their place
    engine.add_filter("default", filters::default);
    engine.add_filter("upper", filters::upper);
    engine.add_filter("lower", filters::lower);
    engine.add_filter("title", filters::title);
    engine.add_filter("capitalize", filters::capitalize);
    engine.add_filter("trim", filters::trim);
    engine.add_filter("replace", filters::replace);
    engine.add_filter("length", filters::length);
    engine.add_filter("int", filters::int);
    engine.add_test("defined", tests::is_defined);
    engine.add_test("undefined", tests::is_undefined);
    engine
}

fn syntax_error(source: &str, error: &minijinja::Error) -> TemplateError {
    let detail = error
        .detail()
        .map_or_else(|| error.kind().to_string(), str::to_owned);
    let whole = 0..source.len();
    let range = error.range().filter(|range| {
        range.start < range.end
            && source.is_char_boundary(range.start)
            && source.get(range.clone()).is_some()
    });
    TemplateError {
        range: range.unwrap_or(whole),
        message: format!("this is not a good template: {detail}"),
        help: Some("a variable is written {{ contact.name }}".to_owned()),
    }
}

fn unknown_variable(source: &str, name: &str, captures: &[String]) -> TemplateError {
    let range = source
        .find(name)
        .map_or(0..source.len(), |at| at..at + name.len());
    let groups = captures.iter().map(|capture| format!("match.{capture}"));
    let known: Vec<String> = variables::NAMES
        .iter()
        .map(|known| (*known).to_owned())
        .chain(groups)
        .collect();
    let closest = known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(candidate, name), candidate))
        .filter(|(distance, _)| *distance <= name.len() / 4)
        .min();
    let group = name.split('.').next().unwrap_or(name);
    let beside: Vec<&str> = known
        .iter()
        .map(String::as_str)
        .filter(|known| known.split('.').next() == Some(group))
        .collect();
    let help = match closest {
        Some((_, candidate)) => format!("did you mean `{candidate}`?"),
        None if group == "match" => {
            "give the pattern in `when.text.matches` a group with this name: (?<name>…)".to_owned()
        }
        None if !beside.is_empty() => format!("there are {}", beside.join(", ")),
        None => {
            let mut groups: Vec<&str> = known
                .iter()
                .filter_map(|known| known.split('.').next())
                .chain(
                    variables::OPEN
                        .into_iter()
                        .filter(|open| !open.contains('.')),
                )
                .collect();
            groups.sort_unstable();
            groups.dedup();
            format!("variables begin with {}", groups.join(", "))
        }
    };
    TemplateError {
        range,
        message: format!("there is no variable `{name}`"),
        help: Some(help),
    }
}

#[cfg(test)]
mod tests_of_templates {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::{Template, Variables};
    use crate::message::{Contact, Content, Identity, Inbound, PhoneNumberId, WaId, Wamid};

    fn ana() -> Contact {
        let phone = WaId::parse("15550000001").expect("digits");
        Contact {
            identity: Identity::Phone(phone),
            name: Some("Ana Lima".to_owned()),
            username: None,
        }
    }

    fn said(text: &str) -> Inbound {
        let text = Content::Text {
            body: text.to_owned(),
        };
        let number = PhoneNumberId::parse("1").expect("not empty");
        let wamid = Wamid::parse("wamid.1").expect("not empty");
        Inbound::new(
            number,
            wamid,
            ana().identity,
            jiff::Timestamp::UNIX_EPOCH,
            text,
        )
    }

    fn nobody() -> Contact {
        Contact {
            name: None,
            ..ana()
        }
    }

    fn render(source: &str, contact: &Contact, text: &str) -> String {
        let captures = BTreeMap::from([("number".to_owned(), "42".to_owned())]);
        let template = Template::parse(source, &["number".to_owned()]).expect("a good template");
        template
            .render(&Variables::new("Luna", contact, &said(text), captures))
            .expect("it renders")
    }

    #[test]
    fn variables_are_filled_in() {
        let text =
            "{{ bot.name }}: {{ contact.first_name }} {{ contact.phone }} {{ match.number }}";
        assert_eq!(render(text, &ana(), ""), "Luna: Ana +15550000001 42");
    }

    #[test]
    fn a_name_that_is_not_known_is_empty_or_the_default() {
        let text = "Hi {{ contact.first_name | default('there') }}{{ contact.name }}!";
        assert_eq!(render(text, &nobody(), ""), "Hi there!");
    }

    #[test]
    fn an_unknown_variable_is_found_at_load_with_its_place_and_the_closest_name() {
        let errors = Template::parse("Hi {{ contact.nmae }}, {{ match.x }}", &[]).unwrap_err();

        assert_eq!(errors.len(), 2);
        assert_eq!(errors[0].range, 6..18);
        assert_eq!(
            errors[0].help.as_deref(),
            Some("did you mean `contact.name`?")
        );
        assert!(
            errors[1]
                .help
                .as_deref()
                .is_some_and(|help| help.contains("group"))
        );
    }

    #[test]
    fn a_syntax_error_has_its_place() {
        let source = "Hi {{ contact.name";
        let errors = Template::parse(source, &[]).unwrap_err();

        assert_eq!(errors.len(), 1);
        assert!(errors[0].range.end <= source.len());
    }

    #[test]
    fn a_text_that_runs_away_is_stopped() {
        let source = "{% for a in range(1000) %}x{% endfor %}";
        assert!(Template::parse(source, &[]).is_err(), "there is no `range`");
        let source =
            "{% for a in message.text %}{% for b in message.text %}{{ a }}{% endfor %}{% endfor %}";
        let template = Template::parse(source, &[]).expect("known variables");
        let (contact, message) = (ana(), said(&"x".repeat(4000)));
        let variables = Variables::new("", &contact, &message, BTreeMap::new());
        assert!(template.render(&variables).is_err());
    }

    proptest! {
        #[test]
        fn what_people_write_comes_back_as_they_wrote_it(text in "(\\{\\{|\\}\\}|\\{%|%\\}|[a-z .()|'\"]){0,12}") {
            prop_assert_eq!(render("{{ message.text }}", &ana(), &text), text);
        }

        #[test]
        fn no_source_makes_it_panic(source in "(\\{\\{|\\}\\}|\\{%|%\\}|if|for|in|contact|\\.|name|[ |()x]){0,14}") {
            let (contact, message) = (ana(), said("x"));
            let variables = Variables::new("Luna", &contact, &message, BTreeMap::new());
            if let Ok(template) = Template::parse(&source, &[]) {
                let _ = template.render(&variables);
            }
        }
    }
}
