//! Answers: replies and effects when a rule matches, a flow ends or a timeout passes.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::message::{HttpMethod, Json, Outbound, RuleId};
use crate::template::Template;

/// Replies and effects of a rule or flow.
#[derive(Debug, Default)]
pub struct Answer {
    /// Variants, of which one is sent: its replies, in order. Empty: no reply.
    pub variants: Vec<Vec<ReplyTemplate>>,
    /// `on_error`: sent in place of the replies when one of them cannot be sent as it came out, or
    /// when the action failed.
    pub on_error: Option<ReplyTemplate>,
    /// Changes to the contact and the conversation.
    pub effects: Effects,
    /// Request to an external service, made before the replies are sent.
    pub action: Option<Box<ActionTemplate>>,
}

impl Answer {
    /// Whether the answer has no replies, no effects and no action.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self {
            variants,
            on_error,
            effects,
            action,
        } = self;
        variants.is_empty() && on_error.is_none() && action.is_none() && effects.is_empty()
    }
}

/// Changes that an answer makes to the contact and the conversation.
#[derive(Debug, Default)]
pub struct Effects {
    /// `set.NAME`: fields; an empty text takes the field away.
    pub set: Vec<(String, Template)>,
    /// `tag`.
    pub tag: Vec<String>,
    /// `untag`.
    pub untag: Vec<String>,
    /// `language`.
    pub language: Option<String>,
    /// `handoff`: the bot is quiet for so long.
    pub handoff: Option<Duration>,
    /// `start`: a flow begins.
    pub start: Option<String>,
}

impl Effects {
    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self {
            set,
            tag,
            untag,
            language,
            handoff,
            start,
        } = self;
        let nothing_set = set.is_empty() && tag.is_empty() && untag.is_empty();
        nothing_set && language.is_none() && handoff.is_none() && start.is_none()
    }
}

/// A reply before its templates are filled in.
#[derive(Debug)]
pub struct ReplyTemplate {
    /// The message.
    pub content: Outbound<Template>,
    /// `quote`: the message that is answered is quoted above it.
    pub quote: bool,
}

/// Request to an external service before its templates are rendered.
#[derive(Debug)]
pub enum ActionTemplate {
    /// `call`.
    Http(HttpTemplate),
    /// `model`.
    Model(ModelTemplate),
}

/// `call`.
#[derive(Debug)]
pub struct HttpTemplate {
    /// The key it stands under: `get`, `post`, …
    pub method: HttpMethod,
    /// Values in it are escaped.
    pub url: Template,
    /// `headers`.
    pub headers: BTreeMap<String, Template>,
    /// `json`.
    pub body: Option<Body>,
    /// The group of variables that the result becomes.
    pub save: Option<String>,
    /// `timeout`.
    pub timeout: Duration,
}

/// A JSON document whose texts are templates.
pub type Body = Json<Template>;

/// `model`.
#[derive(Debug)]
pub struct ModelTemplate {
    /// `choose`: one of these rules answers; empty for a free text.
    pub choose: Vec<RuleId>,
    /// `prompt`.
    pub prompt: Option<Template>,
    /// The group of variables that the result becomes.
    pub save: String,
    /// `max_tokens`.
    pub max_tokens: u32,
    /// `timeout`.
    pub timeout: Duration,
}

impl ActionTemplate {
    /// The group of variables that the result becomes.
    #[must_use]
    pub fn save(&self) -> Option<&str> {
        match self {
            Self::Http(call) => call.save.as_deref(),
            Self::Model(model) => Some(&model.save),
        }
    }
}
