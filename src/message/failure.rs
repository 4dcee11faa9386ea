//! Errors that end or delay an outbound message, as data: class, code and words.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Outbound, RuleId, Wamid};

/// Meta's code for a free message to a contact who has not written for 24 hours. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes>.
pub const WINDOW_CLOSED: i64 = 131_047;
/// Meta's code for marketing to a contact who has stopped it; same page.
pub const MARKETING_STOPPED: i64 = 131_050;

/// Consequence of an error for the message, the number or the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// Temporary fault: try again in seconds, later in minutes.
    Retry,
    /// As `Retry`, but with longer waits: the message itself may be the cause.
    RetryWide,
    /// As `RetryWide`, but only a few times: most often the message is the cause.
    RetryFew,
    /// Too many calls of the app or account: continue in minutes.
    RetrySlow,
    /// The business number must send more slowly, or pause.
    SlowNumber,
    /// Too many messages to one contact; other contacts are not affected.
    SlowPair,
    /// The contact's last message is more than 24 hours old: only templates may be sent.
    WindowClosed,
    /// Meta will never accept this message; another one may arrive.
    GiveUp,
    /// The contact's app may be unable to show this kind of message, or nothing reaches the
    /// contact.
    Undeliverable,
    /// Meta delivers no marketing to this contact; other messages may arrive.
    Marketing,
    /// Meta delivers nothing to this contact, or the contact wants nothing.
    Contact,
    /// Nothing can be sent until the owner repairs the account or the configuration; messages wait.
    Account,
}

impl ErrorClass {
    /// Every class with its name in logs, in the database and in `error_codes.txt`.
    pub const ALL: [(&'static str, Self); 12] = [
        ("retry", Self::Retry),
        ("retry_wide", Self::RetryWide),
        ("retry_few", Self::RetryFew),
        ("retry_slow", Self::RetrySlow),
        ("slow_number", Self::SlowNumber),
        ("slow_pair", Self::SlowPair),
        ("window_closed", Self::WindowClosed),
        ("give_up", Self::GiveUp),
        ("undeliverable", Self::Undeliverable),
        ("marketing", Self::Marketing),
        ("contact", Self::Contact),
        ("account", Self::Account),
    ];

    /// Name in logs and in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].0
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub fn may_pass(self) -> bool {
        match self {
            Self::Retry
            | Self::RetryWide
            | Self::RetryFew
            | Self::RetrySlow
            | Self::SlowNumber
            | Self::SlowPair => true,
            Self::WindowClosed
            | Self::GiveUp
            | Self::Undeliverable
            | Self::Marketing
            | Self::Contact
            | Self::Account => false,
        }
    }

    /// Parses a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let class = Self::ALL.iter().find(|(known, _)| *known == name);
        class.map(|(_, class)| *class)
    }
}

/// Reason why a message that WhatsApp had accepted did not arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Graph's error code, if WhatsApp gave one.
    pub code: Option<i64>,
    /// Consequence of the error.
    pub class: ErrorClass,
    /// Code, meaning, Meta's explanation and the remedy, for the operator. Must not be logged.
    pub reason: String,
}

/// Reply of a rule that WhatsApp refused or did not deliver, with what may be sent in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct FailedReply {
    /// Rule, or `flow/ending`.
    pub rule: RuleId,
    /// Answered message; `None` for a reply of a timer.
    pub answers: Option<Wamid>,
    /// Name of the kind of message that failed.
    pub kind: String,
    /// `on_error` of the rule, filled in when the reply was.
    pub instead: Vec<Outbound>,
    /// Consequence of the error.
    pub class: ErrorClass,
    /// Time of the decision on the reply.
    pub decided_at: Timestamp,
    /// End of the time in which free messages are accepted; `None` while it is unknown.
    pub window_ends: Option<Timestamp>,
    /// Whether the contact has got a later answer, or a message by hand.
    pub later_answer: LaterAnswer,
}

/// Whether something was sent to the contact after a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LaterAnswer {
    /// A later message of the contact was answered, or a colleague wrote.
    Sent,
    /// The failed reply is the last one.
    None,
}
