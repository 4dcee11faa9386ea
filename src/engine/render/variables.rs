//! The variables of one message: the names behind `{{ … }}` with their values.
//!
//! Which names exist is fixed in [`crate::template`], so that a wrong name is found when the rules
//! are loaded. Text from a contact is only ever a value, and values of other conversations are
//! never included.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::hours_variables;
use super::message_variables::{
    self, Ad, Button, Card, Error, Message, Order, Place, Product, Quoted,
};
use crate::message::{Contact, Content, ConversationState, Inbound};
use crate::rules::RuleSet;
use crate::template::{LazyGroup, RenderError, Template};
use crate::text::country;

/// Everything that a text may be filled in from.
#[derive(Clone, Debug)]
pub(crate) struct RenderContext<'a> {
    /// The rules that answer.
    pub(crate) rules: &'a RuleSet,
    /// The contact that is answered.
    pub(crate) contact: &'a Contact,
    /// State of the conversation.
    pub(crate) state: &'a ConversationState,
    /// The message that is answered.
    pub(crate) message: &'a Inbound,
    /// Named groups of patterns.
    pub(crate) captures: &'a BTreeMap<String, String>,
    /// Answers of a flow and results of actions; they take precedence over groups of the same name.
    pub(crate) roots: BTreeMap<String, Value>,
    /// Time of the decision.
    pub(crate) now: Timestamp,
}

groups! {
    Bot<'a> { name: &'a str, language: &'a str; }
    Person<'a> {
        language: &'a str, tags: Vec<&'a str>, fields: &'a BTreeMap<String, String>;
        name: &'a str, first_name: &'a str, phone: String, username: &'a str,
        country: &'static str
    }
    Groups<'a> {
        bot: Bot<'a>, contact: Person<'a>, message: Message<'a>,
        r#match: &'a BTreeMap<String, String>,
        language: &'a str, now: String, today: String;
        button: Button<'a>, location: Place<'a>, card: Card<'a>, cards: Vec<Card<'a>>,
        order: Order<'a>, form: Value, ad: Ad<'a>, product: Product<'a>,
        quoted: Quoted<'a>, error: Error<'a>, hours: LazyGroup
    }
}

/// Variables that a text may use. `language` is the contact's, and the filters write in it; `now`
/// (`2026-12-24T18:30`) and `today` (`2026-12-24`) are local time.
#[derive(Debug, Serialize)]
pub(crate) struct Variables<'a> {
    #[serde(flatten)]
    groups: Groups<'a>,
    /// Replace groups of the same name, because they follow them.
    #[serde(flatten)]
    roots: BTreeMap<String, Value>,
}

impl<'a> Variables<'a> {
    /// Gathers the values of all variables.
    pub(crate) fn new(render: RenderContext<'a>) -> Self {
        let RenderContext { rules, message, .. } = render;
        let content = &message.content;
        let cards = message_variables::cards(content);
        let local = render.now.to_zoned(rules.bot.timezone.clone());
        let language = language_of(rules, render.state);
        let groups = Groups {
            bot: Bot {
                name: &rules.bot.name,
                language: &rules.bot.language,
            },
            contact: contact(render.contact, render.state, language),
            message: message_variables::message(message),
            r#match: render.captures,
            button: message_variables::button(content),
            location: message_variables::place(content),
            card: cards.first().cloned(),
            cards: (!cards.is_empty()).then_some(cards),
            order: message_variables::order(content),
            form: match content {
                Content::Form { answers, .. } => Some(present(Value::Object(answers.clone()))),
                _ => None,
            },
            ad: message.ad.as_ref().map(message_variables::ad),
            product: (message.context.product.as_ref()).map(message_variables::product),
            quoted: message_variables::quoted(message),
            error: message_variables::error(message),
            language,
            now: local.strftime("%Y-%m-%dT%H:%M").to_string(),
            today: local.date().to_string(),
            hours: hours_variables::lazy(rules.hours.as_ref(), language, local),
        };
        let roots = render.roots.into_iter();
        let roots = roots.map(|(name, value)| (name, present(value)));
        Self {
            groups,
            roots: roots.collect(),
        }
    }

    /// Fills in a text, in the best language that it has.
    ///
    /// # Errors
    /// As [`Template::render`].
    pub(crate) fn render(&self, text: &Template) -> Result<String, RenderError> {
        text.render(&self.languages(), self)
    }

    /// Fills in an address.
    ///
    /// # Errors
    /// As [`Template::render_url`].
    pub(crate) fn render_url(&self, address: &Template) -> Result<String, RenderError> {
        address.render_url(&self.languages(), self)
    }

    /// Languages to look for a text in, the best first.
    fn languages(&self) -> [&str; 2] {
        [self.groups.language, self.groups.bot.language]
    }

    /// Adds one value.
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.roots.insert(name.to_owned(), value);
        self
    }
}

/// Leaves out the entries that are `null`: they are missing for a text, so that `default` works.
fn present(value: Value) -> Value {
    match value {
        Value::Object(entries) => {
            let entries = entries.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(
                entries
                    .map(|(name, value)| (name, present(value)))
                    .collect(),
            )
        }
        Value::Array(elements) => elements.into_iter().map(present).collect(),
        plain => plain,
    }
}

/// Language in which a contact is answered: chosen by a rule, or else that of the bot.
pub(crate) fn language_of<'a>(rules: &'a RuleSet, state: &'a ConversationState) -> &'a str {
    state.language.as_deref().unwrap_or(&rules.bot.language)
}

fn contact<'a>(
    contact: &'a Contact,
    state: &'a ConversationState,
    language: &'a str,
) -> Person<'a> {
    let name = contact.name.as_deref().map(str::trim);
    let name = name.filter(|name| !name.is_empty());
    let digits = contact.identity.wa_id();
    Person {
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
