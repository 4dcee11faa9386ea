//! Input and result of a batch.

use std::time::Duration;

use jiff::Timestamp;

use crate::engine::{Decision, EngineEvent, Turn};
use crate::message::{Conversation, Failure, RulesVersion};

/// Decides on one event. Must be pure: a transaction that is run again decides again. A panic in it
/// costs only its message.
pub type Decide =
    dyn Fn(&Conversation, EngineEvent<'_>, Timestamp) -> (Turn, RulesVersion) + Send + Sync;

/// Settings of one call of [`Store::receive`](crate::store::Store::receive).
#[derive(Clone, Copy, Debug)]
pub struct ReceivePolicy {
    /// Time of receiving.
    pub now: Timestamp,
    /// Time after which a reply is not worth sending any more.
    pub reply_expires_after: Duration,
    /// Treatment of the files that contacts send.
    pub files: MediaPolicy,
}

/// Treatment of the files that contacts send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaPolicy {
    /// Files stay with Meta, which deletes them after a week.
    Ignore,
    /// Each file gets an outbox row that downloads it.
    Download,
}

/// Numbers of the events and results of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// New messages of contacts; each has a decision.
    pub messages: usize,
    /// New messages of colleagues, from the phone app.
    pub echoes: usize,
    /// Messages that were stored before.
    pub duplicates: usize,
    /// Receipts, new or not.
    pub receipts: usize,
    /// Accepted messages that did not arrive, reported for the first time.
    pub failures: Vec<Failure>,
    /// Account events, new or not.
    pub account: usize,
    /// Account events about how the account stands, new or not.
    pub status_events: usize,
    /// Unreadable updates, new or not.
    pub quarantined: usize,
    /// One for each new message, in order.
    pub decisions: Vec<Decision>,
    /// Rows put into the outbox.
    pub queued: usize,
    /// Rows put into the outbox that are actions.
    pub actions: usize,
}
