//! Webhook bodies as Meta writes them, and the client that posts them.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::account::WABA;

/// Waits in milliseconds before posts are repeated; Meta's are longer, up to days.
pub(super) const RETRIES_MS: [u64; 8] = [50, 100, 200, 400, 800, 1600, 3200, 6400];

/// Builds a webhook body with one value under one field.
///
/// Non-ASCII characters and slashes are escaped as Meta does, so that a signature check over a
/// decoded and re-encoded copy fails. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/create-webhook-endpoint>.
#[must_use]
pub fn body(field: &str, value: &Value) -> String {
    let body = json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": WABA, "changes": [{ "field": field, "value": value }] }],
    });
    escape(&body.to_string())
}

/// Builds the value of field `messages` for one business number.
#[must_use]
pub fn messages_value(number: &str, parts: Value) -> Value {
    let mut value = json!({
        "messaging_product": "whatsapp",
        "metadata": { "display_phone_number": "15550001111", "phone_number_id": number },
    });
    if let (Some(value), Value::Object(parts)) = (value.as_object_mut(), parts) {
        value.extend(parts);
    }
    value
}

/// Escapes JSON text to ASCII, with `\/` for a slash.
fn escape(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    let mut units = [0; 2];
    for character in json.chars() {
        match character {
            '/' => escaped.push_str("\\/"),
            _ if character.is_ascii() => escaped.push(character),
            _ => {
                for unit in character.encode_utf16(&mut units) {
                    write!(escaped, "\\u{unit:04x}").expect("a String takes everything");
                }
            }
        }
    }
    escaped
}

/// Builds the HTTP client that posts webhooks.
pub(super) fn client() -> reqwest::Client {
    crate::gateway::http_client(Duration::from_secs(10)).expect("its settings are constants")
}

/// Posts a signed body once; returns the HTTP status, 0 when there was no response.
pub(super) async fn post(client: &reqwest::Client, url: &str, signed: &str, body: Vec<u8>) -> u16 {
    let request = client
        .post(url)
        .header("content-type", "application/json")
        .header("x-hub-signature-256", signed);
    let response = request.body(body).send().await;
    response.map_or(0, |response| response.status().as_u16())
}

#[cfg(test)]
mod tests {
    use super::body;

    #[test]
    fn bodies_are_escaped_the_way_meta_escapes_them() {
        let body = body("messages", &serde_json::json!("ä 👍 a/b"));
        assert!(body.contains(r#""\u00e4 \ud83d\udc4d a\/b""#), "{body}");
    }
}
