//! What a text can say of one message: the names behind `{{ … }}`.
//!
//! Which names exist is fixed here, so that a wrong one is found when the rules are loaded. What
//! people sent is only ever a value, and nothing of any other conversation is in here.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::hours_variables;
use super::message_variables::{Ad, Button, Card, Error, Message, OrderPart, Place, Product};
use crate::message::{Contact, Content, ConversationState, Inbound};
use crate::rules::RuleSet;
use crate::template::{LazyGroup, RenderError, Template};
use crate::text::country;

/// Everything a text may be filled in from.
#[derive(Clone, Debug)]
pub struct RenderContext<'a> {
    /// The rules that answer.
    pub rules: &'a RuleSet,
    /// Who is answered.
    pub contact: &'a Contact,
    /// What is remembered of the person.
    pub state: &'a ConversationState,
    /// What is answered.
    pub message: &'a Inbound,
    /// Named groups of patterns.
    pub captures: &'a BTreeMap<String, String>,
    /// Answers of a flow and results of actions; they come before groups of the same name.
    pub roots: BTreeMap<String, Value>,
    /// The time of the decision.
    pub now: Timestamp,
}

/// What a text can say of one message. Parts that are not known are left out, so that `default(…)`
/// and `{% if %}` work on them.
#[derive(Debug, Serialize)]
pub struct Variables<'a> {
    bot: Bot<'a>,
    contact: Person<'a>,
    message: Message<'a>,
    r#match: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    button: Option<Button<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<Place<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<Card<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cards: Vec<Card<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<OrderPart<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    form: Option<&'a serde_json::Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ad: Option<Ad<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<Product<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Error<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hours: Option<LazyGroup>,
    /// Of the person; the filters write in it.
    language: &'a str,
    /// Local time, to the minute: `2026-12-24T18:30`.
    now: String,
    /// Local date: `2026-12-24`.
    today: String,
    #[serde(flatten)]
    roots: BTreeMap<String, Value>,
}

#[derive(Debug, Serialize)]
struct Bot<'a> {
    name: &'a str,
    /// The language of texts that have none for the person's.
    language: &'a str,
}

#[derive(Debug, Serialize)]
struct Person<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'static str>,
    language: &'a str,
    tags: Vec<&'a str>,
    fields: &'a BTreeMap<String, String>,
}

impl<'a> Variables<'a> {
    /// Gathers what texts may say.
    #[must_use]
    pub fn new(scene: RenderContext<'a>) -> Self {
        let content = &scene.message.content;
        let cards = super::message_variables::cards(content);
        let local = scene.now.to_zoned(scene.rules.bot.timezone.clone());
        let language = language_of(scene.rules, scene.state);
        let shadowed = |name: &str| scene.roots.contains_key(name);
        let mut variables = Self {
            bot: Bot {
                name: &scene.rules.bot.name,
                language: &scene.rules.bot.language,
            },
            contact: Person::of(scene.contact, scene.state, language),
            message: Message::of(scene.message),
            r#match: scene.captures,
            button: Button::of(content).filter(|_| !shadowed("button")),
            location: super::message_variables::place(content).filter(|_| !shadowed("location")),
            card: cards.first().cloned().filter(|_| !shadowed("card")),
            cards,
            order: super::message_variables::order(content).filter(|_| !shadowed("order")),
            form: match content {
                Content::Form { answers, .. } if !shadowed("form") => Some(answers),
                _ => None,
            },
            ad: scene.message.ad.as_ref().map(Ad::of),
            product: scene.message.context.product.as_ref().map(Product::of),
            error: super::message_variables::error(scene.message).filter(|_| !shadowed("error")),
            language,
            now: local.strftime("%Y-%m-%dT%H:%M").to_string(),
            today: local.date().to_string(),
            hours: hours_variables::lazy(scene.rules.hours.as_ref(), language, local),
            roots: BTreeMap::new(),
        };
        if shadowed("ad") {
            variables.ad = None;
        }
        if shadowed("product") {
            variables.product = None;
        }
        variables.roots = scene.roots;
        variables
    }

    /// Fills a text in, in the best language that it has.
    ///
    /// # Errors
    /// As [`Template::render`].
    pub fn render(&self, text: &Template) -> Result<String, RenderError> {
        text.render(&self.languages(), self)
    }

    /// Fills an address in.
    ///
    /// # Errors
    /// As [`Template::render_url`].
    pub fn render_url(&self, address: &Template) -> Result<String, RenderError> {
        address.render_url(&self.languages(), self)
    }

    /// The languages to look for a text in, the best first.
    fn languages(&self) -> [&str; 2] {
        [self.language, self.bot.language]
    }

    /// The same with one more value: the answer that is checked.
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.roots.insert(name.to_owned(), value);
        self
    }
}

/// The language a person is answered in: what a rule chose, else that of the bot.
#[must_use]
pub fn language_of<'a>(rules: &'a RuleSet, state: &'a ConversationState) -> &'a str {
    state.language.as_deref().unwrap_or(&rules.bot.language)
}

impl<'a> Person<'a> {
    fn of(contact: &'a Contact, state: &'a ConversationState, language: &'a str) -> Self {
        let name = contact.name.as_deref().map(str::trim);
        let name = name.filter(|name| !name.is_empty());
        let digits = contact.identity.wa_id();
        Self {
            name,
            first_name: name.and_then(|name| name.split_whitespace().next()),
            phone: digits.map(|digits| format!("+{}", digits.as_str())),
            username: contact.username.as_deref(),
            country: digits.and_then(|digits| country::from_phone(digits.as_str())),
            language,
            tags: state.tags.iter().map(String::as_str).collect(),
            fields: &state.fields,
        }
    }
}
