//! How the account and its numbers stand with WhatsApp, read from the news Meta sent about them.
//!
//! Pure: the news is what the database keeps, so a restart comes to the same answer. What Meta
//! takes back (reinstated, unflagged, a limit raised again) is gone; what it never takes back (a
//! violation, a lowered limit) is held for `REMEMBERED`. Shapes:
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/account_update>
//! and `phone_number_quality_update`, `account_alerts`, `business_capability_update` beside it
//! (checked 2026-11).

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::message::AccountNews;

/// For so long, news that nothing takes back hinders.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24 * 30);
/// One thing that stands against the account or a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What it does.
    pub weight: Weight,
    /// Who is hindered, how, and what to do.
    pub sentence: String,
}

/// What a trouble does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Nobody is answered any more.
    Stops,
    /// Something is no longer allowed, or soon will not be.
    Hinders,
}

/// What stands against the account or a number now. `news` is of the
/// [`crate::message::STANDING_FIELDS`], in the order Meta told it.
#[must_use]
pub fn troubles(news: &[AccountNews], now: Timestamp) -> Vec<Trouble> {
    let mut standing = Standing::default();
    for item in news {
        standing.take(item);
    }
    let held = standing.held.into_iter();
    held.filter(|(_, held)| held.until.is_none_or(|until| now < until))
        .map(|((_, kind), held)| Trouble {
            weight: kind.weight(),
            sentence: held.sentence,
        })
        .collect()
}

/// Who is hindered, and by what; one trouble of a kind replaces another.
type Key = (String, Kind);

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
    /// Announced, not yet done.
    ComingBan,
}

impl Kind {
    /// All that an account is told to have done.
    const PUNISHMENTS: [Self; 4] = [
        Self::Ban,
        Self::ComingBan,
        Self::Restriction,
        Self::Violation,
    ];

    fn weight(self) -> Weight {
        match self {
            Self::Ban | Self::Gone => Weight::Stops,
            Self::Restriction
            | Self::Violation
            | Self::Review
            | Self::Alert
            | Self::Flag
            | Self::Limit
            | Self::ComingBan => Weight::Hinders,
        }
    }
}

#[derive(Default)]
struct Standing {
    held: BTreeMap<Key, Held>,
    /// The last limit that was told, by whose it is.
    limits: BTreeMap<String, i64>,
}

struct Held {
    sentence: String,
    until: Option<Timestamp>,
}

/// A piece of news while it is read.
struct Notice<'a> {
    news: &'a AccountNews,
    value: &'a Value,
    /// `account 1022…` or `the number that ends in 1111`.
    who: String,
}

impl Notice<'_> {
    fn word(&self, name: &str) -> &str {
        self.value[name].as_str().unwrap_or_default()
    }

    fn day(&self) -> String {
        self.news.told_at.strftime("%Y-%m-%d").to_string()
    }

    fn remembered(&self) -> Option<Timestamp> {
        self.news.told_at.checked_add(REMEMBERED).ok()
    }
}

impl Standing {
    fn take(&mut self, news: &AccountNews) {
        let value: Value = serde_json::from_str(&news.raw).unwrap_or_default();
        let who = match value["display_phone_number"].as_str() {
            Some(number) => number_named(number),
            None => account_named(news.waba_id.as_deref()),
        };
        let notice = Notice {
            news,
            value: &value,
            who,
        };
        match news.field.as_str() {
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

    fn hold(&mut self, notice: &Notice<'_>, kind: Kind, text: &str, until: Option<Timestamp>) {
        let sentence = format!("{}: {text} (told {})", notice.who, notice.day());
        self.held
            .insert((notice.who.clone(), kind), Held { sentence, until });
    }

    fn clear(&mut self, notice: &Notice<'_>, kinds: &[Kind]) {
        for kind in kinds {
            self.held.remove(&(notice.who.clone(), *kind));
        }
    }

    fn account(&mut self, notice: &Notice<'_>) {
        const LOOK: &str = "look at Account quality in WhatsApp Manager";
        match notice.word("event") {
            "DISABLED_UPDATE" => {
                let state = notice.value["ban_info"]["waba_ban_state"].as_str();
                match state.unwrap_or_default() {
                    "REINSTATE" => self.clear(notice, &Kind::PUNISHMENTS),
                    "SCHEDULE_FOR_DISABLE" => {
                        let text = format!("WhatsApp is going to disable it; {LOOK} and appeal");
                        self.hold(notice, Kind::ComingBan, &text, None);
                    }
                    _ => {
                        let text =
                            format!("disabled by WhatsApp, nobody is answered; {LOOK} and appeal");
                        self.hold(notice, Kind::Ban, &text, None);
                    }
                }
            }
            "ACCOUNT_REINSTATED" => self.clear(notice, &Kind::PUNISHMENTS),
            "ACCOUNT_RESTRICTION" => self.restriction(notice, LOOK),
            "ACCOUNT_VIOLATION" => {
                let kind = notice.value["violation_info"]["violation_type"].as_str();
                let kind = kind.unwrap_or("of a kind that was not told");
                let text = format!("it broke a policy of WhatsApp ({kind}); {LOOK}");
                self.hold(notice, Kind::Violation, &text, notice.remembered());
            }
            "ACCOUNT_DELETED" => {
                let text = "deleted, nobody is answered; set up another account and its number";
                self.hold(notice, Kind::Gone, text, None);
            }
            "ACCOUNT_OFFBOARDED" => {
                let text = "taken off the Cloud API, nobody is answered; connect it again";
                self.hold(notice, Kind::Gone, text, None);
            }
            "ACCOUNT_RECONNECTED" => self.clear(notice, &[Kind::Gone]),
            _ => {}
        }
    }

    /// The list is whole each time: an empty one takes all restrictions back.
    fn restriction(&mut self, notice: &Notice<'_>, look: &str) {
        let listed = notice.value["restriction_info"].as_array();
        let listed = || listed.into_iter().flatten();
        let kinds: Vec<&str> = listed()
            .filter_map(|item| item["restriction_type"].as_str())
            .collect();
        if kinds.is_empty() {
            return self.clear(notice, &[Kind::Restriction]);
        }
        // Without an end, or with one that cannot be read, a restriction lasts until it is taken
        // back.
        let ends = listed().map(|item| Timestamp::from_second(item["expiration"].as_i64()?).ok());
        let until = ends
            .collect::<Option<Vec<_>>>()
            .and_then(|ends| ends.into_iter().max());
        let end = until.map_or_else(String::new, |until| {
            format!(" until {}", until.strftime("%Y-%m-%d %H:%M UTC"))
        });
        let text = format!("restricted by WhatsApp ({}){end}; {look}", kinds.join(", "));
        self.hold(notice, Kind::Restriction, &text, until);
    }

    fn review(&mut self, notice: &Notice<'_>) {
        match notice.word("decision") {
            "REJECTED" => {
                let text = "its review was rejected; look at Business verification in Meta's Business settings";
                self.hold(notice, Kind::Review, text, None);
            }
            "APPROVED" => self.clear(notice, &[Kind::Review]),
            _ => {}
        }
    }

    /// Only what Meta calls critical; the rest is told by `replyd events`.
    fn alert(&mut self, notice: &Notice<'_>) {
        let active = matches!(notice.word("alert_status"), "ACTIVE" | "");
        if notice.word("alert_severity") == "CRITICAL" && active {
            let text = format!(
                "a critical alert ({}); look at WhatsApp Manager",
                notice.word("alert_type")
            );
            self.hold(notice, Kind::Alert, &text, notice.remembered());
        } else if !active {
            self.clear(notice, &[Kind::Alert]);
        }
    }

    fn quality(&mut self, notice: &Notice<'_>) {
        const LESS: &str = "people block or report it: send less that nobody asked for";
        match notice.word("event") {
            "FLAGGED" => self.hold(
                notice,
                Kind::Flag,
                &format!("flagged for low quality; {LESS}"),
                None,
            ),
            "UNFLAGGED" => self.clear(notice, &[Kind::Flag]),
            _ => {}
        }
        self.limit(notice, "current_limit");
    }

    /// A limit below the one before hinders until it rises again.
    fn limit(&mut self, notice: &Notice<'_>, name: &str) {
        let limit = &notice.value[name];
        let Some(new) = rank(limit) else {
            if notice.word("event") == "DOWNGRADE" {
                let text = "its messaging limit was lowered; send less that nobody asked for";
                self.hold(notice, Kind::Limit, text, notice.remembered());
            }
            return;
        };
        let before = self.limits.insert(notice.who.clone(), new);
        let before = before.or_else(|| rank(&notice.value["old_limit"]));
        let event = notice.word("event");
        if event == "DOWNGRADE" || before.is_some_and(|before| new < before) {
            let now = limit
                .as_str()
                .map_or_else(|| limit.to_string(), str::to_owned);
            let text = format!(
                "its messaging limit was lowered to {now}; send less that nobody asked for"
            );
            self.hold(notice, Kind::Limit, &text, notice.remembered());
        } else if before.is_some_and(|before| new > before) || event.ends_with("UPGRADE") {
            self.clear(notice, &[Kind::Limit]);
        }
    }
}

/// How many people a limit allows; up to v23 Meta wrote numbers, since then `TIER_2K`.
fn rank(limit: &Value) -> Option<i64> {
    if let Some(number) = limit.as_i64() {
        // -1 has no bound.
        return Some(if number < 0 { i64::MAX } else { number });
    }
    let people = limit.as_str()?.strip_prefix("TIER_")?;
    match people.strip_suffix('K') {
        Some(thousands) => thousands.parse::<i64>().ok()?.checked_mul(1_000),
        None if people == "UNLIMITED" => Some(i64::MAX),
        None => people.parse().ok(),
    }
}

/// The whole number belongs into no log.
fn number_named(number: &str) -> String {
    let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    let end: String = digits[digits.len().saturating_sub(4)..].iter().collect();
    format!("the number that ends in {end}")
}

fn account_named(waba_id: Option<&str>) -> String {
    match waba_id {
        Some(id) => format!("account {id}"),
        None => "the account".to_owned(),
    }
}

#[cfg(test)]
mod tests;
