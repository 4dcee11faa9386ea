//! Webhook bodies, from parts.

use replyd::clock::Clock;
use replyd::sandbox::webhooks;
use serde_json::{Value, json};

use super::NUMBERS;

/// A text message that was sent just now.
pub(crate) fn text(from: &str, wamid: &str, body: &str) -> Value {
    let content = json!({ "type": "text", "text": { "body": body } });
    message(from, wamid, content)
}

/// A message of any type that was sent just now.
pub(crate) fn message(from: &str, wamid: &str, content: Value) -> Value {
    let mut message = content;
    message["from"] = json!(from);
    message["id"] = json!(wamid);
    message["timestamp"] = json!(Clock::System.now().as_second().to_string());
    message
}

/// A text message that was sent this many seconds ago.
pub(crate) fn old_text(from: &str, wamid: &str, body: &str, seconds: i64) -> Value {
    let mut message = text(from, wamid, body);
    message["timestamp"] = json!((Clock::System.now().as_second() - seconds).to_string());
    message
}

/// One body with one text message.
pub(crate) fn with_text(from: &str, wamid: &str, body: &str) -> String {
    with_messages(&[text(from, wamid, body)])
}

/// One body with messages to the first number.
pub(crate) fn with_messages(messages: &[Value]) -> String {
    with_parts("messages", json!({ "messages": messages }))
}

/// One body with parts of a value of the first number, under this field.
pub(crate) fn with_parts(field: &str, parts: Value) -> String {
    webhooks::body(field, &webhooks::messages_value(NUMBERS[0], parts))
}

/// One body in which a contact wants no more marketing.
pub(crate) fn marketing_stop(phone: &str) -> String {
    let wish = json!({ "wa_id": phone, "category": "marketing_messages", "value": "stop" });
    with_parts("user_preferences", json!({ "user_preferences": [wish] }))
}

/// One body with messages to several numbers, a change each.
pub(crate) fn with_numbers(messages: &[(&str, Vec<Value>)]) -> String {
    let change = |(number, messages): &(&str, Vec<Value>)| {
        let value = webhooks::messages_value(number, json!({ "messages": messages }));
        json!({ "field": "messages", "value": value })
    };
    let changes: Vec<Value> = messages.iter().map(change).collect();
    json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": "1", "changes": changes }],
    })
    .to_string()
}
