use jiff::Timestamp;
use serde_json::{Value, json};

use super::{AccountIssue, issues};
use crate::message::AccountStatusEvent;

const DAY: i64 = 86_400;
/// 2026-11-01.
const START: i64 = 1_793_491_200;

fn event(day: i64, field: &str, value: &Value) -> AccountStatusEvent {
    AccountStatusEvent {
        field: field.to_owned(),
        waba_id: Some("102290129340398".to_owned()),
        sent_at: Timestamp::from_second(START + day * DAY).unwrap(),
        raw: value.to_string(),
    }
}

/// Lists the issues that are open on day 5.
fn after(events: &[AccountStatusEvent]) -> Vec<String> {
    on_day(5, events)
}

fn on_day(day: i64, events: &[AccountStatusEvent]) -> Vec<String> {
    let now = Timestamp::from_second(START + day * DAY).unwrap();
    let issues = issues(events, now).into_iter();
    issues.map(|AccountIssue { message, .. }| message).collect()
}

fn account(day: i64, value: &Value) -> AccountStatusEvent {
    event(day, "account_update", value)
}

fn ban(day: i64, state: &str) -> AccountStatusEvent {
    let value = json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": state}});
    account(day, &value)
}

fn number(day: i64, kind: &str, limit: &str) -> AccountStatusEvent {
    let value =
        json!({"display_phone_number": "15550001111", "event": kind, "current_limit": limit});
    event(day, "phone_number_quality_update", &value)
}

#[test]
fn a_disabled_account_hinders_until_it_is_reinstated() {
    let disabled = [ban(0, "DISABLE")];
    let again = [ban(0, "DISABLE"), ban(1, "REINSTATE"), ban(2, "DISABLE")];

    assert_eq!(
        after(&disabled),
        [
            "account 102290129340398: disabled by WhatsApp, no message is answered; look at Account quality \
                         in WhatsApp Manager and appeal (reported 2026-11-01)"
        ]
    );
    assert!(on_day(400, &disabled).len() == 1, "however long ago");
    assert!(after(&again[..2]).is_empty());
    assert!(after(&again)[0].ends_with("(reported 2026-11-03)"));
    let reinstated = account(3, &json!({"event": "ACCOUNT_REINSTATED"}));
    assert!(after(&[ban(0, "DISABLE"), reinstated]).is_empty());
}

#[test]
fn a_restriction_hinders_until_its_end_or_until_none_is_listed() {
    let restricted = |end: Value| {
        let kind = "RESTRICTED_BIZ_INITIATED_MESSAGING";
        let listed = json!([{"restriction_type": kind, "expiration": end}]);
        account(
            0,
            &json!({"event": "ACCOUNT_RESTRICTION", "restriction_info": listed}),
        )
    };
    let bounded = [restricted(json!(START + 7 * DAY))];
    let lifted = account(
        1,
        &json!({"event": "ACCOUNT_RESTRICTION", "restriction_info": []}),
    );

    let sentences = after(&bounded);
    assert!(
        sentences[0].contains("(RESTRICTED_BIZ_INITIATED_MESSAGING) until 2026-11-08 00:00 UTC"),
        "{sentences:?}"
    );
    assert!(on_day(8, &bounded).is_empty());
    assert_eq!(on_day(400, &[restricted(Value::Null)]).len(), 1);
    assert!(after(&[restricted(Value::Null), lifted]).is_empty());
}

#[test]
fn a_violation_and_a_critical_alert_are_held_for_a_month() {
    let violation = account(
        0,
        &json!({"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "SCAM"}}),
    );
    let alert = |severity: &str, status: &str| {
        let value = json!({"alert_severity": severity, "alert_status": status, "alert_type": "X"});
        event(1, "account_alerts", &value)
    };

    let events = [violation, alert("CRITICAL", "ACTIVE")];

    assert_eq!(on_day(29, &events).len(), 2);
    assert_eq!(on_day(32, &events), Vec::<String>::new());
    assert!(after(&[alert("WARNING", "ACTIVE")]).is_empty());
    assert!(after(&[alert("CRITICAL", "ACTIVE"), alert("CRITICAL", "NONE")]).is_empty());
}

#[test]
fn a_flagged_number_hinders_until_it_is_unflagged_and_is_not_spelled_out() {
    let flagged = number(0, "FLAGGED", "TIER_2K");

    let sentences = after(std::slice::from_ref(&flagged));

    assert_eq!(
        sentences,
        [
            "the number that ends in 1111: flagged for low quality; contacts block or report it: send fewer \
                         unrequested messages (reported 2026-11-01)"
        ]
    );
    assert!(after(&[flagged, number(1, "UNFLAGGED", "TIER_2K")]).is_empty());
}

#[test]
fn a_lowered_limit_hinders_until_it_rises_again() {
    let capability = |day, limit: Value| {
        let value = json!({"max_daily_conversations_per_business": limit});
        event(day, "business_capability_update", &value)
    };
    let lowered = number(1, "DOWNGRADE", "TIER_250");

    let sentences = after(&[
        number(0, "UPGRADE", "TIER_2K"),
        lowered.clone(),
        capability(0, json!("TIER_10K")),
        capability(1, json!("TIER_2K")),
    ]);

    assert_eq!(sentences.len(), 2, "{sentences:?}");
    assert!(
        sentences[0]
            .starts_with("account 102290129340398: its messaging limit was lowered to TIER_2K")
    );
    assert!(sentences[1].contains("1111: its messaging limit was lowered to TIER_250"));
    assert!(after(&[lowered, number(2, "UPGRADE", "TIER_2K")]).is_empty());
    assert!(after(&[capability(0, json!(1_000)), capability(1, json!("TIER_2K"))]).is_empty());
    assert!(after(&[capability(0, json!(-1)), capability(1, json!(250))]).len() == 1);
}

#[test]
fn a_deleted_or_offboarded_account_and_a_rejected_review_hinder() {
    let offboarded = account(0, &json!({"event": "ACCOUNT_OFFBOARDED"}));
    let deleted = account(0, &json!({"event": "ACCOUNT_DELETED"}));
    let rejected = event(0, "account_review_update", &json!({"decision": "REJECTED"}));
    let approved = event(1, "account_review_update", &json!({"decision": "APPROVED"}));

    assert_eq!(after(&[deleted]).len(), 1);
    let back = account(1, &json!({"event": "ACCOUNT_RECONNECTED"}));
    assert_eq!(after(std::slice::from_ref(&offboarded)).len(), 1);
    assert!(after(&[offboarded, back]).is_empty());
    assert!(after(&[rejected, approved]).is_empty());
}

#[test]
fn events_of_unknown_shape_open_no_issue() {
    for raw in ["", "null", "[1]", "{}", r#"{"event":7,"current_limit":{}}"#] {
        for field in crate::message::ACCOUNT_STATUS_FIELDS {
            let mut event = event(0, field, &Value::Null);
            raw.clone_into(&mut event.raw);
            assert!(after(&[event]).is_empty(), "{field} {raw}");
        }
    }
}
