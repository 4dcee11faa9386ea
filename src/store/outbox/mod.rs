//! Outbox: claims ([`claim`]), settlements ([`mod@settle`]), rows without a settlement ([`sweep`]),
//! changes by operators ([`manual`]), and read marks, which nobody claims ([`read_marks`]).

mod claim;
mod counts;
mod manual;
mod read_marks;
mod settle;
mod sweep;

pub(super) use claim::claim_rows;
pub use counts::OutboxCount;
pub use manual::{Done, NotDone, OutboxRow, Repeat, RetryByHand, Try};
pub use read_marks::{DueReadMarks, ReadMark};
pub(super) use settle::settle;
pub use sweep::{ExpiredMessage, Swept};

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::message::{ErrorClass, Outbound, PhoneNumberId, Recipient, RecipientReport, Wamid};

/// Bounds of a claim.
#[derive(Clone, Debug)]
pub struct ClaimRequest {
    /// Time of the claim.
    pub now: Timestamp,
    /// Length of the lease.
    pub lease: Duration,
    /// Number of rows that each business number may send now; other numbers send nothing.
    pub room: HashMap<PhoneNumberId, u32>,
    /// Upper bound of rows.
    pub limit: u32,
}

/// Result of a claim.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    /// Rows to send before their lease ends.
    pub rows: Vec<Claimed>,
    /// Unreadable rows with the reason; they have left the outbox, so that they do not block
    /// others.
    pub unusable: Vec<(i64, &'static str)>,
}

/// A claimed message of the outbox, to send before its lease ends.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// `outbox.id`.
    pub id: i64,
    /// Rows of one conversation are sent in sequence.
    pub conversation_id: i64,
    /// Business number that sends.
    pub phone_number_id: PhoneNumberId,
    /// Random for each claim; every later write must match it. It is sent as
    /// `biz_opaque_callback_data`, which receipts return.
    pub claim_token: String,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// Time after which the row is not sent.
    pub expires_at: Timestamp,
    /// Recipient.
    pub recipient: Recipient,
    /// Content.
    pub content: Box<Outbound>,
    /// Message that it quotes or reacts to.
    pub about: Option<Wamid>,
}

/// End of a claim.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// `outbox.id`.
    pub id: i64,
    /// As claimed.
    pub claim_token: String,
    /// As claimed.
    pub phone_number_id: PhoneNumberId,
    /// Result of the send.
    pub outcome: SendResult,
    /// What WhatsApp says of the recipient, where that is new.
    pub report: Option<RecipientReport>,
}

/// Error of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Graph's error code, if there was one.
    pub code: Option<i64>,
    /// Consequence of the error, if the request was rejected.
    pub class: Option<ErrorClass>,
    /// Meaning of the code and Meta's text, for the operator. Must not be logged.
    pub text: String,
}

impl From<&str> for Reason {
    fn from(text: &str) -> Self {
        Self {
            code: None,
            class: None,
            text: text.to_owned(),
        }
    }
}

/// Result of a send.
#[derive(Clone, Debug)]
pub enum SendResult {
    /// The gateway accepted it.
    Accepted(Wamid),
    /// It was certainly not sent, and is tried again.
    Retry {
        /// Earliest time of the next attempt.
        at: Timestamp,
        /// Error of the attempt.
        reason: Reason,
    },
    /// It may have been sent: never repeated without a decision.
    Unknown {
        /// Reason of the doubt.
        reason: String,
    },
    /// It will never be sent.
    Dead {
        /// Reason for the operator.
        reason: Reason,
    },
    /// The send was not started (shutdown): the row is free again, as if never claimed.
    Released,
}

/// Result of the settlements of one transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Number of rows with a valid claim.
    pub settled: u64,
    /// Number of rows whose lease had ended, or that a receipt proved sent; nothing of them was
    /// changed.
    pub stale: u64,
}
