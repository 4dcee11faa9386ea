//! Texts with `{{ variables }}`, filled in by minijinja.
//!
//! A template comes from the owner only. What people write is a value, never source, so nothing
//! they send is ever run. Which variables exist is fixed, so an unknown one is found when the rules
//! are loaded. A text may be written in several languages; which one is taken is decided when it is
//! filled in.

mod environment;
mod error;
mod expression;
mod filters;
mod lazy_group;
mod references;
mod scope;

use std::collections::HashSet;
use std::fmt;

use minijinja::Environment;
use minijinja::value::Serde;
use serde::Serialize;

use crate::message::has_dot_segments;
pub use error::TemplateError;
pub use expression::Expression;
pub use lazy_group::LazyGroup;
pub use scope::{NAMES, OPEN, Scope, groups};

/// The name of the one template in each environment.
const NAME: &str = "text";

/// A text of the owner's, checked when the rules are loaded.
#[derive(Clone, Debug)]
pub struct Template {
    /// At least one; the tag is empty when the text is for every language.
    texts: Vec<(String, Text)>,
}

/// A text in one language.
#[derive(Clone)]
struct Text {
    source: String,
    /// `None` when the text has nothing to fill in.
    engine: Option<Box<Environment<'static>>>,
}

/// A text could not be filled in for one message: it ran out of its allowance, or used a value as
/// what it is not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RenderError(String);

impl Template {
    /// Checks a text for every language: syntax, and that every variable exists.
    ///
    /// # Errors
    /// Every problem found.
    pub fn parse(source: &str, scope: &Scope<'_>) -> Result<Self, Vec<TemplateError>> {
        Self::one(source, scope, environment::environment)
    }

    /// The same for an address: what variables stand for is escaped, so that it stays within its
    /// part of the address.
    ///
    /// # Errors
    /// Every problem found.
    pub fn parse_url(source: &str, scope: &Scope<'_>) -> Result<Self, Vec<TemplateError>> {
        Self::one(source, scope, environment::for_urls)
    }

    fn one(
        source: &str,
        scope: &Scope<'_>,
        engine: fn() -> Environment<'static>,
    ) -> Result<Self, Vec<TemplateError>> {
        let text = Text::parse(source, scope, engine)?;
        Ok(Self {
            texts: vec![(String::new(), text)],
        })
    }

    /// Joins texts that say the same in different languages, each with the tag of its own.
    #[must_use]
    pub fn in_languages(texts: Vec<(String, Self)>) -> Self {
        let texts = texts.into_iter();
        let texts = texts.filter_map(|(tag, one)| {
            let text = one.texts.into_iter().next();
            text.map(|(_, text)| (tag, text))
        });
        Self {
            texts: texts.collect(),
        }
    }

    /// The languages it is written in; none when it is one text for all.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        let tags = self.texts.iter().map(|(tag, _)| tag.as_str());
        tags.filter(|tag| !tag.is_empty())
    }

    /// The text itself when it has nothing to fill in, so that limits can be checked when rules are
    /// loaded.
    #[must_use]
    pub fn literal(&self, languages: &[&str]) -> Option<&str> {
        let text = self.text(languages);
        text.engine.is_none().then_some(text.source.as_str())
    }

    /// As the owner wrote it.
    #[must_use]
    pub fn source(&self, languages: &[&str]) -> &str {
        &self.text(languages).source
    }

    /// Fills the text in. A variable that is known but has no value for this message is empty.
    ///
    /// # Errors
    /// [`RenderError`]: what went wrong, without any value.
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
    /// As [`Self::render`], and when a value would lead out of its part of the address: no escape
    /// stands for `..`.
    pub fn render_url(
        &self,
        languages: &[&str],
        values: &impl Serialize,
    ) -> Result<String, RenderError> {
        let address = self.render(languages, values)?;
        if has_dot_segments(&address) {
            let what = "the address leaves its place: a part of it came out as `.` or `..`";
            return Err(RenderError(what.to_owned()));
        }
        Ok(address)
    }

    /// The text for the first of these languages that there is one for; the first text when there
    /// is none for any.
    fn text(&self, languages: &[&str]) -> &Text {
        let found = languages.iter().find_map(|language| self.text_in(language));
        found.unwrap_or(&self.texts[0].1)
    }

    /// Exactly this language; then with one part of its tag less at a time, so that script goes
    /// before region. Of each, the one of any region is as good.
    fn text_in(&self, language: &str) -> Option<&Text> {
        let find = |is: &dyn Fn(&str) -> bool| {
            let found = self.texts.iter().find(|(tag, _)| is(tag));
            found.map(|(_, text)| text)
        };
        if let Some(text) = find(&|tag| tag.eq_ignore_ascii_case(language)) {
            return Some(text);
        }
        let scripted = with_script(language);
        let mut wanted = scripted.as_str();
        loop {
            let found = find(&|tag| tag.eq_ignore_ascii_case(wanted))
                .or_else(|| find(&|tag| with_script(tag).eq_ignore_ascii_case(wanted)))
                .or_else(|| find(&|tag| begins(&with_script(tag), wanted)));
            if found.is_some() {
                return found;
            }
            wanted = wanted.rsplit_once('-')?.0;
        }
    }
}

/// Whether a tag is a longer one of another.
fn begins(tag: &str, wanted: &str) -> bool {
    let (start, rest) = tag.split_at_checked(wanted.len()).unwrap_or_default();
    start.eq_ignore_ascii_case(wanted) && rest.starts_with('-')
}

/// The tag with the script that Chinese is written in there, when it names none: `zh-Hant-TW` for
/// `zh-TW`.
fn with_script(tag: &str) -> String {
    let mut parts = tag.split('-');
    let (language, region, more) = (parts.next(), parts.next(), parts.next());
    let chinese = language.is_some_and(|language| language.eq_ignore_ascii_case("zh"));
    match region {
        _ if !chinese || more.is_some() => tag.to_owned(),
        None => "zh-Hans".to_owned(),
        Some(region) if region.len() == 2 => {
            let traditional = ["TW", "HK", "MO"];
            let traditional = traditional
                .iter()
                .any(|one| one.eq_ignore_ascii_case(region));
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
        if unknown.is_empty() {
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
        // The kind tells enough; details could quote what a person wrote.
        template
            .render(Serde(values))
            .map_err(|error| RenderError(error.kind().to_string()))
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Text").field(&self.source).finish()
    }
}

#[cfg(test)]
mod tests;
