//! Problems of the account and its numbers, derived from the status events that Meta sent.
//!
//! Pure: the events are what the database keeps, so a restart finds the same issues. An event that
//! Meta revokes (reinstated, unflagged, a limit raised again) closes its issue; an event that Meta
//! never revokes (a violation, a lowered limit) keeps it open for `REMEMBERED`. Shapes:
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/account_update>
//! and `phone_number_quality_update`, `account_alerts`, `business_capability_update` beside it
//! (checked 2026-11).

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::message::AccountStatusEvent;

/// Time for which an issue stays open that no later event closes.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24 * 30);
const LOOK: &str = "look at Account quality in WhatsApp Manager";

/// Open problem of the account or of one number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountIssue {
    /// Effect on the bot.
    pub severity: Severity,
    /// Sentence that names the account or number, the restriction, and the remedy.
    pub message: String,
}

/// Effect of an issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// No message can be answered.
    Critical,
    /// Something is no longer allowed, or soon will not be.
    Warning,
}

/// Lists the issues that are open at `now`. `events` have the fields
/// [`crate::message::ACCOUNT_STATUS_FIELDS`] and stand in the order Meta sent them.
#[must_use]
pub fn issues(events: &[AccountStatusEvent], now: Timestamp) -> Vec<AccountIssue> {
    let mut status = AccountStatus::default();
    for event in events {
        status.apply(event);
    }
    let open = status.open.into_iter();
    open.filter(|(_, issue)| issue.until.is_none_or(|until| now < until))
        .map(|((_, kind), issue)| AccountIssue {
            severity: if matches!(kind, Kind::Ban | Kind::Gone) {
                Severity::Critical
            } else {
                Severity::Warning
            },
            message: issue.message,
        })
        .collect()
}

/// Kind of an issue; an account or number has at most one open issue of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Ban,
    Gone,
    Restriction,
    Violation,
    Review,
    Alert,
    Flag,
    Limit,
    /// Ban that is announced and not yet in force.
    ComingBan,
}

/// Kinds that the reinstatement of an account closes.
const PENALTIES: [Kind; 4] = [
    Kind::Ban,
    Kind::ComingBan,
    Kind::Restriction,
    Kind::Violation,
];

/// Issues and limits after the events applied so far, by the name of the account or number.
#[derive(Default)]
struct AccountStatus {
    open: BTreeMap<(String, Kind), OpenIssue>,
    /// Latest reported messaging limits.
    limits: BTreeMap<String, i64>,
}

struct OpenIssue {
    message: String,
    until: Option<Timestamp>,
}

/// Status event with its parsed `value`.
struct Notice<'a> {
    event: &'a AccountStatusEvent,
    value: &'a Value,
    /// `account 1022…` or `the number that ends in 1111`.
    subject: String,
}

impl Notice<'_> {
    fn text(&self, name: &str) -> &str {
        self.value[name].as_str().unwrap_or_default()
    }

    fn remembered(&self) -> Option<Timestamp> {
        self.event.sent_at.checked_add(REMEMBERED).ok()
    }
}

impl AccountStatus {
    fn apply(&mut self, event: &AccountStatusEvent) {
        let value: Value = serde_json::from_str(&event.raw).unwrap_or_default();
        let subject = match (value["display_phone_number"].as_str(), &event.waba_id) {
            (Some(number), _) => masked_number(number),
            (None, Some(waba_id)) => format!("account {waba_id}"),
            (None, None) => "the account".to_owned(),
        };
        let notice = Notice {
            event,
            value: &value,
            subject,
        };
        match event.field.as_str() {
            "account_update" => self.account(&notice),
            "account_review_update" => self.review(&notice),
            "account_alerts" => self.alert(&notice),
            "phone_number_quality_update" => self.quality(&notice),
            "business_capability_update" => {
                self.limit(&notice, "max_daily_conversations_per_business");
            }
            _ => {}
        }
    }

    fn open(&mut self, notice: &Notice<'_>, kind: Kind, text: &str, until: Option<Timestamp>) {
        let day = notice.event.sent_at.strftime("%Y-%m-%d");
        let message = format!("{}: {text} (reported {day})", notice.subject);
        let key = (notice.subject.clone(), kind);
        self.open.insert(key, OpenIssue { message, until });
    }

    fn close(&mut self, notice: &Notice<'_>, kinds: &[Kind]) {
        for kind in kinds {
            self.open.remove(&(notice.subject.clone(), *kind));
        }
    }

    fn account(&mut self, notice: &Notice<'_>) {
        match notice.text("event") {
            "DISABLED_UPDATE" => {
                let state = notice.value["ban_info"]["waba_ban_state"].as_str();
                match state.unwrap_or_default() {
                    "REINSTATE" => self.close(notice, &PENALTIES),
                    "SCHEDULE_FOR_DISABLE" => {
                        let text = format!("WhatsApp is going to disable it; {LOOK} and appeal");
                        self.open(notice, Kind::ComingBan, &text, None);
                    }
                    _ => {
                        let text = format!(
                            "disabled by WhatsApp, no message is answered; {LOOK} and appeal"
                        );
                        self.open(notice, Kind::Ban, &text, None);
                    }
                }
            }
            "ACCOUNT_REINSTATED" => self.close(notice, &PENALTIES),
            "ACCOUNT_RESTRICTION" => self.restriction(notice),
            "ACCOUNT_VIOLATION" => {
                let kind = notice.value["violation_info"]["violation_type"].as_str();
                let kind = kind.unwrap_or("of an unnamed kind");
                let text = format!("it broke a policy of WhatsApp ({kind}); {LOOK}");
                self.open(notice, Kind::Violation, &text, notice.remembered());
            }
            "ACCOUNT_DELETED" => {
                let text = "deleted, no message is answered; set up another account and its number";
                self.open(notice, Kind::Gone, text, None);
            }
            "ACCOUNT_OFFBOARDED" => {
                let text = "taken off the Cloud API, no message is answered; connect it again";
                self.open(notice, Kind::Gone, text, None);
            }
            "ACCOUNT_RECONNECTED" => self.close(notice, &[Kind::Gone]),
            _ => {}
        }
    }

    /// Applies a list of restrictions. Each list is complete: an empty one lifts all of them.
    fn restriction(&mut self, notice: &Notice<'_>) {
        let listed = notice.value["restriction_info"].as_array();
        let listed = || listed.into_iter().flatten();
        let kinds: Vec<&str> = listed()
            .filter_map(|item| item["restriction_type"].as_str())
            .collect();
        if kinds.is_empty() {
            return self.close(notice, &[Kind::Restriction]);
        }
        // Without a readable end, a restriction lasts until it is lifted.
        let ends = listed().map(|item| Timestamp::from_second(item["expiration"].as_i64()?).ok());
        let until = ends
            .collect::<Option<Vec<_>>>()
            .and_then(|ends| ends.into_iter().max());
        let end = until.map_or_else(String::new, |until| {
            format!(" until {}", until.strftime("%Y-%m-%d %H:%M UTC"))
        });
        let text = format!("restricted by WhatsApp ({}){end}; {LOOK}", kinds.join(", "));
        self.open(notice, Kind::Restriction, &text, until);
    }

    fn review(&mut self, notice: &Notice<'_>) {
        match notice.text("decision") {
            "REJECTED" => {
                let text = "its review was rejected; look at Business verification in Meta's Business settings";
                self.open(notice, Kind::Review, text, None);
            }
            "APPROVED" => self.close(notice, &[Kind::Review]),
            _ => {}
        }
    }

    /// Opens an issue for critical alerts only; `replyd events` lists the others.
    fn alert(&mut self, notice: &Notice<'_>) {
        let active = matches!(notice.text("alert_status"), "ACTIVE" | "");
        if notice.text("alert_severity") == "CRITICAL" && active {
            let kind = notice.text("alert_type");
            let text = format!("a critical alert ({kind}); look at WhatsApp Manager");
            self.open(notice, Kind::Alert, &text, notice.remembered());
        } else if !active {
            self.close(notice, &[Kind::Alert]);
        }
    }

    fn quality(&mut self, notice: &Notice<'_>) {
        match notice.text("event") {
            "FLAGGED" => {
                let text = "flagged for low quality; contacts block or report it: send fewer unrequested messages";
                self.open(notice, Kind::Flag, text, None);
            }
            "UNFLAGGED" => self.close(notice, &[Kind::Flag]),
            _ => {}
        }
        self.limit(notice, "current_limit");
    }

    /// Opens an issue when the limit under `name` is lower than before; a higher one closes it.
    fn limit(&mut self, notice: &Notice<'_>, name: &str) {
        let limit = &notice.value[name];
        let event = notice.text("event");
        let new = contacts_per_day(limit);
        let before = new.and_then(|new| {
            let before = self.limits.insert(notice.subject.clone(), new);
            before.or_else(|| contacts_per_day(&notice.value["old_limit"]))
        });
        if event == "DOWNGRADE" || before > new {
            let to = match (new, limit.as_str()) {
                (None, _) => String::new(),
                (Some(_), Some(tier)) => format!(" to {tier}"),
                (Some(_), None) => format!(" to {limit}"),
            };
            let text =
                format!("its messaging limit was lowered{to}; send fewer unrequested messages");
            self.open(notice, Kind::Limit, &text, notice.remembered());
        } else if before.is_some_and(|before| new > Some(before))
            || (new.is_some() && event.ends_with("UPGRADE"))
        {
            self.close(notice, &[Kind::Limit]);
        }
    }
}

/// Number of contacts that a limit allows per day. Meta wrote numbers up to v23 (-1 for no bound),
/// and tiers like `TIER_2K` since.
fn contacts_per_day(limit: &Value) -> Option<i64> {
    if let Some(number) = limit.as_i64() {
        return Some(if number < 0 { i64::MAX } else { number });
    }
    let tier = limit.as_str()?.strip_prefix("TIER_")?;
    match tier.strip_suffix('K') {
        Some(thousands) => thousands.parse::<i64>().ok()?.checked_mul(1_000),
        None if tier == "UNLIMITED" => Some(i64::MAX),
        None => tier.parse().ok(),
    }
}

/// Names a number by its last four digits: logs must not hold the whole number.
fn masked_number(number: &str) -> String {
    let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    let end: String = digits[digits.len().saturating_sub(4)..].iter().collect();
    format!("the number that ends in {end}")
}

#[cfg(test)]
mod tests;
