//! The present state of message templates: the copy that `replyd templates sync` fetched, and what
//! Meta has reported since.
//!
//! Pure. The copy's file holds what was fetched and is never changed by events, which are in the
//! database. Shapes:
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/message_template_status_update>
//! and `template_category_update` beside it (checked 2026-11).

use jiff::Timestamp;
use serde_json::Value;

use crate::message::{AccountStatusEvent, TemplateFile, TemplateShape};

/// Applies account events to a fetched copy. They have the fields
/// [`crate::message::TEMPLATE_STATUS_FIELDS`] and stand in the order Meta sent them; those from before
/// the copy was fetched are left out. Templates that the copy does not have stay unknown, because
/// events do not tell what a template takes.
pub fn apply(file: &mut TemplateFile, events: &[AccountStatusEvent]) {
    // Meta's times are whole seconds.
    let synced_at: Option<Timestamp> = file.synced_at.parse().ok();
    let since = synced_at.map_or(0, Timestamp::as_second);
    for event in events
        .iter()
        .filter(|event| event.sent_at.as_second() >= since)
    {
        let value: Value = serde_json::from_str(&event.raw).unwrap_or_default();
        let Some(name) = value["message_template_name"].as_str() else {
            continue;
        };
        let language = value["message_template_language"].as_str();
        let language = language.map(|language| language.replace('-', "_"));
        let shapes = file.templates.iter_mut().filter(|shape| {
            let is_language = language.as_ref().is_none_or(|it| *it == shape.language);
            shape.name == name && is_language
        });
        for shape in shapes {
            if let Some(status) = status(&value) {
                status.clone_into(&mut shape.status);
            }
            let category = value["new_category"].as_str();
            let category = category.or_else(|| value["message_template_category"].as_str());
            if let Some(category) = category {
                category.clone_into(&mut shape.category);
            }
        }
    }
}

/// Status of a template after an event; `None` if the event does not change whether it is sent.
fn status(value: &Value) -> Option<&str> {
    let title = value["other_info"]["title"].as_str().unwrap_or_default();
    match (value["event"].as_str()?, title) {
        (_, "UNPAUSE") | ("REINSTATED" | "UNARCHIVED" | "UNPAUSED", _) => {
            Some(TemplateShape::SENDABLE)
        }
        // A warning about quality, and a lock against changes: it is still sent.
        ("" | "FLAGGED" | "LOCKED" | "UNLOCKED", _) => None,
        (event, _) => Some(event),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shape(language: &str) -> TemplateShape {
        TemplateShape {
            name: "order_ok".to_owned(),
            language: language.to_owned(),
            status: "APPROVED".to_owned(),
            category: "UTILITY".to_owned(),
            header: None,
            body: Vec::new(),
            named: false,
            buttons: Vec::new(),
            cards: 0,
            offer_expires: false,
        }
    }

    /// Status and category of both templates after events at these seconds after the copy.
    fn after(events: &[(i64, Value)]) -> [(String, String); 2] {
        let mut file = TemplateFile {
            synced_at: "2026-11-23T10:00:00.5Z".to_owned(),
            templates: vec![shape("en_US"), shape("de")],
        };
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
        apply(&mut file, &events.collect::<Vec<_>>());
        let [us, de] = &file.templates[..] else {
            unreachable!()
        };
        [us, de].map(|shape| (shape.status.clone(), shape.category.clone()))
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
            (vec![of("A_WORD_OF_TOMORROW")], "A_WORD_OF_TOMORROW"),
        ] {
            let events: Vec<(i64, Value)> = (0..).zip(events.clone()).collect();

            let [us, de] = after(&events);

            assert_eq!(us.0, status, "{events:?}");
            assert_eq!(de.0, "APPROVED", "the other language: {events:?}");
        }
    }

    #[test]
    fn a_category_changes_and_events_from_before_the_copy_are_left_out() {
        let marketing = json!({ "previous_category": "UTILITY", "new_category": "MARKETING" });
        let announced = json!({ "correct_category": "MARKETING" });

        let changed = after(&[(60, marketing.clone())]);
        let before = after(&[(-1, marketing), (-1, json!({ "event": "DISABLED" }))]);
        let coming = after(&[(60, announced)]);

        assert!(changed.iter().all(|(_, category)| category == "MARKETING"));
        let as_fetched = ("APPROVED".to_owned(), "UTILITY".to_owned());
        assert_eq!(before, [as_fetched.clone(), as_fetched.clone()]);
        assert_eq!(coming, [as_fetched.clone(), as_fetched]);
    }
}
