//! Requests of rules to external services, and their results.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Maximum duration of an action; contacts do not wait longer.
pub const ACTION_TIMEOUT_MAX: Duration = Duration::from_mins(1);

/// Value of [`Action::host`] for the language model.
pub const MODEL: &str = "model";

/// Request of a rule to an external service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Key `call`.
    Http(HttpCall),
    /// Key `model`.
    Model(ModelCall),
}

/// HTTP request.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct HttpCall {
    /// HTTP method.
    pub method: HttpMethod,
    /// Address.
    pub url: String,
    /// Headers beside those of every request.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Body, sent as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// Time limit, from the look-up of the host to the last byte.
    pub timeout: Duration,
}

/// HTTP methods in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum HttpMethod {
    /// Reads.
    Get,
    /// Creates.
    Post,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
    /// Removes.
    Delete,
}

/// Question to a language model.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCall {
    /// The owner's instructions.
    pub instructions: String,
    /// Messages of the conversation, oldest first.
    pub turns: Vec<ModelTurn>,
    /// Choices, of which the model picks one or none; without choices it writes a text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choose: Vec<ModelChoice>,
    /// Maximum length of the answer.
    pub max_tokens: u32,
    /// Time limit, from the look-up of the host to the last byte.
    pub timeout: Duration,
}

/// Message of the conversation.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelTurn {
    /// Author.
    pub speaker: Speaker,
    /// Text.
    pub text: String,
}

/// Author of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// The contact.
    Contact,
    /// The business.
    Business,
}

/// Choice for the model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelChoice {
    /// Id of a rule.
    pub id: String,
    /// Purpose of the rule.
    pub description: String,
}

/// Result of an action.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionResult {
    /// Response body of a `call`; for a `model`, `{"text": …}`, or `{"choice": …}` with the id of a
    /// rule or null.
    Done(Value),
    /// Reason of the failure, for the owner; contains no content of messages or responses.
    Failed(String),
}

/// Whether an address has a segment `.` or `..`, by which a client would call another path than the
/// one written.
#[must_use]
pub fn has_dot_segments(address: &str) -> bool {
    let place = address.split(['?', '#']).next().unwrap_or_default();
    let place = place.split_once("://").map_or(place, |(_, rest)| rest);
    place.split(['/', '\\']).skip(1).any(|part| {
        let part = part.to_ascii_lowercase().replace("%2e", ".");
        part == "." || part == ".."
    })
}

impl Action {
    /// Returns the origin of the address, or `model`; the number of concurrent actions per host is
    /// limited.
    #[must_use]
    pub fn host(&self) -> String {
        let Self::Http(call) = self else {
            return MODEL.to_owned();
        };
        let (scheme, rest) = call.url.split_once("://").unwrap_or(("", &call.url));
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        format!("{scheme}://{host}").to_ascii_lowercase()
    }

    /// Whether repeating the action is harmless.
    #[must_use]
    pub fn is_safe_to_repeat(&self) -> bool {
        match self {
            Self::Http(call) => call.method == HttpMethod::Get,
            Self::Model(_) => true,
        }
    }
}

impl HttpMethod {
    /// Name in HTTP.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

// These formats show no message text and no secret, so that they may be logged.

impl fmt::Debug for HttpCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpCall")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ModelCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelCall")
            .field("turns", &self.turns.len())
            .field("choose", &self.choose.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ModelTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelTurn")
            .field("speaker", &self.speaker)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ActionResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(_) => f.write_str("Done"),
            Self::Failed(reason) => f.debug_tuple("Failed").field(reason).finish(),
        }
    }
}
