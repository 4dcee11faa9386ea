//! Maton's connections: the Meta logins that its gateway sends with.
//!
//! See <https://github.com/maton-ai/api-gateway-skill>.

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

use super::lenient;
use crate::whatsapp::api_call::Call;

/// Maton's name of WhatsApp.
const APP: &str = "whatsapp-business";

/// Builds the request for the connections to WhatsApp, optionally of one status or method.
#[must_use]
pub fn list(status: Option<&str>, method: Option<&str>) -> Call {
    Call::get(&["connections"])
        .with("app", APP)
        .with_some("status", status.map(str::to_uppercase))
        .with_some("method", method.map(str::to_uppercase))
        .control()
}

/// Builds the request that begins a connection; the owner completes it in a browser.
#[must_use]
pub fn create(method: Option<&str>) -> Call {
    let mut body = json!({ "app": APP });
    if let Some(method) = method {
        body["method"] = json!(method.to_uppercase());
    }
    Call::post(&["connections"], body).control()
}

/// Builds the request for one connection.
#[must_use]
pub fn get(connection_id: &str) -> Call {
    Call::get(&["connections", connection_id]).control()
}

/// Builds the request that ends a connection, with which nothing can be sent afterwards.
#[must_use]
pub fn delete(connection_id: &str) -> Call {
    Call::delete(&["connections", connection_id]).control()
}

/// Connection; absent fields are empty.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Connection {
    /// Id, as in `gateway.connection`.
    #[serde(deserialize_with = "lenient::text")]
    pub connection_id: String,
    /// `ACTIVE`, `PENDING`, `FAILED`; an open set.
    #[serde(deserialize_with = "lenient::text")]
    pub status: String,
    /// `OAUTH2`; an open set.
    #[serde(deserialize_with = "lenient::text")]
    pub method: String,
    /// ISO 8601 time.
    #[serde(deserialize_with = "lenient::text")]
    pub creation_time: String,
    /// ISO 8601 time.
    #[serde(deserialize_with = "lenient::text")]
    pub last_updated_time: String,
    /// Address at which the owner completes the connection. Secret: its session token lets any
    /// holder complete it.
    #[serde(deserialize_with = "lenient::or_default")]
    pub url: Option<SecretString>,
}

impl Connection {
    /// Reads the response to [`create`] or [`get`]: `{"connection": C}`, C itself, or only its id,
    /// since Maton does not document the shape. `None` without an id.
    #[must_use]
    pub fn read(response: &Value) -> Option<Self> {
        let nested = response.get("connection").filter(|inner| inner.is_object());
        let connection: Self = lenient::read(nested.unwrap_or(response));
        (!connection.connection_id.is_empty()).then_some(connection)
    }

    /// Whether messages can be sent with this connection.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.status.eq_ignore_ascii_case("ACTIVE")
    }
}

/// Returns the rows of the response to [`list`], unchanged.
#[must_use]
pub fn rows(response: &Value) -> Vec<Value> {
    let rows = response.get("connections").unwrap_or(response);
    rows.as_array().cloned().unwrap_or_default()
}

/// Removes the address with the session token from a response, for commands that only display it.
#[must_use]
pub fn without_url(mut response: Value) -> Value {
    for place in ["/connection", ""] {
        if let Some(Value::Object(connection)) = response.pointer_mut(place) {
            connection.remove("url");
        }
    }
    response
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
        assert_eq!((&*read.connection_id, read.url.is_none()), ("17", true));
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

            assert!(shown.contains("c-1"), "{shown}");
            assert!(!shown.contains("canary"), "{shown}");
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
