//! Input and result of a batch.

use std::time::Duration;

use jiff::Timestamp;

use crate::engine::{Decision, EngineEvent, Turn};
use crate::message::{Conversation, Event, Failure, PhoneNumberId, RulesVersion};
use crate::store::outbox::{Claimed, ReadMark, Settled, Settlement};

/// Decides on one event. Must be pure: a transaction that is run again decides again. A panic in it
/// costs only its message.
pub type Decide =
    dyn Fn(&Conversation, EngineEvent<'_>, Timestamp) -> (Turn, RulesVersion) + Send + Sync;

/// Everything that one transaction takes in.
#[derive(Default)]
pub struct Arrivals<'a> {
    /// Events of webhooks.
    pub events: Vec<Event>,
    /// Results of sends. They come first, so that a conversation is idle when its send has ended.
    pub settlements: &'a [Settlement],
    /// Read marks that were tried: they leave the database.
    pub tried_marks: &'a [ReadMark],
    /// Claims replies at once; without it all of them are queued.
    pub direct: Option<DirectClaims<'a>>,
}

impl From<Vec<Event>> for Arrivals<'_> {
    fn from(events: Vec<Event>) -> Self {
        Self {
            events,
            ..Self::default()
        }
    }
}

/// Claims of replies in the transaction that stores them.
pub struct DirectClaims<'a> {
    /// Asked for each conversation.
    pub room: &'a dyn SendRoom,
    /// Length of the lease.
    pub lease: Duration,
}

/// Room for sends that start as soon as they are committed.
pub trait SendRoom: Send + Sync {
    /// Reserves room for a message of a number and gives its claim token; `None` if there is none, or
    /// other messages of the number come first.
    fn reserve(&self, number: &PhoneNumberId) -> Option<String>;
}

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
#[derive(Clone, Debug, Default)]
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
    /// Rows put into the outbox unclaimed, and read marks that have to wait.
    pub queued: usize,
    /// Replies that were claimed, to be sent at once; one of a conversation at most.
    pub claimed: Vec<Claimed>,
    /// Read marks of conversations in which nothing else was to be sent: they may go at once.
    pub marks: Vec<ReadMark>,
    /// Settled rows.
    pub settled: Settled,
    /// Rows put into the outbox that are actions.
    pub actions: usize,
}
