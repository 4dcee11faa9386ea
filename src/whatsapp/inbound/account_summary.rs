//! News about the account, said in one line for people. The raw JSON beside it keeps the rest.
//!
//! Shapes:
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview>
//! and the page of each field. Nothing here can fail: what is not as expected is only said less
//! exactly.

use serde_json::Value;

/// Fields whose values say it under a few names.
const PLAIN: [(&str, &[&str]); 10] = [
    (
        "account_alerts",
        &[
            "alert_severity",
            "alert_type",
            "alert_status",
            "alert_description",
        ],
    ),
    ("account_review_update", &["decision"]),
    (
        "phone_number_quality_update",
        &[
            "display_phone_number",
            "event",
            "current_limit",
            "max_daily_conversations_per_business",
        ],
    ),
    (
        "phone_number_name_update",
        &[
            "display_phone_number",
            "decision",
            "requested_verified_name",
            "rejection_reason",
        ],
    ),
    (
        "business_capability_update",
        &[
            "max_daily_conversations_per_business",
            "max_phone_numbers_per_business",
        ],
    ),
    (
        "business_username_update",
        &["display_phone_number", "username", "status"],
    ),
    ("security", &["display_phone_number", "event"]),
    ("messages/errors", &["code", "title", "message"]),
    ("user_preferences", &["category", "value", "detail"]),
    ("messaging_handovers", &["type"]),
];

/// What the value of a field says.
pub(crate) fn summary(field: &str, raw: &str) -> String {
    // A value that is no proper JSON text (half an emoji) still has its field.
    let value: Value = serde_json::from_str(raw).unwrap_or_default();
    let plain = PLAIN.iter().find(|(name, _)| *name == field);
    let summary = match (field, plain) {
        (_, Some((_, names))) => words(&value, names),
        ("message_template_status_update", _) => template(&value, &["event", "reason"]),
        ("message_template_quality_update", _) => {
            let scores = ["previous_quality_score", "new_quality_score"];
            format!(
                "{} quality {}",
                template(&value, &[]),
                change(&value, scores)
            )
        }
        ("template_category_update", _) => {
            let categories = ["previous_category", "new_category"];
            format!(
                "{} category {}",
                template(&value, &[]),
                change(&value, categories)
            )
        }
        ("account_update", _) => words(&value, &["event"]) + &restriction(&value),
        ("history", _) => history(&value),
        ("calls", _) => calls(&value),
        ("smb_app_state_sync", _) => count(
            &value["state_sync"],
            "change",
            "of the phone app's contacts",
        ),
        ("standby", _) => count(
            &value["standby"]["messages"],
            "message",
            "while another app answers",
        ),
        ("messages", _) => "nothing we know".to_owned(),
        _ if field.starts_with("group_") => groups(&value),
        _ => String::new(),
    };
    summary.trim().to_owned()
}

/// What a value says under a name; numbers and texts alike.
fn word(value: &Value, name: &str) -> Option<String> {
    match &value[name] {
        Value::String(text) if !text.is_empty() && text != "NONE" => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn words(value: &Value, names: &[&str]) -> String {
    let summary: Vec<String> = names.iter().filter_map(|name| word(value, name)).collect();
    summary.join(", ")
}

fn change(value: &Value, [from, to]: [&str; 2]) -> String {
    let part = |name| word(value, name).unwrap_or_else(|| "?".to_owned());
    format!("{} -> {}", part(from), part(to))
}

fn template(value: &Value, details: &[&str]) -> String {
    let name = word(value, "message_template_name")
        .or_else(|| word(value, "message_template_id"))
        .unwrap_or_else(|| "?".to_owned());
    // Written en-US here and en_US everywhere else.
    let language = word(value, "message_template_language")
        .map(|language| format!(" ({})", language.replace('-', "_")))
        .unwrap_or_default();
    let details = words(value, details);
    let colon = if details.is_empty() { "" } else { ": " };
    format!("template {name}{language}{colon}{details}")
}

fn restriction(value: &Value) -> String {
    let listed = value["restriction_info"].as_array();
    let kinds = listed.into_iter().flatten();
    let kinds: Vec<String> = kinds
        .filter_map(|restriction| word(restriction, "restriction_type"))
        .chain(word(&value["ban_info"], "waba_ban_state"))
        .chain(word(&value["violation_info"], "violation_type"))
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
    let messages: usize = threads()
        .filter_map(|thread| thread["messages"].as_array())
        .map(Vec::len)
        .sum();
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let conversations = threads().count();
    format!(
        "{messages} old message{} of {conversations} conversation{}",
        plural(messages),
        plural(conversations)
    )
}

fn calls(value: &Value) -> String {
    let items = value["calls"].as_array().into_iter().flatten();
    let items: Vec<String> = items
        .map(|call| words(call, &["event", "direction", "status"]))
        .collect();
    if items.is_empty() {
        count(&value["statuses"], "status", "of calls")
    } else {
        format!("call {}", items.join("; call "))
    }
}

fn groups(value: &Value) -> String {
    let items = value["groups"].as_array().into_iter().flatten();
    let items: Vec<String> = items
        .map(|group| words(group, &["type", "group_id"]))
        .collect();
    items.join("; ")
}

fn count(list: &Value, name: &str, noun: &str) -> String {
    let count = list.as_array().map_or(0, Vec::len);
    let plural = match (count, name.ends_with('s')) {
        (1, _) => "",
        (_, true) => "es",
        (_, false) => "s",
    };
    format!("{count} {name}{plural} {noun}")
}
