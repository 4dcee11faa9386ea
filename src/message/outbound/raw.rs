//! Messages of types that replyd does not know: an object of Graph's, passed on as it stands.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Message of any type that Graph takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Raw<T = String> {
    /// Value of `type`, which names the object of the content.
    pub kind: String,
    /// Keys of the request beside `type`, `messaging_product` and the recipient.
    pub keys: Json<T>,
}

/// JSON document of which every text is a `T`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Json<T = String> {
    /// Text.
    Text(T),
    /// List.
    List(Vec<Self>),
    /// Object.
    Object(BTreeMap<String, Self>),
    /// Number, `true`, `false`.
    Plain(serde_json::Value),
}

impl Json {
    /// Returns the value of a key of an object, if it is a text.
    fn text(&self, key: &str) -> Option<&str> {
        match self.get(key)? {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(keys) => keys.get(key),
            _ => None,
        }
    }
}

impl Raw {
    /// Name for a person: the type, or that of an `interactive` object, which has many.
    #[must_use]
    pub fn name(&self) -> &str {
        let inner = self
            .keys
            .get(&self.kind)
            .filter(|_| self.kind == "interactive");
        inner
            .and_then(|inner| inner.text("type"))
            .unwrap_or(&self.kind)
    }

    /// Text of the message, where the types that replyd knows have it.
    #[must_use]
    pub fn body(&self) -> Option<&str> {
        let content = self.keys.get(&self.kind)?;
        let body = content.get("body").and_then(|body| body.text("text"));
        body.or_else(|| content.text("body"))
            .or_else(|| content.text("caption"))
    }
}
