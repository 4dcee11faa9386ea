//! What still has to reach the gateway: claiming ([`claim`]), settling ([`settle`]) and moving on
//! what nobody settles ([`sweep`]); what a person does with a row ([`manual`]); and files to fetch
//! from the gateway (`media`).

mod claim;
mod counts;
mod manual;
mod settle;
mod sweep;

pub use counts::OutboxCount;
pub use manual::{Done, NotDone, OutboxRow, Repeat, RetryByHand, Try};
pub use sweep::{ExpiredMessage, Swept};

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::message::{Outbound, PhoneNumberId, Recipient, Wamid};

/// What a claim may take.
#[derive(Clone, Debug)]
pub struct ClaimRequest {
    /// The time of the claim.
    pub now: Timestamp,
    /// How long the claimed rows are ours.
    pub lease: Duration,
    /// How many rows each number may send now, by its pacing; one that is not in here sends
    /// nothing.
    pub room: HashMap<PhoneNumberId, u32>,
    /// How many rows in all.
    pub limit: u32,
}

/// What a claim took.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    /// Ours until their lease ends.
    pub rows: Vec<Claimed>,
    /// Rows that nobody can send, and why: they have left, so that they do not hold up all others.
    pub unusable: Vec<(i64, &'static str)>,
}

/// A row of the outbox that is ours until its lease ends.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// `outbox.id`.
    pub id: i64,
    /// Rows of one conversation are sent one after the other.
    pub conversation_id: i64,
    /// The sender.
    pub phone_number_id: PhoneNumberId,
    /// Random per claim; every later write must match it. It goes out as
    /// `biz_opaque_callback_data`, the tag that receipts bring back.
    pub claim_token: String,
    /// 1 for the first.
    pub attempt: u32,
    /// After this it is not sent any more.
    pub expires_at: Timestamp,
    /// What to do.
    pub kind: ClaimedKind,
}

/// What a claimed row asks for.
#[derive(Clone, Debug)]
pub enum ClaimedKind {
    /// Send a message.
    Message {
        /// To whom.
        recipient: Recipient,
        /// What.
        content: Box<Outbound>,
        /// The message it quotes or reacts to.
        about: Option<Wamid>,
    },
    /// Mark a message (and all before it) read.
    ReadMark {
        /// The newest message of the person.
        wamid: Wamid,
    },
}

/// The end of one claim.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// `outbox.id`.
    pub id: i64,
    /// As claimed.
    pub claim_token: String,
    /// As claimed.
    pub phone_number_id: PhoneNumberId,
    /// What came of it.
    pub outcome: SendResult,
}

/// What a try met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Graph's error code, when there was one.
    pub code: Option<i64>,
    /// For a person: the code's meaning, and what Meta wrote. Not for logs.
    pub text: String,
}

impl From<&str> for Reason {
    fn from(text: &str) -> Self {
        let (code, text) = (None, text.to_owned());
        Self { code, text }
    }
}

/// What came of a send.
#[derive(Clone, Debug)]
pub enum SendResult {
    /// The gateway took it; `None` for a read mark.
    Accepted(Option<Wamid>),
    /// It was certainly not sent; try again at this time.
    Retry {
        /// Not before.
        at: Timestamp,
        /// What it met.
        reason: Reason,
    },
    /// It may have been sent: never repeated blindly.
    Unknown {
        /// Why we do not know.
        reason: String,
    },
    /// It will never be sent.
    Dead {
        /// Why, for a person.
        reason: String,
    },
    /// It was claimed and not started (shutdown): free again, as if never claimed.
    Released,
}

/// What [`Store::settle_outbox`](super::Store::settle_outbox) did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Rows that were still ours.
    pub settled: u64,
    /// Rows that were not: their lease ended, or a receipt proved them sent. Nothing of theirs was
    /// changed.
    pub stale: u64,
}
