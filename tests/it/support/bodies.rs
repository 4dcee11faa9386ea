//! Webhook bodies, from parts.

use replyd::sandbox::webhooks;
use serde_json::{Value, json};

use super::NUMBERS;

/// A text message that was sent just now.
pub(crate) fn text(from: &str, wamid: &str, body: &str) -> Value {
    message(
        from,
        wamid,
        json!({ "type": "text", "text": { "body": body } }),
    )
}

/// A message of any type that was sent just now.
pub(crate) fn message(from: &str, wamid: &str, content: Value) -> Value {
    let mut message = content;
    message["from"] = json!(from);
    message["id"] = json!(wamid);
    message["timestamp"] = json!(now());
    message
}

/// Seconds since 1970, as Meta writes them.
pub(crate) fn now() -> String {
    replyd::clock::Clock::System.now().as_second().to_string()
}

/// One body with messages to the first number.
pub(crate) fn of_messages(messages: &[Value]) -> String {
    of_value(&webhooks::messages_value(
        NUMBERS[0],
        json!({ "messages": messages }),
    ))
}

/// One body with one value under field `messages`.
pub(crate) fn of_value(value: &Value) -> String {
    webhooks::body("messages", value)
}

/// One body with messages to several numbers, a change each.
pub(crate) fn of_numbers(messages: &[(&str, Vec<Value>)]) -> String {
    let changes: Vec<Value> = messages
        .iter()
        .map(|(number, messages)| {
            let value = webhooks::messages_value(number, json!({ "messages": messages }));
            json!({ "field": "messages", "value": value })
        })
        .collect();
    json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": "1", "changes": changes }],
    })
    .to_string()
}
