//! What a rule asks of the world outside, and what came of it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How long an action may take at the longest: after that, the person has gone.
pub const ACTION_TIMEOUT_MAX: Duration = Duration::from_mins(1);

/// What [`Action::host`] says of the language model.
pub const MODEL: &str = "model";

/// What a rule asks of the world outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// `call`.
    Http(HttpCall),
    /// `model`.
    Model(ModelCall),
}

/// An HTTP request.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct HttpCall {
    /// How.
    pub method: HttpMethod,
    /// Where to.
    pub url: String,
    /// Beside those that every request has.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Sent as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// From the look-up of the host to the last byte.
    pub timeout: Duration,
}

/// The method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum HttpMethod {
    /// Reads.
    Get,
    /// Makes.
    Post,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
    /// Takes away.
    Delete,
}

/// A question to a language model.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCall {
    /// What the owner told it.
    pub instructions: String,
    /// The conversation, oldest first.
    pub turns: Vec<ModelTurn>,
    /// It chooses one of these, or none; empty: it writes a text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choose: Vec<ModelChoice>,
    /// The longest answer.
    pub max_tokens: u32,
    /// From the look-up of the host to the last byte.
    pub timeout: Duration,
}

/// One message of the conversation.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelTurn {
    /// Who.
    pub speaker: Speaker,
    /// What.
    pub text: String,
}

/// Who said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// The person.
    Person,
    /// We.
    Business,
}

/// Something to choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelChoice {
    /// The id of a rule.
    pub id: String,
    /// What it is for.
    pub description: String,
}

/// What came of an action.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionResult {
    /// `call`: the body. `model`: `{"text": …}`, or `{"choice": …}` with the id of a rule or null.
    Done(Value),
    /// Why not, for people; holds nothing that somebody sent.
    Failed(String),
}

/// Whether a part of an address is `.` or `..`, which lead to another place than the one that is
/// written.
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
    /// Whom it asks: the beginning of an address, or `model`. Only so many ask the same one at a
    /// time.
    #[must_use]
    pub fn host(&self) -> String {
        let Self::Http(call) = self else {
            return MODEL.to_owned();
        };
        let (scheme, rest) = call.url.split_once("://").unwrap_or(("", &call.url));
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        format!("{scheme}://{host}").to_ascii_lowercase()
    }

    /// Whether asking twice does no harm.
    #[must_use]
    pub fn is_safe_to_repeat(&self) -> bool {
        match self {
            Self::Http(call) => call.method == HttpMethod::Get,
            Self::Model(_) => true,
        }
    }
}

impl HttpMethod {
    /// As it stands in a request.
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

// None of these shows what somebody wrote, or a secret: they may stand in a log.

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
