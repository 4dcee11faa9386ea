//! The present state of message templates: the copy that `replyd templates sync` fetched, and what
//! Meta has reported since.
//!
//! Pure. The copy holds what was fetched and is never changed by events, which are in the database:
//! rules are checked against the copy alone, so that no event can make them fail the check. Shapes:
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/message_template_status_update>
//! and `template_category_update` beside it (checked 2026-11).

use jiff::Timestamp;
use serde_json::Value;

use crate::message::{AccountStatusEvent, TemplateFile, TemplateState, TemplateStates};

/// Applies account events to the states of a fetched copy, if there is one. The events have the
/// fields [`crate::message::TEMPLATE_STATUS_FIELDS`] and stand in the order Meta sent them; those
/// from before the copy was fetched are left out.
#[must_use]
pub fn states(file: Option<&TemplateFile>, events: &[AccountStatusEvent]) -> TemplateStates {
    // Meta's times are whole seconds.
    let synced_at: Option<Timestamp> = file.and_then(|file| file.synced_at.parse().ok());
    let since = synced_at.map_or(i64::MIN, Timestamp::as_second);
    let mut states = file.map(TemplateStates::from_file).unwrap_or_default();
    let later = events
        .iter()
        .filter(|event| event.sent_at.as_second() >= since);
    for event in later {
        let value: Value = serde_json::from_str(&event.raw).unwrap_or_default();
        let Some(name) = value["message_template_name"].as_str() else {
            continue;
        };
        // Events write `en-US` where sends write `en_US`.
        let language = value["message_template_language"].as_str();
        let language = language.map(|language| language.replace('-', "_"));
        states.change(name, language.as_deref(), |state| apply(&value, state));
    }
    states
}

/// Changes a state as an event says.
fn apply(value: &Value, state: &mut TemplateState) {
    if let Some(status) = status(value) {
        status.clone_into(&mut state.status);
    }
    let category = value["new_category"].as_str();
    let category = category.or_else(|| value["message_template_category"].as_str());
    if let Some(category) = category {
        category.clone_into(&mut state.category);
    }
}

/// Status of a template after an event; `None` if the event does not change whether it is sent.
fn status(value: &Value) -> Option<&str> {
    let title = value["other_info"]["title"].as_str().unwrap_or_default();
    match (value["event"].as_str()?, title) {
        (_, "UNPAUSE") | ("REINSTATED" | "UNARCHIVED" | "UNPAUSED", _) => Some("APPROVED"),
        // A warning about quality, and a lock against changes: it is still sent.
        ("" | "FLAGGED" | "LOCKED" | "UNLOCKED", _) => None,
        (event, _) => Some(event),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shape(language: &str) -> Value {
        json!({
            "name": "order_ok", "language": language, "status": "APPROVED", "category": "UTILITY",
            "header": null, "body": [], "named": false, "buttons": [], "cards": 0,
        })
    }

    /// Events at these seconds after the copy was fetched.
    fn events(events: &[(i64, Value)]) -> Vec<AccountStatusEvent> {
        let synced_at: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
        let events = events.iter().map(|(seconds, value)| {
            let mut value = value.clone();
            value["message_template_name"] = json!("order_ok");
            AccountStatusEvent {
                field: "message_template_status_update".to_owned(),
                waba_id: None,
                sent_at: synced_at + jiff::SignedDuration::from_secs(*seconds),
                raw: value.to_string(),
            }
        });
        events.collect()
    }

    /// State of the template in both languages after events.
    fn after(changes: &[(i64, Value)]) -> [TemplateState; 2] {
        let file = json!({
            "synced_at": "2026-11-23T10:00:00.5Z", "templates": [shape("en_US"), shape("de")],
        });
        let file: TemplateFile = serde_json::from_value(file).unwrap();
        let states = states(Some(&file), &events(changes));
        ["en_US", "de"].map(|language| states.get("order_ok", language).unwrap().clone())
    }

    #[test]
    fn the_newest_event_of_a_template_in_its_language_decides() {
        let of = |event: &str| json!({ "event": event, "message_template_language": "en-US" });
        let unpaused = json!({ "event": "PAUSED", "other_info": { "title": "UNPAUSE" } });
        for (events, status) in [
            (vec![of("PAUSED")], "PAUSED"),
            (vec![of("PAUSED"), of("APPROVED")], "APPROVED"),
            (vec![of("DISABLED"), of("REINSTATED")], "APPROVED"),
            (vec![of("PAUSED"), unpaused], "APPROVED"),
            (
                vec![of("PENDING_DELETION"), of("FLAGGED")],
                "PENDING_DELETION",
            ),
            (vec![of("FLAGGED"), of("LOCKED")], "APPROVED"),
        ] {
            let events: Vec<(i64, Value)> = (0..).zip(events.clone()).collect();

            let [us, de] = after(&events);

            assert_eq!(us.status, status, "{events:?}");
            assert_eq!(de.status, "APPROVED", "the other language: {events:?}");
        }
    }

    #[test]
    fn only_a_documented_word_stops_a_template() {
        let stops = |event: &Value| after(&[(1, json!({ "event": event }))])[0].is_stopped();

        for word in [
            "PENDING",
            "REJECTED",
            "PAUSED",
            "DISABLED",
            "IN_APPEAL",
            "PENDING_DELETION",
            "DELETED",
            "LIMIT_EXCEEDED",
            "ARCHIVED",
            "paused",
        ] {
            assert!(stops(&json!(word)), "{word}");
        }
        for word in [
            json!("APPROVED"),
            json!("FLAGGED"),
            json!("LOCKED"),
            json!("UNARCHIVED"),
            json!("REINSTATED"),
            json!("A_WORD_OF_TOMORROW"),
            json!(""),
            json!(7),
            json!(null),
        ] {
            assert!(!stops(&word), "{word}");
        }
    }

    #[test]
    fn events_of_a_template_that_was_never_fetched_count_in_their_language() {
        let of = |language: &str| {
            json!({ "event": "PAUSED", "message_template_language": language,
                "message_template_category": "MARKETING" })
        };

        let states = states(None, &events(&[(-9, of("en-US"))]));

        let paused = states.get("order_ok", "en_US").unwrap();
        assert!(paused.is_stopped() && paused.is_marketing());
        assert_eq!(states.get("order_ok", "de"), None);
    }

    #[test]
    fn a_category_changes_and_events_from_before_the_copy_are_left_out() {
        let marketing = json!({ "previous_category": "UTILITY", "new_category": "MARKETING" });
        let announced = json!({ "correct_category": "MARKETING" });

        let changed = after(&[(60, marketing.clone())]);
        let before = after(&[(-1, marketing), (-1, json!({ "event": "DISABLED" }))]);
        let coming = after(&[(60, announced)]);

        assert!(changed.iter().all(TemplateState::is_marketing));
        for state in before.iter().chain(&coming) {
            assert_eq!((state.is_stopped(), state.is_marketing()), (false, false));
        }
    }
}
