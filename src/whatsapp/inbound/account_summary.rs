//! One-line summaries of account events for the owner. The raw JSON beside them keeps the rest.
//!
//! Shapes:
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview>
//! and the page of each field. Nothing here fails: a value of another shape only makes the summary
//! less exact.

use serde_json::Value;

use crate::message::counted;

/// Fields that are summarized by listing the values of some of their keys.
const LISTED_KEYS: &str = "\
account_alerts alert_severity alert_type alert_status alert_description
account_review_update decision
phone_number_quality_update display_phone_number event current_limit max_daily_conversations_per_business
phone_number_name_update display_phone_number decision requested_verified_name rejection_reason
business_capability_update max_daily_conversations_per_business max_phone_numbers_per_business
business_username_update display_phone_number username status
security display_phone_number event
messages/errors code title message
user_preferences category value detail
messaging_handovers type";

/// Summarizes the value of a field.
pub(crate) fn summary(field: &str, raw: &str) -> String {
    // A value that is not valid JSON (a lone surrogate) still has its field.
    let value: Value = serde_json::from_str(raw).unwrap_or_default();
    let listed = LISTED_KEYS.lines().find_map(|line| {
        let mut names = line.split(' ');
        (names.next() == Some(field)).then(|| names.collect::<Vec<_>>())
    });
    let summary = match (field, listed) {
        (_, Some(names)) => texts(&value, &names),
        ("message_template_status_update", _) => template(&value, &["event", "reason"]),
        ("message_template_quality_update", _) => {
            let scores = ["previous_quality_score", "new_quality_score"];
            template(&value, &[]) + " quality " + &change(&value, scores)
        }
        ("template_category_update", _) => {
            let categories = ["previous_category", "new_category"];
            template(&value, &[]) + " category " + &change(&value, categories)
        }
        ("account_update", _) => texts(&value, &["event"]) + &restriction(&value),
        ("history", _) => history(&value),
        ("calls", _) => calls(&value),
        ("smb_app_state_sync", _) => {
            count(&value["state_sync"], "change") + " of the phone app's contacts"
        }
        ("standby", _) => {
            count(&value["standby"]["messages"], "message") + " while another app answers"
        }
        ("messages", _) => "nothing we know".to_owned(),
        _ if field.starts_with("group_") => {
            joined(&value["groups"], &["type", "group_id"], "; ").unwrap_or_default()
        }
        _ => String::new(),
    };
    summary.trim().to_owned()
}

/// Summarizes a part of a body that no field claims.
pub(crate) fn leftover(name: &str, raw: &str) -> String {
    match name {
        "calls" => summary(name, raw),
        "contacts" => "more about contacts than replyd reads".to_owned(),
        _ => format!("`{name}`, which replyd does not read"),
    }
}

/// Returns a non-empty text or a number as text.
fn text(value: &Value, name: &str) -> Option<String> {
    match &value[name] {
        Value::String(text) if !text.is_empty() && text != "NONE" => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn texts(value: &Value, names: &[&str]) -> String {
    let texts: Vec<String> = names.iter().filter_map(|name| text(value, name)).collect();
    texts.join(", ")
}

fn change(value: &Value, [from, to]: [&str; 2]) -> String {
    let part = |name| text(value, name).unwrap_or_else(|| "?".to_owned());
    format!("{} -> {}", part(from), part(to))
}

fn template(value: &Value, details: &[&str]) -> String {
    let name = text(value, "message_template_name")
        .or_else(|| text(value, "message_template_id"))
        .unwrap_or_else(|| "?".to_owned());
    // Written en-US here and en_US everywhere else.
    let language = text(value, "message_template_language")
        .map(|language| format!(" ({})", language.replace('-', "_")))
        .unwrap_or_default();
    let details = texts(value, details);
    let colon = if details.is_empty() { "" } else { ": " };
    format!("template {name}{language}{colon}{details}")
}

fn restriction(value: &Value) -> String {
    let listed = value["restriction_info"].as_array();
    let kinds = listed.into_iter().flatten();
    let kinds: Vec<String> = kinds
        .filter_map(|restriction| text(restriction, "restriction_type"))
        .chain(text(&value["ban_info"], "waba_ban_state"))
        .chain(text(&value["violation_info"], "violation_type"))
        .collect();
    if kinds.is_empty() {
        String::new()
    } else {
        format!(": {}", kinds.join(", "))
    }
}

fn history(value: &Value) -> String {
    let threads = || {
        let chunks = value["history"].as_array().into_iter().flatten();
        chunks.flat_map(|chunk| chunk["threads"].as_array().into_iter().flatten())
    };
    let messages = threads().filter_map(|thread| thread["messages"].as_array());
    let messages = counted(messages.map(Vec::len).sum::<usize>(), "old message");
    format!(
        "{messages} of {}",
        counted(threads().count(), "conversation")
    )
}

fn calls(value: &Value) -> String {
    let calls = joined(
        &value["calls"],
        &["event", "direction", "status"],
        "; call ",
    );
    match calls {
        Some(calls) => format!("call {calls}"),
        None => count(&value["statuses"], "status") + " of calls",
    }
}

/// Lists keys of each element of an array; `None` without elements.
fn joined(list: &Value, names: &[&str], separator: &str) -> Option<String> {
    let items = list.as_array().filter(|items| !items.is_empty())?;
    let items: Vec<String> = items.iter().map(|item| texts(item, names)).collect();
    Some(items.join(separator))
}

fn count(list: &Value, noun: &str) -> String {
    counted(list.as_array().map_or(0, Vec::len), noun)
}
