//! Texts with `{{ variables }}`, filled in by minijinja.
//!
//! Templates come from the owner only. Text from contacts is a value, never source, so it is never
//! run. The set of variables is fixed, so an unknown variable is found when the rules are loaded. A
//! text may be written in several languages; its language is chosen when it is filled in.

mod blocks;
mod concatenation;
mod environment;
mod error;
mod expression;
mod filters;
mod lazy_group;
mod references;
mod scope;
mod typed;
mod words;

use std::collections::HashSet;
use std::fmt;

use minijinja::Environment;
use minijinja::value::Serde;
use serde::Serialize;

use crate::message::has_dot_segments;
pub use blocks::{Comparison, comparisons, find_variable, outside_blocks, variables};
pub use error::TemplateError;
pub(crate) use error::{kind_meant, meant};
pub use expression::Expression;
pub use lazy_group::LazyGroup;
pub use scope::{NAMES, OPEN, Scope, ValueType, groups};

/// Name of the only template in each environment.
const NAME: &str = "text";

/// A text of the owner's, checked when the rules are loaded.
#[derive(Clone, Debug)]
pub struct Template {
    /// At least one text; the tag is empty if the text is for every language.
    texts: Vec<(String, Text)>,
}

/// A text in one language.
#[derive(Clone)]
struct Text {
    source: String,
    /// `None` if the text has nothing to fill in.
    engine: Option<Box<Environment<'static>>>,
}

/// Error of a text that could not be filled in: it used up its instructions, or used a value of the
/// wrong type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RenderError(String);

impl RenderError {
    /// Takes the fixed sentence of one of our filters, or else only the kind of the error: details
    /// of the engine could quote a contact's text.
    fn new(error: &minijinja::Error) -> Self {
        let refusal = std::error::Error::source(error);
        let refusal = refusal.and_then(|source| source.downcast_ref::<filters::Refusal>());
        Self(refusal.map_or_else(|| error.kind().to_string(), ToString::to_string))
    }
}

impl Template {
    /// Checks a text for every language: syntax, and that every variable exists.
    ///
    /// # Errors
    /// Every problem found.
    pub fn parse(source: &str, scope: &Scope<'_>) -> Result<Self, Vec<TemplateError>> {
        Self::parse_with(source, scope, environment::environment)
    }

    /// Checks an address. Values are escaped when it is filled in, so that each stays within its
    /// part of the address.
    ///
    /// # Errors
    /// Every problem found.
    pub fn parse_url(source: &str, scope: &Scope<'_>) -> Result<Self, Vec<TemplateError>> {
        Self::parse_with(source, scope, environment::for_urls)
    }

    /// Checks a link that a contact opens. Values are escaped as in [`Self::parse_url`], but for one
    /// that begins the link: it is an address.
    ///
    /// # Errors
    /// Every problem found.
    pub fn parse_link(source: &str, scope: &Scope<'_>) -> Result<Self, Vec<TemplateError>> {
        let mut link = Self::parse_url(source, scope)?;
        let written = source.trim_start().strip_prefix("{{");
        if let Some((first, rest)) = written.and_then(|rest| rest.split_once("}}")) {
            let first = first.trim_matches('-').trim();
            let mut engine = environment::for_urls();
            let marked = format!("{{{{ ({first}) | address }}}}{rest}");
            // Braces in quotes end the first variable too early; such a link is escaped as a whole.
            if engine.add_template_owned(NAME, marked).is_ok() {
                link.texts[0].1.engine = Some(Box::new(engine));
            }
        }
        Ok(link)
    }

    fn parse_with(
        source: &str,
        scope: &Scope<'_>,
        engine: fn() -> Environment<'static>,
    ) -> Result<Self, Vec<TemplateError>> {
        let text = Text::parse(source, scope, engine)?;
        Ok(Self {
            texts: vec![(String::new(), text)],
        })
    }

    /// Joins the translations of one text, each with its language tag.
    #[must_use]
    pub fn in_languages(texts: Vec<(String, Self)>) -> Self {
        let texts = texts.into_iter().filter_map(|(tag, template)| {
            let (_, text) = template.texts.into_iter().next()?;
            Some((tag, text))
        });
        Self {
            texts: texts.collect(),
        }
    }

    /// Lists the languages of the text; none if it is one text for all.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        let tags = self.texts.iter().map(|(tag, _)| tag.as_str());
        tags.filter(|tag| !tag.is_empty())
    }

    /// The text itself if it has nothing to fill in, so that limits can be checked when rules are
    /// loaded.
    #[must_use]
    pub fn literal(&self, languages: &[&str]) -> Option<&str> {
        let text = self.text(languages);
        text.engine.is_none().then_some(text.source.as_str())
    }

    /// Source, as the owner wrote it.
    #[must_use]
    pub fn source(&self, languages: &[&str]) -> &str {
        &self.text(languages).source
    }

    /// Fills the text in. A variable that is known but has no value for this message is empty.
    ///
    /// # Errors
    /// [`RenderError`], without any value.
    pub fn render(
        &self,
        languages: &[&str],
        values: &impl Serialize,
    ) -> Result<String, RenderError> {
        let text = match &self.texts[..] {
            [(_, text)] => text,
            _ => self.text(languages),
        };
        text.render(values)
    }

    /// Fills in an address.
    ///
    /// # Errors
    /// As [`Self::render`], and if a value would leave its part of the address: `..` cannot be
    /// escaped.
    pub fn render_url(
        &self,
        languages: &[&str],
        values: &impl Serialize,
    ) -> Result<String, RenderError> {
        let address = self.render(languages, values)?;
        if has_dot_segments(&address) {
            let reason = "the address leaves its place: a part of it came out as `.` or `..`";
            return Err(RenderError(reason.to_owned()));
        }
        Ok(address)
    }

    /// Finds the text in the first of some languages that has one, or else the first text.
    fn text(&self, languages: &[&str]) -> &Text {
        let text = languages.iter().find_map(|language| self.text_in(language));
        text.unwrap_or(&self.texts[0].1)
    }

    /// Finds the text in exactly this language, or else with fewer parts of its tag, from the end,
    /// so that the script counts more than the region. Any region of a remaining tag will do.
    fn text_in(&self, language: &str) -> Option<&Text> {
        let find = |is: &dyn Fn(&str) -> bool| {
            let mut texts = self.texts.iter();
            texts.find(|(tag, _)| is(tag)).map(|(_, text)| text)
        };
        if let Some(text) = find(&|tag| tag.eq_ignore_ascii_case(language)) {
            return Some(text);
        }
        let scripted = with_script(language);
        let mut wanted = scripted.as_str();
        loop {
            let text = find(&|tag| tag.eq_ignore_ascii_case(wanted))
                .or_else(|| find(&|tag| with_script(tag).eq_ignore_ascii_case(wanted)))
                .or_else(|| find(&|tag| begins(&with_script(tag), wanted)));
            if text.is_some() {
                return text;
            }
            wanted = wanted.rsplit_once('-')?.0;
        }
    }
}

/// Whether a tag is `wanted` with further parts.
fn begins(tag: &str, wanted: &str) -> bool {
    let (start, rest) = tag.split_at_checked(wanted.len()).unwrap_or_default();
    start.eq_ignore_ascii_case(wanted) && rest.starts_with('-')
}

/// Adds the script to a Chinese tag that names none: `zh-Hant-TW` for `zh-TW`.
fn with_script(tag: &str) -> String {
    let mut parts = tag.split('-');
    let (language, region, more) = (parts.next(), parts.next(), parts.next());
    let chinese = language.is_some_and(|language| language.eq_ignore_ascii_case("zh"));
    match region {
        _ if !chinese || more.is_some() => tag.to_owned(),
        None => "zh-Hans".to_owned(),
        Some(region) if region.len() == 2 => {
            let traditional = ["tw", "hk", "mo"];
            let traditional = traditional.contains(&region.to_lowercase().as_str());
            let script = if traditional { "Hant" } else { "Hans" };
            format!("zh-{script}-{region}")
        }
        Some(_) => tag.to_owned(),
    }
}

impl Text {
    fn parse(
        source: &str,
        scope: &Scope<'_>,
        engine: fn() -> Environment<'static>,
    ) -> Result<Self, Vec<TemplateError>> {
        if !["{{", "{%", "{#"].iter().any(|mark| source.contains(mark)) {
            return Ok(Self {
                source: source.to_owned(),
                engine: None,
            });
        }
        let mut engine = engine();
        if let Err(error) = engine.add_template_owned(NAME, source.to_owned()) {
            return Err(vec![error::syntax_error(source, &error)]);
        }
        let template = engine.get_template(NAME).expect("it was added above");
        let used: HashSet<String> = template.undeclared_variables(true);
        let mut unknown: Vec<TemplateError> = used
            .iter()
            .filter(|name| !scope.knows(name))
            .map(|name| error::unknown_variable(source, name, scope))
            .collect();
        unknown.extend(references::unknown(source, &engine));
        unknown.extend(references::bad_arguments(source, &engine));
        unknown.extend(references::whole_groups(source, &used, scope));
        unknown.extend(references::impossible(source));
        if unknown.is_empty() {
            // The source without `~` has the same variables.
            if let Some(separated) = concatenation::separated(source) {
                // If the engine cannot read it, the text stays as it was.
                let _ = engine.add_template_owned(NAME, separated);
            }
            return Ok(Self {
                source: source.to_owned(),
                engine: Some(Box::new(engine)),
            });
        }
        unknown.sort_by_key(|error| error.range.start);
        Err(unknown)
    }

    fn render(&self, values: &impl Serialize) -> Result<String, RenderError> {
        let Some(engine) = &self.engine else {
            return Ok(self.source.clone());
        };
        let template = engine.get_template(NAME).expect("parse added it");
        template
            .render(Serde(values))
            .map_err(|error| RenderError::new(&error))
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Text").field(&self.source).finish()
    }
}

#[cfg(test)]
mod tests;
