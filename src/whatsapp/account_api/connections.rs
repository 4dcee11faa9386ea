//! Maton's connections: the logins at Meta that its gateway sends with.
//!
//! See <https://github.com/maton-ai/api-gateway-skill>.

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

use super::lenient;
use crate::whatsapp::api_call::Call;

/// How Maton calls WhatsApp.
const APP: &str = "whatsapp-business";

/// Asks for every connection to WhatsApp, or those of one status or method.
#[must_use]
pub fn list(status: Option<&str>, method: Option<&str>) -> Call {
    Call::get(&["connections"])
        .with("app", APP)
        .with_some("status", status.map(str::to_uppercase))
        .with_some("method", method.map(str::to_uppercase))
        .control()
}

/// Begins a connection; its owner finishes it in a browser.
#[must_use]
pub fn create(method: Option<&str>) -> Call {
    let mut body = json!({ "app": APP });
    if let Some(method) = method {
        body["method"] = json!(method.to_uppercase());
    }
    Call::post(&["connections"], body).control()
}

/// Asks for one connection.
#[must_use]
pub fn get(connection_id: &str) -> Call {
    Call::get(&["connections", connection_id]).control()
}

/// Ends a connection: nothing is sent with it any more.
#[must_use]
pub fn delete(connection_id: &str) -> Call {
    Call::delete(&["connections", connection_id]).control()
}

/// One connection; a field that did not come is empty.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Connection {
    /// What `gateway.connection` holds.
    #[serde(deserialize_with = "lenient::text")]
    pub connection_id: String,
    /// `ACTIVE`, `PENDING`, `FAILED`; an open set.
    #[serde(deserialize_with = "lenient::text")]
    pub status: String,
    /// `OAUTH2` and more.
    #[serde(deserialize_with = "lenient::text")]
    pub method: String,
    /// ISO 8601.
    #[serde(deserialize_with = "lenient::text")]
    pub creation_time: String,
    /// ISO 8601.
    #[serde(deserialize_with = "lenient::text")]
    pub last_updated_time: String,
    /// Where its owner finishes it. It holds a session token: who has it can finish it.
    #[serde(deserialize_with = "lenient::or_default")]
    pub url: Option<SecretString>,
}

impl Connection {
    /// Reads the answer to [`create`] or [`get`]: `{"connection": C}`, C itself, or only its id.
    /// Maton documents none of them. `None` when it holds no id.
    #[must_use]
    pub fn read(answer: &Value) -> Option<Self> {
        let nested = answer.get("connection").filter(|inner| inner.is_object());
        let read: Self = lenient::read(nested.unwrap_or(answer));
        (!read.connection_id.is_empty()).then_some(read)
    }

    /// Whether messages can be sent with it.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.status.eq_ignore_ascii_case("ACTIVE")
    }
}

/// The rows of the answer to [`list`], as they came.
#[must_use]
pub fn rows(answer: &Value) -> Vec<Value> {
    let rows = answer.get("connections").unwrap_or(answer);
    rows.as_array().cloned().unwrap_or_default()
}

/// An answer without the address that holds a session token, for all who only look.
#[must_use]
pub fn without_url(mut answer: Value) -> Value {
    let nested = answer.get_mut("connection").and_then(Value::as_object_mut);
    if let Some(connection) = nested {
        connection.remove("url");
    }
    if let Some(connection) = answer.as_object_mut() {
        connection.remove("url");
    }
    answer
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    const URL: &str = "https://connect.maton.ai/?session_token=canary";

    #[test]
    fn all_three_shapes_of_a_new_connection_are_read() {
        let bare =
            json!({ "connection_id": "c-1", "status": "PENDING", "url": URL, "metadata": null });
        for answer in [json!({ "connection": bare }), bare] {
            let read = Connection::read(&answer).unwrap();

            assert_eq!(read.connection_id, "c-1");
            assert_eq!(read.url.as_ref().unwrap().expose_secret(), URL);
            assert!(!read.is_active());
            assert!(!format!("{read:?}").contains("canary"));
        }
        let read = Connection::read(&json!({ "connection_id": 17 })).unwrap();
        assert_eq!(
            (read.connection_id.as_str(), read.url.is_none()),
            ("17", true)
        );
    }

    #[test]
    fn an_answer_without_an_id_is_no_connection() {
        for answer in [
            json!(null),
            json!({}),
            json!([]),
            json!({ "connection": null }),
            json!({ "connection": {} }),
            json!({ "connection_id": null, "url": 5 }),
        ] {
            assert!(Connection::read(&answer).is_none(), "{answer}");
        }
    }

    #[test]
    fn the_session_token_is_taken_out_of_what_is_only_looked_at() {
        let bare = json!({ "connection_id": "c-1", "url": URL });
        for answer in [json!({ "connection": bare }), bare] {
            let shown = without_url(answer).to_string();

            assert!(
                shown.contains("c-1") && !shown.contains("canary"),
                "{shown}"
            );
        }
    }

    #[test]
    fn rows_are_found_below_their_key_or_bare() {
        let table = [
            (json!({ "connections": [{ "connection_id": "c-1" }] }), 1),
            (json!([{ "connection_id": "c-1" }]), 1),
            (json!({ "connections": null }), 0),
            (json!(null), 0),
        ];
        for (answer, count) in table {
            assert_eq!(rows(&answer).len(), count, "{answer}");
        }
    }
}
